// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "probe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gc.skel.h"
#include "records.h"

bool probe_open(struct probe *probe, enum attach_way wanted, struct failure *failure)
{
	if (!kernel_load(&probe->kernel, wanted, failure))
		return false;
	if (!pressure_open(&probe->pressure, failure) || !targets_open(&probe->targets, &probe->kernel, failure) ||
	    !attachments_open(&probe->attachments, &probe->kernel, failure))
		return false;
	tracepoints_try(&probe->tracepoints, &probe->kernel);
	probe->ring = ring_buffer__new(bpf_map__fd(probe->kernel.skeleton->maps.ring), records_emit, probe, NULL);
	if (!probe->ring)
		return failure_set(failure, ERROR_INTERNAL, "the ring buffer cannot be mapped: %s",
				   strerror(errno));
	return true;
}

void probe_close(struct probe *probe)
{
	attachments_close(&probe->attachments);
	pressure_close(&probe->pressure);
	tracepoints_detach(&probe->tracepoints);
	ring_buffer__free(probe->ring);
	if (probe->targets.measures)
		targets_close(&probe->targets);
	if (probe->kernel.skeleton)
		kernel_unload(&probe->kernel);
}

static void do_attach(struct probe *probe, const struct command *command)
{
	struct failure failure;

	if (attachments_add(&probe->attachments, &probe->kernel, command, &failure))
		emit_attached(&probe->out, command, attach_way_name(probe->kernel.way));
	else
		emit_error(&probe->out, command, &failure);
}

static bool find_attachment(struct probe *probe, const struct command *command, uint32_t *index)
{
	struct failure failure;

	*index = attachments_find(&probe->attachments, command->id);
	if (*index != NO_ATTACHMENT)
		return true;
	failure_set(&failure, ERROR_NOT_ATTACHED, "nothing is attached as \"%s\": attach it first", command->id);
	emit_error(&probe->out, command, &failure);
	return false;
}

static void do_detach(struct probe *probe, const struct command *command)
{
	uint32_t index;

	if (!find_attachment(probe, command, &index))
		return;
	/* What was seen until now still needs the layout: all of it goes out, a ring's content at most. */
	probe->ignore_high_water = true;
	ring_buffer__consume(probe->ring);
	probe->ignore_high_water = false;
	attachments_remove(&probe->attachments, index);
	targets_unwatch_all_of(&probe->targets, index);
	emit_detached(&probe->out, command);
}

static void do_watch(struct probe *probe, const struct command *command)
{
	struct failure failure;
	uint32_t index;

	if (!find_attachment(probe, command, &index))
		return;
	if (attachments_wake(&probe->attachments, index, &probe->kernel, &failure) &&
	    targets_watch(&probe->targets, command->pid, index, &failure)) {
		tracepoints_attach(&probe->tracepoints);
		emit_watching(&probe->out, command);
	} else {
		emit_error(&probe->out, command, &failure);
	}
}

static void do_unwatch(struct probe *probe, const struct command *command)
{
	struct failure failure;

	if (targets_unwatch(&probe->targets, command->pid)) {
		emit_unwatched(&probe->out, command);
		return;
	}
	failure_set(&failure, ERROR_NOT_WATCHED, "process %u is not watched: nothing to do", command->pid);
	emit_error(&probe->out, command, &failure);
}

static void do_runs(struct probe *probe, const struct command *command)
{
	uint32_t index;

	if (find_attachment(probe, command, &index))
		emit_runs(&probe->out, command,
			  mapped_by(&probe->attachments.entries[index].mapped, command->pid, &probe->kernel));
}

static void do_trigger(struct probe *probe, const struct command *command)
{
	struct failure failure;

	if (pressure_set(&probe->pressure, command, &failure))
		emit_trigger_set(&probe->out, command);
	else
		emit_error(&probe->out, command, &failure);
}

static void do_untrigger(struct probe *probe, const struct command *command)
{
	struct failure failure;

	if (pressure_clear(&probe->pressure, command->id)) {
		emit_trigger_cleared(&probe->out, command);
		return;
	}
	failure_set(&failure, ERROR_NOT_WATCHED, "no trigger \"%s\" is set: nothing to do", command->id);
	emit_error(&probe->out, command, &failure);
}

