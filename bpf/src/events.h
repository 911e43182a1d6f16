/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the BPF program and the loader share: cookies, ring-buffer records, map values.
 * Durations and times are nanoseconds of CLOCK_MONOTONIC, which is the Go runtime's nanotime().
 */
#ifndef ROBOTGC_EVENTS_H
#define ROBOTGC_EVENTS_H

#include <linux/types.h>

#include "histogram.h"

/* Eight bits of a cookie. */
#define MAX_ATTACHMENTS 250
#define MAX_POINTS 64
#define MAX_TARGETS 1024
/* Bytes of runtime.gcController that a cycle record can hold; the struct has 320 since Go 1.22. */
#define MAX_CONTROLLER_BYTES 512
/* Assist stalls at least this long get a record of their own. */
#define LONG_ASSIST_NS 1000000ULL
/* The same for waits on the kernel's memory management; those of at least the second length are counted apart. */
#define LONG_MEMORY_WAIT_NS 1000000ULL
#define VERY_LONG_MEMORY_WAIT_NS 10000000ULL
/* Reads that block for less are how a server that waits for its next message looks. */
#define LONG_READ_NS 1000000ULL
/* Handshakes and connections of at least this length get a record of their own, however they ended. */
#define LONG_NETWORK_WAIT_NS 10000000ULL
/* So many records of each kind of wait for one process in each second: a loop of its own must not cost others theirs. */
#define MAX_TOLD_A_SECOND 32
/* Of one process at the same time; the memory for them is everybody's. */
#define MAX_TIMED_HANDSHAKES 1024
#define MAX_TIMED_CONNECTS 4096

/* stwGCMarkTerm, stwGCSweepTerm in runtime/proc.go, Go 1.22 to 1.26. */
#define STW_GC_MARK_TERMINATION 1
#define STW_GC_SWEEP_TERMINATION 2

enum point {
	POINT_STW_ENTRY,
	POINT_STW_RET,
	/*
	 * Before Go 1.23, whose worldStop does not carry finishedStopping: the call by which
	 * stopTheWorldWithSema records how long stopping took.
	 */
	POINT_STW_STOPPED,
	POINT_ASSIST_ENTRY,
	POINT_ASSIST_RET,
	/* A jump that stands for a RET of the same function: cheaper, see emulated_jump(). */
	POINT_ASSIST_EXIT,
	POINT_CYCLE_END,
	/* runtime.(*mheap).grow: the heap asks the kernel for more. */
	POINT_HEAP_GROW,
	/* Inside gcAssistAlloc, jumps around all that takes time: calls that only take credit pass neither. */
	POINT_ASSIST_SLOW_BEGIN,
	POINT_ASSIST_SLOW_END,
	/* One handshake of crypto/tls, by goroutine. */
	POINT_TLS_CLIENT_ENTRY,
	POINT_TLS_CLIENT_RET,
	POINT_TLS_SERVER_ENTRY,
	POINT_TLS_SERVER_RET,
	/* OpenSSL's SSL_do_handshake, by its SSL *; the return is a uretprobe, which C code bears. */
	POINT_SSL_ENTRY,
	POINT_SSL_RETURN,
	/* Jumps around a goroutine's parking until its connection is ready, in runtime.netpollblock. */
	POINT_POLL_PARK_BEGIN,
	POINT_POLL_PARK_END,
	/* A connection given up, or at its end: a handshake that was under way has failed. */
	POINT_SSL_FREE,
	POINT_COUNT,
};

/*
 * An attach cookie says which point was hit, of which attachment, and what that attachment's Go
 * version needs:
 *   bits 0-7 point, 8-15 attachment, 16-31 bytes of gcController to copy (0: no cycle records),
 *   bit 32 set when worldStop carries finishedStopping (Go 1.23 on),
 *   bits 33-48 offset of goid in runtime.g (0: goroutines have no number).
 */
#define COOKIE_STOPPING_KNOWN (1ULL << 32)
#define MAX_GOID_OFFSET 4096

static inline __u64 cookie_make(__u32 point, __u32 attachment, __u32 controller_bytes,
				int stopping_known, __u32 goid_offset)
{
	return (__u64)point | (__u64)attachment << 8 | (__u64)controller_bytes << 16 |
	       (stopping_known ? COOKIE_STOPPING_KNOWN : 0) | (__u64)goid_offset << 33;
}

static inline __u32 cookie_goid_offset(__u64 cookie)
{
	return cookie >> 33 & 0xffff;
}

static inline __u32 cookie_point(__u64 cookie)
{
	return cookie & 0xff;
}

static inline __u32 cookie_attachment(__u64 cookie)
{
	return cookie >> 8 & 0xff;
}

static inline __u32 cookie_controller_bytes(__u64 cookie)
{
	return cookie >> 16 & 0xffff;
}

/* A wait that is told one by one. */
enum wait {
	WAIT_MMAP,
	WAIT_MUNMAP,
	WAIT_RECLAIM_DIRECT,
	WAIT_RECLAIM_MEMCG,
	WAIT_TLS_CLIENT,
	WAIT_TLS_SERVER,
	WAIT_OPENSSL,
	WAIT_CONNECT,
	WAIT_READ,
	WAIT_KINDS,
};

/* Value of the filter map, by tgid. The loader writes it once; the program keeps the cycle's state in it. */
struct target {
	__u32 slot;
	__u32 attachment;
	/* From endCycle, until the mark termination that follows it has been reported; 0: none open. */
	__u64 controller;
	__u32 procs;
	__u32 user_forced;
	__u64 cycles;
	__u32 phase; /* enum gc_phase */
	__u32 known_globally;
	__u32 is_oom_victim;
	/* Of the stop under way: a process has one at a time. */
	__u64 stopping_ns;
	__u32 stopping_known;
	/* Under way and timed. */
	__s32 handshakes;
	__s32 ssl_handshakes;
	__s32 connects;
	/* Records of the present second (upper half) so far (lower half). */
	__u64 told[WAIT_KINDS];
};

