/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The loaded BPF program, and the ways to attach it that this kernel and these privileges allow. */
#ifndef ROBOTGC_KERNEL_H
#define ROBOTGC_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "emit.h"

struct gc_bpf;
struct bpf_link;

enum attach_way {
	ATTACH_AUTO, /* uprobe_multi where there is one, else perf events */
	ATTACH_UPROBE_MULTI,
	ATTACH_PERF,
};

struct kernel {
	struct gc_bpf *skeleton;
	enum attach_way way; /* never ATTACH_AUTO once loaded */
};

/*
 * Whether hits in this process carry the pid that we know it by: always in the first pid namespace,
 * elsewhere only in our own one.
 */
bool kernel_knows_pid(uint32_t pid);

const char *attach_way_name(enum attach_way way);

/* Loads the program. On failure nothing is left behind and `failure` says why. */
bool kernel_load(struct kernel *kernel, enum attach_way wanted, struct failure *failure);
void kernel_unload(struct kernel *kernel);

/* Points that come and go together, on one program. */
enum point_group {
	GROUP_CYCLES,
	GROUP_ASSISTS, /* taken out between looks while there are too many */
	GROUP_NETWORK,
	GROUP_NETWORK_RETURNS, /* uretprobes */
	GROUP_COUNT,
};

/* What keeps one group of an attachment in place. All zero: nothing. */
struct uprobes {
	bool attached;
	int multi_fd; /* -1 when attached by perf events */
	struct bpf_link *links[MAX_POINTS];
	size_t n_links;
};

enum point_group point_group(enum point point);

/*
 * Puts the request's points of one group in place, all or none (none at all is fine too). `path` must
 * name the very file whose bytes have been checked.
 */
bool uprobes_attach(const struct kernel *kernel, const struct attach_request *request, enum point_group group,
		    const char *path, uint32_t attachment, struct uprobes *uprobes, struct failure *failure);
void uprobes_detach(struct uprobes *uprobes);

#endif
