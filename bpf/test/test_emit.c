// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Whatever is emitted is one JSON object a line, with the values that went in. */
#include <jansson.h>
#include <stdlib.h>

#include "check.h"
#include "emit.h"

static struct output out = { .fd = -1 };

/* The only line so far, parsed; the output is empty afterwards. */
static json_t *taken(void)
{
	size_t length = output_pending(&out);
	const char *text = out.data + out.start;
	json_error_t error;
	json_t *root;

	CHECK(length > 1 && text[length - 1] == '\n' && memchr(text, '\n', length) == text + length - 1, "one line");
	root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	CHECK(root, "%s in %.*s", error.text, (int)length, text);
	out.start = out.end = 0;
	return root;
}

static int64_t integer(const json_t *root, const char *name)
{
	CHECK(json_is_integer(json_object_get(root, name)), "%s is no integer", name);
	return json_integer_value(json_object_get(root, name));
}

static const char *string(const json_t *root, const char *name)
{
	const char *value = json_string_value(json_object_get(root, name));

	return value ? value : "";
}

static void errors(void)
{
	static struct command command = { .id = "a\"\\\n", .pid = 12, .has_seq = true, .seq = 3 };
	struct failure failure = { .code = ERROR_BAD_COMMAND, .message = "what \"it\" is: \t\xc3\xbc" };
	json_t *root;

	emit_error(&out, &command, &failure);
	root = taken();
	CHECK(!strcmp(string(root, "message"), failure.message) && !strcmp(string(root, "id"), command.id), "strings");
	CHECK(integer(root, "pid") == 12 && integer(root, "seq") == 3, "numbers");
	json_decref(root);

	/* Cut within a character. */
	strcpy(failure.message, "half \xc3");
	emit_error(&out, NULL, &failure);
	root = taken();
	CHECK(!strcmp(string(root, "message"), "half ?"), "%s", string(root, "message"));
	CHECK(!json_object_get(root, "id") && !json_object_get(root, "pid") && !json_object_get(root, "seq"), "absent");
	json_decref(root);
}

static void pauses(void)
{
	struct pause_event event = { .header = { .pid = 1, .tid = 2 }, .reason = 1, .stopping_known = 1,
				     .start_ns = 9007199254740993, .stopping_ns = 4, .total_ns = 9,
				     .restart_ns = 6, .stopping_cpu_ns = 7, .stopping_cpu_known = 1 };
	json_t *root;

	emit_pause(&out, &event);
	root = taken();
	CHECK(integer(root, "startNs") == 9007199254740993 && integer(root, "stoppingNs") == 4 &&
	      integer(root, "totalNs") == 9 && integer(root, "restartNs") == 6 &&
	      integer(root, "stoppingCpuNs") == 7 && integer(root, "tid") == 2 && integer(root, "reason") == 1, "pause");
	json_decref(root);
	event.stopping_known = event.stopping_cpu_known = 0;
	emit_pause(&out, &event);
	root = taken();
	CHECK(json_is_null(json_object_get(root, "stoppingNs")) && !json_object_get(root, "stoppingCpuNs"),
	      "unknown stopping part");
	json_decref(root);
}

static void assists(void)
{
	struct assist_event event = { .header = { .pid = 7 }, .g = 0xc000002380, .goid = 18, .start_ns = 5,
				      .duration_ns = 6 };
	json_t *root;

	emit_assist(&out, &event);
	root = taken();
	CHECK(integer(root, "pid") == 7 && integer(root, "g") == 0xc000002380 && integer(root, "goid") == 18, "whose");
	CHECK(integer(root, "startNs") == 5 && integer(root, "durationNs") == 6, "when");
	json_decref(root);
	event.goid = 0;
	emit_assist(&out, &event);
	root = taken();
	CHECK(!json_object_get(root, "goid"), "a number that is not known");
	json_decref(root);
}

static void cycles(void)
{
	static struct cycle_event event = { .header = { .pid = 1 }, .procs = 2, .user_forced = 1 };
	static struct controller_layout layout;
	int64_t limit = INT64_MAX;
	uint64_t off = UINT64_MAX;
	int32_t percent = -1;
	json_t *root;
	int field;

	for (field = 0; field < FIELD_COUNT; field++)
		layout.offsets[field] = field * 8;
	memcpy(event.controller + 8 * FIELD_GC_PERCENT, &percent, 4);
	memcpy(event.controller + 8 * FIELD_MEMORY_LIMIT, &limit, 8);
	memcpy(event.controller + 8 * FIELD_GC_PERCENT_HEAP_GOAL, &off, 8);
	emit_cycle(&out, &event, &layout, UINT64_MAX);
	root = taken();
	CHECK(integer(root, "gcPercent") == -1 && integer(root, "procs") == 2, "numbers");
	CHECK(json_is_null(json_object_get(root, "memoryLimitBytes")) &&
	      json_is_null(json_object_get(root, "heapGoalBytes")) &&
	      json_is_null(json_object_get(root, "triggeredBytes")), "none of the three");
	CHECK(json_is_true(json_object_get(root, "userForced")) &&
	      json_is_false(json_object_get(root, "goalByMemoryLimit")), "booleans");
	CHECK(json_object_size(root) == 27, "%zu members", json_object_size(root));
	json_decref(root);
}

