// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a socket sends: whoever sends it is its owner from then on, and its flow is remembered.
 *
 * There are two places to look at it. cgroup_skb/egress sees every packet, in every network
 * namespace, before any device; being a second hook it costs the sender more than all the rest.
 * So it is attached only where it is needed: when processes in other network namespaces may send
 * what we capture. Otherwise the devices' own hooks see the packet soon enough: in the context of
 * the sender, for no queue lies between, but for packets that waited for a neighbour's address.
 *
 * Oldest kernel: 5.10; to ask for the current task 5.15.
 */

#include "ring.h"

static __always_inline __u64 flow_hash(const struct flow_key *key)
{
	const __u64 *word = (const __u64 *)key;
	__u64 hash = 0;

#pragma unroll
	for (int i = 0; i < (int)(sizeof(*key) / 8); i++)
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ULL;
	return hash | 1;
}

/*
 * Is this a packet of the socket's own making? One that a tunnel has wrapped passes once more,
 * as the tunnel's: its flow is everybody's.
 */
static __always_inline bool is_own_flow(struct bpf_sock *sk, const struct tuple *tuple)
{
	if (sk->protocol != tuple->protocol)
		return false;
	if (sk->protocol != IPPROTO_TCP && sk->protocol != IPPROTO_UDP)
		return true;
	return sk->src_port == bpf_ntohs(tuple->end[FROM].port);
}

/* A listener answers many; connected UDP is state ESTABLISHED too. */
static __always_inline bool is_connected(struct bpf_sock *sk)
{
	return sk->state != BPF_TCP_LISTEN && sk->state != BPF_TCP_CLOSE;
}

/* Does TCP hold the lock for a user? Never so in softirq. */
static __always_inline bool is_locked(struct bpf_sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp && tcp->inet_conn.icsk_inet.sk.sk_lock.owned;
}

/*
 * Is a segment perhaps another process's than the owner's? When the connection has just changed hands; and
 * when multipath TCP itself sends it, later, for nobody sees who writes.
 */
static __always_inline bool is_doubtful(struct sock_owner *socket, struct bpf_sock *sk, bool path)
{
	struct tcp_sock *tcp;

	if (!path && !(socket->flags & MIXED))
		return false;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return false;
	if (socket->flags & MIXED) {
		if ((__s32)(tcp->snd_una - socket->mixed_until) < 0)
			return true;
		socket->flags &= ~MIXED;
	}
	return path && (!tcp->inet_conn.icsk_inet.sk.sk_lock.owned ||
			(bpf_get_current_task_btf()->flags & PF_KTHREAD));
}

/* Where not every use is seen, whoever sends at this moment is known all the same. */
static __always_inline bool sends_now(struct sock_owner *socket, struct bpf_sock *sk, bool tcp)
{
	struct tcp_sock *connection;

	if (config.unseen != UNSEEN_SOME || !(socket->flags & PROVEN) ||
	    socket->who.pid != current_id() >> 32)
		return false;
	if (!tcp)
		return true;
	connection = bpf_skc_to_tcp_sock(sk);
	return connection && !is_path(connection) && is_locked(sk) &&
	       !is_doubtful(socket, sk, false);
}

/* The head of a packet that goes to a loopback device, for the program that sees it come in. */
static __always_inline void remember_sent(struct __sk_buff *skb, struct sock_owner *socket, bool tcp,
					  bool path, __u32 l3)
{
	struct sent *place = place_of((__u64)skb);
	struct bpf_sock *sk = skb->sk;
	__u64 id;

	if (!place)
		return;
	place->buffer = 0;
	if (bpf_skb_load_bytes(skb, l3, place->head, sizeof(place->head)))
		return;
	place->who = socket->who;
	if (sk && sends_now(socket, sk, tcp))
		place->who.sure = SURE_EXACT;
	else if (tcp && place->who.sure == SURE_EXACT && config.asks_current && sk &&
		 is_doubtful(socket, sk, path))
		place->who.sure = SURE_GUESS;
	if (!tcp && config.asks_current) {
		id = current_id();
		/* Another process that shares the socket sends at this moment. */
		if (place->who.pid != id >> 32) {
			struct task_struct *task = (struct task_struct *)bpf_get_current_task();

			if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD))
				fill_current(&place->who, id, task, SURE_EXACT);
		}
	}
	place->buffer = (__u64)skb;
}

