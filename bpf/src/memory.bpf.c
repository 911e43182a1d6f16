// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the kernel's memory management costs a watched process: mmap and munmap, reclaim that its own
 * threads must do, and the OOM killer.
 *
 * Raw tracepoints: they need neither tracefs nor SYS_ADMIN. The kernel sends every system call of the
 * machine through a slow path while one is attached (about 35 ns a call), so they are only while somebody is watched.
 */
#include "program.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#if defined(__TARGET_ARCH_x86)
#define SYSCALL_MMAP 9
#define SYSCALL_MUNMAP 11
struct pt_regs___kernel {
	unsigned long orig_ax;
} __attribute__((preserve_access_index));
#define SYSCALL_OF(regs) BPF_CORE_READ(regs, orig_ax)
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_MMAP 222
#define SYSCALL_MUNMAP 215
struct pt_regs___kernel {
	int syscallno;
} __attribute__((preserve_access_index));
#define SYSCALL_OF(regs) BPF_CORE_READ(regs, syscallno)
#else
#error "system call numbers of this machine are not known"
#endif

/* By thread. LRU: a thread that is killed inside leaves its record behind. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
} open_syscalls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
} open_reclaims SEC(".maps");

static __always_inline bool maps_memory(long syscall)
{
	return syscall == SYSCALL_MMAP || syscall == SYSCALL_MUNMAP;
}

/* (struct pt_regs *regs, long id) */
SEC("raw_tp/sys_enter")
int on_sys_enter(struct bpf_raw_tracepoint_args *context)
{
	__u64 pid_tgid, now;

	if (!maps_memory((long)context->args[1]))
		return 0;
	pid_tgid = current_pid_tgid();
	if (!target_of(pid_tgid))
		return 0;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&open_syscalls, &pid_tgid, &now, BPF_ANY);
	return 0;
}

/* (struct pt_regs *regs, long ret) */
SEC("raw_tp/sys_exit")
int on_sys_exit(struct bpf_raw_tracepoint_args *context)
{
	const struct pt_regs___kernel *regs = (const void *)context->args[0];
	long syscall = (long)SYSCALL_OF(regs), result = (long)context->args[1];
	bool mmap = syscall == SYSCALL_MMAP, failed = result < 0 && result >= -4095;
	__u64 pid_tgid, *entered_ns, start_ns, duration_ns;
	const struct target *target;
	struct measures *measures;

	if (!maps_memory(syscall))
		return 0;
	pid_tgid = current_pid_tgid();
	entered_ns = bpf_map_lookup_elem(&open_syscalls, &pid_tgid);
	if (!entered_ns)
		return 0;
	start_ns = *entered_ns;
	bpf_map_delete_elem(&open_syscalls, &pid_tgid);
	target = target_of(pid_tgid);
	if (!target)
		return 0;
	duration_ns = bpf_ktime_get_ns() - start_ns;
	count(target, mmap ? COUNTED_MMAP : COUNTED_MUNMAP, duration_ns);
	measures = measures_of(target);
	if (mmap && failed && measures)
		__sync_fetch_and_add(&measures->mmap_failures, 1);
	if (duration_ns >= LONG_MEMORY_WAIT_NS)
		report_wait(mmap ? WAIT_MMAP : WAIT_MUNMAP, pid_tgid, target, start_ns, duration_ns, failed);
	return 0;
}

static __always_inline int reclaim_begins(void)
{
	__u64 pid_tgid = current_pid_tgid(), now;

	if (!target_of(pid_tgid))
		return 0;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&open_reclaims, &pid_tgid, &now, BPF_ANY);
	return 0;
}

static __always_inline int reclaim_ends(void)
{
	__u64 pid_tgid = current_pid_tgid(), *began_ns = bpf_map_lookup_elem(&open_reclaims, &pid_tgid);
	const struct target *target;
	__u64 start_ns, duration_ns;

	if (!began_ns)
		return 0;
	start_ns = *began_ns;
	bpf_map_delete_elem(&open_reclaims, &pid_tgid);
	target = target_of(pid_tgid);
	if (!target)
		return 0;
	duration_ns = bpf_ktime_get_ns() - start_ns;
	count(target, COUNTED_RECLAIM, duration_ns);
	if (duration_ns >= LONG_MEMORY_WAIT_NS)
		report_wait(WAIT_RECLAIM, pid_tgid, target, start_ns, duration_ns, false);
	return 0;
}

/* The machine is short of memory. */
SEC("raw_tp/mm_vmscan_direct_reclaim_begin")
int on_direct_reclaim_begin(void *context)
{
	(void)context;
	return reclaim_begins();
}

SEC("raw_tp/mm_vmscan_direct_reclaim_end")
int on_direct_reclaim_end(void *context)
{
	(void)context;
	return reclaim_ends();
}

/* The cgroup has reached memory.high or memory.max. */
SEC("raw_tp/mm_vmscan_memcg_reclaim_begin")
int on_memcg_reclaim_begin(void *context)
{
	(void)context;
	return reclaim_begins();
}

SEC("raw_tp/mm_vmscan_memcg_reclaim_end")
int on_memcg_reclaim_end(void *context)
{
	(void)context;
	return reclaim_ends();
}

struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

/* (int pid), since Linux 6.9 (struct task_struct *task, …): no pid is as large as an address. */
SEC("raw_tp/mark_victim")
int on_mark_victim(struct bpf_raw_tracepoint_args *context)
{
	__u64 first = context->args[0];
	__u32 global = first >> 32 ? BPF_CORE_READ((const struct task_struct *)first, tgid) : (__u32)first;
	__u32 *ours = bpf_map_lookup_elem(&global_pids, &global);
	const struct target *target;
	__u64 pid_tgid;

	if (!ours)
		return 0;
	pid_tgid = (__u64)*ours << 32 | *ours;
	target = target_of(pid_tgid);
	if (target)
		report_instant(EVENT_OOM_VICTIM, pid_tgid, target);
	return 0;
}
