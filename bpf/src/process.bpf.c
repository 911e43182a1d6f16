// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A watched process that executes another program: what was attached is of no use to it any more. */
#include "program.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* In the process itself, the old program gone. */
SEC("raw_tp/sched_process_exec")
int on_exec(void *context)
{
	__u64 pid_tgid = current_pid_tgid();
	const struct target *target = target_of(pid_tgid);

	(void)context;
	if (target)
		report_instant(EVENT_EXEC, pid_tgid, target);
	return 0;
}
