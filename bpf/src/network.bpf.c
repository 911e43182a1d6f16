// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a watched process waits for on the network: handshakes, connections, reads. */
#include "program.bpf.h"

#include <bpf/bpf_endian.h>

#include "machine.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";


/* Both lists go on in the same order. */
_Static_assert(COUNTED_READ - COUNTED_TLS_CLIENT == WAIT_READ - WAIT_TLS_CLIENT, "each wait is counted as what it is");

struct open_wait {
	__u64 start_ns;
	__u32 wait;
	__u32 pad;
};

/*
 * By goroutine: it parks, and returns on another thread. LRU, because a process that is killed leaves its records behind; that no process
 * holds many keeps it from driving out those of others.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16 * MAX_TIMED_HANDSHAKES);
	__type(key, struct goroutine);
	__type(value, struct open_wait);
} open_handshakes SEC(".maps");

/* Only while somebody asks. Where more goroutines wait than there is room for, those that have waited longest are forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct goroutine);
	__type(value, __u64);
} open_reads SEC(".maps");

struct ssl {
	__u64 address;
	__u64 tgid;
};

struct open_ssl {
	__u64 start_ns; /* of the first call */
	__u64 returned_ns; /* of the latest that has returned; 0: none has */
};

/* From the first SSL_do_handshake to the one that succeeds: on a socket that does not block the others return at once. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16 * MAX_TIMED_HANDSHAKES);
	__type(key, struct ssl);
	__type(value, struct open_ssl);
} open_ssl SEC(".maps");

/* By thread: which SSL * it is inside with. C code stays on its thread. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
} inside_ssl SEC(".maps");

struct open_connect {
	__u64 start_ns;
	__u64 pid_tgid;
};

/* With the socket, and gone with it: the answer arrives outside of any process. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct open_connect);
} open_connects SEC(".maps");

#define AF_INET 2
#define AF_INET6 10

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__u16 skc_family;
	__be16 skc_dport;
	__be32 skc_daddr;
	struct in6_addr skc_v6_daddr;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

static __always_inline void read_peer(const struct sock *sock, struct wait_event *event)
{
	event->family = BPF_CORE_READ(sock, __sk_common.skc_family);
	event->port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
	if (event->family == AF_INET6)
		bpf_core_read(event->address, 16, &sock->__sk_common.skc_v6_daddr);
	else
		bpf_core_read(event->address, 4, &sock->__sk_common.skc_daddr);
}

struct ended {
	__u64 start_ns, end_ns;
	bool failed;
	const struct sock *sock; /* NULL: no peer to tell */
};

/* Counts it, and tells those that lasted long. */
static __always_inline void end_wait(enum wait wait, __u64 pid_tgid, struct target *target, const struct ended *ended)
{
	enum counted kind = COUNTED_TLS_CLIENT + (wait - WAIT_TLS_CLIENT);
	__u64 duration_ns = ended->end_ns - ended->start_ns;
	struct wait_event *event;

	if (ended->failed)
		count_failure(target, kind);
	count(target, kind, duration_ns);
	if (duration_ns < (wait == WAIT_READ ? LONG_READ_NS : LONG_NETWORK_WAIT_NS))
		return;
	if (!may_tell(target, wait)) {
		occurred(target, OCCURRED_UNTOLD_WAIT, target->phase);
		return;
	}
	event = reserve_wait(wait, pid_tgid, target, ended->start_ns, duration_ns);
	if (!event)
		return;
	event->failed = ended->failed;
	if (ended->sock)
		read_peer(ended->sock, event);
	submit(event);
}

static __always_inline void count_untimed(const struct target *target)
{
	occurred(target, OCCURRED_UNTIMED_WAIT, target->phase);
}

static __always_inline void on_handshake_entry(struct pt_regs *regs, __u64 pid_tgid, struct target *target,
					       enum wait wait)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	struct open_wait open = { .start_ns = bpf_ktime_get_ns(), .wait = wait };
	bool known = bpf_map_lookup_elem(&open_handshakes, &key); /* left behind by a panic */

	if (!known && target->handshakes >= MAX_TIMED_HANDSHAKES)
		return;
	if (!bpf_map_update_elem(&open_handshakes, &key, &open, BPF_ANY) && !known)
		__sync_fetch_and_add(&target->handshakes, 1);
}

