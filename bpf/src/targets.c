// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "targets.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gc.skel.h"

#define NO_SLOT UINT32_MAX

/* Array values lie eight bytes aligned, one after the other. */
_Static_assert(sizeof(struct measures) % 8 == 0, "the mapped array would not be contiguous");

bool targets_open(struct targets *targets, const struct kernel *kernel, struct failure *failure)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory;

	memset(targets, 0, sizeof(*targets));
	targets->filter_fd = bpf_map__fd(kernel->skeleton->maps.targets);
	targets->exits_fd = epoll_create1(EPOLL_CLOEXEC);
	targets->measures_size = (MAX_TARGETS * sizeof(struct measures) + page - 1) / page * page;
	memory = mmap(NULL, targets->measures_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(kernel->skeleton->maps.all_measures), 0);
	if (targets->exits_fd < 0 || memory == MAP_FAILED)
		return failure_set(failure, ERROR_INTERNAL, "the counters cannot be mapped: %s",
				   strerror(errno));
	targets->measures = memory;
	shared_buckets_open(&targets->buckets, bpf_map__fd(kernel->skeleton->maps.all_buckets));
	return true;
}

static void stop_watching(struct targets *targets, struct watched *watched)
{
	bpf_map_delete_elem(targets->filter_fd, &watched->pid);
	if (watched->pidfd >= 0)
		close(watched->pidfd); /* leaves the epoll with it */
	watched->pidfd = -1;
	watched->state = TARGET_LEAVING;
	targets->n_watched--;
}

void targets_close(struct targets *targets)
{
	uint32_t slot;

	for (slot = 0; slot < MAX_TARGETS; slot++)
		if (targets->slots[slot].state == TARGET_WATCHED)
			stop_watching(targets, &targets->slots[slot]);
	shared_buckets_close(&targets->buckets);
	munmap(targets->measures, targets->measures_size);
	close(targets->exits_fd);
}

struct watched *targets_of_record(struct targets *targets, const struct event_header *header)
{
	struct watched *watched;

	if (header->slot >= MAX_TARGETS)
		return NULL;
	watched = &targets->slots[header->slot];
	return watched->state != TARGET_FREE && watched->pid == header->pid ? watched : NULL;
}

static uint32_t find_watched(const struct targets *targets, uint32_t pid)
{
	uint32_t slot;

	for (slot = 0; slot < MAX_TARGETS; slot++)
		if (targets->slots[slot].state == TARGET_WATCHED && targets->slots[slot].pid == pid)
			return slot;
	return NO_SLOT;
}

/* A free slot, else one that only waits for a flush, which may never come. */
static uint32_t find_usable(const struct targets *targets)
{
	uint32_t slot, leaving = NO_SLOT;

	for (slot = 0; slot < MAX_TARGETS; slot++) {
		if (targets->slots[slot].state == TARGET_FREE)
			return slot;
		if (targets->slots[slot].state == TARGET_LEAVING && leaving == NO_SLOT)
			leaving = slot;
	}
	return leaving;
}

/* -1 without error: watching goes on, only its end will not be noticed. */
static int open_pidfd(uint32_t pid)
{
	return (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

static void notice_exit(struct targets *targets, uint32_t slot)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .u32 = slot } };
	struct watched *watched = &targets->slots[slot];

	if (watched->pidfd < 0)
		return;
	if (epoll_ctl(targets->exits_fd, EPOLL_CTL_ADD, watched->pidfd, &event)) {
		close(watched->pidfd);
		watched->pidfd = -1;
	}
}

static bool explain_missing(uint32_t pid, int error, struct failure *failure)
{
	if (error == ESRCH)
		return failure_set(failure, ERROR_NO_SUCH_PROCESS,
				   "there is no process %u: it has ended, or is in another pid namespace", pid);
	return failure_set(failure, ERROR_NO_SUCH_PROCESS,
			   "%u is not a process but one of its threads: name the process", pid);
}

/* What was counted for another process after its last flush. */
static void clear_measures(struct targets *targets, uint32_t slot)
{
	struct measures *measures = &targets->measures[slot];
	struct buckets *buckets;
	int kind;

	for (kind = 0; kind < COUNTED_KINDS; kind++) {
		buckets = measures->tallies[kind].changes ? shared_buckets_of(&targets->buckets, kind, slot) : NULL;
		if (buckets)
			memset(buckets, 0, sizeof(*buckets));
	}
	memset(measures, 0, sizeof(*measures));
}

