/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Reading a copy of runtime.gcController by the offsets that the caller gave. Pure. */
#ifndef ROBOTGC_CONTROLLER_H
#define ROBOTGC_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"

/* Fields of runtime.gcControllerState (runtime/mgcpacer.go), by their Go names. */
enum controller_field {
	FIELD_GC_PERCENT,
	FIELD_MEMORY_LIMIT,
	FIELD_HEAP_MINIMUM,
	FIELD_GC_PERCENT_HEAP_GOAL,
	FIELD_SWEEP_DIST_MIN_TRIGGER, /* optional */
	FIELD_TRIGGERED,
	FIELD_LAST_HEAP_GOAL,
	FIELD_HEAP_LIVE,
	FIELD_LAST_STACK_SCAN,
	FIELD_GLOBALS_SCAN,
	FIELD_HEAP_MARKED,
	FIELD_ASSIST_TIME,
	FIELD_DEDICATED_MARK_TIME,
	FIELD_FRACTIONAL_MARK_TIME,
	FIELD_IDLE_MARK_TIME,
	FIELD_MARK_START_TIME,
	FIELD_HEAP_IN_USE,
	FIELD_HEAP_RELEASED,
	FIELD_HEAP_FREE,
	FIELD_TOTAL_ALLOC,
	FIELD_TOTAL_FREE,
	FIELD_MAPPED_READY,
	FIELD_COUNT,
};

#define OFFSET_ABSENT (-1)

struct controller_layout {
	int32_t offsets[FIELD_COUNT];
	/* How much of the struct has to be copied to hold every field; 0: there is no layout. */
	uint32_t size;
};

const char *controller_field_name(enum controller_field field);
uint32_t controller_field_width(enum controller_field field);
bool controller_field_optional(enum controller_field field);

/* The field's value; 0 when the layout has no offset for it. gcPercent (int32) is not for this. */
uint64_t controller_value(const struct controller_layout *layout, const uint8_t *controller,
			  enum controller_field field);
int32_t controller_gc_percent(const struct controller_layout *layout, const uint8_t *controller);

struct heap_goal {
	uint64_t bytes; /* UINT64_MAX: no goal, GOGC is off and there is no memory limit */
	bool by_memory_limit;
};

/*
 * What the runtime's heapGoalInternal() gives for this state: the lesser of the GOGC goal and the memory
 * limit's goal, with the same adjustments.
 */
struct heap_goal controller_heap_goal(const struct controller_layout *layout, const uint8_t *controller);

#endif
