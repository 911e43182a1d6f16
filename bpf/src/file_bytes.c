// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "file_bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void to_hex(const uint8_t *bytes, size_t count, char *text)
{
	size_t i;

	for (i = 0; i < count; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	text[2 * count] = '\0';
}

bool file_bytes_check(int fd, const struct attach_request *request, struct failure *failure)
{
	size_t i;

	for (i = 0; i < request->n_points; i++) {
		const struct attach_point *point = &request->points[i];
		char wanted[2 * MAX_POINT_BYTES + 1], seen[2 * MAX_POINT_BYTES + 1];
		uint8_t bytes[MAX_POINT_BYTES];
		ssize_t count = pread(fd, bytes, point->n_bytes, (off_t)point->offset);

		if (count < 0)
			return failure_set(failure, ERROR_ATTACH_FAILED, "%s cannot be read at %" PRIu64 ": %s",
					   request->file, point->offset, strerror(errno));
		if ((size_t)count == point->n_bytes && !memcmp(bytes, point->bytes, point->n_bytes))
			continue;
		to_hex(point->bytes, point->n_bytes, wanted);
		to_hex(bytes, (size_t)count, seen);
		return failure_set(failure, ERROR_BYTES_DIFFER,
				   "%s has \"%s\" at offset %" PRIu64 ", not \"%s\": nothing was attached; the offsets "
				   "belong to another build, read them from this file anew",
				   request->file, seen, point->offset, wanted);
	}
	return true;
}
