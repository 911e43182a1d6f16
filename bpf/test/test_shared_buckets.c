// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A file in memory stands for the program's map: both lay their values one after the other. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "shared_buckets.h"

static const uint32_t slots[] = { 0, 1, SLOTS_A_PART - 1, SLOTS_A_PART, 500, MAX_TARGETS - 1 };
#define N_SLOTS (sizeof(slots) / sizeof(slots[0]))

static uint32_t mark(int kind, uint32_t slot)
{
	return 1 + buckets_index(kind, slot);
}

static void write_marks(int fd)
{
	struct buckets buckets = { 0 };
	int kind;
	size_t i;

	for (kind = 0; kind < COUNTED_KINDS; kind++) {
		for (i = 0; i < N_SLOTS; i++) {
			off_t at = (off_t)buckets_index(kind, slots[i]) * (off_t)sizeof(buckets);

			buckets.counts[0] = buckets.counts[HISTOGRAM_BUCKETS - 1] = mark(kind, slots[i]);
			CHECK(pwrite(fd, &buckets, sizeof(buckets), at) == sizeof(buckets), "kind %d, slot %u", kind, slots[i]);
		}
	}
}

static void each_slot_has_its_own(struct shared_buckets *shared)
{
	int kind;
	size_t i;

	for (kind = 0; kind < COUNTED_KINDS; kind++) {
		for (i = 0; i < N_SLOTS; i++) {
			const struct buckets *buckets = shared_buckets_of(shared, kind, slots[i]);

			CHECK(buckets && buckets->counts[0] == mark(kind, slots[i]) &&
			      buckets->counts[HISTOGRAM_BUCKETS - 1] == mark(kind, slots[i]), "kind %d, slot %u", kind, slots[i]);
		}
	}
}

static size_t mapped_parts(const struct shared_buckets *shared)
{
	size_t part, n = 0;
	int kind;

	for (kind = 0; kind < COUNTED_KINDS; kind++)
		for (part = 0; part < MAX_TARGETS / SLOTS_A_PART; part++)
			n += shared->parts[kind][part] != NULL;
	return n;
}

static void only_parts_in_use_are_mapped(struct shared_buckets *shared)
{
	struct buckets *first = shared_buckets_of(shared, COUNTED_ASSIST, 0);

	CHECK(mapped_parts(shared) == 1, "%zu parts", mapped_parts(shared));
	CHECK(shared_buckets_of(shared, COUNTED_ASSIST, SLOTS_A_PART - 1) == first + SLOTS_A_PART - 1, "the same part");
	CHECK(mapped_parts(shared) == 1, "%zu parts", mapped_parts(shared));
	CHECK(shared_buckets_of(shared, COUNTED_READ, 0) != first, "another kind");
	CHECK(mapped_parts(shared) == 2, "%zu parts", mapped_parts(shared));
}

static void without_memory_there_are_none(void)
{
	static struct shared_buckets shared;

	shared_buckets_open(&shared, -1);
	CHECK(!shared_buckets_of(&shared, COUNTED_MMAP, 0), "mapped from nowhere");
	shared_buckets_close(&shared);
}

int main(void)
{
	static struct shared_buckets shared;
	int fd = memfd_create("buckets", MFD_CLOEXEC);

	CHECK(fd >= 0 && !ftruncate(fd, (off_t)COUNTED_KINDS * MAX_TARGETS * (off_t)sizeof(struct buckets)), "no memory");
	write_marks(fd);
	shared_buckets_open(&shared, fd);
	only_parts_in_use_are_mapped(&shared);
	each_slot_has_its_own(&shared);
	shared_buckets_close(&shared);
	without_memory_there_are_none();
	close(fd);
	return checks_report("shared_buckets");
}
