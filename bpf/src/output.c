// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "output.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Moves what is pending only where that frees as much as it moves: a long queue is not moved for each of its lines. */
static void make_room(struct output *out, size_t size)
{
	size_t pending = output_pending(out);
	bool pays = out->start >= pending;

	if (out->capacity - out->end >= size)
		return;
	if (out->start > 0)
		memmove(out->data, out->data + out->start, pending);
	out->start = 0;
	out->end = pending;
	if (pays && out->capacity - pending >= size)
		return;
	out->capacity = 2 * (pending + size);
	out->data = realloc(out->data, out->capacity);
	if (!out->data)
		abort(); /* some megabytes at most; without them there is nothing sensible left to do */
}

/* The reader has caught up. */
static void rest(struct output *out)
{
	char *smaller;

	out->start = out->end = 0;
	out->due = false;
	if (out->capacity <= OUTPUT_USUAL_BYTES)
		return;
	smaller = realloc(out->data, OUTPUT_USUAL_BYTES);
	if (!smaller)
		return;
	out->data = smaller;
	out->capacity = OUTPUT_USUAL_BYTES;
}

void output_print(struct output *out, const char *format, ...)
{
	va_list args;
	int size;

	if (!out->data)
		make_room(out, OUTPUT_USUAL_BYTES);
	va_start(args, format);
	size = vsnprintf(out->data + out->end, out->capacity - out->end, format, args);
	va_end(args);
	if (size < 0)
		return;
	if ((size_t)size >= out->capacity - out->end) {
		make_room(out, (size_t)size + 1);
		va_start(args, format);
		vsnprintf(out->data + out->end, out->capacity - out->end, format, args);
		va_end(args);
	}
	out->end += (size_t)size;
	out->due = true;
}

static json_t *json_string_of_any(const char *text)
{
	json_t *string = json_string(text);
	char *ascii, *c;

	if (string)
		return string;
	ascii = strdup(text);
	if (!ascii)
		return NULL;
	for (c = ascii; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(ascii);
	free(ascii);
	return string;
}

void output_json_string(struct output *out, const char *text)
{
	json_t *string = json_string_of_any(text);
	char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

	output_print(out, "%s", quoted ? quoted : "\"\"");
	free(quoted);
	json_decref(string);
}

static bool writable(int fd, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

	return poll(&pollfd, 1, timeout_ms) == 1;
}

/*
 * Instead of O_NONBLOCK, which would also strike whoever shares the open file (a terminal): a socket can be told so for one call, and a
 * pipe that is writable takes PIPE_BUF bytes without blocking.
 */
static ssize_t write_without_blocking(int fd, const char *data, size_t size)
{
	ssize_t written = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (written >= 0 || errno != ENOTSOCK)
		return written;
	return write(fd, data, size < PIPE_BUF ? size : PIPE_BUF);
}

static bool write_some(struct output *out, int timeout_ms)
{
	size_t size = output_pending(out);
	ssize_t written;

	if (size == 0 || out->broken || !writable(out->fd, timeout_ms))
		return false;
	written = write_without_blocking(out->fd, out->data + out->start, size);
	if (written < 0) {
		out->broken = errno != EINTR && errno != EAGAIN;
		return false;
	}
	out->start += (size_t)written;
	if (out->start == out->end)
		rest(out);
	return true;
}

void output_flush(struct output *out)
{
	while (output_is_due(out) && write_some(out, 0))
		;
}

void output_finish(struct output *out, int timeout_ms)
{
	while (write_some(out, timeout_ms))
		;
}
