// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One program behind every uprobe; the attach cookie says which point was hit.
 *
 * Exits are uprobes on RET instructions, never uretprobes: those rewrite the return address, and the
 * Go runtime, which walks and moves stacks, dies of it.
 */
#include "program.bpf.h"

#include "machine.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile __u64 pidns_dev;
const volatile __u64 pidns_ino;
__u64 lost_events;

struct targets_map targets SEC(".maps");
struct measures_map all_measures SEC(".maps");
struct buckets_map all_buckets SEC(".maps");
struct global_pids_map global_pids SEC(".maps");
struct ring_map ring SEC(".maps");

/* By attachment; the loader maps it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_ATTACHMENTS);
	__type(key, __u32);
	__type(value, struct gate);
} gates SEC(".maps");

struct open_stw {
	__u64 started_stopping_ns;
	__u64 finished_stopping_ns;
	__u64 stopping_cpu_ns;
	__u64 entered_ns;
	__u32 reason;
	__u32 stopping_known;
	__u32 phase_after; /* enum gc_phase, once the world runs again */
	__u32 pad;
};

/* LRU: a process killed between entry and RET leaves its record behind. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* thread: this function runs on the system stack and stays on its thread */
	__type(value, struct open_stw);
} open_stws SEC(".maps");

struct open_assist {
	__u64 entered_ns;
	__u32 epoch;
	__u32 nested; /* entries within it: an assist may itself allocate, and is then asked again */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct goroutine); /* it may park, and return on another thread */
	__type(value, struct open_assist);
} open_assists SEC(".maps");

static __always_inline void report_controller(__u32 kind, __u64 pid_tgid, const struct target *target,
					      __u64 cookie)
{
	__u32 size = cookie_controller_bytes(cookie);
	struct cycle_event *event;

	if (size == 0)
		return;
	/* Else clang makes one comparison of the two, of size - 1, from which the verifier before Linux 6.8 learns nothing of size. */
	barrier_var(size);
	if (size > MAX_CONTROLLER_BYTES)
		return;
	event = reserve(sizeof(*event), target);
	if (!event)
		return;
	fill_header(&event->header, kind, pid_tgid, target);
	event->at_ns = bpf_ktime_get_ns();
	event->cycles = target->cycles;
	event->procs = target->procs;
	event->user_forced = target->user_forced;
	event->attachment = target->attachment;
	event->controller_bytes = size;
	if (bpf_probe_read_user(event->controller, size, (const void *)target->controller)) {
		count_loss(target);
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
		return;
	}
	submit(event);
}

/* func (c *gcControllerState) endCycle(now int64, procs int, userForced bool), once a cycle, world stopped */
static __always_inline void on_cycle_end(struct pt_regs *regs, __u64 pid_tgid, struct target *target,
					 __u64 cookie)
{
	target->controller = GO_ARG1(regs);
	target->procs = GO_ARG3(regs);
	target->user_forced = (__u8)GO_ARG4(regs);
	target->cycles++;
	report_controller(EVENT_CYCLE_END, pid_tgid, target, cookie);
}

/* func (h *timeHistogram) record(duration int64), as stopTheWorldWithSema calls it: the world has stopped */
static __always_inline void on_stw_stopped(struct pt_regs *regs, struct target *target)
{
	target->stopping_ns = GO_ARG2(regs);
	target->stopping_known = 1;
}

/*
 * Most stops for mark termination end the cycle, and endCycle has been called before the restart. Some do not: the runtime
 * (gcMarkDone) has found more to mark, and goes on with it. A process of which no cycle's end has been seen so far may
 * be watched since after the call.
 */
static __always_inline enum gc_phase phase_after(__u32 reason, const struct target *target)
{
	if (reason == STW_GC_SWEEP_TERMINATION)
		return GC_PHASE_MARK;
	if (reason != STW_GC_MARK_TERMINATION)
		return target->phase;
	if (target->controller)
		return GC_PHASE_OFF;
	return target->cycles ? GC_PHASE_MARK : GC_PHASE_UNKNOWN;
}

/* func startTheWorldWithSema(now int64, w worldStop) int64; w = {reason, startedStopping, finishedStopping, stoppingCPUTime} */
static __always_inline void on_stw_entry(struct pt_regs *regs, __u64 pid_tgid, struct target *target,
					 __u64 cookie)
{
	struct open_stw open = {
		.started_stopping_ns = GO_ARG3(regs),
		.finished_stopping_ns = GO_ARG4(regs),
		.stopping_cpu_ns = GO_ARG5(regs),
		.entered_ns = bpf_ktime_get_ns(),
		.reason = (__u8)GO_ARG2(regs),
		.stopping_known = !!(cookie & COOKIE_STOPPING_KNOWN),
	};

	if (!open.stopping_known && target->stopping_known) {
		open.finished_stopping_ns = open.started_stopping_ns + target->stopping_ns;
		open.stopping_known = 1;
		target->stopping_known = 0;
	}
	open.phase_after = phase_after(open.reason, target);
	bpf_map_update_elem(&open_stws, &pid_tgid, &open, BPF_ANY);
	if (open.reason == STW_GC_MARK_TERMINATION && target->controller) {
		report_controller(EVENT_CYCLE, pid_tgid, target, cookie);
		target->controller = 0;
	}
}

