/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Triggers of pressure stall information: the kernel says when a group's tasks have stalled for too long. */
#ifndef ROBOTGC_PRESSURE_H
#define ROBOTGC_PRESSURE_H

#include "command.h"
#include "emit.h"

/* Two lines for each of as many containers as a node has. */
#define MAX_TRIGGERS 1024

struct trigger {
	char id[MAX_ID_BYTES]; /* empty: free */
	int fd;
};

/*
 * How long to wait at most before asking again. To poll the epoll would be to lose what it has: asked whether one of its files is ready, the
 * kernel takes a trigger's event away (psi_trigger_poll), and the epoll_wait that follows finds nothing.
 */
#define PRESSURE_LOOK_MS 40

struct pressure {
	int epoll_fd;
	uint32_t n_set;
	struct trigger triggers[MAX_TRIGGERS];
};

bool pressure_open(struct pressure *pressure, struct failure *failure);
void pressure_close(struct pressure *pressure);

bool pressure_set(struct pressure *pressure, const struct command *command, struct failure *failure);
bool pressure_clear(struct pressure *pressure, const char *id);

/* What the next trigger tells: false when there is nothing. `ended`: its group is gone, and the trigger cleared. */
bool pressure_next(struct pressure *pressure, char id[MAX_ID_BYTES], bool *ended);

#endif
