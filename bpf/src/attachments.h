/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The files that uprobes are in, by the caller's id. The index of one is part of its cookies. */
#ifndef ROBOTGC_ATTACHMENTS_H
#define ROBOTGC_ATTACHMENTS_H

#include "command.h"
#include "emit.h"
#include "kernel.h"
#include "mapped.h"
#include "sampling.h"

struct attachment {
	char id[MAX_ID_BYTES]; /* empty: free */
	int fd; /* the file whose bytes were checked; -1: its assists need no second attaching */
	struct mapped_file mapped;
	struct attach_request request;
	struct uprobes groups[GROUP_COUNT];
	struct sampling sampling;
	uint64_t entered_before; /* its gate's count when it was last asked whether to look */
	bool resting;
};

struct attachments {
	struct attachment entries[MAX_ATTACHMENTS];
	uint32_t n; /* entries at or above are free */
	struct gate *gates; /* one an entry, shared with the program */
};

#define NO_ATTACHMENT UINT32_MAX

bool attachments_open(struct attachments *attachments, const struct kernel *kernel, struct failure *failure);

/* Index of the attachment with that id, or NO_ATTACHMENT. */
uint32_t attachments_find(const struct attachments *attachments, const char *id);

/* Checks the bytes, then attaches. On failure everything is as before. */
bool attachments_add(struct attachments *attachments, const struct kernel *kernel,
		     const struct command *command, struct failure *failure);
/*
 * Nobody is watched through it any more: its points are taken out at once, because the file may now be overwritten in place, and a
 * breakpoint in code that was not checked would harm whoever runs it. It keeps its id and its file.
 */
void attachments_rest(struct attachments *attachments, uint32_t index);
/* Checks the bytes again and attaches, if it rests. */
bool attachments_wake(struct attachments *attachments, uint32_t index, const struct kernel *kernel,
		      struct failure *failure);
/* Puts the points of one group in place, in the file whose bytes were checked. */
bool attachment_attach_group(struct attachment *entry, uint32_t index, enum point_group group,
			     const struct kernel *kernel, struct failure *failure);
void attachments_remove(struct attachments *attachments, uint32_t index);
void attachments_close(struct attachments *attachments);

/* What was observed of an attachment's assist stalls since the last taking; of a free entry, nothing. */
struct sampled attachments_take_sampled(struct attachments *attachments, uint32_t index, uint64_t at_ns);

/*
 * Decides, for each attachment, whether its assist stalls are looked at now, and sees to it. At most
 * `limit` a second, over all, are seen one by one. Returns in how many ms it wants to be asked again.
 */
int attachments_sample(struct attachments *attachments, const struct kernel *kernel, uint64_t limit, uint64_t at_ns);

#endif
