// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/vfs.h>
#include <unistd.h>

bool pressure_open(struct pressure *pressure, struct failure *failure)
{
	pressure->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (pressure->epoll_fd >= 0)
		return true;
	return failure_set(failure, ERROR_INTERNAL, "triggers cannot be waited for: %s", strerror(errno));
}

static void release(struct pressure *pressure, struct trigger *trigger)
{
	close(trigger->fd); /* ends the trigger, and leaves the epoll with it */
	if (trigger->id[0])
		pressure->n_set--;
	memset(trigger, 0, sizeof(*trigger));
}

void pressure_close(struct pressure *pressure)
{
	uint32_t i;

	for (i = 0; i < MAX_TRIGGERS; i++)
		if (pressure->triggers[i].id[0])
			release(pressure, &pressure->triggers[i]);
	if (pressure->epoll_fd > 0)
		close(pressure->epoll_fd);
}

/* The one with this id; with an empty id a free one. */
static struct trigger *find(struct pressure *pressure, const char *id)
{
	uint32_t i;

	for (i = 0; i < MAX_TRIGGERS; i++)
		if (!strcmp(pressure->triggers[i].id, id))
			return &pressure->triggers[i];
	return NULL;
}

static bool explain(const char *file, int error, struct failure *failure)
{
	if (error == ENOENT || error == ENODEV)
		return failure_set(failure, ERROR_NO_SUCH_FILE, "%s is not there (%s): the group has probably ended",
				   file, strerror(error));
	if (error == EACCES || error == EPERM || error == EROFS)
		return failure_set(failure, ERROR_NO_PERMISSION,
				   "%s cannot be written (%s): mount the cgroup file system writable, and run as root",
				   file, strerror(error));
	if (error == EINVAL)
		return failure_set(failure, ERROR_TRIGGER_REFUSED,
				   "the kernel does not grant this trigger on %s: without CAP_SYS_RESOURCE the window must "
				   "be a multiple of 2 s", file);
	return failure_set(failure, ERROR_TRIGGER_FAILED, "no trigger on %s: %s", file, strerror(error));
}

/* Writing to a file is more than the probe does anywhere else: only where nothing but a trigger can come of it. */
static bool is_of_cgroup(int fd)
{
	struct statfs mounted;

	return !fstatfs(fd, &mounted) && mounted.f_type == CGROUP2_SUPER_MAGIC;
}

static bool arm(struct pressure *pressure, struct trigger *trigger, const struct trigger_request *request,
		struct failure *failure)
{
	struct epoll_event event = { .events = EPOLLPRI, .data = { .ptr = trigger } };
	char text[64];
	int length = snprintf(text, sizeof(text), "%s %" PRIu32 " %" PRIu32, request->full ? "full" : "some",
			      request->stall_us, request->window_us);

	/* With its NUL, as the kernel's documentation does. */
	if (write(trigger->fd, text, (size_t)length + 1) < 0)
		return explain(request->file, errno, failure);
	if (epoll_ctl(pressure->epoll_fd, EPOLL_CTL_ADD, trigger->fd, &event))
		return failure_set(failure, ERROR_INTERNAL, "%s cannot be waited for: %s", request->file, strerror(errno));
	return true;
}

bool pressure_set(struct pressure *pressure, const struct command *command, struct failure *failure)
{
	const struct trigger_request *request = &command->trigger;
	struct trigger *trigger;
	int fd;

	if (find(pressure, command->id))
		return failure_set(failure, ERROR_ALREADY_ATTACHED, "a trigger \"%s\" is set already: clear it first",
				   command->id);
	trigger = find(pressure, "");
	if (!trigger)
		return failure_set(failure, ERROR_TOO_MANY_TARGETS, "%d triggers are set, which is all", MAX_TRIGGERS);
	fd = open(request->file, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return explain(request->file, errno, failure);
	trigger->fd = fd;
	if (!is_of_cgroup(fd))
		failure_set(failure, ERROR_BAD_COMMAND, "%s is not in a cgroup v2 file system", request->file);
	else if (arm(pressure, trigger, request, failure)) {
		memcpy(trigger->id, command->id, sizeof(trigger->id));
		pressure->n_set++;
		return true;
	}
	release(pressure, trigger);
	return false;
}

bool pressure_clear(struct pressure *pressure, const char *id)
{
	struct trigger *trigger = find(pressure, id);

	if (!trigger)
		return false;
	release(pressure, trigger);
	return true;
}

bool pressure_next(struct pressure *pressure, char id[MAX_ID_BYTES], bool *ended)
{
	struct epoll_event event;
	struct trigger *trigger;

	if (pressure->n_set == 0 || epoll_wait(pressure->epoll_fd, &event, 1, 0) != 1)
		return false;
	trigger = event.data.ptr;
	memcpy(id, trigger->id, MAX_ID_BYTES);
	*ended = event.events & EPOLLERR;
	if (*ended)
		release(pressure, trigger);
	return true;
}
