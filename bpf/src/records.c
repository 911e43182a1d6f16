// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "records.h"

#include <errno.h>
#include <time.h>

#include "probe.h"

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void emit_cycle_record(struct probe *probe, struct watched *watched, const struct cycle_event *event)
{
	const struct controller_layout *layout;
	uint64_t triggered;

	if (event->attachment >= MAX_ATTACHMENTS)
		return;
	layout = &probe->attachments.entries[event->attachment].request.layout;
	/* Detached since, or another attachment took the place. */
	if (layout->size == 0 || layout->size != event->controller_bytes)
		return;
	if (event->header.kind == EVENT_CYCLE_END) {
		/* The runtime resets `triggered` before the restart: this is where it can still be read. */
		watched->triggered = controller_value(layout, event->controller, FIELD_TRIGGERED);
		watched->cycles = event->cycles;
		return;
	}
	triggered = watched->cycles == event->cycles ? watched->triggered : UINT64_MAX;
	emit_cycle(&probe->out, event, layout, triggered);
}

int records_emit(void *context, void *record, size_t size)
{
	struct probe *probe = context;
	const struct event_header *header = record;
	struct watched *watched;

	if (size < sizeof(*header))
		return 0;
	watched = targets_of_record(&probe->targets, header);
	if (!watched)
		return 0;
	switch (header->kind) {
	case EVENT_PAUSE:
		if (size >= sizeof(struct pause_event))
			emit_pause(&probe->out, record);
		break;
	case EVENT_ASSIST:
		if (size >= sizeof(struct assist_event))
			emit_assist(&probe->out, record);
		break;
	case EVENT_WAIT:
		if (size >= sizeof(struct wait_event))
			emit_wait(&probe->out, record);
		break;
	case EVENT_EXEC:
		if (size >= sizeof(struct instant_event))
			emit_instant(&probe->out, "exec", record);
		break;
	case EVENT_CYCLE_END:
	case EVENT_CYCLE:
		if (size >= sizeof(struct cycle_event))
			emit_cycle_record(probe, watched, record);
		break;
	}
	/* Consumed all the same: libbpf stops behind this record. */
	return output_is_full(&probe->out) && !probe->ignore_high_water ? -EAGAIN : 0;
}
