/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef ROBOTGC_OPTIONS_H
#define ROBOTGC_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel.h"

#define EXIT_USAGE 2
#define EXIT_ENVIRONMENT 3

struct options {
	enum attach_way way;
	bool verbose;
	uint64_t stall_limit; /* assist stalls a second that may be seen one by one */
};

/* False when the program is to end now with `exit_code` (after --help, --version, a usage error). */
bool options_parse(struct options *options, int argc, char **argv, int *exit_code);

#endif
