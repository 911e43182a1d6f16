/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The kernel's tracepoints: in place only while a process is watched, since they concern every process. */
#ifndef ROBOTGC_TRACEPOINTS_H
#define ROBOTGC_TRACEPOINTS_H

#include "emit.h"
#include "kernel.h"

#define N_TRACEPOINTS 9
#define N_TRACEPOINT_SIGNALS 6

struct tracepoints {
	struct bpf_program *programs[N_TRACEPOINTS]; /* NULL: this kernel has no such tracepoint */
	struct bpf_link *links[N_TRACEPOINTS];
	bool attached;
	struct missing_signal missing[N_TRACEPOINT_SIGNALS];
	size_t n_missing;
};

/* Finds out which of them this kernel has, and says of each signal that it lacks why. Leaves none attached. */
void tracepoints_try(struct tracepoints *tracepoints, const struct kernel *kernel);
void tracepoints_attach(struct tracepoints *tracepoints);
void tracepoints_detach(struct tracepoints *tracepoints);

#endif
