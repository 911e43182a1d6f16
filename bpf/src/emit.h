/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Events as they go out on stdout: one function an event, one JSON object a line. */
#ifndef ROBOTGC_EMIT_H
#define ROBOTGC_EMIT_H

#include "command.h"
#include "controller.h"
#include "events.h"
#include "output.h"
#include "sampling.h"

#define PROTOCOL_VERSION 3

/* Stable names; the TypeScript client lists the same. */
#define ERROR_ALREADY_ATTACHED "ALREADY_ATTACHED"
#define ERROR_ATTACH_FAILED "ATTACH_FAILED"
#define ERROR_BAD_COMMAND "BAD_COMMAND"
#define ERROR_BYTES_DIFFER "BYTES_DIFFER"
#define ERROR_FOREIGN_PID_NAMESPACE "FOREIGN_PID_NAMESPACE"
#define ERROR_INTERNAL "INTERNAL"
#define ERROR_NO_BPF "NO_BPF"
#define ERROR_NO_PERMISSION "NO_PERMISSION"
#define ERROR_NO_SUCH_FILE "NO_SUCH_FILE"
#define ERROR_NO_SUCH_PROCESS "NO_SUCH_PROCESS"
#define ERROR_NOT_ATTACHED "NOT_ATTACHED"
#define ERROR_NOT_WATCHED "NOT_WATCHED"
#define ERROR_TOO_MANY_ATTACHMENTS "TOO_MANY_ATTACHMENTS"
#define ERROR_TOO_MANY_TARGETS "TOO_MANY_TARGETS"
#define ERROR_TRIGGER_FAILED "TRIGGER_FAILED"
#define ERROR_TRIGGER_REFUSED "TRIGGER_REFUSED"

/* What went wrong, to be reported: a code and a sentence (what happened, to what, what to do). */
struct failure {
	const char *code;
	char message[1024];
};

/* Fills it in and returns false, so that a failing function can end with it. */
__attribute__((format(printf, 3, 4))) bool failure_set(struct failure *failure, const char *code,
							const char *format, ...);

/* What the kernel says to a question. */
enum proof {
	PROOF_UNKNOWN,
	PROOF_NO,
	PROOF_YES,
};

/* What was counted for a process since the last time; the buckets of a kind without changes mean nothing. */
struct taken {
	struct measures measures;
	struct buckets buckets[COUNTED_KINDS];
};

/* A group of signals that this kernel does not give, and why. */
struct missing_signal {
	const char *name;
	char reason[128];
};

void emit_ready(struct output *out, const char *attach, const struct missing_signal *missing, size_t n_missing);
/* `command` may be NULL: an error that no command caused. */
void emit_error(struct output *out, const struct command *command, const struct failure *failure);
void emit_attached(struct output *out, const struct command *command, const char *attach);
void emit_detached(struct output *out, const struct command *command);
void emit_watching(struct output *out, const struct command *command);
void emit_unwatched(struct output *out, const struct command *command);
void emit_runs(struct output *out, const struct command *command, enum proof proof);
void emit_trigger_set(struct output *out, const struct command *command);
void emit_trigger_cleared(struct output *out, const struct command *command);
void emit_pong(struct output *out, const struct command *command);
/* Tasks of the group stalled for longer than its trigger allows. */
void emit_pressure(struct output *out, const char *id, uint64_t at_ns);
/* The group has ended, and the trigger with it. */
void emit_pressure_gone(struct output *out, const char *id);
void emit_gone(struct output *out, uint32_t pid);
void emit_pause(struct output *out, const struct pause_event *event);
void emit_assist(struct output *out, const struct assist_event *event);
/* `triggered` is the finished cycle's, UINT64_MAX when it is not known. */
void emit_cycle(struct output *out, const struct cycle_event *event, const struct controller_layout *layout,
		uint64_t triggered);
void emit_wait(struct output *out, const struct wait_event *event);
void emit_instant(struct output *out, const char *type, const struct instant_event *event);
/* What was counted for a process; prints nothing of what was not. */
void emit_taken(struct output *out, uint32_t pid, const struct taken *taken);
/* Assist stalls of this process were looked at for a part of the time only. */
void emit_sampled(struct output *out, uint32_t pid, const struct sampled *sampled);
void emit_lost(struct output *out, uint64_t count);
void emit_flushed(struct output *out, uint64_t seq, uint64_t at_ns);

#endif
