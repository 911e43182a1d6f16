/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The running probe: everything it holds, what a command does to it, and how its records go out. */
#ifndef ROBOTGC_PROBE_H
#define ROBOTGC_PROBE_H

#include "attachments.h"
#include "emit.h"
#include "kernel.h"
#include "lines.h"
#include "pressure.h"
#include "targets.h"
#include "tracepoints.h"

struct ring_buffer;

/* A flush under way: it yields whenever the reader has to catch up. */
struct flush {
	bool active;
	bool drained;
	uint64_t seq;
	uint64_t at_ns;
	uint32_t next_slot;
	struct sampled sampled[MAX_ATTACHMENTS];
};

struct probe {
	struct kernel kernel;
	struct attachments attachments;
	struct targets targets;
	struct tracepoints tracepoints;
	struct pressure pressure;
	uint64_t stall_limit; /* assist stalls a second that may be seen one by one */
	struct ring_buffer *ring;
	struct flush flush;
	bool ignore_high_water;
	uint64_t lost_reported;
	struct lines lines;
	struct command command; /* large, hence not on the stack */
	struct output out;
};

bool probe_open(struct probe *probe, enum attach_way wanted, struct failure *failure);
/* Detaches everything. */
void probe_close(struct probe *probe);

/* Carries out one line of input. */
void probe_handle_line(struct probe *probe, const char *line, size_t length);
void probe_refuse_long_line(struct probe *probe);

/* Emits what the kernel has, until there is none left (true) or the reader has to catch up (false). */
bool probe_drain(struct probe *probe);
/* Goes on with the flush, if one is under way. */
void probe_continue_flush(struct probe *probe);
/* Looks away from what would cost too much; returns in how many ms it wants to be asked again. */
int probe_sample(struct probe *probe);
/* Reports and forgets processes that have ended. */
void probe_reap(struct probe *probe);
/* Reports what triggers of memory pressure tell. */
void probe_tell_pressure(struct probe *probe);

#endif