/* Enters the flow that a packet has, unless it is the one that was entered last. */
static __always_inline void remember_flow(struct bpf_sock *full, struct sock_owner *socket,
					  bool to_peer, const struct tuple *tuple)
{
	struct flow_key key;
	__u64 hash;

	if (!is_own_flow(full, tuple))
		return;
	flow_of(&key, tuple, FROM, socket->netns);
	hash = flow_hash(&key);
	if (socket->last_flow == hash)
		return;
	{
		struct owner who = socket->who;

		if (who.sure == SURE_EXACT)
			who.sure = SURE_FLOW;
		ENTER(&flows, &key, &who, entered_flows);
		/* Those that a look-up from another namespace does not find. */
		if ((full->protocol != IPPROTO_TCP && full->protocol != IPPROTO_UDP) ||
		    full->bound_dev_if) {
			key.netns = ANY_NETNS;
			ENTER(&flows, &key, &who, entered_flows);
			if (is_raw(full->type, full->protocol))
				remember_raw(socket, full->family, full->protocol);
		}
	}
	socket->last_flow = hash;
	if (to_peer)
		socket->flags |= FLOW_WRITTEN;
}

/*
 * Every packet that a socket sends, in every network namespace, before it reaches a device.
 * The sending process is current when the socket is no TCP socket, or when TCP holds the lock
 * for a user; in softirq it is not, and then nothing is claimed.
 */
SEC("cgroup_skb/egress")
int egress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_owner *socket;
	struct bpf_sock *full;
	bool tcp, path, to_peer;

	if (!sk)
		return 1;
	full = bpf_sk_fullsock(sk);
	if (!full)
		return 1;
	path = follow_path(skb);
	socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
	if (!socket)
		return 1;
	tcp = is_tcp(full);
	if (config.asks_current && (!tcp || (is_connected(full) && is_locked(sk))))
		claim_sending(full, socket);
	if (skb->ifindex == LOOPBACK_IFINDEX)
		remember_sent(skb, socket, tcp, path, 0);
	to_peer = is_connected(full) && (tcp || goes_to_peer(skb, full, 0));
	if (!to_peer || !(socket->flags & FLOW_WRITTEN)) {
		/* Not in the work area: softirqs may come in between, and send. */
		struct tuple tuple = {};

		if (read_sent(skb, 0, &tuple))
			remember_flow(full, socket, to_peer, &tuple);
	}
	return 1;
}

/* Files that are looked at in search of a socket. */
#define FILES_MAX 32
#define HELD_NOT 0
#define HELD 1
#define HELD_UNKNOWN 2

/* Is the file with this number the socket? Pointers as numbers: a global function, looked at once. */
__noinline int is_at(__u64 files, __u32 fd, __u64 socket)
{
	struct file *file = 0;

	return !bpf_probe_read_kernel(&file, sizeof(file), (struct file **)files + fd) && file &&
	       (__u64)BPF_CORE_READ(file, private_data) == socket;
}

/*
 * Does the current task hold the packet's socket open? If not, it is not the one that sends: it
 * may deliver what somebody else's packets had waited for, as a virtual machine's process does
 * that hands in a neighbour's address. HELD_….
 */
__noinline int is_held(struct __sk_buff *skb)
{
	struct sock_owner *owned;
	struct bpf_sock *full, *sk = skb->sk;
	struct task_struct *task;
	struct fdtable *table;
	__u32 count, found = FILES_MAX;
	__u64 socket, files;

	if (!config.asks_current || !sk)
		return HELD_NOT;
	full = bpf_sk_fullsock(sk);
	if (!full)
		return HELD_NOT;
	owned = bpf_sk_storage_get(&sock_owners, full, 0, 0);
	if (!owned)
		return HELD_NOT;
	task = (struct task_struct *)bpf_get_current_task();
	socket = (__u64)BPF_CORE_READ((struct sk_buff *)skb, sk, sk_socket);
	table = BPF_CORE_READ(task, files, fdt);
	files = (__u64)BPF_CORE_READ(table, fd);
	count = BPF_CORE_READ(table, max_fds);
	if (!socket || !files)
		return HELD_NOT;
	if (owned->fd < count && is_at(files, owned->fd, socket))
		return HELD;
	for (__u32 fd = 0; fd < FILES_MAX; fd++) {
		if (fd >= count)
			return HELD_NOT;
		found = fd;
		if (is_at(files, fd, socket))
			break;
		found = FILES_MAX;
	}
	if (found == FILES_MAX)
		return HELD_UNKNOWN;
	owned->fd = found;
	return HELD;
}

/* What a request socket sends is its listener's. */
static __always_inline struct bpf_sock *full_or_listener(struct bpf_sock *sk)
{
	struct bpf_sock *full = bpf_sk_fullsock(sk);

	return full ? full : bpf_get_listener_sock(sk);
}

/* Is the sender current? TCP sends in softirqs too. */
static __always_inline bool is_current(struct bpf_sock *sk)
{
	return !is_tcp(sk) || (is_connected(sk) && is_locked(sk));
}

