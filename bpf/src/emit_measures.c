// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What was counted for a process. */
#include "emit.h"

#include <inttypes.h>

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

static void emit_histogram(struct output *out, uint32_t pid, const char *of, const struct tally *tally,
			   const uint32_t counts[HISTOGRAM_BUCKETS], const struct memory_waits *memory)
{
	uint64_t count = 0;
	const char *comma = "";
	uint32_t i, top = 0;

	if (!tally->changes)
		return;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		count += counts[i];
		if (counts[i])
			top = i;
	}
	if (count == 0)
		return;
	output_print(out,
		     "{\"type\":\"histogram\",\"of\":\"%s\",\"pid\":%" PRIu32 ",\"count\":%" PRIu64
		     ",\"sumNs\":%" PRIu64 ",\"maxNs\":%" PRIu64,
		     of, pid, count, (uint64_t)tally->sum_ns, max_within_bucket(tally->max_ns, top));
	if (tally->failed) /* one that ends while counts are being taken may be ahead of its bucket */
		output_print(out, ",\"failed\":%" PRIu64, tally->failed < count ? (uint64_t)tally->failed : count);
	output_print(out, ",\"buckets\":[");
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (counts[i] == 0)
			continue;
		output_print(out, "%s[%" PRIu64 ",%" PRIu32 "]", comma, (uint64_t)histogram_upper_bound(i),
			     counts[i]);
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
	[COUNTED_ASSIST_LOOKED] = "assistLooked",
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
	[OCCURRED_UNTOLD_MEMORY_WAIT] = "untoldMemoryWaits",
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

void emit_taken(struct output *out, uint32_t pid, const struct taken *taken)
{
	const struct measures *measures = &taken->measures;
	int kind;

	for (kind = 0; kind < COUNTED_KINDS; kind++)
		emit_histogram(out, pid, counted_names[kind], &measures->tallies[kind], taken->buckets[kind].counts,
			       kind < COUNTED_MEMORY_KINDS ? &measures->memory[kind] : NULL);
	emit_counts(out, pid, measures->occurrences);
}

void emit_sampled(struct output *out, uint32_t pid, const struct sampled *sampled)
{
	output_print(out,
		     "{\"type\":\"sampled\",\"pid\":%" PRIu32 ",\"observedNs\":%" PRIu64 ",\"throughoutNs\":%" PRIu64
		     ",\"spanNs\":%" PRIu64 ",\"unfinished\":%" PRIu64 ",\"unfinishedNs\":%" PRIu64 ",\"lookVariance\":%.3f}\n",
		     pid, sampled->observed_ns, sampled->throughout_ns, sampled->span_ns, sampled->unfinished,
		     sampled->unfinished_ns, sampled->look_variance);
}