/* Its result is the runtime's own end of the pause, taken after the world was started. */
static __always_inline void on_stw_ret(struct pt_regs *regs, __u64 pid_tgid, struct target *target,
				       __u64 cookie)
{
	struct open_stw *open = bpf_map_lookup_elem(&open_stws, &pid_tgid);
	struct pause_event *event;

	if (!open)
		return; /* attached in the middle of a stop */
	target->phase = open->phase_after;
	event = reserve(sizeof(*event), target);
	if (event) {
		fill_header(&event->header, EVENT_PAUSE, pid_tgid, target);
		event->reason = open->reason;
		event->stopping_known = open->stopping_known;
		event->start_ns = open->started_stopping_ns;
		event->stopping_ns = open->finished_stopping_ns - open->started_stopping_ns;
		event->total_ns = GO_RESULT1(regs) - open->started_stopping_ns;
		event->restart_ns = open->entered_ns - open->started_stopping_ns;
		event->stopping_cpu_ns = open->stopping_cpu_ns;
		event->stopping_cpu_known = !!(cookie & COOKIE_STOPPING_KNOWN);
		event->pad = 0;
		submit(event);
	}
	bpf_map_delete_elem(&open_stws, &pid_tgid);
}

/* The number by which traces and stack dumps name a goroutine. */
static __always_inline __u64 read_goid(__u64 g, __u64 cookie)
{
	__u32 offset = cookie_goid_offset(cookie);
	__u64 goid = 0;

	if (offset)
		bpf_probe_read_user(&goid, sizeof(goid), (const void *)(g + offset));
	return goid;
}

/* func gcAssistAlloc(gp *g) */
static __always_inline void on_assist_entry(struct pt_regs *regs, __u64 pid_tgid, __u64 cookie)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	__u32 attachment = cookie_attachment(cookie);
	struct gate *gate = bpf_map_lookup_elem(&gates, &attachment);
	struct open_assist open = {}, *outer;

	if (!gate)
		return;
	outer = bpf_map_lookup_elem(&open_assists, &key);
	if (outer && outer->epoch == gate->epoch) {
		outer->nested++;
		return;
	}
	if (!gate->open)
		return;
	open.epoch = gate->epoch;
	open.entered_ns = bpf_ktime_get_ns();
	if (open.entered_ns < gate->from_ns || open.entered_ns >= gate->until_ns)
		return;
	if (__sync_fetch_and_add(&gate->entered, 1) + 1 >= gate->room) {
		gate->open = 0;
		gate->closed_ns = open.entered_ns;
	}
	bpf_map_update_elem(&open_assists, &key, &open, BPF_ANY);
}

static __always_inline void on_assist_ret(struct pt_regs *regs, __u64 pid_tgid, const struct target *target,
					  __u64 cookie)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	struct open_assist *open = bpf_map_lookup_elem(&open_assists, &key);
	__u32 attachment = cookie_attachment(cookie);
	__u64 start_ns, duration_ns;
	struct assist_event *event;
	struct gate *gate;
	__u32 epoch;

	if (!open)
		return;
	if (open->nested) {
		open->nested--;
		return;
	}
	start_ns = open->entered_ns;
	epoch = open->epoch;
	bpf_map_delete_elem(&open_assists, &key);
	gate = bpf_map_lookup_elem(&gates, &attachment);
	/* Left over from an opening whose end this goroutine's exit has missed. */
	if (!gate || gate->epoch != epoch)
		return;
	duration_ns = bpf_ktime_get_ns() - start_ns;
	count(target, gate->room == GATE_WITHOUT_LIMIT ? COUNTED_ASSIST : COUNTED_ASSIST_LOOKED, duration_ns);
	__sync_fetch_and_add(&gate->left, 1);
	if (duration_ns < LONG_ASSIST_NS)
		return;
	event = reserve(sizeof(*event), target);
	if (!event)
		return;
	fill_header(&event->header, EVENT_ASSIST, pid_tgid, target);
	event->g = key.g;
	event->goid = read_goid(key.g, cookie);
	event->start_ns = start_ns;
	event->duration_ns = duration_ns;
	submit(event);
}

/* func (h *mheap) grow(npage uintptr) (uintptr, bool) */
static __always_inline void on_heap_grow(const struct target *target)
{
	occurred(target, OCCURRED_HEAP_GROW, target->phase);
}

SEC("uprobe")
int on_hit(struct pt_regs *regs)
{
	__u64 pid_tgid = current_pid_tgid();
	struct target *target = target_of(pid_tgid);
	__u64 cookie;

	if (!target)
		return 0;
	cookie = bpf_get_attach_cookie(regs);
	/* The process has executed another program since it was watched. */
	if (target->attachment != cookie_attachment(cookie))
		return 0;
	remember_globally(target, pid_tgid);
	switch (cookie_point(cookie)) {
	case POINT_STW_ENTRY:
		on_stw_entry(regs, pid_tgid, target, cookie);
		break;
	case POINT_STW_RET:
		on_stw_ret(regs, pid_tgid, target, cookie);
		break;
	case POINT_STW_STOPPED:
		on_stw_stopped(regs, target);
		break;
	case POINT_ASSIST_ENTRY:
	case POINT_ASSIST_SLOW_BEGIN:
		on_assist_entry(regs, pid_tgid, cookie);
		break;
	case POINT_ASSIST_RET:
	case POINT_ASSIST_EXIT:
	case POINT_ASSIST_SLOW_END:
		on_assist_ret(regs, pid_tgid, target, cookie);
		break;
	case POINT_CYCLE_END:
		on_cycle_end(regs, pid_tgid, target, cookie);
		break;
	case POINT_HEAP_GROW:
		on_heap_grow(target);
		break;
	}
	return 0;
}