static __always_inline void on_handshake_ret(struct pt_regs *regs, __u64 pid_tgid, struct target *target)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	struct open_wait *open = bpf_map_lookup_elem(&open_handshakes, &key);
	/* The result is an error interface: nil when its type word is. */
	struct ended ended = { .end_ns = bpf_ktime_get_ns(), .failed = GO_RESULT1(regs) != 0 };
	bool server;

	if (!open) {
		count_untimed(target); /* or began before it was watched */
		return;
	}
	ended.start_ns = open->start_ns;
	server = open->wait == WAIT_TLS_SERVER;
	if (!bpf_map_delete_elem(&open_handshakes, &key))
		__sync_fetch_and_sub(&target->handshakes, 1);
	if (server)
		end_wait(WAIT_TLS_SERVER, pid_tgid, target, &ended);
	else
		end_wait(WAIT_TLS_CLIENT, pid_tgid, target, &ended);
}

/* int SSL_do_handshake(SSL *) */
static __always_inline void on_ssl_entry(struct pt_regs *regs, __u64 pid_tgid, struct target *target)
{
	struct ssl key = { .address = C_ARG1(regs), .tgid = pid_tgid >> 32 };
	struct open_ssl open = { .start_ns = bpf_ktime_get_ns() };

	if (!bpf_map_lookup_elem(&open_ssl, &key)) {
		if (target->ssl_handshakes >= MAX_TIMED_HANDSHAKES) {
			count_untimed(target);
			return;
		}
		if (bpf_map_update_elem(&open_ssl, &key, &open, BPF_NOEXIST))
			return;
		__sync_fetch_and_add(&target->ssl_handshakes, 1);
	}
	bpf_map_update_elem(&inside_ssl, &pid_tgid, &key.address, BPF_ANY);
}

static __always_inline void end_ssl(const struct ssl *key, __u64 pid_tgid, struct target *target,
				    const struct ended *ended)
{
	if (bpf_map_delete_elem(&open_ssl, key))
		return;
	__sync_fetch_and_sub(&target->ssl_handshakes, 1);
	end_wait(WAIT_OPENSSL, pid_tgid, target, ended);
}

/* 1 is success, 0 a handshake that the peer has ended; below it is to be called again, or has failed: SSL_free tells. */
static __always_inline void on_ssl_return(struct pt_regs *regs, __u64 pid_tgid, struct target *target)
{
	__u64 *address = bpf_map_lookup_elem(&inside_ssl, &pid_tgid);
	struct ended ended = { .end_ns = bpf_ktime_get_ns() };
	struct ssl key = { .tgid = pid_tgid >> 32 };
	int result = (int)C_RESULT(regs);
	struct open_ssl *open;

	if (!address)
		return;
	key.address = *address;
	bpf_map_delete_elem(&inside_ssl, &pid_tgid);
	open = bpf_map_lookup_elem(&open_ssl, &key);
	if (!open)
		return;
	if (result < 0) {
		open->returned_ns = ended.end_ns;
		return;
	}
	ended.start_ns = open->start_ns;
	ended.failed = result == 0;
	end_ssl(&key, pid_tgid, target, &ended);
}

/* void SSL_free(SSL *) */
static __always_inline void on_ssl_free(struct pt_regs *regs, __u64 pid_tgid, struct target *target)
{
	struct ssl key = { .address = C_ARG1(regs), .tgid = pid_tgid >> 32 };
	struct open_ssl *open = bpf_map_lookup_elem(&open_ssl, &key);
	struct ended ended = { .failed = true };

	if (!open)
		return;
	ended.start_ns = open->start_ns;
	ended.end_ns = open->returned_ns ? open->returned_ns : bpf_ktime_get_ns();
	end_ssl(&key, pid_tgid, target, &ended);
}

