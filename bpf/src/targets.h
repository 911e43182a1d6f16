/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The watched processes: each has an entry in the program's filter map and a slot with what is counted for it. */
#ifndef ROBOTGC_TARGETS_H
#define ROBOTGC_TARGETS_H

#include "attachments.h"
#include "emit.h"
#include "shared_buckets.h"

enum target_state {
	TARGET_FREE,
	TARGET_WATCHED,
	/* No longer watched; the slot is kept until the next flush has reported what it counted. */
	TARGET_LEAVING,
};

struct watched {
	enum target_state state;
	uint32_t pid;
	uint32_t attachment;
	int pidfd; /* readable once the process has ended; -1: none to be had, then nobody notices */
	/* From the last EVENT_CYCLE_END: which cycle, and the heap size that triggered it. */
	uint64_t cycles;
	uint64_t triggered;
};

struct targets {
	struct watched slots[MAX_TARGETS];
	uint32_t n_watched;
	int filter_fd;      /* the program's map */
	int exits_fd;       /* epoll of all pidfds */
	struct measures *measures; /* one a slot, shared with the program */
	size_t measures_size;
	struct shared_buckets buckets;
};

bool targets_open(struct targets *targets, const struct kernel *kernel, struct failure *failure);
void targets_close(struct targets *targets);

/* The slot that a record names, if it is still that process's; else NULL. */
struct watched *targets_of_record(struct targets *targets, const struct event_header *header);

bool targets_watch(struct targets *targets, uint32_t pid, uint32_t attachment, struct failure *failure);
/* False when it was not watched. */
bool targets_unwatch(struct targets *targets, uint32_t pid);
/* Whether any process is watched through it. */
bool targets_use(const struct targets *targets, uint32_t attachment);
void targets_unwatch_all_of(struct targets *targets, uint32_t attachment);

/* Takes one process that has ended off the list; returns its pid, 0 when there is none (any more). Says through what it was watched. */
uint32_t targets_next_gone(struct targets *targets, uint32_t *attachment);

/* Moves what the slot counted into `taken`; frees a slot that was leaving. False, and nothing taken, where nothing was counted. */
bool targets_take(struct targets *targets, uint32_t slot, struct taken *taken);

#endif