bool targets_watch(struct targets *targets, uint32_t pid, uint32_t attachment, struct failure *failure)
{
	uint32_t slot = find_watched(targets, pid);
	struct target value = { .attachment = attachment };
	int pidfd;

	if (slot != NO_SLOT && targets->slots[slot].attachment == attachment)
		return true;
	if (slot != NO_SLOT) /* the process has executed another program */
		stop_watching(targets, &targets->slots[slot]);
	pidfd = open_pidfd(pid);
	if (pidfd < 0 && (errno == ESRCH || errno == EINVAL || errno == ENOENT))
		return explain_missing(pid, errno, failure);
	if (!kernel_knows_pid(pid)) {
		if (pidfd >= 0)
			close(pidfd);
		return failure_set(failure, ERROR_FOREIGN_PID_NAMESPACE,
				   "process %u is in a pid namespace below ours: run the probe in the host's pid "
				   "namespace (hostPID, --pid=host)", pid);
	}
	slot = find_usable(targets);
	if (slot == NO_SLOT) {
		if (pidfd >= 0)
			close(pidfd);
		return failure_set(failure, ERROR_TOO_MANY_TARGETS,
				   "%d processes are watched, which is all: process %u is not", MAX_TARGETS, pid);
	}
	clear_measures(targets, slot);
	targets->slots[slot] = (struct watched){
		.state = TARGET_WATCHED, .pid = pid, .attachment = attachment, .pidfd = pidfd,
		.triggered = UINT64_MAX,
	};
	targets->n_watched++;
	notice_exit(targets, slot);
	value.slot = slot;
	if (bpf_map_update_elem(targets->filter_fd, &pid, &value, BPF_ANY)) {
		int error = errno;

		stop_watching(targets, &targets->slots[slot]);
		return failure_set(failure, ERROR_INTERNAL, "process %u cannot be added to the filter: %s", pid,
				   strerror(error));
	}
	return true;
}

bool targets_unwatch(struct targets *targets, uint32_t pid)
{
	uint32_t slot = find_watched(targets, pid);

	if (slot == NO_SLOT)
		return false;
	stop_watching(targets, &targets->slots[slot]);
	return true;
}

bool targets_use(const struct targets *targets, uint32_t attachment)
{
	uint32_t slot;

	for (slot = 0; slot < MAX_TARGETS; slot++)
		if (targets->slots[slot].state == TARGET_WATCHED && targets->slots[slot].attachment == attachment)
			return true;
	return false;
}

void targets_unwatch_all_of(struct targets *targets, uint32_t attachment)
{
	uint32_t slot;

	for (slot = 0; slot < MAX_TARGETS; slot++)
		if (targets->slots[slot].state == TARGET_WATCHED && targets->slots[slot].attachment == attachment)
			stop_watching(targets, &targets->slots[slot]);
}

uint32_t targets_next_gone(struct targets *targets, uint32_t *attachment)
{
	struct epoll_event event;
	struct watched *watched;

	if (epoll_wait(targets->exits_fd, &event, 1, 0) != 1)
		return 0;
	watched = &targets->slots[event.data.u32];
	stop_watching(targets, watched);
	*attachment = watched->attachment;
	return watched->pid;
}

static uint64_t take_count(__u64 *count)
{
	/* Most are zero: reading first spares the locked exchange. */
	return __atomic_load_n(count, __ATOMIC_RELAXED) ? __atomic_exchange_n(count, 0, __ATOMIC_ACQ_REL) : 0;
}

static bool take_buckets(struct buckets *shared, struct buckets *taken)
{
	bool counted = false;
	uint32_t i;

	memset(taken, 0, sizeof(*taken));
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!__atomic_load_n(&shared->counts[i], __ATOMIC_RELAXED))
			continue;
		taken->counts[i] = __atomic_exchange_n(&shared->counts[i], 0, __ATOMIC_ACQ_REL);
		counted = true;
	}
	return counted;
}

/* Whether anything of the kind was counted. If not, what there may be of sums belongs to a duration whose bucket comes next. */
static bool take_kind(struct targets *targets, uint32_t slot, enum counted kind, struct taken *taken)
{
	struct tally *shared = &targets->measures[slot].tallies[kind], *tally = &taken->measures.tallies[kind];
	struct buckets *buckets;

	memset(tally, 0, sizeof(*tally));
	/* Most kinds of wait do not happen in most seconds. */
	if (!__atomic_load_n(&shared->changes, __ATOMIC_RELAXED))
		return false;
	buckets = shared_buckets_of(&targets->buckets, kind, slot);
	if (!buckets) /* nothing is taken: it may be mapped for the next flush */
		return false;
	tally->changes = take_count(&shared->changes);
	if (!take_buckets(buckets, &taken->buckets[kind])) {
		tally->changes = 0;
		return false;
	}
	tally->sum_ns = take_count(&shared->sum_ns);
	tally->max_ns = take_count(&shared->max_ns);
	tally->failed = take_count(&shared->failed);
	return true;
}

static void take_memory_waits(struct memory_waits *shared, struct memory_waits *taken)
{
	taken->slow = take_count(&shared->slow);
	taken->very_slow = take_count(&shared->very_slow);
	taken->marking = take_count(&shared->marking);
	taken->marking_ns = take_count(&shared->marking_ns);
}

static void take_occurrences(struct occurrences *shared, struct occurrences *taken)
{
	taken->all = take_count(&shared->all);
	taken->marking = take_count(&shared->marking);
}

bool targets_take(struct targets *targets, uint32_t slot, struct taken *taken)
{
	struct measures *shared = &targets->measures[slot];
	struct watched *watched = &targets->slots[slot];
	int i;

	if (watched->state == TARGET_LEAVING)
		watched->state = TARGET_FREE;
	if (!take_count(&shared->changes))
		return false;
	for (i = 0; i < COUNTED_KINDS; i++)
		if (take_kind(targets, slot, i, taken) && i < COUNTED_MEMORY_KINDS)
			take_memory_waits(&shared->memory[i], &taken->measures.memory[i]);
	for (i = 0; i < OCCURRENCES; i++)
		take_occurrences(&shared->occurrences[i], &taken->measures.occurrences[i]);
	return true;
}