void probe_handle_line(struct probe *probe, const char *line, size_t length)
{
	struct command *command = &probe->command;
	struct failure failure = { .code = ERROR_BAD_COMMAND };

	if (!command_parse(line, length, command, failure.message, sizeof(failure.message))) {
		emit_error(&probe->out, command, &failure);
		return;
	}
	switch (command->kind) {
	case COMMAND_ATTACH:
		do_attach(probe, command);
		break;
	case COMMAND_DETACH:
		do_detach(probe, command);
		break;
	case COMMAND_WATCH:
		do_watch(probe, command);
		break;
	case COMMAND_UNWATCH:
		do_unwatch(probe, command);
		break;
	case COMMAND_RUNS:
		do_runs(probe, command);
		break;
	case COMMAND_FLUSH:
		memset(&probe->flush, 0, sizeof(probe->flush));
		probe->flush.active = true;
		probe->flush.seq = command->seq;
		probe->flush.at_ns = now_ns();
		probe_continue_flush(probe);
		break;
	case COMMAND_PING:
		emit_pong(&probe->out, command);
		break;
	case COMMAND_TRIGGER:
		do_trigger(probe, command);
		break;
	case COMMAND_UNTRIGGER:
		do_untrigger(probe, command);
		break;
	}
}

void probe_refuse_long_line(struct probe *probe)
{
	struct failure failure;

	failure_set(&failure, ERROR_BAD_COMMAND, "a line is longer than %d bytes and was dropped", MAX_LINE_BYTES);
	emit_error(&probe->out, NULL, &failure);
}

bool probe_drain(struct probe *probe)
{
	bool due = probe->out.due;
	int error;

	if (output_is_full(&probe->out))
		return false;
	error = ring_buffer__consume(probe->ring);
	/* What happened waits for a flush: nobody needs to know each second's first event before its last. */
	probe->out.due = due;
	return error >= 0;
}

static void report_losses(struct probe *probe)
{
	uint64_t lost = __atomic_load_n(&probe->kernel.skeleton->bss->lost_events, __ATOMIC_RELAXED);

	if (lost != probe->lost_reported)
		emit_lost(&probe->out, lost - probe->lost_reported);
	probe->lost_reported = lost;
}

static void take_sampled(struct probe *probe, uint64_t at_ns)
{
	uint32_t i;

	for (i = 0; i < MAX_ATTACHMENTS; i++)
		probe->flush.sampled[i] = attachments_take_sampled(&probe->attachments, i, at_ns);
}

static void emit_slot(struct probe *probe, uint32_t slot)
{
	static struct taken taken;
	const struct watched *watched = &probe->targets.slots[slot];
	const struct sampled *sampled;

	if (watched->state == TARGET_FREE)
		return;
	if (targets_take(&probe->targets, slot, &taken))
		emit_taken(&probe->out, watched->pid, &taken);
	sampled = &probe->flush.sampled[watched->attachment];
	if (sampled_in_part(sampled))
		emit_sampled(&probe->out, watched->pid, sampled);
}

void probe_continue_flush(struct probe *probe)
{
	struct flush *flush = &probe->flush;

	if (!flush->active)
		return;
	if (!flush->drained) {
		if (!probe_drain(probe))
			return;
		flush->drained = true;
		take_sampled(probe, now_ns());
	}
	for (; flush->next_slot < MAX_TARGETS; flush->next_slot++) {
		if (output_is_full(&probe->out))
			return;
		emit_slot(probe, flush->next_slot);
	}
	report_losses(probe);
	emit_flushed(&probe->out, flush->seq, flush->at_ns);
	flush->active = false;
}

void probe_reap(struct probe *probe)
{
	uint32_t pid, attachment;

	while (!output_is_full(&probe->out)) {
		/* Its last records first. */
		if (!probe_drain(probe))
			return;
		pid = targets_next_gone(&probe->targets, &attachment);
		if (!pid)
			return;
		if (!targets_use(&probe->targets, attachment))
			attachments_rest(&probe->attachments, attachment);
		emit_gone(&probe->out, pid);
	}
}

void probe_tell_pressure(struct probe *probe)
{
	char id[MAX_ID_BYTES];
	bool ended;

	while (!output_is_full(&probe->out) && pressure_next(&probe->pressure, id, &ended)) {
		if (ended)
			emit_pressure_gone(&probe->out, id);
		else
			emit_pressure(&probe->out, id, now_ns());
	}
}

int probe_sample(struct probe *probe)
{
	if (probe->targets.n_watched == 0)
		tracepoints_detach(&probe->tracepoints);
	return attachments_sample(&probe->attachments, &probe->kernel, probe->stall_limit, now_ns());
}
