// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "emit.h"

#include <arpa/inet.h>
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

void emit_pause(struct output *out, const struct pause_event *event)
{
	output_print(out,
		     "{\"type\":\"pause\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"reason\":%" PRIu32
		     ",\"startNs\":%" PRIu64 ",\"stoppingNs\":",
		     event->header.pid, event->header.tid, event->reason, (uint64_t)event->start_ns);
	if (event->stopping_known)
		output_print(out, "%" PRIu64, (uint64_t)event->stopping_ns);
	else
		output_print(out, "null");
	output_print(out, ",\"totalNs\":%" PRIu64 ",\"restartNs\":%" PRIu64, (uint64_t)event->total_ns,
		     (uint64_t)event->restart_ns);
	if (event->stopping_cpu_known)
		output_print(out, ",\"stoppingCpuNs\":%" PRIu64, (uint64_t)event->stopping_cpu_ns);
	output_print(out, "}\n");
}

void emit_assist(struct output *out, const struct assist_event *event)
{
	output_print(out,
		     "{\"type\":\"assist\",\"pid\":%" PRIu32 ",\"g\":%" PRIu64 ",\"startNs\":%" PRIu64
		     ",\"durationNs\":%" PRIu64,
		     event->header.pid, (uint64_t)event->g, (uint64_t)event->start_ns,
		     (uint64_t)event->duration_ns);
	if (event->goid)
		output_print(out, ",\"goid\":%" PRIu64, (uint64_t)event->goid);
	output_print(out, "}\n");
}

static void print_bytes_or_null(struct output *out, const char *name, uint64_t bytes, uint64_t none)
{
	if (bytes >= none)
		output_print(out, ",\"%s\":null", name);
	else
		output_print(out, ",\"%s\":%" PRIu64, name, bytes);
}

/* Plain fields of a cycle: what we call them, and where they come from. */
static const struct {
	const char *name;
	enum controller_field field;
} cycle_fields[] = {
	{ "heapMinimumBytes", FIELD_HEAP_MINIMUM },
	{ "heapLiveBytes", FIELD_HEAP_LIVE },
	{ "heapMarkedBytes", FIELD_HEAP_MARKED },
	{ "lastStackScanBytes", FIELD_LAST_STACK_SCAN },
	{ "globalsScanBytes", FIELD_GLOBALS_SCAN },
	{ "assistNs", FIELD_ASSIST_TIME },
	{ "dedicatedNs", FIELD_DEDICATED_MARK_TIME },
	{ "fractionalNs", FIELD_FRACTIONAL_MARK_TIME },
	{ "idleNs", FIELD_IDLE_MARK_TIME },
	{ "markStartNs", FIELD_MARK_START_TIME },
	{ "totalAllocBytes", FIELD_TOTAL_ALLOC },
	{ "totalFreeBytes", FIELD_TOTAL_FREE },
	{ "mappedReadyBytes", FIELD_MAPPED_READY },
	{ "heapInUseBytes", FIELD_HEAP_IN_USE },
	{ "heapReleasedBytes", FIELD_HEAP_RELEASED },
	{ "heapFreeBytes", FIELD_HEAP_FREE },
};

void emit_cycle(struct output *out, const struct cycle_event *event, const struct controller_layout *layout,
		uint64_t triggered)
{
	const uint8_t *controller = event->controller;
	struct heap_goal goal = controller_heap_goal(layout, controller);
	size_t i;

	output_print(out,
		     "{\"type\":\"cycle\",\"pid\":%" PRIu32 ",\"atNs\":%" PRIu64 ",\"procs\":%" PRIu32
		     ",\"userForced\":%s,\"gcPercent\":%" PRId32,
		     event->header.pid, (uint64_t)event->at_ns, event->procs,
		     event->user_forced ? "true" : "false", controller_gc_percent(layout, controller));
	print_bytes_or_null(out, "memoryLimitBytes", controller_value(layout, controller, FIELD_MEMORY_LIMIT),
			    INT64_MAX);
	print_bytes_or_null(out, "heapGoalBytes", goal.bytes, UINT64_MAX);
	output_print(out, ",\"goalByMemoryLimit\":%s", goal.by_memory_limit ? "true" : "false");
	print_bytes_or_null(out, "triggeredBytes", triggered, UINT64_MAX);
	print_bytes_or_null(out, "lastHeapGoalBytes",
			    controller_value(layout, controller, FIELD_LAST_HEAP_GOAL), UINT64_MAX);
	for (i = 0; i < sizeof(cycle_fields) / sizeof(*cycle_fields); i++)
		output_print(out, ",\"%s\":%" PRIu64, cycle_fields[i].name,
			     controller_value(layout, controller, cycle_fields[i].field));
	output_print(out, "}\n");
}

