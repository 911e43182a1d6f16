// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "output.h"

#define LINE_BYTES 100

static int fds[2];
static char seen[LINE_BYTES];
static size_t seen_bytes;
static unsigned int lines_seen;

static void print_line(struct output *out, unsigned int number)
{
	output_print(out, "%0*u\n", LINE_BYTES - 1, number);
}

/* Reads what the pipe holds; each line must be the one after the one before. */
static void read_some(void)
{
	static char bytes[1 << 16];
	ssize_t count = read(fds[0], bytes, sizeof(bytes)), i;

	for (i = 0; i < count; i++) {
		seen[seen_bytes++] = bytes[i];
		if (seen_bytes < LINE_BYTES)
			continue;
		seen[LINE_BYTES - 1] = '\0';
		CHECK(strtoul(seen, NULL, 10) == lines_seen, "line %u is %s", lines_seen, seen);
		lines_seen++;
		seen_bytes = 0;
	}
}

static void read_all(struct output *out)
{
	while (output_pending(out)) {
		output_flush(out);
		read_some();
	}
}

/* A second of a thousand cycles is a megabyte. */
static void seconds_are_kept_for_a_reader_that_is_behind(struct output *out)
{
	unsigned int n = lines_seen;

	for (; !output_is_full(out); n++) {
		print_line(out, n);
		output_flush(out);
	}
	CHECK(output_pending(out) >= 4 << 20, "only %zu bytes", output_pending(out));
	read_all(out);
	CHECK(lines_seen == n, "%u lines of %u", lines_seen, n);
}

static void one_that_catches_up_slowly_gets_every_line_in_order(struct output *out)
{
	unsigned int n = lines_seen, i;

	while (!output_is_full(out))
		print_line(out, n++);
	for (i = 0; i < 2000; i++) {
		output_flush(out);
		read_some();
		while (!output_is_full(out))
			print_line(out, n++);
		CHECK(out->capacity <= 4 * OUTPUT_HIGH_WATER_BYTES, "%zu bytes are held", out->capacity);
	}
	read_all(out);
	CHECK(lines_seen == n, "%u lines of %u", lines_seen, n);
}

static void memory_is_given_back_then(struct output *out)
{
	CHECK(out->capacity <= OUTPUT_USUAL_BYTES, "%zu bytes are held", out->capacity);
	print_line(out, lines_seen);
	read_all(out);
}

static void what_nobody_waits_for_waits_itself(struct output *out)
{
	unsigned int n = lines_seen;

	print_line(out, n++);
	out->due = false;
	output_flush(out);
	CHECK(output_pending(out) == LINE_BYTES, "%zu bytes are pending", output_pending(out));
	print_line(out, n++);
	output_flush(out);
	CHECK(!output_pending(out), "%zu bytes are pending", output_pending(out));
	read_some();
	while (output_pending(out) < OUTPUT_UNASKED_BYTES)
		print_line(out, n++);
	out->due = false;
	output_flush(out);
	CHECK(output_pending(out) < OUTPUT_UNASKED_BYTES, "%zu bytes are pending", output_pending(out));
	out->due = true;
	read_all(out);
	CHECK(lines_seen == n, "%u lines of %u", lines_seen, n);
}

static void a_line_longer_than_all_room_is_printed_whole(struct output *out)
{
	size_t size = 3 * OUTPUT_USUAL_BYTES;
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memset(text, 'x', size);
	text[size] = '\0';
	output_print(out, "%s", text);
	CHECK(output_pending(out) == size, "%zu bytes of %zu", output_pending(out), size);
	free(text);
}

int main(void)
{
	struct output out = { 0 };

	if (pipe(fds))
		return 1;
	out.fd = fds[1];
	seconds_are_kept_for_a_reader_that_is_behind(&out);
	memory_is_given_back_then(&out);
	one_that_catches_up_slowly_gets_every_line_in_order(&out);
	memory_is_given_back_then(&out);
	what_nobody_waits_for_waits_itself(&out);
	a_line_longer_than_all_room_is_printed_whole(&out);
	free(out.data);
	return checks_report("output");
}
