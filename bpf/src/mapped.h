/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Whether a process runs a file, by the kernel's own inode: the one that uprobes are put in, however many mounts show the file each with
 * a device number of its own. Linux 6.1 on; else nothing is told.
 */
#ifndef ROBOTGC_MAPPED_H
#define ROBOTGC_MAPPED_H

#include <stdint.h>

#include "emit.h"
#include "kernel.h"

/* A file kept mapped, so that its inode is not given to another one meanwhile. */
struct mapped_file {
	void *page; /* NULL: not mapped */
	uint64_t inode; /* 0: unknown */
};

void mapped_file_open(struct mapped_file *file, int fd, const struct kernel *kernel);
void mapped_file_close(struct mapped_file *file);

/* Whether the process has the file mapped as code. */
enum proof mapped_by(const struct mapped_file *file, uint32_t pid, const struct kernel *kernel);

#endif