enum gc_phase {
	GC_PHASE_UNKNOWN, /* nothing seen yet that tells */
	GC_PHASE_OFF,
	GC_PHASE_MARK,
};

/* Durations of which every one is counted, whatever its length; waits for the kernel's memory management first. */
enum counted {
	COUNTED_MMAP,
	COUNTED_MUNMAP,
	COUNTED_RECLAIM_DIRECT, /* for the machine, which is short of memory */
	COUNTED_RECLAIM_MEMCG, /* for a cgroup at its limit */
	COUNTED_MEMORY_KINDS,
	COUNTED_ASSIST = COUNTED_MEMORY_KINDS, /* while every one is seen */
	COUNTED_ASSIST_LOOKED, /* begun in a look at a storm */
	/* In the order of enum wait. */
	COUNTED_TLS_CLIENT,
	COUNTED_TLS_SERVER,
	COUNTED_OPENSSL,
	COUNTED_CONNECT,
	COUNTED_READ,
	COUNTED_KINDS,
};

/* Of one kind of wait for memory, beside its histogram. */
struct memory_waits {
	__u64 slow; /* LONG_MEMORY_WAIT_NS or longer */
	__u64 very_slow;
	/* Those that began while the process's collector was marking. */
	__u64 marking;
	__u64 marking_ns;
};

/* What happens at one moment. */
enum occurrence {
	OCCURRED_HEAP_GROW,
	OCCURRED_MMAP_FAILURE,
	OCCURRED_ALLOCATION_FAILURE,
	OCCURRED_OOM_VICTIM,
	OCCURRED_LOSS, /* of a record: no room in the ring, or its facts on a page that was not resident */
	OCCURRED_UNTOLD_WAIT, /* on the network: long enough for a record, but there were too many */
	OCCURRED_UNTOLD_MEMORY_WAIT, /* the same of the kernel's memory management */
	OCCURRED_UNTIMED_WAIT, /* too many at the same time: in no histogram */
	OCCURRENCES,
};

struct occurrences {
	__u64 all;
	__u64 marking;
};

/* What is counted for one process, by slot; memory that the loader maps, and takes counts out of by atomic exchange. */
struct measures {
	__u64 changes; /* raised after all else: in most seconds nothing was counted, and nothing more need be looked at to see that */
	struct tally tallies[COUNTED_KINDS];
	struct memory_waits memory[COUNTED_MEMORY_KINDS];
	struct occurrences occurrences[OCCURRENCES];
};

/* The buckets are forty times as large, and most kinds of most processes use none: they lie apart, kind by kind, so that the loader maps few. */
static inline __u32 buckets_index(enum counted kind, __u32 slot)
{
	return kind * MAX_TARGETS + slot;
}

/*
 * Whether stalls of an attachment are being looked at. The loader opens it for a time that is settled before, and closes it. In a
 * storm it may get a processor only long after that time: so the program lets none begin any more by its own clock. The program
 * closes the gate, too, once `room` is used up, so that a storm cannot cost more than was allowed.
 */
/* Of room, of time. */
#define GATE_WITHOUT_LIMIT (~0ULL)

struct gate {
	__u32 open;
	__u32 epoch; /* of the present or last opening: a stall counts only when it began in it */
	__u64 entered;
	__u64 left;
	__u64 room; /* how many may still begin */
	__u64 from_ns; /* what begins before does not count */
	__u64 until_ns; /* from then on none begins */
	__u64 closed_ns; /* when `room` was used up; 0: not yet */
};

enum event_kind {
	EVENT_PAUSE = 1,
	EVENT_ASSIST,
	/* gcController at endCycle's entry: still the finished cycle's trigger. */
	EVENT_CYCLE_END,
	/* gcController as the world restarts: this cycle's result, the next one's goal. */
	EVENT_CYCLE,
	EVENT_WAIT,
	EVENT_EXEC,
};

struct event_header {
	__u32 kind;
	__u32 pid;
	__u32 slot;
	__u32 tid;
};

struct pause_event {
	struct event_header header;
	__u32 reason;
	__u32 stopping_known;
	__u64 start_ns;
	__u64 stopping_ns;
	__u64 total_ns;
	__u64 restart_ns; /* from start_ns until startTheWorldWithSema is entered */
	__u64 stopping_cpu_ns; /* of all Ps */
	__u32 stopping_cpu_known;
	__u32 pad;
};

struct assist_event {
	struct event_header header;
	__u64 g;
	__u64 goid; /* 0: not known */
	__u64 start_ns;
	__u64 duration_ns;
};

struct cycle_event {
	struct event_header header;
	__u64 at_ns;
	__u64 cycles;
	__u32 procs;
	__u32 user_forced;
	__u32 attachment;
	__u32 controller_bytes;
	__u8 controller[MAX_CONTROLLER_BYTES];
};

struct wait_event {
	struct event_header header;
	__u32 wait;
	__u32 phase; /* enum gc_phase: of a wait for memory as it began, of any other as it ended */
	__u64 start_ns;
	__u64 duration_ns;
	/* mmap: 1 when refused; connect: 1 when no connection came of it. */
	__u32 failed;
	/* Connections only. */
	__u16 port;
	__u16 family;
	__u8 address[16];
};

/* A file that a process has mapped. */
struct mapping {
	__u64 start;
	__u64 inode; /* its address in the kernel: an identity only, and as long as somebody holds the file */
	__u64 executable;
};

/* Something that happened to a process: exec. */
struct instant_event {
	struct event_header header;
	__u64 at_ns;
};

#endif
