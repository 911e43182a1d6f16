// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stdlib.h>

#include "check.h"
#include "command.h"

#define POINT "{\"point\":\"stwEntry\",\"offset\":10,\"bytes\":\"55\"}"
#define ATTACH(points) "{\"cmd\":\"attach\",\"id\":\"a\",\"file\":\"/bin/x\",\"points\":[" points "]}"
#define EXIT(bytes) ATTACH("{\"point\":\"assistExit\",\"offset\":10,\"bytes\":\"" bytes "\"}")
#define LAYOUT_HEAD "{\"cmd\":\"attach\",\"id\":\"a\",\"file\":\"/x\",\"points\":[" POINT "],\"layout\":"

static const char full_layout[] =
	LAYOUT_HEAD "{\"gcPercent\":0,\"memoryLimit\":8,\"heapMinimum\":16,\"gcPercentHeapGoal\":72,\"triggered\":88,"
	"\"lastHeapGoal\":96,\"heapLive\":104,\"lastStackScan\":128,\"globalsScan\":144,\"heapMarked\":152,"
	"\"assistTime\":192,\"dedicatedMarkTime\":200,\"fractionalMarkTime\":208,\"idleMarkTime\":216,"
	"\"markStartTime\":224,\"heapInUse\":272,\"heapReleased\":280,\"heapFree\":288,\"totalAlloc\":296,"
	"\"totalFree\":304,\"mappedReady\":312}}";

static struct command command;
static char problem[1024];

static bool parse(const char *line)
{
	memset(problem, 0, sizeof(problem));
	return command_parse(line, strlen(line), &command, problem, sizeof(problem));
}

static void good_lines(void)
{
	CHECK(parse("{\"cmd\":\"ping\",\"seq\":7}") && command.kind == COMMAND_PING && command.seq == 7, "%s", problem);
	CHECK(parse("{\"cmd\":\"flush\",\"seq\":0}") && command.kind == COMMAND_FLUSH && command.has_seq, "%s", problem);
	CHECK(parse("{\"cmd\":\"watch\",\"pid\":123,\"id\":\"a1\"}") && command.kind == COMMAND_WATCH &&
	      command.pid == 123 && !strcmp(command.id, "a1") && !command.has_seq, "%s", problem);
	CHECK(parse("{\"cmd\":\"runs\",\"pid\":12,\"id\":\"a\"}") && command.kind == COMMAND_RUNS &&
	      command.pid == 12 && !strcmp(command.id, "a"), "%s", problem);
	CHECK(parse("{\"cmd\":\"unwatch\",\"pid\":2147483647,\"seq\":1}") && command.kind == COMMAND_UNWATCH &&
	      command.pid == 2147483647, "%s", problem);
	CHECK(parse(" {\"cmd\":\"detach\",\"id\":\"\\u00fc\",\"future\":[{}]} ") && command.kind == COMMAND_DETACH,
	      "%s", problem);
}

#define TRIGGER(rest) "{\"cmd\":\"trigger\",\"id\":\"t\",\"file\":\"/sys/fs/cgroup/a/memory.pressure\"" rest "}"

static void triggers(void)
{
	CHECK(parse(TRIGGER(",\"line\":\"full\",\"stallUs\":10000,\"windowUs\":1000000")) &&
	      command.kind == COMMAND_TRIGGER && command.trigger.full && command.trigger.stall_us == 10000 &&
	      command.trigger.window_us == 1000000, "%s", problem);
	CHECK(parse(TRIGGER(",\"line\":\"some\",\"stallUs\":1,\"windowUs\":2000000")) && !command.trigger.full, "%s",
	      problem);
	CHECK(!parse(TRIGGER(",\"line\":\"any\",\"stallUs\":1,\"windowUs\":2000000")) && strstr(problem, "line"), "%s",
	      problem);
	CHECK(!parse(TRIGGER(",\"line\":\"some\",\"stallUs\":2000001,\"windowUs\":2000000")), "a stall beyond its window");
	CHECK(!parse(TRIGGER(",\"line\":\"some\",\"stallUs\":0,\"windowUs\":2000000")), "no stall");
	CHECK(!parse(TRIGGER(",\"line\":\"some\",\"stallUs\":1,\"windowUs\":499999")), "a window that no kernel grants");
	CHECK(!parse("{\"cmd\":\"trigger\",\"id\":\"t\",\"file\":\"memory.pressure\"}"), "a relative path");
	CHECK(!parse("{\"cmd\":\"trigger\",\"id\":\"t\",\"file\":\"/etc/passwd\",\"line\":\"some\",\"stallUs\":1,"
		     "\"windowUs\":2000000}") && strstr(problem, "memory.pressure"), "another file: %s", problem);
	CHECK(parse("{\"cmd\":\"untrigger\",\"id\":\"t\"}") && command.kind == COMMAND_UNTRIGGER, "%s", problem);
}