/* func netpollblock(pd *pollDesc, mode int32, waitio bool) bool */
static __always_inline void on_park_begin(struct pt_regs *regs, __u64 pid_tgid)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	__u64 now = bpf_ktime_get_ns();

	if ((__u32)GO_ARG2(regs) != 'r')
		return;
	bpf_map_update_elem(&open_reads, &key, &now, BPF_ANY);
}

static __always_inline void on_park_end(struct pt_regs *regs, __u64 pid_tgid, struct target *target)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	__u64 *start_ns = bpf_map_lookup_elem(&open_reads, &key);
	struct ended ended = { .end_ns = bpf_ktime_get_ns() };

	if (!start_ns)
		return;
	ended.start_ns = *start_ns;
	bpf_map_delete_elem(&open_reads, &key);
	end_wait(WAIT_READ, pid_tgid, target, &ended);
}

SEC("uprobe")
int on_network_hit(struct pt_regs *regs)
{
	__u64 pid_tgid = current_pid_tgid();
	struct target *target = target_of(pid_tgid);

	if (!target)
		return 0;
	switch (cookie_point(bpf_get_attach_cookie(regs))) {
	case POINT_TLS_CLIENT_ENTRY:
		on_handshake_entry(regs, pid_tgid, target, WAIT_TLS_CLIENT);
		break;
	case POINT_TLS_SERVER_ENTRY:
		on_handshake_entry(regs, pid_tgid, target, WAIT_TLS_SERVER);
		break;
	case POINT_TLS_CLIENT_RET:
	case POINT_TLS_SERVER_RET:
		on_handshake_ret(regs, pid_tgid, target);
		break;
	case POINT_SSL_ENTRY:
		on_ssl_entry(regs, pid_tgid, target);
		break;
	case POINT_SSL_RETURN:
		on_ssl_return(regs, pid_tgid, target);
		break;
	case POINT_SSL_FREE:
		on_ssl_free(regs, pid_tgid, target);
		break;
	case POINT_POLL_PARK_BEGIN:
		on_park_begin(regs, pid_tgid);
		break;
	case POINT_POLL_PARK_END:
		on_park_end(regs, pid_tgid, target);
		break;
	}
	return 0;
}

enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
};

/* By connect(2), in the process that calls it. */
static __always_inline void on_connect_begin(struct sock *sock)
{
	__u64 pid_tgid = current_pid_tgid();
	struct target *target = target_of(pid_tgid);
	struct open_connect *open;

	if (!target)
		return;
	if (target->connects >= MAX_TIMED_CONNECTS) {
		count_untimed(target);
		return;
	}
	open = bpf_sk_storage_get(&open_connects, sock, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!open) { /* no memory */
		count_untimed(target);
		return;
	}
	open->pid_tgid = pid_tgid;
	open->start_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&target->connects, 1);
}

static __always_inline void on_connect_end(struct sock *sock, bool failed)
{
	struct open_connect *open = bpf_sk_storage_get(&open_connects, sock, NULL, 0);
	struct ended ended = { .end_ns = bpf_ktime_get_ns(), .failed = failed, .sock = sock };
	struct target *target;
	__u64 pid_tgid;

	if (!open)
		return;
	pid_tgid = open->pid_tgid;
	ended.start_ns = open->start_ns;
	bpf_sk_storage_delete(&open_connects, sock);
	target = target_of(pid_tgid);
	if (!target)
		return;
	__sync_fetch_and_sub(&target->connects, 1);
	end_wait(WAIT_CONNECT, pid_tgid, target, &ended);
}

/* (const struct sock *sk, int oldstate, int newstate). A raw tracepoint too; this kind of it may keep something with the socket. */
SEC("tp_btf/inet_sock_set_state")
int on_sock_state(__u64 *args)
{
	struct sock *sock = (void *)args[0];
	int before = (int)args[1], after = (int)args[2];

	if (before == TCP_SYN_SENT)
		on_connect_end(sock, after != TCP_ESTABLISHED);
	else if (after == TCP_SYN_SENT)
		on_connect_begin(sock);
	return 0;
}