/* Is the current task the owner, and known to be from what it has sent or received? */
static __always_inline bool is_settled(const struct sock_owner *socket)
{
	__u64 id = current_id();

	return socket->who.pid == id >> 32 && socket->who.tid == (__u32)id &&
	       socket->who.sure == SURE_EXACT && (socket->flags & (FROM_ITERATOR | PROVEN)) == PROVEN;
}

/*
 * The sender is current, but it may be somebody else in whose context the packet goes: another
 * process must hold the socket to become its owner. If it does not, an owner that has not yet
 * sent or received is a guess; where that cannot be told, TCP's lock tells, and without one it is
 * a guess too.
 */
__noinline int claim_sender(struct __sk_buff *skb)
{
	struct bpf_sock *full, *sk = skb->sk;
	struct sock_owner *socket;
	int held = HELD;

	/* Kernels that let nobody ask here verify this all the same. */
	if (!config.asks_current)
		return 0;
	full = sk ? full_or_listener(sk) : 0;
	if (!full)
		return 0;
	socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
	if (!socket)
		return 0;
	if (socket->who.pid != current_id() >> 32)
		held = is_held(skb);
	if (held != HELD_NOT)
		claim_sending(full, socket);
	if (!is_tcp(full) && socket->who.sure == SURE_EXACT &&
	    (held == HELD_UNKNOWN || (held == HELD_NOT && !(socket->flags & PROVEN))))
		socket->who.sure = SURE_GUESS;
	return 0;
}

/* Puts addresses and ports of a packet that is sent into the work area. */
__noinline int find_sent(struct __sk_buff *skb, __u32 l3)
{
	struct work *work = own_work();

	if (!work)
		return 0;
	__builtin_memset(&work->tuple, 0, sizeof(work->tuple));
	return read_sent(skb, l3, &work->tuple);
}

/* The same as `egress`, at a device. */
__noinline int keep_sender(struct __sk_buff *skb, __u32 l3)
{
	struct bpf_sock *full, *sk = skb->sk;
	struct work *work = own_work();
	struct sock_owner *socket;
	bool tcp, path, to_peer;

	if (!config.asks_current || !sk || !work || l3 > ETHERNET_HEADER)
		return 0;
	full = full_or_listener(sk);
	if (!full)
		return 0;
	path = follow_path(skb);
	socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
	if (!socket)
		return 0;
	if (!is_settled(socket) && is_current(full))
		claim_sender(skb);
	tcp = is_tcp(full);
	if (skb->ifindex == LOOPBACK_IFINDEX)
		remember_sent(skb, socket, tcp, path, l3);
	/* On its way through the stack an older verifier has forgotten it: 6.1. */
	asm volatile("" : "+r"(l3));
	if (l3 > ETHERNET_HEADER)
		return 0;
	to_peer = is_connected(full) && (tcp || goes_to_peer(skb, full, l3));
	if ((!to_peer || !(socket->flags & FLOW_WRITTEN)) && find_sent(skb, l3))
		remember_flow(full, socket, to_peer, &work->tuple);
	return 0;
}

/* Mostly there is nothing to keep of a packet: a connected socket goes on as it did. */
static __always_inline void sent_at_device(struct __sk_buff *skb, struct bpf_sock *full,
					   struct sock_owner *socket, __u32 l3)
{
	if ((socket->flags & FLOW_WRITTEN) && skb->ifindex != LOOPBACK_IFINDEX &&
	    (is_tcp(full) || goes_to_peer(skb, full, l3)) &&
	    (is_settled(socket) || !is_current(full)))
		return;
	keep_sender(skb, l3);
}

/* Are packets looked at when they reach a device, for nobody has before? */
static __always_inline bool looks_at_devices(void)
{
	struct reader_state *shared;

	if (!config.asks_current)
		return false;
	shared = reader_state();
	return shared && !READ(shared->watching);
}

/* Hangs on devices that are not captured on; of those that are, the filter calls it for what it refuses. */
static __always_inline int look_at(struct __sk_buff *skb, __u32 l3)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_owner *socket;
	struct bpf_sock *full;

	if (!sk || !looks_at_devices())
		return TCX_NEXT;
	full = full_or_listener(sk);
	if (!full || full->family == AF_PACKET)
		return TCX_NEXT;
	socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
	if (socket)
		sent_at_device(skb, full, socket, l3);
	return TCX_NEXT;
}

SEC("tc")
int sent_ethernet(struct __sk_buff *skb)
{
	return look_at(skb, ETHERNET_HEADER);
}

SEC("tc")
int sent_raw(struct __sk_buff *skb)
{
	return look_at(skb, 0);
}
