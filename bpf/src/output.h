/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Buffered output that never blocks the loop: the reader may be slow, then `output_is_full` tells the
 * loop to stop making more (the kernel's ring holds, and counts what it cannot).
 */
#ifndef ROBOTGC_OUTPUT_H
#define ROBOTGC_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Beyond this nothing more is produced; what is under way (at most a line or a few) still fits. Some seconds of
 * a thousand cycles each: on a node without a processor to spare the reader may not run for that long.
 */
#define OUTPUT_HIGH_WATER_BYTES (4 * 1024 * 1024)
/* Held for good. More only while the reader is behind. */
#define OUTPUT_USUAL_BYTES (256 * 1024)
/* So much is written even if nobody has asked for it. */
#define OUTPUT_UNASKED_BYTES (64 * 1024)

struct output {
	int fd;
	bool broken; /* the reader has gone */
	bool due; /* somebody waits for what is pending; else it waits until somebody does */
	char *data;
	size_t start, end, capacity;
};

/* Makes what is pending due, unless the caller undoes that. */
__attribute__((format(printf, 2, 3))) void output_print(struct output *out, const char *format, ...);

/* A JSON string with its quotes; bytes that are not UTF-8 become '?'. */
void output_json_string(struct output *out, const char *text);

static inline size_t output_pending(const struct output *out)
{
	return out->end - out->start;
}

static inline bool output_is_full(const struct output *out)
{
	return output_pending(out) >= OUTPUT_HIGH_WATER_BYTES;
}

/* A reader that is woken for each line has more work with waking up than with reading. */
static inline bool output_is_due(const struct output *out)
{
	return output_pending(out) && (out->due || output_pending(out) >= OUTPUT_UNASKED_BYTES);
}

/* Writes as much of what is due as goes without blocking. */
void output_flush(struct output *out);

/* Writes the rest, waiting at most timeout_ms for the reader. */
void output_finish(struct output *out, int timeout_ms);

#endif
