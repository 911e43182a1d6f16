// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "command.h"

#include <inttypes.h>
#include <string.h>

#include "instructions.h"
#include "json_fields.h"

static const struct {
	const char *name;
	enum command_kind kind;
	bool needs_id, needs_pid, needs_seq;
} commands[] = {
	{ "attach", COMMAND_ATTACH, .needs_id = true },
	{ "watch", COMMAND_WATCH, .needs_id = true, .needs_pid = true },
	{ "unwatch", COMMAND_UNWATCH, .needs_pid = true },
	{ "runs", COMMAND_RUNS, .needs_id = true, .needs_pid = true },
	{ "detach", COMMAND_DETACH, .needs_id = true },
	{ "flush", COMMAND_FLUSH, .needs_seq = true },
	{ "ping", COMMAND_PING, .needs_seq = true },
	{ "trigger", COMMAND_TRIGGER, .needs_id = true },
	{ "untrigger", COMMAND_UNTRIGGER, .needs_id = true },
};

#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static const char *const point_names[POINT_COUNT] = {
	[POINT_STW_ENTRY] = "stwEntry",
	[POINT_STW_RET] = "stwRet",
	[POINT_STW_STOPPED] = "stwStopped",
	[POINT_ASSIST_ENTRY] = "assistEntry",
	[POINT_ASSIST_RET] = "assistRet",
	[POINT_ASSIST_EXIT] = "assistExit",
	[POINT_CYCLE_END] = "cycleEnd",
	[POINT_HEAP_GROW] = "heapGrow",
	[POINT_ASSIST_SLOW_BEGIN] = "assistSlowBegin",
	[POINT_ASSIST_SLOW_END] = "assistSlowEnd",
	[POINT_TLS_CLIENT_ENTRY] = "tlsClientEntry",
	[POINT_TLS_CLIENT_RET] = "tlsClientRet",
	[POINT_TLS_SERVER_ENTRY] = "tlsServerEntry",
	[POINT_TLS_SERVER_RET] = "tlsServerRet",
	[POINT_SSL_ENTRY] = "sslEntry",
	[POINT_SSL_FREE] = "sslFree",
	[POINT_SSL_RETURN] = "sslReturn",
	[POINT_POLL_PARK_BEGIN] = "pollParkBegin",
	[POINT_POLL_PARK_END] = "pollParkEnd",
};

static bool is_ret(int kind)
{
	return kind == POINT_STW_RET || kind == POINT_ASSIST_RET || kind == POINT_TLS_CLIENT_RET ||
	       kind == POINT_TLS_SERVER_RET;
}

/* On the hot path: only what the kernel emulates will do. */
static bool is_jump(int kind)
{
	return kind == POINT_ASSIST_EXIT || kind == POINT_ASSIST_SLOW_BEGIN || kind == POINT_ASSIST_SLOW_END ||
	       kind == POINT_POLL_PARK_BEGIN || kind == POINT_POLL_PARK_END;
}

static bool parse_point(const json_t *object, struct attach_point *point, const struct problem *problem)
{
	char name[24];
	int64_t offset;
	int kind;

	if (!json_is_object(object))
		return problem_set(problem, "each of \"points\" must be an object");
	if (!field_string(object, "point", name, sizeof(name), problem))
		return false;
	for (kind = 0; kind < POINT_COUNT; kind++)
		if (!strcmp(name, point_names[kind]))
			break;
	if (kind == POINT_COUNT)
		return problem_set(problem, "\"point\" is \"%s\", which is none that this probe knows", name);
	if (!field_integer(object, "offset", 0, INT64_MAX, &offset, problem) ||
	    !field_hex(object, "bytes", point->bytes, sizeof(point->bytes), &point->n_bytes, problem))
		return false;
	point->point = kind;
	point->offset = (uint64_t)offset;
	if (point->offset % MACHINE_INSTRUCTIONS.alignment)
		return problem_set(problem, "at \"offset\" %" PRIu64 " no instruction can begin", point->offset);
	if (is_ret(kind) && !MACHINE_INSTRUCTIONS.is_ret(point->bytes, point->n_bytes))
		return problem_set(problem, "a %s point must be a RET instruction, not %02x", name, point->bytes[0]);
	if (kind == POINT_STW_STOPPED && !MACHINE_INSTRUCTIONS.is_call(point->bytes, point->n_bytes))
		return problem_set(problem, "a %s point must be a CALL instruction, not %02x", name, point->bytes[0]);
	if (is_jump(kind) && !MACHINE_INSTRUCTIONS.is_jump(point->bytes, point->n_bytes))
		return problem_set(problem, "a %s point must be a conditional or unconditional jump with a "
					    "relative target, not %02x", name, point->bytes[0]);
	return true;
}

static bool parse_points(const json_t *root, struct attach_request *request, const struct problem *problem)
{
	const json_t *points = json_object_get(root, "points");
	size_t count = json_array_size(points);
	size_t i, j;

	if (!json_is_array(points) || count == 0 || count > MAX_POINTS)
		return problem_set(problem, "\"points\" must be an array of 1 to %d points", MAX_POINTS);
	for (i = 0; i < count; i++) {
		if (!parse_point(json_array_get(points, i), &request->points[i], problem))
			return false;
		for (j = 0; j < i; j++)
			if (request->points[j].offset == request->points[i].offset &&
			    (request->points[j].point == POINT_SSL_RETURN) ==
				    (request->points[i].point == POINT_SSL_RETURN))
				return problem_set(problem, "two points have the same offset %llu",
						   (unsigned long long)request->points[i].offset);
	}
	request->n_points = count;
	return true;
}

