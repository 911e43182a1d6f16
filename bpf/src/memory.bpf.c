// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the kernel's memory management costs a watched process: mmap and munmap, reclaim that its own
 * threads must do, and the OOM killer.
 *
 * Raw tracepoints: they need neither tracefs nor SYS_ADMIN. The kernel sends every system call of the
 * machine through a slow path while one is attached (about 35 ns a call), so they are only while somebody is watched.
 */
#include "program.bpf.h"
#include "machine.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define ENOMEM 12

struct open_memory_wait {
	__u64 start_ns;
	__u32 phase; /* enum gc_phase */
	__u32 pad;
};

/* By thread. LRU: a thread that is killed inside leaves its record behind. */
struct open_memory_waits {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct open_memory_wait);
};
struct open_memory_waits open_syscalls SEC(".maps");
/* Reclaim for a cgroup may be part of a system call, and of reclaim for the machine. */
struct open_memory_waits open_direct_reclaims SEC(".maps");
struct open_memory_waits open_memcg_reclaims SEC(".maps");

static __always_inline void begin_wait(void *open_waits)
{
	__u64 pid_tgid = current_pid_tgid();
	struct target *target = target_of(pid_tgid);
	struct open_memory_wait open = {};

	if (!target)
		return;
	remember_globally(target, pid_tgid);
	open.phase = target->phase;
	open.start_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(open_waits, &pid_tgid, &open, BPF_ANY);
}

/* Like any count, the histogram's bucket comes last. */
static __always_inline void count_memory_wait(const struct target *target, enum counted kind, enum gc_phase phase,
					      __u64 duration_ns)
{
	struct measures *measures = measures_of(target);
	struct memory_waits *waits;

	if (!measures)
		return;
	waits = &measures->memory[kind];
	if (duration_ns >= LONG_MEMORY_WAIT_NS)
		__sync_fetch_and_add(&waits->slow, 1);
	if (duration_ns >= VERY_LONG_MEMORY_WAIT_NS)
		__sync_fetch_and_add(&waits->very_slow, 1);
	if (phase == GC_PHASE_MARK) {
		__sync_fetch_and_add(&waits->marking, 1);
		__sync_fetch_and_add(&waits->marking_ns, duration_ns);
	}
	count(target, kind, duration_ns);
}

static __always_inline void end_wait(void *open_waits, enum counted kind, enum wait wait, bool failed)
{
	__u64 pid_tgid = current_pid_tgid(), duration_ns;
	struct open_memory_wait *found = bpf_map_lookup_elem(open_waits, &pid_tgid), open;
	struct wait_event *event;
	struct target *target;

	if (!found)
		return;
	open = *found;
	bpf_map_delete_elem(open_waits, &pid_tgid);
	target = target_of(pid_tgid);
	if (!target)
		return;
	duration_ns = bpf_ktime_get_ns() - open.start_ns;
	count_memory_wait(target, kind, open.phase, duration_ns);
	if (failed && kind == COUNTED_MMAP)
		occurred(target, OCCURRED_MMAP_FAILURE, open.phase);
	if (duration_ns < LONG_MEMORY_WAIT_NS)
		return;
	if (!may_tell(target, wait)) {
		occurred(target, OCCURRED_UNTOLD_MEMORY_WAIT, open.phase);
		return;
	}
	event = reserve_wait(wait, pid_tgid, target, open.start_ns, duration_ns);
	if (!event)
		return;
	event->phase = open.phase;
	event->failed = failed;
	submit(event);
}

/* (struct pt_regs *regs, long id) */
SEC("raw_tp/sys_enter")
int on_sys_enter(struct bpf_raw_tracepoint_args *context)
{
	long syscall = (long)context->args[1];

	if (syscall == SYSCALL_MMAP || syscall == SYSCALL_MUNMAP)
		begin_wait(&open_syscalls);
	return 0;
}

/*
 * The kernel had no memory, or no address space, for what the process asked of it. The allocator has a tracepoint
 * of its own, but one that is hit by every page that any process of the machine is given.
 */
static __always_inline void on_allocation_failure(void)
{
	const struct target *target = target_of(current_pid_tgid());

	if (target)
		occurred(target, OCCURRED_ALLOCATION_FAILURE, target->phase);
}

/* (struct pt_regs *regs, long ret) */
SEC("raw_tp/sys_exit")
int on_sys_exit(struct bpf_raw_tracepoint_args *context)
{
	const struct pt_regs___kernel *regs = (const void *)context->args[0];
	long syscall = (long)SYSCALL_OF(regs), result = (long)context->args[1];
	bool failed = result < 0 && result >= -4095;

	if (result == -ENOMEM)
		on_allocation_failure();
	if (syscall == SYSCALL_MMAP)
		end_wait(&open_syscalls, COUNTED_MMAP, WAIT_MMAP, failed);
	else if (syscall == SYSCALL_MUNMAP)
		end_wait(&open_syscalls, COUNTED_MUNMAP, WAIT_MUNMAP, failed);
	return 0;
}

/* The machine is short of memory. */
SEC("raw_tp/mm_vmscan_direct_reclaim_begin")
int on_direct_reclaim_begin(void *context)
{
	(void)context;
	begin_wait(&open_direct_reclaims);
	return 0;
}

SEC("raw_tp/mm_vmscan_direct_reclaim_end")
int on_direct_reclaim_end(void *context)
{
	(void)context;
	end_wait(&open_direct_reclaims, COUNTED_RECLAIM_DIRECT, WAIT_RECLAIM_DIRECT, false);
	return 0;
}

/* The cgroup has reached memory.high or memory.max. */
SEC("raw_tp/mm_vmscan_memcg_reclaim_begin")
int on_memcg_reclaim_begin(void *context)
{
	(void)context;
	begin_wait(&open_memcg_reclaims);
	return 0;
}

SEC("raw_tp/mm_vmscan_memcg_reclaim_end")
int on_memcg_reclaim_end(void *context)
{
	(void)context;
	end_wait(&open_memcg_reclaims, COUNTED_RECLAIM_MEMCG, WAIT_RECLAIM_MEMCG, false);
	return 0;
}

struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

/*
 * (int pid), since Linux 6.9 (struct task_struct *task, …): no pid is as large as an address. The pid is that of
 * the first namespace, which needs translation where ours is another.
 */
SEC("raw_tp/mark_victim")
int on_mark_victim(struct bpf_raw_tracepoint_args *context)
{
	__u64 first = context->args[0];
	__u32 global = first >> 32 ? BPF_CORE_READ((const struct task_struct *)first, tgid) : (__u32)first;
	__u32 *ours = pidns_ino ? bpf_map_lookup_elem(&global_pids, &global) : &global;
	struct target *target;

	if (!ours)
		return 0;
	target = target_of((__u64)*ours << 32);
	/* A cgroup that is killed whole has the one that was chosen marked once more, by another of its threads. */
	if (target && !target->is_oom_victim) {
		target->is_oom_victim = true;
		occurred(target, OCCURRED_OOM_VICTIM, target->phase);
	}
	return 0;
}
