/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Is the code at each point what the caller saw? A breakpoint in the middle of an instruction kills the process. */
#ifndef ROBOTGC_FILE_BYTES_H
#define ROBOTGC_FILE_BYTES_H

#include "command.h"
#include "emit.h"

/* Compares every point's bytes with the file's. */
bool file_bytes_check(int fd, const struct attach_request *request, struct failure *failure);

#endif
