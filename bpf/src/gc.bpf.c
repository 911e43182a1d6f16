// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One program behind every uprobe; the attach cookie says which point was hit.
 *
 * Exits are uprobes on RET instructions, never uretprobes: those rewrite the return address, and the
 * Go runtime, which walks and moves stacks, dies of it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "events.h"
#include "go_abi.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/*
 * The loader's pid namespace, when it is not the first one: pids then are as that namespace shows them,
 * and only processes in that very namespace are seen.
 */
const volatile __u64 pidns_dev;
const volatile __u64 pidns_ino;

/* Records that found no room in the ring; only ever grows. */
__u64 lost_events;
/* gcController could not be read (its page was not resident); only ever grows. */
__u64 unread_cycles;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct target);
} targets SEC(".maps");

struct open_stw {
	__u64 started_stopping_ns;
	__u64 finished_stopping_ns;
	__u32 reason;
	__u32 pad;
};

/* LRU: a process killed between entry and RET leaves its record behind. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* thread: this function runs on the system stack and stays on its thread */
	__type(value, struct open_stw);
} open_stws SEC(".maps");

struct goroutine {
	__u64 g;
	__u64 tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct goroutine); /* it may park, and return on another thread */
	__type(value, __u64);
} open_assists SEC(".maps");

/* Memory that the loader maps, and takes counts out of by atomic exchange. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct histogram);
} histograms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

static __always_inline void *reserve(__u64 size)
{
	void *record = bpf_ringbuf_reserve(&ring, size, 0);

	if (!record)
		__sync_fetch_and_add(&lost_events, 1);
	return record;
}

/* The loader looks every 10 ms: a wake-up for each record would cost more than the record. */
static __always_inline void submit(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline void fill_header(struct event_header *header, __u32 kind, __u64 pid_tgid,
					const struct target *target)
{
	header->kind = kind;
	header->pid = pid_tgid >> 32;
	header->tid = (__u32)pid_tgid;
	header->slot = target->slot;
}

static __always_inline void report_controller(__u32 kind, __u64 pid_tgid, const struct target *target,
					      __u64 cookie)
{
	__u32 size = cookie_controller_bytes(cookie);
	struct cycle_event *event;

	if (size == 0 || size > MAX_CONTROLLER_BYTES)
		return;
	event = reserve(sizeof(*event));
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
		__sync_fetch_and_add(&unread_cycles, 1);
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

/* func startTheWorldWithSema(now int64, w worldStop) int64; w = {reason, startedStopping, finishedStopping, …} */
static __always_inline void on_stw_entry(struct pt_regs *regs, __u64 pid_tgid, struct target *target,
					 __u64 cookie)
{
	struct open_stw open = {
		.started_stopping_ns = GO_ARG3(regs),
		.finished_stopping_ns = GO_ARG4(regs),
		.reason = (__u8)GO_ARG2(regs),
	};

	bpf_map_update_elem(&open_stws, &pid_tgid, &open, BPF_ANY);
	if (open.reason == STW_GC_MARK_TERMINATION && target->controller) {
		report_controller(EVENT_CYCLE, pid_tgid, target, cookie);
		target->controller = 0;
	}
}

/* Its result is the runtime's own end of the pause, taken after the world was started. */
static __always_inline void on_stw_ret(struct pt_regs *regs, __u64 pid_tgid, const struct target *target,
				       __u64 cookie)
{
	struct open_stw *open = bpf_map_lookup_elem(&open_stws, &pid_tgid);
	struct pause_event *event;

	if (!open)
		return; /* attached in the middle of a stop */
	event = reserve(sizeof(*event));
	if (event) {
		fill_header(&event->header, EVENT_PAUSE, pid_tgid, target);
		event->reason = open->reason;
		event->stopping_known = !!(cookie & COOKIE_STOPPING_KNOWN);
		event->start_ns = open->started_stopping_ns;
		event->stopping_ns = open->finished_stopping_ns - open->started_stopping_ns;
		event->total_ns = GO_RESULT1(regs) - open->started_stopping_ns;
		submit(event);
	}
	bpf_map_delete_elem(&open_stws, &pid_tgid);
}

/* func gcAssistAlloc(gp *g) */
static __always_inline void on_assist_entry(struct pt_regs *regs, __u64 pid_tgid)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&open_assists, &key, &now, BPF_ANY);
}

