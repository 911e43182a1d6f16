// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "file_bytes.h"

static struct attach_request request = { .file = "/some/file" };
static struct failure failure;

static void want(uint64_t offset, const char *bytes, size_t count)
{
	request.n_points = 1;
	request.points[0].offset = offset;
	request.points[0].n_bytes = count;
	memcpy(request.points[0].bytes, bytes, count);
	memset(&failure, 0, sizeof(failure));
}

int main(void)
{
	char path[] = "/tmp/robotgc-bytes-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, "\x55\x48\x89\xe5\xc3", 5) == 5, "a file to read");
	unlink(path);

	want(0, "\x55\x48", 2);
	CHECK(file_bytes_check(fd, &request, &failure), "%s", failure.message);
	want(4, "\xc3", 1);
	CHECK(file_bytes_check(fd, &request, &failure), "%s", failure.message);

	want(1, "\x55", 1);
	CHECK(!file_bytes_check(fd, &request, &failure) && !strcmp(failure.code, ERROR_BYTES_DIFFER), "other bytes");
	CHECK(strstr(failure.message, "/some/file has \"48\" at offset 1, not \"55\""), "%s", failure.message);
	want(4, "\xc3\xc3", 2);
	CHECK(!file_bytes_check(fd, &request, &failure) && !strcmp(failure.code, ERROR_BYTES_DIFFER), "half beyond the end");
	want(INT64_MAX, "\x55", 1);
	CHECK(!file_bytes_check(fd, &request, &failure), "beyond any file");
	want(1 << 20, "\x55", 1);
	CHECK(!file_bytes_check(fd, &request, &failure) && !strcmp(failure.code, ERROR_BYTES_DIFFER), "beyond the end");

	/* One wrong point among right ones refuses all. */
	want(0, "\x55", 1);
	request.points[1] = request.points[0];
	request.points[1].offset = 2;
	request.n_points = 2;
	CHECK(!file_bytes_check(fd, &request, &failure), "the second point");
	close(fd);
	want(0, "\x55", 1);
	CHECK(!file_bytes_check(fd, &request, &failure) && !strcmp(failure.code, ERROR_ATTACH_FAILED), "unreadable");
	return checks_report("file_bytes");
}
