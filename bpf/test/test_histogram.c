// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdint.h>

#include "check.h"
#include "histogram.h"

static void buckets_tile_the_line(void)
{
	uint32_t bucket;

	CHECK(histogram_lower_bound(0) == 0, "the first bucket begins at 0");
	for (bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		uint64_t lower = histogram_lower_bound(bucket), upper = histogram_upper_bound(bucket);

		CHECK(histogram_bucket(lower) == bucket, "bucket %u, lower bound %llu", bucket,
		      (unsigned long long)lower);
		CHECK(histogram_bucket(upper) == bucket, "bucket %u, upper bound %llu", bucket,
		      (unsigned long long)upper);
		CHECK((upper - lower + 1) * 16 <= lower || upper == lower, "bucket %u is wider than 6.25 %%", bucket);
		if (bucket + 1 < HISTOGRAM_BUCKETS)
			CHECK(histogram_bucket(upper + 1) == bucket + 1, "a gap or overlap behind %u", bucket);
	}
}

static void every_value_has_a_bucket(void)
{
	uint64_t state = 1, value;
	int i;

	for (value = 0; value < 1 << 16; value++)
		CHECK(histogram_lower_bound(histogram_bucket(value)) <= value &&
		      value <= histogram_upper_bound(histogram_bucket(value)), "%llu", (unsigned long long)value);
	for (i = 0; i < 100000; i++) {
		uint32_t bucket;

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		value = state >> (state >> 58);
		bucket = histogram_bucket(value);
		CHECK(bucket < HISTOGRAM_BUCKETS, "%llu", (unsigned long long)value);
		if (value >> HISTOGRAM_MAX_BITS == 0)
			CHECK(histogram_lower_bound(bucket) <= value && value <= histogram_upper_bound(bucket),
			      "%llu", (unsigned long long)value);
	}
}

static void the_last_bucket_takes_the_rest(void)
{
	CHECK(histogram_bucket(1ULL << HISTOGRAM_MAX_BITS) == HISTOGRAM_BUCKETS - 1, "2^36");
	CHECK(histogram_bucket(UINT64_MAX) == HISTOGRAM_BUCKETS - 1, "the largest value");
	CHECK(histogram_upper_bound(HISTOGRAM_BUCKETS - 1) == (1ULL << HISTOGRAM_MAX_BITS) - 1, "its bound");
}

static void log2_is_the_highest_bit(void)
{
	int bit;

	CHECK(histogram_log2(0) == 0, "of 0");
	for (bit = 0; bit < 64; bit++)
		CHECK(histogram_log2(1ULL << bit) == (uint32_t)bit &&
		      histogram_log2(UINT64_MAX >> (63 - bit)) == (uint32_t)bit, "bit %d", bit);
}

int main(void)
{
	buckets_tile_the_line();
	every_value_has_a_bucket();
	the_last_bucket_takes_the_rest();
	log2_is_the_highest_bit();
	return checks_report("histogram");
}
