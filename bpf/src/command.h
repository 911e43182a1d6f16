/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Commands as they come in on stdin: one JSON object a line. Parsing is pure: no state, no I/O. */
#ifndef ROBOTGC_COMMAND_H
#define ROBOTGC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller.h"
#include "events.h"

#define MAX_LINE_BYTES (64 * 1024)
#define MAX_ID_BYTES 64
#define MAX_PATH_BYTES 4096
#define MAX_POINT_BYTES 32

enum command_kind {
	COMMAND_ATTACH,
	COMMAND_WATCH,
	COMMAND_UNWATCH,
	COMMAND_RUNS,
	COMMAND_DETACH,
	COMMAND_FLUSH,
	COMMAND_PING,
	COMMAND_TRIGGER,
	COMMAND_UNTRIGGER,
};

struct attach_point {
	enum point point;
	uint64_t offset;
	uint8_t bytes[MAX_POINT_BYTES];
	size_t n_bytes;
};

struct attach_request {
	char file[MAX_PATH_BYTES];
	struct attach_point points[MAX_POINTS];
	size_t n_points;
	struct controller_layout layout;
	bool stopping_known;
	uint32_t goid_offset; /* in runtime.g; 0: not known */
};

/* Told when tasks stalled for `stall_us` within any `window_us`. */
struct trigger_request {
	char file[MAX_PATH_BYTES];
	bool full; /* all tasks at once; else some task */
	uint32_t stall_us;
	uint32_t window_us;
};

/* Fields that the kind has no use for are zero, an id then empty. */
struct command {
	enum command_kind kind;
	bool has_seq;
	uint64_t seq;
	char id[MAX_ID_BYTES];
	uint32_t pid;
	struct attach_request attach;
	struct trigger_request trigger;
};

/*
 * Parses one line (no newline needed). Returns true, or false with a sentence in `problem` that says
 * what is wrong with what. Even then seq, id and pid are set as far as they could be read, so that the
 * answer can name them.
 */
bool command_parse(const char *line, size_t length, struct command *command, char *problem,
		   size_t problem_size);

#endif
