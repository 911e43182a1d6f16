// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What happened, one by one. */
#include "emit.h"

#include <arpa/inet.h>
#include <inttypes.h>

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
