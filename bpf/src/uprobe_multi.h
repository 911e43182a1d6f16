/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Links of type uprobe_multi (Linux 6.6), which libbpf before 1.3 cannot make. They need CAP_BPF and
 * CAP_PERFMON where a perf-event uprobe needs CAP_SYS_ADMIN.
 */
#ifndef ROBOTGC_UPROBE_MULTI_H
#define ROBOTGC_UPROBE_MULTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* BPF_TRACE_UPROBE_MULTI: the program must have been loaded with it as expected attach type. */
#define UPROBE_MULTI_ATTACH_TYPE 48

/* The link's file descriptor, or a negative errno. `returns`: uretprobes, for C code only. */
int uprobe_multi_link(int prog_fd, const char *path, const uint64_t *offsets, const uint64_t *cookies,
		      size_t count, bool returns);

#endif
