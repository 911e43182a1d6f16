// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "attachments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file_bytes.h"

uint32_t attachments_find(const struct attachments *attachments, const char *id)
{
	uint32_t i;

	for (i = 0; i < MAX_ATTACHMENTS; i++)
		if (attachments->entries[i].id[0] && !strcmp(attachments->entries[i].id, id))
			return i;
	return NO_ATTACHMENT;
}

static uint32_t find_free(const struct attachments *attachments)
{
	uint32_t i;

	for (i = 0; i < MAX_ATTACHMENTS; i++)
		if (!attachments->entries[i].id[0])
			return i;
	return NO_ATTACHMENT;
}

static bool explain_open(const char *file, struct failure *failure)
{
	int error = errno;

	if (error == ENOENT || error == ESRCH || error == ENOTDIR)
		return failure_set(failure, ERROR_NO_SUCH_FILE,
				   "%s is not there (%s): the process has probably ended", file, strerror(error));
	if (error == EACCES || error == EPERM)
		return failure_set(failure, ERROR_NO_PERMISSION,
				   "%s cannot be read (%s): CAP_SYS_PTRACE is needed to reach another user's process",
				   file, strerror(error));
	return failure_set(failure, ERROR_ATTACH_FAILED, "%s cannot be opened: %s", file, strerror(error));
}

bool attachments_add(struct attachments *attachments, const struct kernel *kernel,
		     const struct command *command, struct failure *failure)
{
	const struct attach_request *request = &command->attach;
	struct attachment *entry;
	char same_file[64];
	uint32_t index;
	bool good;
	int fd;

	if (attachments_find(attachments, command->id) != NO_ATTACHMENT)
		return failure_set(failure, ERROR_ALREADY_ATTACHED,
				   "\"%s\" is attached already: detach it first, or use it", command->id);
	index = find_free(attachments);
	if (index == NO_ATTACHMENT)
		return failure_set(failure, ERROR_TOO_MANY_ATTACHMENTS,
				   "%d files are attached, which is all: detach one that no process runs any more",
				   MAX_ATTACHMENTS);
	/* O_NONBLOCK: a FIFO must not hang us. */
	fd = open(request->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return explain_open(request->file, failure);
	/* By descriptor, so that what is attached is what was checked, whatever the path means by then. */
	snprintf(same_file, sizeof(same_file), "/proc/self/fd/%d", fd);
	entry = &attachments->entries[index];
	good = file_bytes_check(fd, request, failure) &&
	       uprobes_attach(kernel, request, same_file, index, &entry->uprobes, failure);
	close(fd);
	if (!good)
		return false;
	memcpy(entry->id, command->id, sizeof(entry->id));
	entry->layout = request->layout;
	return true;
}

void attachments_remove(struct attachments *attachments, uint32_t index)
{
	uprobes_detach(&attachments->entries[index].uprobes);
	memset(&attachments->entries[index], 0, sizeof(attachments->entries[index]));
}

void attachments_clear(struct attachments *attachments)
{
	uint32_t i;

	for (i = 0; i < MAX_ATTACHMENTS; i++)
		if (attachments->entries[i].id[0])
			attachments_remove(attachments, i);
}