/*
 * A stall that ends while counts are being taken can leave its maximum in one flush and its count in
 * the next: the highest bucket's bound then stands in, at most 6.25 % above the truth.
 */
static uint64_t max_within_bucket(uint64_t max_ns, uint32_t bucket)
{
	uint64_t upper = histogram_upper_bound(bucket);
	bool above = max_ns > upper && bucket < HISTOGRAM_BUCKETS - 1;

	return above || max_ns < histogram_lower_bound(bucket) ? upper : max_ns;
}

static void emit_histogram(struct output *out, uint32_t pid, const char *of, const struct histogram *histogram,
			   const struct memory_waits *memory)
{
	uint64_t count = 0;
	const char *comma = "";
	uint32_t i, top = 0;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += histogram->buckets[i];
		if (histogram->buckets[i])
			top = i;
	}
	if (count == 0)
		return;
	output_print(out,
		     "{\"type\":\"histogram\",\"of\":\"%s\",\"pid\":%" PRIu32 ",\"count\":%" PRIu64
		     ",\"sumNs\":%" PRIu64 ",\"maxNs\":%" PRIu64,
		     of, pid, count, (uint64_t)histogram->sum_ns, max_within_bucket(histogram->max_ns, top));
	if (histogram->failed) /* one that ends while counts are being taken may be ahead of its bucket */
		output_print(out, ",\"failed\":%" PRIu64, histogram->failed < count ? (uint64_t)histogram->failed : count);
	output_print(out, ",\"buckets\":[");
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (histogram->buckets[i] == 0)
			continue;
		output_print(out, "%s[%" PRIu64 ",%" PRIu32 "]", comma, (uint64_t)histogram_upper_bound(i),
			     histogram->buckets[i]);
		comma = ",";
	}
	output_print(out, "]");
	if (memory)
		output_print(out,
			     ",\"slow\":%" PRIu64 ",\"verySlow\":%" PRIu64 ",\"whileMarking\":{\"count\":%" PRIu64
			     ",\"sumNs\":%" PRIu64 "}",
			     (uint64_t)memory->slow, (uint64_t)memory->very_slow, (uint64_t)memory->marking,
			     (uint64_t)memory->marking_ns);
	output_print(out, "}\n");
}

static const char *const counted_names[COUNTED_KINDS] = {
	[COUNTED_MMAP] = "mmap",
	[COUNTED_MUNMAP] = "munmap",
	[COUNTED_RECLAIM_DIRECT] = "reclaimDirect",
	[COUNTED_RECLAIM_MEMCG] = "reclaimMemcg",
	[COUNTED_ASSIST] = "assist",
	[COUNTED_TLS_CLIENT] = "tlsClient",
	[COUNTED_TLS_SERVER] = "tlsServer",
	[COUNTED_OPENSSL] = "openssl",
	[COUNTED_CONNECT] = "connect",
	[COUNTED_READ] = "read",
};

static const char *const occurrence_names[OCCURRENCES] = {
	[OCCURRED_HEAP_GROW] = "heapGrows",
	[OCCURRED_MMAP_FAILURE] = "mmapFailures",
	[OCCURRED_ALLOCATION_FAILURE] = "allocationFailures",
	[OCCURRED_OOM_VICTIM] = "oomVictims",
	[OCCURRED_LOSS] = "lostEvents",
	[OCCURRED_UNTOLD_WAIT] = "untoldWaits",
	[OCCURRED_UNTIMED_WAIT] = "untimedWaits",
};

