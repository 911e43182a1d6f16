/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The buckets that the program counts in. All of them together are 22 MB, and mapped memory is resident at once: so a part is mapped
 * when something in it was counted.
 */
#ifndef ROBOTGC_SHARED_BUCKETS_H
#define ROBOTGC_SHARED_BUCKETS_H

#include <stdint.h>

#include "events.h"

/* Of one kind; on 4 KiB pages a part then begins and ends with one. */
#define SLOTS_A_PART 64

struct shared_buckets {
	int map_fd;
	struct buckets *parts[COUNTED_KINDS][MAX_TARGETS / SLOTS_A_PART]; /* NULL: not mapped yet */
};

void shared_buckets_open(struct shared_buckets *shared, int map_fd);
void shared_buckets_close(struct shared_buckets *shared);

/* NULL when there is no memory to map them. */
struct buckets *shared_buckets_of(struct shared_buckets *shared, enum counted kind, uint32_t slot);

#endif
