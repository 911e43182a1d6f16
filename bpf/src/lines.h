/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Cuts stdin into lines of at most MAX_LINE_BYTES. Pure but for the read that fills it. */
#ifndef ROBOTGC_LINES_H
#define ROBOTGC_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

struct lines {
	char data[MAX_LINE_BYTES + 1];
	size_t start, end;
	bool dropping; /* inside a line that is too long */
};

enum line_result {
	LINE_NONE, /* more bytes are needed */
	LINE_READY,
	LINE_TOO_LONG, /* the line's beginning has been dropped, the rest will be */
};

/* Where to put further bytes, and how many fit; there is always room after lines_next said LINE_NONE. */
char *lines_space(struct lines *lines, size_t *size);
void lines_added(struct lines *lines, size_t count);

/* The next line without its newline; valid until bytes are added. */
enum line_result lines_next(struct lines *lines, const char **line, size_t *length);

/* At the end of input: what is left without a newline, as a line. */
enum line_result lines_last(struct lines *lines, const char **line, size_t *length);

#endif
