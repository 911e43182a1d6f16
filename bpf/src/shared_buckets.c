// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "shared_buckets.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Array values lie eight bytes aligned, one after the other. */
_Static_assert(sizeof(struct buckets) % 8 == 0, "the mapped array would not be contiguous");
_Static_assert(MAX_TARGETS % SLOTS_A_PART == 0, "the last part of a kind would reach into the next");

/* A part and the rest of the pages at its ends. */
struct pages {
	size_t start, before, size;
};

static struct pages pages_of(enum counted kind, uint32_t part)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t start = buckets_index(kind, part * SLOTS_A_PART) * sizeof(struct buckets);
	size_t end = start + SLOTS_A_PART * sizeof(struct buckets);
	size_t first = start / page * page;

	return (struct pages){ .start = first, .before = start - first, .size = (end - first + page - 1) / page * page };
}

void shared_buckets_open(struct shared_buckets *shared, int map_fd)
{
	memset(shared, 0, sizeof(*shared));
	shared->map_fd = map_fd;
}

void shared_buckets_close(struct shared_buckets *shared)
{
	uint32_t part;
	int kind;

	for (kind = 0; kind < COUNTED_KINDS; kind++) {
		for (part = 0; part < MAX_TARGETS / SLOTS_A_PART; part++) {
			struct pages pages = pages_of(kind, part);

			if (shared->parts[kind][part])
				munmap((char *)shared->parts[kind][part] - pages.before, pages.size);
		}
	}
}

static struct buckets *map_part(const struct shared_buckets *shared, enum counted kind, uint32_t part)
{
	struct pages pages = pages_of(kind, part);
	char *memory = mmap(NULL, pages.size, PROT_READ | PROT_WRITE, MAP_SHARED, shared->map_fd, (off_t)pages.start);

	return memory == MAP_FAILED ? NULL : (struct buckets *)(memory + pages.before);
}

struct buckets *shared_buckets_of(struct shared_buckets *shared, enum counted kind, uint32_t slot)
{
	struct buckets **part = &shared->parts[kind][slot / SLOTS_A_PART];

	if (!*part)
		*part = map_part(shared, kind, slot / SLOTS_A_PART);
	return *part ? &(*part)[slot % SLOTS_A_PART] : NULL;
}
