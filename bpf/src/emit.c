// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Answers to commands, and what the loader says of itself. */
#include "emit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>

bool failure_set(struct failure *failure, const char *code, const char *format, ...)
{
	va_list args;

	failure->code = code;
	va_start(args, format);
	vsnprintf(failure->message, sizeof(failure->message), format, args);
	va_end(args);
	return false;
}

static void print_seq(struct output *out, const struct command *command)
{
	if (command->has_seq)
		output_print(out, ",\"seq\":%" PRIu64, command->seq);
}

static void print_id(struct output *out, const char *id)
{
	output_print(out, ",\"id\":");
	output_json_string(out, id);
}

void emit_ready(struct output *out, const char *attach, const struct missing_signal *missing, size_t n_missing)
{
	struct utsname kernel;
	size_t i;

	uname(&kernel);
	output_print(out, "{\"type\":\"ready\",\"protocol\":%d,\"version\":\"%s\",\"attach\":\"%s\",\"kernel\":",
		     PROTOCOL_VERSION, ROBOTGC_VERSION, attach);
	output_json_string(out, kernel.release);
	output_print(out, ",\"missing\":[");
	for (i = 0; i < n_missing; i++) {
		output_print(out, "%s{\"signal\":\"%s\",\"reason\":", i ? "," : "", missing[i].name);
		output_json_string(out, missing[i].reason);
		output_print(out, "}");
	}
	output_print(out, "]}\n");
}

void emit_error(struct output *out, const struct command *command, const struct failure *failure)
{
	output_print(out, "{\"type\":\"error\",\"code\":\"%s\"", failure->code);
	if (command) {
		if (command->id[0])
			print_id(out, command->id);
		if (command->pid)
			output_print(out, ",\"pid\":%" PRIu32, command->pid);
		print_seq(out, command);
	}
	output_print(out, ",\"message\":");
	output_json_string(out, failure->message);
	output_print(out, "}\n");
}

void emit_attached(struct output *out, const struct command *command, const char *attach)
{
	output_print(out, "{\"type\":\"attached\"");
	print_id(out, command->id);
	output_print(out, ",\"points\":%zu,\"attach\":\"%s\"", command->attach.n_points, attach);
	print_seq(out, command);
	output_print(out, "}\n");
}

static void emit_id_answer(struct output *out, const char *type, const struct command *command)
{
	output_print(out, "{\"type\":\"%s\"", type);
	print_id(out, command->id);
	print_seq(out, command);
	output_print(out, "}\n");
}

void emit_detached(struct output *out, const struct command *command)
{
	emit_id_answer(out, "detached", command);
}

void emit_trigger_set(struct output *out, const struct command *command)
{
	emit_id_answer(out, "triggerSet", command);
}

void emit_trigger_cleared(struct output *out, const struct command *command)
{
	emit_id_answer(out, "triggerCleared", command);
}

void emit_pressure(struct output *out, const char *id, uint64_t at_ns)
{
	output_print(out, "{\"type\":\"pressure\"");
	print_id(out, id);
	output_print(out, ",\"atNs\":%" PRIu64 "}\n", at_ns);
}

void emit_pressure_gone(struct output *out, const char *id)
{
	output_print(out, "{\"type\":\"pressureGone\"");
	print_id(out, id);
	output_print(out, "}\n");
}

static void emit_pid_answer(struct output *out, const char *type, const struct command *command)
{
	output_print(out, "{\"type\":\"%s\",\"pid\":%" PRIu32, type, command->pid);
	print_seq(out, command);
	output_print(out, "}\n");
}

void emit_watching(struct output *out, const struct command *command)
{
	emit_pid_answer(out, "watching", command);
}

void emit_unwatched(struct output *out, const struct command *command)
{
	emit_pid_answer(out, "unwatched", command);
}

void emit_runs(struct output *out, const struct command *command, enum proof proof)
{
	output_print(out, "{\"type\":\"runs\",\"pid\":%" PRIu32, command->pid);
	print_id(out, command->id);
	output_print(out, ",\"runs\":%s",
		     proof == PROOF_UNKNOWN ? "null" : proof == PROOF_YES ? "true" : "false");
	print_seq(out, command);
	output_print(out, "}\n");
}

void emit_pong(struct output *out, const struct command *command)
{
	output_print(out, "{\"type\":\"pong\",\"seq\":%" PRIu64 "}\n", command->seq);
}

void emit_gone(struct output *out, uint32_t pid)
{
	output_print(out, "{\"type\":\"gone\",\"pid\":%" PRIu32 "}\n", pid);
}

void emit_lost(struct output *out, uint64_t count)
{
	output_print(out, "{\"type\":\"lost\",\"count\":%" PRIu64 "}\n", count);
}

void emit_flushed(struct output *out, uint64_t seq, uint64_t at_ns)
{
	output_print(out, "{\"type\":\"flushed\",\"seq\":%" PRIu64 ",\"atNs\":%" PRIu64 "}\n", seq, at_ns);
}