static __always_inline void raise_max(__u64 *max, __u64 value)
{
	__u64 seen = *(volatile __u64 *)max;
	int tries;

	/* Only a longer stall on another CPU makes us lose, so a few tries are as good as endless ones. */
	for (tries = 0; tries < 8; tries++) {
		__u64 before;

		if (value <= seen)
			return;
		before = __sync_val_compare_and_swap(max, seen, value);
		if (before == seen)
			return;
		seen = before;
	}
}

static __always_inline void count(__u32 slot, __u64 duration_ns)
{
	struct histogram *histogram = bpf_map_lookup_elem(&histograms, &slot);
	__u32 bucket = histogram_bucket(duration_ns);

	if (!histogram)
		return;
	if (bucket >= HISTOGRAM_BUCKETS) /* never: for the verifier */
		return;
	/* The bucket last, while the loader takes it first: what it finds counted is in sum and max too. */
	raise_max(&histogram->max_ns, duration_ns);
	__sync_fetch_and_add(&histogram->sum_ns, duration_ns);
	__sync_fetch_and_add(&histogram->buckets[bucket], 1);
}

static __always_inline void on_assist_ret(struct pt_regs *regs, __u64 pid_tgid, const struct target *target)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	__u64 *entered_ns = bpf_map_lookup_elem(&open_assists, &key);
	struct assist_event *event;
	__u64 start_ns, duration_ns;

	if (!entered_ns)
		return;
	start_ns = *entered_ns;
	duration_ns = bpf_ktime_get_ns() - start_ns;
	bpf_map_delete_elem(&open_assists, &key);
	count(target->slot, duration_ns);
	if (duration_ns < LONG_ASSIST_NS)
		return;
	event = reserve(sizeof(*event));
	if (!event)
		return;
	fill_header(&event->header, EVENT_ASSIST, pid_tgid, target);
	event->g = key.g;
	event->start_ns = start_ns;
	event->duration_ns = duration_ns;
	submit(event);
}

static __always_inline __u64 current_pid_tgid(void)
{
	struct bpf_pidns_info ids;

	if (!pidns_ino)
		return bpf_get_current_pid_tgid();
	if (bpf_get_ns_current_pid_tgid(pidns_dev, pidns_ino, &ids, sizeof(ids)))
		return 0;
	return (__u64)ids.tgid << 32 | ids.pid;
}

SEC("uprobe")
int on_hit(struct pt_regs *regs)
{
	__u64 pid_tgid = current_pid_tgid();
	__u32 tgid = pid_tgid >> 32;
	struct target *target = bpf_map_lookup_elem(&targets, &tgid);
	__u64 cookie;

	if (!target)
		return 0;
	cookie = bpf_get_attach_cookie(regs);
	/* The process has executed another program since it was watched. */
	if (target->attachment != cookie_attachment(cookie))
		return 0;
	switch (cookie_point(cookie)) {
	case POINT_STW_ENTRY:
		on_stw_entry(regs, pid_tgid, target, cookie);
		break;
	case POINT_STW_RET:
		on_stw_ret(regs, pid_tgid, target, cookie);
		break;
	case POINT_ASSIST_ENTRY:
		on_assist_entry(regs, pid_tgid);
		break;
	case POINT_ASSIST_RET:
	case POINT_ASSIST_EXIT:
		on_assist_ret(regs, pid_tgid, target);
		break;
	case POINT_CYCLE_END:
		on_cycle_end(regs, pid_tgid, target, cookie);
		break;
	}
	return 0;
}