static void emit_counts(struct output *out, uint32_t pid, const struct occurrences occurrences[OCCURRENCES])
{
	uint64_t any = 0;
	int i;

	for (i = 0; i < OCCURRENCES; i++)
		any |= occurrences[i].all | occurrences[i].marking;
	if (!any)
		return;
	output_print(out, "{\"type\":\"counts\",\"pid\":%" PRIu32, pid);
	for (i = 0; i < OCCURRENCES; i++)
		output_print(out, ",\"%s\":{\"count\":%" PRIu64 ",\"whileMarking\":%" PRIu64 "}", occurrence_names[i],
			     (uint64_t)occurrences[i].all, (uint64_t)occurrences[i].marking);
	output_print(out, "}\n");
}

void emit_measures(struct output *out, uint32_t pid, const struct measures *measures)
{
	int kind;

	for (kind = 0; kind < COUNTED_KINDS; kind++)
		emit_histogram(out, pid, counted_names[kind], &measures->histograms[kind],
			       kind < COUNTED_MEMORY_KINDS ? &measures->memory[kind] : NULL);
	emit_counts(out, pid, measures->occurrences);
}

void emit_sampled(struct output *out, uint32_t pid, const struct sampled *sampled)
{
	output_print(out,
		     "{\"type\":\"sampled\",\"pid\":%" PRIu32 ",\"observedNs\":%" PRIu64 ",\"spanNs\":%" PRIu64
		     ",\"unfinished\":%" PRIu64 "}\n",
		     pid, sampled->observed_ns, sampled->span_ns, sampled->unfinished);
}

static const char *const wait_names[WAIT_KINDS] = {
	[WAIT_MMAP] = "mmap",
	[WAIT_MUNMAP] = "munmap",
	[WAIT_RECLAIM_DIRECT] = "reclaimDirect",
	[WAIT_RECLAIM_MEMCG] = "reclaimMemcg",
	[WAIT_TLS_CLIENT] = "tlsClient",
	[WAIT_TLS_SERVER] = "tlsServer",
	[WAIT_OPENSSL] = "openssl",
	[WAIT_CONNECT] = "connect",
	[WAIT_READ] = "read",
};

static void print_peer(struct output *out, const struct wait_event *event)
{
	char address[INET6_ADDRSTRLEN];

	if (!inet_ntop(event->family, event->address, address, sizeof(address)))
		return;
	output_print(out, event->family == AF_INET6 ? ",\"peer\":\"[%s]:%u\"" : ",\"peer\":\"%s:%u\"", address,
		     event->port);
}

void emit_wait(struct output *out, const struct wait_event *event)
{
	if (event->wait >= WAIT_KINDS)
		return;
	output_print(out,
		     "{\"type\":\"wait\",\"on\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"startNs\":%" PRIu64
		     ",\"durationNs\":%" PRIu64 ",\"marking\":%s,\"failed\":%s",
		     wait_names[event->wait], event->header.pid, event->header.tid, (uint64_t)event->start_ns,
		     (uint64_t)event->duration_ns,
		     event->phase == GC_PHASE_UNKNOWN ? "null" : event->phase == GC_PHASE_MARK ? "true" : "false",
		     event->failed ? "true" : "false");
	if (event->wait == WAIT_CONNECT)
		print_peer(out, event);
	output_print(out, "}\n");
}

void emit_instant(struct output *out, const char *type, const struct instant_event *event)
{
	output_print(out, "{\"type\":\"%s\",\"pid\":%" PRIu32 ",\"atNs\":%" PRIu64 "}\n", type, event->header.pid,
		     (uint64_t)event->at_ns);
}

void emit_lost(struct output *out, uint64_t count)
{
	output_print(out, "{\"type\":\"lost\",\"count\":%" PRIu64 "}\n", count);
}

void emit_flushed(struct output *out, uint64_t seq, uint64_t at_ns)
{
	output_print(out, "{\"type\":\"flushed\",\"seq\":%" PRIu64 ",\"atNs\":%" PRIu64 "}\n", seq, at_ns);
}