static void histograms(void)
{
	static struct taken counted;
	struct tally *tally = &counted.measures.tallies[COUNTED_ASSIST];
	uint32_t *counts = counted.buckets[COUNTED_ASSIST].counts;
	json_t *root, *bucket;

	emit_taken(&out, 1, &counted);
	CHECK(output_pending(&out) == 0, "nothing was counted, yet something printed");
	tally->changes = 4;
	counts[histogram_bucket(1000)] = 3;
	counts[histogram_bucket(70000)] = 1;
	tally->sum_ns = 73000;
	tally->max_ns = 70000;
	emit_taken(&out, 1, &counted);
	root = taken();
	CHECK(!strcmp(string(root, "of"), "assist"), "of what");
	CHECK(integer(root, "count") == 4 && integer(root, "sumNs") == 73000 && integer(root, "maxNs") == 70000, "sums");
	CHECK(json_array_size(json_object_get(root, "buckets")) == 2, "buckets");
	bucket = json_array_get(json_object_get(root, "buckets"), 0);
	CHECK(json_integer_value(json_array_get(bucket, 0)) == 1023 && json_integer_value(json_array_get(bucket, 1)) == 3,
	      "992..1023");

	/* Failures may be a flush ahead of their count. */
	CHECK(!json_object_get(root, "failed"), "none failed");
	json_decref(root);
	tally->failed = 9;
	emit_taken(&out, 1, &counted);
	root = taken();
	CHECK(integer(root, "failed") == 4, "at most all");
	json_decref(root);

	/* A maximum that belongs to another flush gives way to the highest bucket's bound. */
	tally->max_ns = 0;
	emit_taken(&out, 1, &counted);
	root = taken();
	CHECK(integer(root, "maxNs") == (int64_t)histogram_upper_bound(histogram_bucket(70000)), "too low");
	json_decref(root);
	tally->max_ns = 1 << 30;
	emit_taken(&out, 1, &counted);
	root = taken();
	CHECK(integer(root, "maxNs") == (int64_t)histogram_upper_bound(histogram_bucket(70000)), "too high");
	json_decref(root);
	counts[HISTOGRAM_BUCKETS - 1] = 1;
	tally->max_ns = 1ULL << 50;
	emit_taken(&out, 1, &counted);
	root = taken();
	CHECK(integer(root, "maxNs") == 1LL << 50, "the last bucket has no upper bound");
	json_decref(root);
}

/* Every bucket in use: the longest line there is. */
static void lines_fit_the_reader(void)
{
	static struct taken counted = { .measures.tallies[COUNTED_MMAP].changes = 1 };

	memset(&counted.buckets[COUNTED_MMAP], 0xff, sizeof(counted.buckets[COUNTED_MMAP]));
	emit_taken(&out, 1, &counted);
	CHECK(output_pending(&out) < MAX_LINE_BYTES, "%zu bytes", output_pending(&out));
	json_decref(taken());
}

static void counts(void)
{
	static struct taken counted = { .measures.occurrences = { [OCCURRED_HEAP_GROW] = { .all = 3, .marking = 1 },
								   [OCCURRED_OOM_VICTIM] = { .all = 1 },
								   [OCCURRED_LOSS] = { .all = 5 },
								   [OCCURRED_UNTOLD_MEMORY_WAIT] = { .all = 4 } } };
	json_t *root, *grows;

	emit_taken(&out, 7, &counted);
	root = taken();
	CHECK(!strcmp(string(root, "type"), "counts") && integer(root, "pid") == 7, "of a process");
	grows = json_object_get(root, "heapGrows");
	CHECK(integer(grows, "count") == 3 && integer(grows, "whileMarking") == 1, "growths of the heap");
	CHECK(integer(json_object_get(root, "oomVictims"), "count") == 1, "victims");
	CHECK(integer(json_object_get(root, "lostEvents"), "count") == 5, "lost");
	CHECK(integer(json_object_get(root, "untoldMemoryWaits"), "count") == 4 &&
	      integer(json_object_get(root, "untoldWaits"), "count") == 0, "waits for memory that were not told");
	CHECK(integer(json_object_get(root, "mmapFailures"), "count") == 0 &&
	      integer(json_object_get(root, "allocationFailures"), "count") == 0, "none");
	json_decref(root);
}

