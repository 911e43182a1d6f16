/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Log-linear buckets: each power of two is cut into 16 equal parts, so no bucket is wider than 1/16
 * (6.25 %) of its lower bound; values below 32 have a bucket each. The last bucket takes the rest.
 * Used by the BPF program and the loader alike; no loops, no library, no floating point.
 */
#ifndef ROBOTGC_HISTOGRAM_H
#define ROBOTGC_HISTOGRAM_H

#include <linux/types.h>

#define HISTOGRAM_PART_BITS 4
#define HISTOGRAM_PARTS (1U << HISTOGRAM_PART_BITS)
/* 2^36 ns = 69 s: longer than any stall that a process survives unnoticed. */
#define HISTOGRAM_MAX_BITS 36
#define HISTOGRAM_BUCKETS (HISTOGRAM_PARTS * (HISTOGRAM_MAX_BITS - HISTOGRAM_PART_BITS + 1))

struct buckets {
	__u32 counts[HISTOGRAM_BUCKETS];
};

/* What is known of counted durations beside their buckets. */
struct tally {
	__u64 sum_ns;
	__u64 max_ns;
	__u64 failed; /* of those counted, where that can be */
	__u64 changes; /* raised after the rest: where there is none, the buckets need not be looked at */
};

/* Position of the highest set bit; 0 for 0. */
static inline __u32 histogram_log2(__u64 value)
{
	__u32 bits = 0;

	if (value >> 32) { bits += 32; value >>= 32; }
	if (value >> 16) { bits += 16; value >>= 16; }
	if (value >> 8) { bits += 8; value >>= 8; }
	if (value >> 4) { bits += 4; value >>= 4; }
	if (value >> 2) { bits += 2; value >>= 2; }
	if (value >> 1) { bits += 1; }
	return bits;
}

static inline __u32 histogram_bucket(__u64 value)
{
	__u32 bits, shift;

	if (value < HISTOGRAM_PARTS)
		return (__u32)value;
	bits = histogram_log2(value);
	if (bits >= HISTOGRAM_MAX_BITS)
		return HISTOGRAM_BUCKETS - 1;
	shift = bits - HISTOGRAM_PART_BITS;
	/* value >> shift lies in 16..31: its low four bits are the part, its fifth one octave. */
	return shift * HISTOGRAM_PARTS + (__u32)(value >> shift);
}

/* Largest value that falls into the bucket (for the last one, of those it does not merely collect). */
static inline __u64 histogram_upper_bound(__u32 bucket)
{
	__u32 shift;

	if (bucket < 2 * HISTOGRAM_PARTS)
		return bucket;
	shift = bucket / HISTOGRAM_PARTS - 1;
	return ((__u64)(HISTOGRAM_PARTS + bucket % HISTOGRAM_PARTS + 1) << shift) - 1;
}

/* Smallest value that falls into the bucket. */
static inline __u64 histogram_lower_bound(__u32 bucket)
{
	return bucket == 0 ? 0 : histogram_upper_bound(bucket - 1) + 1;
}

#endif
