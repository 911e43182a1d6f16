// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a watched process waits for on the network: handshakes, connections, reads. */
#include "program.bpf.h"

#include <bpf/bpf_endian.h>

#include "machine.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct open_wait {
	__u64 start_ns;
	__u32 wait;
	__u32 pad;
};

/* By goroutine: it parks, and returns on another thread. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct goroutine);
	__type(value, struct open_wait);
} open_handshakes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct goroutine);
	__type(value, __u64);
} open_reads SEC(".maps");

/* By thread: C code stays on its own. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u64);
} open_ssl SEC(".maps");

struct open_connect {
	__u64 start_ns;
	__u64 pid_tgid;
};

/* By socket: the answer arrives outside of any process. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct open_connect);
} open_connects SEC(".maps");

static __always_inline void on_handshake_entry(struct pt_regs *regs, __u64 pid_tgid, enum wait wait)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	struct open_wait open = { .start_ns = bpf_ktime_get_ns(), .wait = wait };

	bpf_map_update_elem(&open_handshakes, &key, &open, BPF_ANY);
}

static __always_inline void on_handshake_ret(struct pt_regs *regs, __u64 pid_tgid, const struct target *target)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	struct open_wait *open = bpf_map_lookup_elem(&open_handshakes, &key);

	if (!open)
		return;
	/* The result is an error interface: nil when its type word is. */
	report_wait(open->wait == WAIT_TLS_SERVER ? WAIT_TLS_SERVER : WAIT_TLS_CLIENT, pid_tgid, target, open->start_ns,
		    bpf_ktime_get_ns() - open->start_ns, GO_RESULT1(regs) != 0);
	bpf_map_delete_elem(&open_handshakes, &key);
}

static __always_inline void on_ssl_entry(__u64 pid_tgid)
{
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&open_ssl, &pid_tgid, &now, BPF_ANY);
}

static __always_inline void on_ssl_return(struct pt_regs *regs, __u64 pid_tgid, const struct target *target)
{
	__u64 *start_ns = bpf_map_lookup_elem(&open_ssl, &pid_tgid);

	if (!start_ns)
		return;
	/* int SSL_do_handshake(SSL *): 1 is success; a non-blocking socket also ends here, unfinished. */
	report_wait(WAIT_OPENSSL, pid_tgid, target, *start_ns, bpf_ktime_get_ns() - *start_ns,
		    (int)GO_RESULT1(regs) != 1);
	bpf_map_delete_elem(&open_ssl, &pid_tgid);
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

static __always_inline void on_park_end(struct pt_regs *regs, __u64 pid_tgid, const struct target *target)
{
	struct goroutine key = { .g = GO_G(regs), .tgid = pid_tgid >> 32 };
	__u64 *start_ns = bpf_map_lookup_elem(&open_reads, &key);
	__u64 duration_ns;

	if (!start_ns)
		return;
	duration_ns = bpf_ktime_get_ns() - *start_ns;
	if (duration_ns >= LONG_READ_NS)
		report_wait(WAIT_READ, pid_tgid, target, *start_ns, duration_ns, false);
	bpf_map_delete_elem(&open_reads, &key);
}

SEC("uprobe")
int on_network_hit(struct pt_regs *regs)
{
	__u64 pid_tgid = current_pid_tgid();
	const struct target *target = target_of(pid_tgid);

	if (!target)
		return 0;
	switch (cookie_point(bpf_get_attach_cookie(regs))) {
	case POINT_TLS_CLIENT_ENTRY:
		on_handshake_entry(regs, pid_tgid, WAIT_TLS_CLIENT);
		break;
	case POINT_TLS_SERVER_ENTRY:
		on_handshake_entry(regs, pid_tgid, WAIT_TLS_SERVER);
		break;
	case POINT_TLS_CLIENT_RET:
	case POINT_TLS_SERVER_RET:
		on_handshake_ret(regs, pid_tgid, target);
		break;
	case POINT_SSL_ENTRY:
		on_ssl_entry(pid_tgid);
		break;
	case POINT_SSL_RETURN:
		on_ssl_return(regs, pid_tgid, target);
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

static __always_inline void on_connect_end(const struct sock *sock, __u64 key, bool failed)
{
	struct open_connect *open = bpf_map_lookup_elem(&open_connects, &key);
	const struct target *target;
	struct wait_event *event;

	if (!open)
		return;
	target = target_of(open->pid_tgid);
	if (target) {
		event = reserve_wait(WAIT_CONNECT, open->pid_tgid, target, open->start_ns,
				     bpf_ktime_get_ns() - open->start_ns);
		if (event) {
			event->failed = failed;
			read_peer(sock, event);
			submit(event);
		}
	}
	bpf_map_delete_elem(&open_connects, &key);
}

/* (const struct sock *sk, int oldstate, int newstate) */
SEC("raw_tp/inet_sock_set_state")
int on_sock_state(struct bpf_raw_tracepoint_args *context)
{
	const struct sock *sock = (const void *)context->args[0];
	int before = (int)context->args[1], after = (int)context->args[2];
	struct open_connect open;
	__u64 key = context->args[0];

	if (before == TCP_SYN_SENT) {
		on_connect_end(sock, key, after != TCP_ESTABLISHED);
		return 0;
	}
	if (after != TCP_SYN_SENT)
		return 0;
	/* Set by connect(2), in the process that calls it. */
	open.pid_tgid = current_pid_tgid();
	open.start_ns = bpf_ktime_get_ns();
	if (target_of(open.pid_tgid))
		bpf_map_update_elem(&open_connects, &key, &open, BPF_ANY);
	return 0;
}
