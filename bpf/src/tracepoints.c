// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "tracepoints.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gc.skel.h"

enum signal {
	SIGNAL_MMAP,
	SIGNAL_RECLAIM_DIRECT,
	SIGNAL_RECLAIM_MEMCG,
	SIGNAL_OOM,
	SIGNAL_CONNECT,
	SIGNAL_EXEC,
};

static const char *const signal_names[N_TRACEPOINT_SIGNALS] = {
	[SIGNAL_MMAP] = "mmap",
	[SIGNAL_RECLAIM_DIRECT] = "reclaimDirect",
	[SIGNAL_RECLAIM_MEMCG] = "reclaimMemcg",
	[SIGNAL_OOM] = "oomVictim",
	[SIGNAL_CONNECT] = "connect",
	[SIGNAL_EXEC] = "exec",
};

/* In the order of the programs below; those of one signal are of use only together. */
static const enum signal signals[N_TRACEPOINTS] = {
	SIGNAL_MMAP, SIGNAL_MMAP, SIGNAL_RECLAIM_DIRECT, SIGNAL_RECLAIM_DIRECT, SIGNAL_RECLAIM_MEMCG, SIGNAL_RECLAIM_MEMCG,
	SIGNAL_OOM, SIGNAL_CONNECT, SIGNAL_EXEC,
};

static void lack(struct tracepoints *tracepoints, enum signal signal, int error)
{
	struct missing_signal *missing = &tracepoints->missing[tracepoints->n_missing];
	int i;

	missing->name = signal_names[signal];
	snprintf(missing->reason, sizeof(missing->reason), "this kernel does not give its tracepoint (%s)",
		 strerror(error));
	tracepoints->n_missing++;
	for (i = 0; i < N_TRACEPOINTS; i++)
		if (signals[i] == signal)
			tracepoints->programs[i] = NULL;
}

void tracepoints_try(struct tracepoints *tracepoints, const struct kernel *kernel)
{
	struct bpf_program *programs[N_TRACEPOINTS] = {
		kernel->skeleton->progs.on_sys_enter,
		kernel->skeleton->progs.on_sys_exit,
		kernel->skeleton->progs.on_direct_reclaim_begin,
		kernel->skeleton->progs.on_direct_reclaim_end,
		kernel->skeleton->progs.on_memcg_reclaim_begin,
		kernel->skeleton->progs.on_memcg_reclaim_end,
		kernel->skeleton->progs.on_mark_victim,
		kernel->skeleton->progs.on_sock_state,
		kernel->skeleton->progs.on_exec,
	};
	int i;

	memcpy(tracepoints->programs, programs, sizeof(programs));
	for (i = 0; i < N_TRACEPOINTS; i++) {
		if (!tracepoints->programs[i])
			continue;
		tracepoints->links[i] = bpf_program__attach(tracepoints->programs[i]);
		if (!tracepoints->links[i])
			lack(tracepoints, signals[i], errno);
	}
	tracepoints->attached = true;
	tracepoints_detach(tracepoints);
}

void tracepoints_attach(struct tracepoints *tracepoints)
{
	int i;

	if (tracepoints->attached)
		return;
	for (i = 0; i < N_TRACEPOINTS; i++) {
		if (!tracepoints->programs[i])
			continue;
		tracepoints->links[i] = bpf_program__attach(tracepoints->programs[i]);
		if (!tracepoints->links[i])
			fprintf(stderr, "robotgc-probe: %s is not seen: its tracepoint was refused (%s)\n",
				signal_names[signals[i]], strerror(errno));
	}
	tracepoints->attached = true;
}

void tracepoints_detach(struct tracepoints *tracepoints)
{
	int i;

	if (!tracepoints->attached)
		return;
	for (i = 0; i < N_TRACEPOINTS; i++) {
		bpf_link__destroy(tracepoints->links[i]);
		tracepoints->links[i] = NULL;
	}
	tracepoints->attached = false;
}
