// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What comes in on stdin, cut at arbitrary places, must never do harm: lines, then commands, then the
 * error that answers them. The entry point is libFuzzer's; fuzz_main.c drives it where that is missing.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lines lines;
static struct command command;
static struct output out = { .fd = -1 };

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void require_json_line(void)
{
	json_t *root = json_loadb(out.data + out.start, output_pending(&out), JSON_REJECT_DUPLICATES, NULL);

	require(root != NULL);
	json_decref(root);
	out.start = out.end = 0;
}

static void handle(const char *line, size_t length)
{
	struct failure failure = { .code = ERROR_BAD_COMMAND };
	size_t i;

	require(length <= MAX_LINE_BYTES);
	if (!command_parse(line, length, &command, failure.message, sizeof(failure.message))) {
		require(failure.message[0] != '\0');
		emit_error(&out, &command, &failure);
		require_json_line();
		return;
	}
	require(command.kind != COMMAND_ATTACH || (command.attach.n_points > 0 && command.attach.file[0] == '/'));
	require(command.attach.n_points <= MAX_POINTS && command.attach.layout.size <= MAX_CONTROLLER_BYTES);
	for (i = 0; i < command.attach.n_points; i++)
		require(command.attach.points[i].n_bytes > 0 && command.attach.points[i].n_bytes <= MAX_POINT_BYTES);
}

static void handle_all(void)
{
	enum line_result result;
	const char *line;
	size_t length;

	while ((result = lines_next(&lines, &line, &length)) != LINE_NONE)
		if (result == LINE_READY)
			handle(line, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line;
	size_t length, sent = 0;

	memset(&lines, 0, sizeof(lines));
	while (sent < size) {
		/* The input itself says where reads end. */
		size_t room, piece = 1 + data[sent] * 7u;
		char *space = lines_space(&lines, &room);

		require(room > 0);
		piece = piece < room ? piece : room;
		piece = piece < size - sent ? piece : size - sent;
		memcpy(space, data + sent, piece);
		lines_added(&lines, piece);
		sent += piece;
		handle_all();
	}
	if (lines_last(&lines, &line, &length) == LINE_READY)
		handle(line, length);
	return 0;
}