static void a_good_attach(void)
{
	const struct attach_request *attach = &command.attach;

	CHECK(parse(ATTACH(POINT ",{\"point\":\"assistRet\",\"offset\":9007199254740993,\"bytes\":\"C3cc\"}")), "%s",
	      problem);
	CHECK(command.kind == COMMAND_ATTACH && !strcmp(attach->file, "/bin/x"), "file %s", attach->file);
	CHECK(attach->n_points == 2 && attach->points[0].point == POINT_STW_ENTRY &&
	      attach->points[0].offset == 10 && attach->points[0].n_bytes == 1 &&
	      attach->points[0].bytes[0] == 0x55, "first point");
	CHECK(attach->points[1].point == POINT_ASSIST_RET && attach->points[1].offset == 9007199254740993 &&
	      attach->points[1].n_bytes == 2 && attach->points[1].bytes[0] == 0xc3 &&
	      attach->points[1].bytes[1] == 0xcc, "second point, an offset beyond a double");
	CHECK(attach->layout.size == 0 && attach->stopping_known, "what was left out");
	CHECK(parse(full_layout), "%s", problem);
	CHECK(attach->layout.size == 320, "size %u", attach->layout.size);
	CHECK(attach->layout.offsets[FIELD_HEAP_MARKED] == 152 &&
	      attach->layout.offsets[FIELD_SWEEP_DIST_MIN_TRIGGER] == OFFSET_ABSENT, "layout");
}

static void exits_are_jumps(void)
{
	static const char *const jumps[] = { EXIT("70"), EXIT("740f"), EXIT("7f00c3"), EXIT("0f8082000000"),
					     EXIT("0f8f"), EXIT("eb10"), EXIT("e997fbffff") };
	size_t i;

	for (i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		CHECK(parse(jumps[i]), "%s: %s", jumps[i], problem);
		CHECK(command.attach.points[0].point == POINT_ASSIST_EXIT, "%s", jumps[i]);
	}
}

