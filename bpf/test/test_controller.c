// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "check.h"
#include "controller.h"

#define MIB (1ULL << 20)

static struct controller_layout layout;
static uint8_t controller[MAX_CONTROLLER_BYTES];

/* Fields one after the other, eight bytes each. */
static void reset(void)
{
	int field;

	for (field = 0; field < FIELD_COUNT; field++)
		layout.offsets[field] = field * 8;
	layout.size = FIELD_COUNT * 8;
	memset(controller, 0, sizeof(controller));
}

static void set(enum controller_field field, uint64_t value)
{
	memcpy(controller + layout.offsets[field], &value, controller_field_width(field));
}

/* A process with 20 MiB live, GOGC=100, and 30 MiB mapped of which 24 are heap. */
static void ordinary(void)
{
	reset();
	set(FIELD_GC_PERCENT, 100);
	set(FIELD_MEMORY_LIMIT, INT64_MAX);
	set(FIELD_GC_PERCENT_HEAP_GOAL, 40 * MIB);
	set(FIELD_TRIGGERED, UINT64_MAX);
	set(FIELD_HEAP_MARKED, 20 * MIB);
	set(FIELD_TOTAL_ALLOC, 124 * MIB);
	set(FIELD_TOTAL_FREE, 104 * MIB);
	set(FIELD_HEAP_FREE, 4 * MIB);
	set(FIELD_MAPPED_READY, 30 * MIB);
}

static void expect_goal(const char *what, uint64_t bytes, bool by_memory_limit)
{
	struct heap_goal goal = controller_heap_goal(&layout, controller);

	CHECK(goal.bytes == bytes && goal.by_memory_limit == by_memory_limit, "%s: %llu instead of %llu", what,
	      (unsigned long long)goal.bytes, (unsigned long long)bytes);
}

static void goals(void)
{
	ordinary();
	expect_goal("GOGC alone", 40 * MIB, false);

	set(FIELD_MEMORY_LIMIT, 200 * MIB);
	expect_goal("a limit far away", 40 * MIB, false);

	/* 36 MiB - 6 MiB that are not heap = 30 MiB, less the head-room: 3 % are below its least, 1 MiB. */
	set(FIELD_MEMORY_LIMIT, 36 * MIB);
	expect_goal("a limit that binds", 29 * MIB, true);

	/* From 1000 MiB - 6 MiB the head-room is 3 %, taken of hundredths rounded down. */
	set(FIELD_MEMORY_LIMIT, 1000 * MIB);
	set(FIELD_GC_PERCENT_HEAP_GOAL, UINT64_MAX);
	expect_goal("GOGC off, a large limit", 994 * MIB - 994 * MIB / 100 * 3, true);

	ordinary();
	set(FIELD_MEMORY_LIMIT, 22 * MIB);
	expect_goal("a limit below what is mapped: not below the live heap", 20 * MIB, true);
	set(FIELD_MEMORY_LIMIT, 3 * MIB);
	expect_goal("a limit below what is not heap", 20 * MIB, true);

	ordinary();
	set(FIELD_GC_PERCENT_HEAP_GOAL, UINT64_MAX);
	expect_goal("GOGC off, no limit", UINT64_MAX, false);

	ordinary();
	set(FIELD_SWEEP_DIST_MIN_TRIGGER, 41 * MIB);
	expect_goal("raised for the sweeper", 41 * MIB, false);
	layout.offsets[FIELD_SWEEP_DIST_MIN_TRIGGER] = OFFSET_ABSENT;
	expect_goal("where that is not known", 40 * MIB, false);

	ordinary();
	set(FIELD_TRIGGERED, 40 * MIB);
	expect_goal("raised above the trigger", 40 * MIB + (64 << 10), false);

	ordinary();
	set(FIELD_MEMORY_LIMIT, 100 * MIB);
	set(FIELD_MAPPED_READY, 1 * MIB);
	expect_goal("values that do not agree", 20 * MIB, true);
}

static void values(void)
{
	reset();
	set(FIELD_GC_PERCENT, (uint32_t)-1);
	CHECK(controller_gc_percent(&layout, controller) == -1, "GOGC=off is -1");
	set(FIELD_HEAP_LIVE, UINT64_MAX);
	CHECK(controller_value(&layout, controller, FIELD_HEAP_LIVE) == UINT64_MAX, "64 bits");
	layout.offsets[FIELD_HEAP_LIVE] = 3; /* alignment is the caller's word, not ours to rely on */
	controller_value(&layout, controller, FIELD_HEAP_LIVE);
	layout.offsets[FIELD_HEAP_LIVE] = OFFSET_ABSENT;
	CHECK(controller_value(&layout, controller, FIELD_HEAP_LIVE) == 0, "absent");
}

int main(void)
{
	goals();
	values();
	return checks_report("controller");
}
