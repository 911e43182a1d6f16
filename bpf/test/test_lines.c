// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdlib.h>

#include "check.h"
#include "lines.h"

static struct lines lines;

static void add(const char *bytes, size_t count)
{
	size_t size;
	char *space = lines_space(&lines, &size);

	CHECK(count <= size, "no room for %zu bytes", count);
	memcpy(space, bytes, count);
	lines_added(&lines, count);
}

static void expect(const char *wanted)
{
	const char *line = "";
	size_t length = 0;

	CHECK(lines_next(&lines, &line, &length) == LINE_READY, "no line where \"%s\" is due", wanted);
	CHECK(length == strlen(wanted) && !memcmp(line, wanted, length), "\"%.*s\", not \"%s\"", (int)length, line,
	      wanted);
}

static enum line_result next(void)
{
	const char *line;
	size_t length;

	return lines_next(&lines, &line, &length);
}

static void pieces_become_lines(void)
{
	const char *line;
	size_t length;

	memset(&lines, 0, sizeof(lines));
	add("ab", 2);
	CHECK(next() == LINE_NONE, "a line too early");
	add("c\n\nde\nf", 7);
	expect("abc");
	expect("");
	expect("de");
	CHECK(next() == LINE_NONE, "a line too early");
	CHECK(lines_last(&lines, &line, &length) == LINE_READY && length == 1 && *line == 'f', "the rest at the end");
	CHECK(lines_last(&lines, &line, &length) == LINE_NONE, "nothing is left");
}

static void long_lines_are_dropped_once(void)
{
	static char much[MAX_LINE_BYTES];
	int i;

	memset(&lines, 0, sizeof(lines));
	memset(much, 'x', sizeof(much));
	add(much, MAX_LINE_BYTES);
	CHECK(next() == LINE_NONE, "%d bytes are allowed", MAX_LINE_BYTES);
	add("x", 1);
	CHECK(next() == LINE_TOO_LONG, "one more is not");
	for (i = 0; i < 5; i++) {
		add(much, MAX_LINE_BYTES);
		CHECK(next() == LINE_NONE, "said once only");
	}
	add("rest\nnext\n", 10);
	expect("next");
	CHECK(next() == LINE_NONE, "nothing is left");
}

/* Whatever the pieces, the lines are the same. */
static void any_cut_gives_the_same_lines(void)
{
	unsigned int seed = 1;
	int round;

	memset(&lines, 0, sizeof(lines));
	for (round = 0; round < 2000; round++) {
		char text[300];
		size_t length = 0, sent = 0;
		int i, count = 0;

		for (i = 0; i < 20; i++)
			length += (size_t)sprintf(text + length, "%d\n", round * 20 + i);
		while (sent < length) {
			size_t piece = 1 + (size_t)rand_r(&seed) % 40;
			char wanted[16];

			if (piece > length - sent)
				piece = length - sent;
			add(text + sent, piece);
			for (sent += piece; memchr(lines.data + lines.start, '\n', lines.end - lines.start); count++) {
				sprintf(wanted, "%d", round * 20 + count);
				expect(wanted);
			}
		}
		CHECK(count == 20 && next() == LINE_NONE, "round %d: %d lines", round, count);
	}
}

int main(void)
{
	pieces_become_lines();
	long_lines_are_dropped_once();
	any_cut_gives_the_same_lines();
	return checks_report("lines");
}
