/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The files that uprobes are in, by the caller's id. The index of one is part of its cookies. */
#ifndef ROBOTGC_ATTACHMENTS_H
#define ROBOTGC_ATTACHMENTS_H

#include "command.h"
#include "emit.h"
#include "kernel.h"

struct attachment {
	char id[MAX_ID_BYTES]; /* empty: free */
	struct uprobes uprobes;
	struct controller_layout layout;
};

struct attachments {
	struct attachment entries[MAX_ATTACHMENTS];
};

#define NO_ATTACHMENT UINT32_MAX

/* Index of the attachment with that id, or NO_ATTACHMENT. */
uint32_t attachments_find(const struct attachments *attachments, const char *id);

/* Checks the bytes, then attaches. On failure everything is as before. */
bool attachments_add(struct attachments *attachments, const struct kernel *kernel,
		     const struct command *command, struct failure *failure);
void attachments_remove(struct attachments *attachments, uint32_t index);
void attachments_clear(struct attachments *attachments);

#endif
