// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "lines.h"

#include <string.h>

char *lines_space(struct lines *lines, size_t *size)
{
	if (lines->start > 0) {
		memmove(lines->data, lines->data + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	*size = sizeof(lines->data) - lines->end;
	return lines->data + lines->end;
}

void lines_added(struct lines *lines, size_t count)
{
	lines->end += count;
}

enum line_result lines_next(struct lines *lines, const char **line, size_t *length)
{
	for (;;) {
		char *from = lines->data + lines->start;
		size_t held = lines->end - lines->start;
		char *newline = memchr(from, '\n', held);

		if (!newline && held < sizeof(lines->data) && !lines->dropping)
			return LINE_NONE;
		if (!newline) {
			bool was_dropping = lines->dropping;

			lines->start = lines->end = 0;
			lines->dropping = true;
			return was_dropping ? LINE_NONE : LINE_TOO_LONG;
		}
		lines->start += (size_t)(newline - from) + 1;
		if (lines->dropping) {
			lines->dropping = false;
			continue;
		}
		*line = from;
		*length = (size_t)(newline - from);
		return LINE_READY;
	}
}

enum line_result lines_last(struct lines *lines, const char **line, size_t *length)
{
	*line = lines->data + lines->start;
	*length = lines->end - lines->start;
	lines->start = lines->end = 0;
	return *length > 0 && !lines->dropping ? LINE_READY : LINE_NONE;
}
