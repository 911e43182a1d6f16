// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "attachments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "file_bytes.h"
#include "gate.h"
#include "gc.skel.h"
#include "records.h"

static size_t gates_size(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (MAX_ATTACHMENTS * sizeof(struct gate) + page - 1) / page * page;
}

bool attachments_open(struct attachments *attachments, const struct kernel *kernel, struct failure *failure)
{
	void *memory = mmap(NULL, gates_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(kernel->skeleton->maps.gates), 0);

	if (memory == MAP_FAILED)
		return failure_set(failure, ERROR_INTERNAL, "the gates cannot be mapped: %s", strerror(errno));
	attachments->gates = memory;
	return true;
}

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

static void detach_groups(struct attachment *entry)
{
	int group;

	for (group = 0; group < GROUP_COUNT; group++)
		uprobes_detach(&entry->groups[group]);
}

static void detach_all(struct attachment *entry)
{
	detach_groups(entry);
	mapped_file_close(&entry->mapped);
	if (entry->fd >= 0)
		close(entry->fd);
}

bool attachment_attach_group(struct attachment *entry, uint32_t index, enum point_group group,
			     const struct kernel *kernel, struct failure *failure)
{
	char same_file[64];

	/* By descriptor, so that what is attached is what was checked, whatever the path means by then. */
	snprintf(same_file, sizeof(same_file), "/proc/self/fd/%d", entry->fd);
	return uprobes_attach(kernel, &entry->request, group, same_file, index, &entry->groups[group], failure);
}

static bool attach_all(struct attachment *entry, uint32_t index, const struct kernel *kernel,
		       struct failure *failure)
{
	int group;

	for (group = 0; group < GROUP_COUNT; group++)
		if (!attachment_attach_group(entry, index, group, kernel, failure))
			return false;
	return true;
}

static void begin(struct attachments *attachments, uint32_t index)
{
	gate_open(&attachments->gates[index], GATE_WITHOUT_LIMIT, 0, GATE_WITHOUT_LIMIT);
	sampling_start(&attachments->entries[index].sampling, now_ns(), attachments->gates[index].entered,
		       now_ns() ^ index);
}

void attachments_rest(struct attachments *attachments, uint32_t index)
{
	struct attachment *entry = &attachments->entries[index];

	if (!entry->id[0] || entry->resting)
		return;
	gate_close(&attachments->gates[index]);
	detach_groups(entry);
	entry->resting = true;
}

bool attachments_wake(struct attachments *attachments, uint32_t index, const struct kernel *kernel,
		      struct failure *failure)
{
	struct attachment *entry = &attachments->entries[index];

	if (!entry->resting)
		return true;
	if (!file_bytes_check(entry->fd, &entry->request, failure) || !attach_all(entry, index, kernel, failure)) {
		detach_groups(entry);
		return false;
	}
	begin(attachments, index);
	entry->resting = false;
	return true;
}

bool attachments_add(struct attachments *attachments, const struct kernel *kernel,
		     const struct command *command, struct failure *failure)
{
	uint32_t index = find_free(attachments);
	struct attachment *entry;

	if (attachments_find(attachments, command->id) != NO_ATTACHMENT)
		return failure_set(failure, ERROR_ALREADY_ATTACHED,
				   "\"%s\" is attached already: detach it first, or use it", command->id);
	if (index == NO_ATTACHMENT)
		return failure_set(failure, ERROR_TOO_MANY_ATTACHMENTS,
				   "%d files are attached, which is all: detach one that no process runs any more",
				   MAX_ATTACHMENTS);
	entry = &attachments->entries[index];
	entry->request = command->attach;
	/* O_NONBLOCK: a FIFO must not hang us. */
	entry->fd = open(command->attach.file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (entry->fd < 0)
		return explain_open(command->attach.file, failure);
	if (!file_bytes_check(entry->fd, &command->attach, failure) || !attach_all(entry, index, kernel, failure)) {
		detach_all(entry);
		return false;
	}
	mapped_file_open(&entry->mapped, entry->fd, kernel);
	begin(attachments, index);
	entry->resting = false;
	memcpy(entry->id, command->id, sizeof(entry->id));
	if (index >= attachments->n)
		attachments->n = index + 1;
	return true;
}

void attachments_remove(struct attachments *attachments, uint32_t index)
{
	struct attachment *entry = &attachments->entries[index];

	gate_close(&attachments->gates[index]);
	detach_all(entry);
	memset(entry, 0, sizeof(*entry));
	while (attachments->n > 0 && !attachments->entries[attachments->n - 1].id[0])
		attachments->n--;
}

void attachments_close(struct attachments *attachments)
{
	uint32_t i;

	for (i = 0; i < MAX_ATTACHMENTS; i++)
		if (attachments->entries[i].id[0])
			attachments_remove(attachments, i);
	if (attachments->gates)
		munmap(attachments->gates, gates_size());
}
