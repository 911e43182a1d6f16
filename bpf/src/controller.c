// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "controller.h"

#include <string.h>

static const char *const field_names[FIELD_COUNT] = {
	[FIELD_GC_PERCENT] = "gcPercent",
	[FIELD_MEMORY_LIMIT] = "memoryLimit",
	[FIELD_HEAP_MINIMUM] = "heapMinimum",
	[FIELD_GC_PERCENT_HEAP_GOAL] = "gcPercentHeapGoal",
	[FIELD_SWEEP_DIST_MIN_TRIGGER] = "sweepDistMinTrigger",
	[FIELD_TRIGGERED] = "triggered",
	[FIELD_LAST_HEAP_GOAL] = "lastHeapGoal",
	[FIELD_HEAP_LIVE] = "heapLive",
	[FIELD_LAST_STACK_SCAN] = "lastStackScan",
	[FIELD_GLOBALS_SCAN] = "globalsScan",
	[FIELD_HEAP_MARKED] = "heapMarked",
	[FIELD_ASSIST_TIME] = "assistTime",
	[FIELD_DEDICATED_MARK_TIME] = "dedicatedMarkTime",
	[FIELD_FRACTIONAL_MARK_TIME] = "fractionalMarkTime",
	[FIELD_IDLE_MARK_TIME] = "idleMarkTime",
	[FIELD_MARK_START_TIME] = "markStartTime",
	[FIELD_HEAP_IN_USE] = "heapInUse",
	[FIELD_HEAP_RELEASED] = "heapReleased",
	[FIELD_HEAP_FREE] = "heapFree",
	[FIELD_TOTAL_ALLOC] = "totalAlloc",
	[FIELD_TOTAL_FREE] = "totalFree",
	[FIELD_MAPPED_READY] = "mappedReady",
};

/* runtime/mgcpacer.go, the same in Go 1.22 to 1.26. */
#define MIN_RUNWAY_BYTES (64ULL << 10)
#define LIMIT_HEADROOM_PERCENT 3
#define LIMIT_MIN_HEADROOM_BYTES (1ULL << 20)

const char *controller_field_name(enum controller_field field)
{
	return field_names[field];
}

uint32_t controller_field_width(enum controller_field field)
{
	return field == FIELD_GC_PERCENT ? sizeof(int32_t) : sizeof(uint64_t);
}

bool controller_field_optional(enum controller_field field)
{
	return field == FIELD_SWEEP_DIST_MIN_TRIGGER;
}

uint64_t controller_value(const struct controller_layout *layout, const uint8_t *controller,
			  enum controller_field field)
{
	uint64_t value;

	if (layout->offsets[field] == OFFSET_ABSENT)
		return 0;
	memcpy(&value, controller + layout->offsets[field], sizeof(value));
	return value;
}

int32_t controller_gc_percent(const struct controller_layout *layout, const uint8_t *controller)
{
	int32_t value;

	memcpy(&value, controller + layout->offsets[FIELD_GC_PERCENT], sizeof(value));
	return value;
}

static uint64_t memory_limit_goal(const struct controller_layout *layout, const uint8_t *controller)
{
	uint64_t heap_free = controller_value(layout, controller, FIELD_HEAP_FREE);
	uint64_t mapped_ready = controller_value(layout, controller, FIELD_MAPPED_READY);
	uint64_t limit = controller_value(layout, controller, FIELD_MEMORY_LIMIT);
	uint64_t marked = controller_value(layout, controller, FIELD_HEAP_MARKED);
	uint64_t heap_alloc = controller_value(layout, controller, FIELD_TOTAL_ALLOC) -
			      controller_value(layout, controller, FIELD_TOTAL_FREE);
	uint64_t non_heap = mapped_ready - heap_free - heap_alloc;
	uint64_t overage = mapped_ready > limit ? mapped_ready - limit : 0;
	uint64_t goal, headroom;

	/* The world is stopped, so these agree; were they torn, non_heap would wrap round. */
	if (heap_free + heap_alloc > mapped_ready || non_heap + overage >= limit)
		return marked;
	goal = limit - (non_heap + overage);
	headroom = goal / 100 * LIMIT_HEADROOM_PERCENT;
	if (headroom < LIMIT_MIN_HEADROOM_BYTES)
		headroom = LIMIT_MIN_HEADROOM_BYTES;
	if (goal < headroom || goal - headroom < headroom)
		goal = headroom;
	else
		goal -= headroom;
	return goal < marked ? marked : goal;
}

struct heap_goal controller_heap_goal(const struct controller_layout *layout, const uint8_t *controller)
{
	struct heap_goal goal = {
		.bytes = controller_value(layout, controller, FIELD_GC_PERCENT_HEAP_GOAL),
	};
	uint64_t limit = controller_value(layout, controller, FIELD_MEMORY_LIMIT);
	uint64_t sweep_trigger = controller_value(layout, controller, FIELD_SWEEP_DIST_MIN_TRIGGER);
	uint64_t triggered = controller_value(layout, controller, FIELD_TRIGGERED);

	if (limit < INT64_MAX) {
		uint64_t by_limit = memory_limit_goal(layout, controller);

		if (by_limit < goal.bytes)
			return (struct heap_goal){ .bytes = by_limit, .by_memory_limit = true };
	}
	if (sweep_trigger > goal.bytes)
		goal.bytes = sweep_trigger;
	if (triggered != UINT64_MAX && goal.bytes < triggered + MIN_RUNWAY_BYTES)
		goal.bytes = triggered + MIN_RUNWAY_BYTES;
	return goal;
}
