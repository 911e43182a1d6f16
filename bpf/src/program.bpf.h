/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the BPF programs share: the processes to watch, the ring, and how a duration is counted. */
#ifndef ROBOTGC_PROGRAM_BPF_H
#define ROBOTGC_PROGRAM_BPF_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "events.h"

/*
 * The loader's pid namespace, when it is not the first one: pids then are as that namespace shows them,
 * and only processes in that very namespace are seen.
 */
extern const volatile __u64 pidns_dev;
extern const volatile __u64 pidns_ino;

/* Records that found no room in the ring, or whose facts were on a page that was not resident; only ever grows. */
extern __u64 lost_events;

struct targets_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct target);
};
extern struct targets_map targets SEC(".maps");

struct measures_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct measures);
};
extern struct measures_map all_measures SEC(".maps");

/* By buckets_index. */
struct buckets_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COUNTED_KINDS * MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct buckets);
};
extern struct buckets_map all_buckets SEC(".maps");

/* Where ours is not the first pid namespace: the first one's pid of a watched process → the pid that we know it by. */
struct global_pids_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4 * MAX_TARGETS);
	__type(key, __u32);
	__type(value, __u32);
};
extern struct global_pids_map global_pids SEC(".maps");

/* The loader empties it every 10 ms into its own queue; what waits in both delays the answer to a flush. */
struct ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
};
extern struct ring_map ring SEC(".maps");

static __always_inline struct measures *measures_of(const struct target *target)
{
	__u32 slot = target->slot;

	return bpf_map_lookup_elem(&all_measures, &slot);
}

static __always_inline void occurred(const struct target *target, enum occurrence what, enum gc_phase phase)
{
	struct measures *measures = measures_of(target);

	if (!measures)
		return;
	__sync_fetch_and_add(&measures->occurrences[what].all, 1);
	if (phase == GC_PHASE_MARK)
		__sync_fetch_and_add(&measures->occurrences[what].marking, 1);
	__sync_fetch_and_add(&measures->changes, 1);
}

static __always_inline void count_loss(const struct target *target)
{
	__sync_fetch_and_add(&lost_events, 1);
	occurred(target, OCCURRED_LOSS, target->phase);
}

static __always_inline void *reserve(__u64 size, const struct target *target)
{
	void *record = bpf_ringbuf_reserve(&ring, size, 0);

	if (!record)
		count_loss(target);
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

static __always_inline __u64 current_pid_tgid(void)
{
	struct bpf_pidns_info ids;

	if (!pidns_ino)
		return bpf_get_current_pid_tgid();
	if (bpf_get_ns_current_pid_tgid(pidns_dev, pidns_ino, &ids, sizeof(ids)))
		return 0;
	return (__u64)ids.tgid << 32 | ids.pid;
}

static __always_inline struct target *target_of(__u64 pid_tgid)
{
	__u32 tgid = pid_tgid >> 32;

	return bpf_map_lookup_elem(&targets, &tgid);
}

/* What the kernel tells of another process carries the pid of the first namespace. */
static __always_inline void remember_globally(struct target *target, __u64 pid_tgid)
{
	__u32 global = bpf_get_current_pid_tgid() >> 32, ours = pid_tgid >> 32;

	if (!pidns_ino || target->known_globally)
		return;
	target->known_globally = !bpf_map_update_elem(&global_pids, &global, &ours, BPF_ANY);
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

static __always_inline void count(const struct target *target, enum counted kind, __u64 duration_ns)
{
	__u32 bucket = histogram_bucket(duration_ns), index = buckets_index(kind, target->slot);
	struct measures *measures = measures_of(target);
	struct buckets *buckets = bpf_map_lookup_elem(&all_buckets, &index);
	struct tally *tally;
	__u32 *counted;

	if (!measures || !buckets)
		return;
	if (bucket >= HISTOGRAM_BUCKETS) /* never: for the verifier */
		return;
	counted = &buckets->counts[bucket];
	/* Else clang keeps the number on the stack for later, where the verifier of Linux 6.1 forgets its bound. */
	barrier_var(counted);
	tally = &measures->tallies[kind];
	/* The bucket last, while the loader takes it first: what it finds counted is in sum and max too. */
	raise_max(&tally->max_ns, duration_ns);
	__sync_fetch_and_add(&tally->sum_ns, duration_ns);
	__sync_fetch_and_add(counted, 1);
	__sync_fetch_and_add(&tally->changes, 1);
	__sync_fetch_and_add(&measures->changes, 1);
}

static __always_inline void count_failure(const struct target *target, enum counted kind)
{
	struct measures *measures = measures_of(target);

	if (measures)
		__sync_fetch_and_add(&measures->tallies[kind].failed, 1);
}

/* Whether one more record of this kind is within the process's allowance. */
static __always_inline bool may_tell(struct target *target, enum wait wait)
{
	__u64 second = bpf_ktime_get_ns() / 1000000000 << 32, *told = &target->told[wait];
	__u64 seen = *(volatile __u64 *)told;

	if (seen < second) /* else, or where this fails, another CPU has begun it */
		__sync_val_compare_and_swap(told, seen, second);
	return (__u32)__sync_fetch_and_add(told, 1) < MAX_TOLD_A_SECOND;
}

static __always_inline void report_instant(enum event_kind kind, __u64 pid_tgid, const struct target *target)
{
	struct instant_event *event = reserve(sizeof(*event), target);

	if (!event)
		return;
	fill_header(&event->header, kind, pid_tgid, target);
	event->at_ns = bpf_ktime_get_ns();
	submit(event);
}

/* The record of one wait, to be completed and submitted; NULL when the ring is full. */
static __always_inline struct wait_event *reserve_wait(enum wait wait, __u64 pid_tgid, const struct target *target,
						       __u64 start_ns, __u64 duration_ns)
{
	struct wait_event *event = reserve(sizeof(*event), target);

	if (!event)
		return NULL;
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_WAIT, pid_tgid, target);
	event->wait = wait;
	event->phase = target->phase;
	event->start_ns = start_ns;
	event->duration_ns = duration_ns;
	return event;
}

static __always_inline void report_wait(enum wait wait, __u64 pid_tgid, const struct target *target,
					__u64 start_ns, __u64 duration_ns, bool failed)
{
	struct wait_event *event = reserve_wait(wait, pid_tgid, target, start_ns, duration_ns);

	if (!event)
		return;
	event->failed = failed;
	submit(event);
}

#endif