/* Each kind by its own name; waits for memory with what is known of them beside their lengths. */
static void memory_waits(void)
{
	static const char *const names[] = { "mmap", "munmap", "reclaimDirect", "reclaimMemcg" };
	static struct taken counted;
	json_t *root, *marking;
	int kind;

	for (kind = 0; kind < COUNTED_MEMORY_KINDS; kind++) {
		memset(&counted, 0, sizeof(counted));
		counted.measures.tallies[kind].changes = 2;
		counted.buckets[kind].counts[histogram_bucket(20000000)] = 2;
		counted.measures.memory[kind] = (struct memory_waits){ .slow = 2, .very_slow = 1, .marking = 1, .marking_ns = 9 };
		emit_taken(&out, 1, &counted);
		root = taken();
		marking = json_object_get(root, "whileMarking");
		CHECK(!strcmp(string(root, "of"), names[kind]), "%s", names[kind]);
		CHECK(integer(root, "slow") == 2 && integer(root, "verySlow") == 1, "long ones");
		CHECK(integer(marking, "count") == 1 && integer(marking, "sumNs") == 9, "while marking");
		json_decref(root);
	}
	memset(&counted, 0, sizeof(counted));
	counted.measures.tallies[COUNTED_ASSIST].changes = 1;
	counted.buckets[COUNTED_ASSIST].counts[9] = 1;
	emit_taken(&out, 1, &counted);
	root = taken();
	CHECK(!json_object_get(root, "slow") && !json_object_get(root, "whileMarking"), "an assist is not for memory");
	json_decref(root);
}

static void waits(void)
{
	struct wait_event event = { .header = { .pid = 7, .tid = 8 }, .wait = WAIT_CONNECT, .phase = GC_PHASE_MARK,
				    .start_ns = 5, .duration_ns = 6, .failed = 1, .port = 443, .family = 2,
				    .address = { 192, 0, 2, 1 } };
	json_t *root;

	emit_wait(&out, &event);
	root = taken();
	CHECK(!strcmp(string(root, "on"), "connect") && !strcmp(string(root, "peer"), "192.0.2.1:443"), "whom");
	CHECK(integer(root, "pid") == 7 && integer(root, "tid") == 8, "who");
	CHECK(integer(root, "startNs") == 5 && integer(root, "durationNs") == 6, "when");
	CHECK(json_is_true(json_object_get(root, "marking")) && json_is_true(json_object_get(root, "failed")), "how");
	json_decref(root);

	event.family = 10;
	event.phase = GC_PHASE_UNKNOWN;
	emit_wait(&out, &event);
	root = taken();
	CHECK(!strcmp(string(root, "peer"), "[c000:201::]:443"), "%s", string(root, "peer"));
	CHECK(json_is_null(json_object_get(root, "marking")), "not known");
	json_decref(root);

	event.wait = WAIT_READ;
	event.phase = GC_PHASE_OFF;
	emit_wait(&out, &event);
	root = taken();
	CHECK(!json_object_get(root, "peer") && json_is_false(json_object_get(root, "marking")), "no peer");
	json_decref(root);

	/* Of a kind that only a newer program knows, or of a family without addresses. */
	event.wait = WAIT_KINDS;
	emit_wait(&out, &event);
	CHECK(output_pending(&out) == 0, "printed");
	event.wait = WAIT_CONNECT;
	event.family = 1;
	emit_wait(&out, &event);
	root = taken();
	CHECK(!json_object_get(root, "peer"), "no peer");
	json_decref(root);
}

static void readiness(void)
{
	struct missing_signal missing[] = { { "reclaim", "no \"such\" thing" }, { "oomVictim", "neither" } };
	json_t *root, *list;

	emit_ready(&out, "perf", missing, 2);
	root = taken();
	list = json_object_get(root, "missing");
	CHECK(json_array_size(list) == 2, "both");
	CHECK(!strcmp(string(json_array_get(list, 0), "reason"), "no \"such\" thing"), "reason");
	CHECK(!strcmp(string(json_array_get(list, 1), "signal"), "oomVictim"), "signal");
	json_decref(root);
	emit_ready(&out, "perf", NULL, 0);
	root = taken();
	CHECK(json_is_array(json_object_get(root, "missing")), "none");
	json_decref(root);
}

static void looks(void)
{
	struct sampled sampled = { .observed_ns = 4, .throughout_ns = 1, .span_ns = 5, .unfinished = 3,
				   .unfinished_ns = 9, .look_variance = 1.25 };
	json_t *root;

	emit_sampled(&out, 7, &sampled);
	root = taken();
	CHECK(integer(root, "observedNs") == 4 && integer(root, "throughoutNs") == 1 && integer(root, "spanNs") == 5,
	      "times");
	CHECK(integer(root, "unfinished") == 3 && integer(root, "unfinishedNs") == 9 && integer(root, "pid") == 7,
	      "numbers");
	CHECK(json_real_value(json_object_get(root, "lookVariance")) == 1.25, "how much looks differ");
	json_decref(root);
}

int main(void)
{
	errors();
	pauses();
	assists();
	cycles();
	histograms();
	counts();
	memory_waits();
	waits();
	readiness();
	looks();
	lines_fit_the_reader();
	free(out.data);
	return checks_report("emit");
}