static bool parse_layout(const json_t *root, struct controller_layout *layout, const struct problem *problem)
{
	const json_t *object = json_object_get(root, "layout");
	int field;

	for (field = 0; field < FIELD_COUNT; field++)
		layout->offsets[field] = OFFSET_ABSENT;
	if (!object)
		return true;
	if (!json_is_object(object))
		return problem_set(problem, "\"layout\" must be an object of field offsets");
	for (field = 0; field < FIELD_COUNT; field++) {
		const char *name = controller_field_name(field);
		uint32_t width = controller_field_width(field);
		int64_t offset;

		if (controller_field_optional(field) && !json_object_get(object, name))
			continue;
		if (!field_integer(object, name, 0, MAX_CONTROLLER_BYTES - width, &offset, problem))
			return false;
		layout->offsets[field] = (int32_t)offset;
		if (offset + width > layout->size)
			layout->size = (uint32_t)offset + width;
	}
	return true;
}

static bool parse_file(const json_t *root, char file[MAX_PATH_BYTES], const struct problem *problem)
{
	if (!field_string(root, "file", file, MAX_PATH_BYTES, problem))
		return false;
	return file[0] == '/' ||
	       problem_set(problem, "\"file\" must be an absolute path, not \"%.200s\"", file);
}

static bool parse_attach(const json_t *root, struct attach_request *request, const struct problem *problem)
{
	const json_t *stopping = json_object_get(root, "stoppingKnown");
	int64_t goid_offset = 0;

	if (!parse_file(root, request->file, problem))
		return false;
	if (stopping && !json_is_boolean(stopping))
		return problem_set(problem, "\"stoppingKnown\" must be true or false");
	request->stopping_known = !stopping || json_is_true(stopping);
	if (json_object_get(root, "goidOffset") &&
	    !field_integer(root, "goidOffset", 1, MAX_GOID_OFFSET, &goid_offset, problem))
		return false;
	request->goid_offset = (uint32_t)goid_offset;
	return parse_points(root, request, problem) && parse_layout(root, &request->layout, problem);
}

/* What the kernel grants at most (kernel/sched/psi.c): windows of half a second to ten. */
static bool parse_trigger(const json_t *root, struct trigger_request *request, const struct problem *problem)
{
	int64_t stall_us, window_us;
	const char *name;
	char line[8];

	if (!parse_file(root, request->file, problem) || !field_string(root, "line", line, sizeof(line), problem) ||
	    !field_integer(root, "windowUs", 500000, 10000000, &window_us, problem) ||
	    !field_integer(root, "stallUs", 1, window_us, &stall_us, problem))
		return false;
	name = strrchr(request->file, '/');
	if (strcmp(name, "/memory.pressure") && strcmp(name, "/cpu.pressure") && strcmp(name, "/io.pressure"))
		return problem_set(problem, "\"file\" must be a cgroup's memory.pressure, cpu.pressure or io.pressure");
	request->full = !strcmp(line, "full");
	if (!request->full && strcmp(line, "some"))
		return problem_set(problem, "\"line\" must be \"some\" or \"full\"");
	request->stall_us = (uint32_t)stall_us;
	request->window_us = (uint32_t)window_us;
	return true;
}

static bool parse_root(const json_t *root, struct command *command, const struct problem *problem)
{
	char ignored[256];
	const struct problem silent = { ignored, sizeof(ignored) };
	const json_t *cmd = json_object_get(root, "cmd");
	int64_t seq = 0, pid = 0;
	bool has_id, has_pid;
	size_t i;

	if (!json_is_object(root))
		return problem_set(problem, "a command must be a JSON object");
	/* These three first, whatever the command is, so that a refusal can name them. */
	command->has_seq = field_integer(root, "seq", 0, INT64_MAX, &seq, &silent);
	has_id = field_string(root, "id", command->id, sizeof(command->id), &silent);
	has_pid = field_integer(root, "pid", 1, INT32_MAX, &pid, &silent);
	command->seq = (uint64_t)seq;
	command->pid = (uint32_t)pid;

	if (!json_is_string(cmd))
		return problem_set(problem, "\"cmd\" must be a string");
	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(json_string_value(cmd), commands[i].name))
			break;
	if (i == N_COMMANDS)
		return problem_set(problem, "\"cmd\" is \"%.40s\"; known are attach, watch, unwatch, runs, detach, "
					    "flush, ping, trigger, untrigger", json_string_value(cmd));
	command->kind = commands[i].kind;
	/* What is missing is read once more, now to say so. */
	if (!command->has_seq && (commands[i].needs_seq || json_object_get(root, "seq")))
		return field_integer(root, "seq", 0, INT64_MAX, &seq, problem);
	if (!has_id && commands[i].needs_id)
		return field_string(root, "id", command->id, sizeof(command->id), problem);
	if (!has_pid && commands[i].needs_pid)
		return field_integer(root, "pid", 1, INT32_MAX, &pid, problem);
	if (command->kind == COMMAND_ATTACH)
		return parse_attach(root, &command->attach, problem);
	return command->kind != COMMAND_TRIGGER || parse_trigger(root, &command->trigger, problem);
}

bool command_parse(const char *line, size_t length, struct command *command, char *text, size_t text_size)
{
	struct problem problem = { text, text_size };
	json_error_t error;
	json_t *root;
	bool good;

	memset(command, 0, sizeof(*command));
	if (length > MAX_LINE_BYTES)
		return problem_set(&problem, "the line is longer than %d bytes", MAX_LINE_BYTES);
	root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return problem_set(&problem, "not JSON: %s at byte %d", error.text, error.position);
	good = parse_root(root, command, &problem);
	json_decref(root);
	return good;
}