static const struct {
	const char *line, *names;
} bad_lines[] = {
	{ "", "not JSON" },
	{ "{", "not JSON" },
	{ "garbage", "not JSON" },
	{ "{} x", "not JSON" },
	{ "{\"cmd\":\"ping\",\"cmd\":\"ping\",\"seq\":1}", "duplicate" },
	{ "{\"cmd\":\"ping\",\"seq\":\"\\u0000\"}", "not JSON" },
	{ "{\"cmd\":\"ping\",\"seq\":99999999999999999999}", "not JSON" },
	{ "{\"cmd\":\"\xff\"}", "not JSON" },
	{ "[]", "object" },
	{ "null", "not JSON" },
	{ "{}", "\"cmd\"" },
	{ "{\"cmd\":1}", "\"cmd\"" },
	{ "{\"cmd\":\"reboot\"}", "reboot" },
	{ "{\"cmd\":\"ping\"}", "\"seq\"" },
	{ "{\"cmd\":\"ping\",\"seq\":-1}", "\"seq\"" },
	{ "{\"cmd\":\"ping\",\"seq\":1.5}", "\"seq\"" },
	{ "{\"cmd\":\"watch\",\"id\":\"a\"}", "\"pid\"" },
	{ "{\"cmd\":\"runs\",\"id\":\"a\"}", "\"pid\"" },
	{ "{\"cmd\":\"runs\",\"pid\":1}", "\"id\"" },
	{ "{\"cmd\":\"watch\",\"id\":\"a\",\"pid\":0}", "\"pid\"" },
	{ "{\"cmd\":\"watch\",\"id\":\"a\",\"pid\":2147483648}", "\"pid\"" },
	{ "{\"cmd\":\"watch\",\"pid\":1}", "\"id\"" },
	{ "{\"cmd\":\"watch\",\"pid\":1,\"id\":\"a\",\"seq\":\"x\"}", "\"seq\"" },
	{ "{\"cmd\":\"detach\",\"id\":\"\"}", "\"id\"" },
	{ "{\"cmd\":\"detach\",\"id\":\"0123456789012345678901234567890123456789012345678901234567890123\"}", "\"id\"" },
	{ "{\"cmd\":\"attach\",\"id\":\"a\",\"file\":\"bin\",\"points\":[" POINT "]}", "absolute" },
	{ "{\"cmd\":\"attach\",\"id\":\"a\",\"points\":[" POINT "]}", "\"file\"" },
	{ "{\"cmd\":\"attach\",\"id\":\"a\",\"file\":\"/x\"}", "\"points\"" },
	{ "{\"cmd\":\"attach\",\"id\":\"a\",\"file\":\"/x\",\"points\":[" POINT "],\"stoppingKnown\":1}", "stoppingKnown" },
	{ "{\"cmd\":\"attach\",\"id\":\"a\",\"file\":\"/x\",\"points\":[" POINT "],\"goidOffset\":4097}", "goidOffset" },
	{ ATTACH(""), "\"points\"" },
	{ ATTACH("1"), "\"points\"" },
	{ ATTACH(POINT "," POINT), "same offset" },
	{ ATTACH("{\"point\":\"x\",\"offset\":1,\"bytes\":\"55\"}"), "\"point\"" },
	{ ATTACH("{\"point\":\"stwEntry\",\"offset\":-1,\"bytes\":\"55\"}"), "\"offset\"" },
	{ ATTACH("{\"point\":\"stwEntry\",\"offset\":1,\"bytes\":\"\"}"), "\"bytes\"" },
	{ ATTACH("{\"point\":\"stwEntry\",\"offset\":1,\"bytes\":\"5\"}"), "\"bytes\"" },
	{ ATTACH("{\"point\":\"stwEntry\",\"offset\":1,\"bytes\":\"5g\"}"), "\"bytes\"" },
	{ ATTACH("{\"point\":\"stwRet\",\"offset\":1,\"bytes\":\"55\"}"), "RET" },
	{ ATTACH("{\"point\":\"stwStopped\",\"offset\":1,\"bytes\":\"55\"}"), "CALL" },
	{ EXIT("c3"), "jump" },
	{ EXIT("6f00"), "jump" },
	{ EXIT("80c301"), "jump" },
	{ EXIT("0f"), "jump" },
	{ EXIT("0f7f"), "jump" },
	{ EXIT("0f90c0"), "jump" },
	{ EXIT("660f8400000000"), "jump" },
	{ EXIT("e800000000"), "jump" },
	{ EXIT("ffe0"), "jump" },
	{ EXIT("e310"), "jump" },
	{ LAYOUT_HEAD "[]}", "\"layout\"" },
	{ LAYOUT_HEAD "{}}", "\"gcPercent\"" },
	{ LAYOUT_HEAD "{\"gcPercent\":509}}", "\"gcPercent\"" },
	{ LAYOUT_HEAD "{\"gcPercent\":508,\"memoryLimit\":505}}", "\"memoryLimit\"" },
};

static void bad_lines_say_what_is_wrong(void)
{
	size_t i;

	for (i = 0; i < sizeof(bad_lines) / sizeof(*bad_lines); i++) {
		CHECK(!parse(bad_lines[i].line), "accepted: %s", bad_lines[i].line);
		CHECK(strstr(problem, bad_lines[i].names), "%s: %s", bad_lines[i].line, problem);
	}
}

static void limits(void)
{
	static char line[MAX_LINE_BYTES + 2];
	size_t n = 0;
	int i;

	n += (size_t)sprintf(line, "{\"cmd\":\"attach\",\"id\":\"a\",\"file\":\"/x\",\"points\":[");
	for (i = 0; i <= MAX_POINTS; i++)
		n += (size_t)sprintf(line + n, "%s{\"point\":\"cycleEnd\",\"offset\":%d,\"bytes\":\"55\"}", i ? "," : "", i);
	sprintf(line + n, "]}");
	CHECK(!parse(line) && strstr(problem, "64"), "%s", problem);
	memset(line, ' ', MAX_LINE_BYTES + 1);
	CHECK(!command_parse(line, MAX_LINE_BYTES + 1, &command, problem, sizeof(problem)) &&
	      strstr(problem, "longer"), "%s", problem);
	memset(line, '[', MAX_LINE_BYTES);
	CHECK(!command_parse(line, MAX_LINE_BYTES, &command, problem, sizeof(problem)), "deep nesting");
}

static void a_refusal_can_name_its_command(void)
{
	CHECK(!parse("{\"cmd\":\"watch\",\"seq\":5,\"pid\":9,\"id\":7}"), "accepted");
	CHECK(command.has_seq && command.seq == 5 && command.pid == 9 && !command.id[0], "seq, pid, id");
}

int main(void)
{
	good_lines();
	triggers();
	a_good_attach();
	exits_are_jumps();
	bad_lines_say_what_is_wrong();
	limits();
	a_refusal_can_name_its_command();
	return checks_report("command");
}
