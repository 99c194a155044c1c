// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who stands at the ends of a packet: asked of its own socket first, then of the stack, of the
 * table of flows, of the namespace that has the address, and of connection tracking.
 *
 * Oldest kernel: 5.10.
 */
#include "ring.h"

#define PACKET_BROADCAST 1 /* linux/if_packet.h */
#define PACKET_MULTICAST 2
#define PACKET_OTHERHOST 3
#define ETHERNET_HEADER 14
#define VLAN_TAG 4

/* What is known of a packet's ends. */
#define NEITHER 0
#define KNOWN 1
#define BOTH_KNOWN 2 /* the far end too, or that there is none */

/*
 * A consistent copy of what the socket says, or nothing. `who` and `far` lie in memory that is
 * cold: they are written and not read back. `generation`: that of now, or 0 when the far end of
 * what this socket sends is not asked for.
 */
static __always_inline int from_socket(struct sock_owner *socket, struct owner *who,
				       struct owner *far, __u64 generation)
{
	__u32 seq;
	__u8 sure;
	bool both;

#pragma unroll
	for (int i = 0; i < 2; i++) {
		seq = READ(socket->seq);
		barrier();
		*who = socket->who;
		sure = READ(socket->who.sure);
		both = generation && READ(socket->far_at) == generation;
		if (both)
			*far = socket->far;
		barrier();
		if (!(seq & 1) && READ(socket->seq) == seq)
			return sure == SURE_NOT ? NEITHER : both ? BOTH_KNOWN : KNOWN;
	}
	who->sure = SURE_NOT;
	far->sure = SURE_NOT;
	return NEITHER;
}

static __always_inline bool from_flow(const struct tuple *tuple, bool sender, __u32 netns,
				      struct owner *who)
{
	struct flow_key key;
	struct owner *found;

	/* Both ends have the same key: whoever sent last stands there. */
	if (tuple->sport == tuple->dport && tuple->saddr[3] == tuple->daddr[3] &&
	    tuple->saddr[2] == tuple->daddr[2] && tuple->saddr[1] == tuple->daddr[1] &&
	    tuple->saddr[0] == tuple->daddr[0])
		return false;
	flow_of(&key, tuple, sender, netns);
	found = bpf_map_lookup_elem(&flows, &key);
	if (!found)
		return false;
	*who = *found;
	return true;
}

/*
 * Packet sockets hand their packets to the device at once, in the context of the process that
 * sends (packet_snd, tpacket_snd in net/packet/af_packet.c): no queue lies between.
 */
static __always_inline int from_task(struct owner *who)
{
	struct task_struct *task;

	if (!config.current_in_capture)
		return KNOWN;
	task = (struct task_struct *)bpf_get_current_task();
	if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD))
		fill_current(who, bpf_get_current_pid_tgid(), task);
	return KNOWN;
}

/* A loopback device has taken the socket off the packet. */
static __always_inline int from_sent(struct __sk_buff *skb, __u32 l3, struct owner *who)
{
	struct sent *place = place_of((__u64)skb);
	__u32 head[SENT_HEAD];

	if (!place || place->buffer != (__u64)skb ||
	    bpf_skb_load_bytes(skb, l3, head, sizeof(head)))
		return NEITHER;
#pragma unroll
	for (int i = 0; i < SENT_HEAD; i++)
		if (head[i] != place->head[i])
			return NEITHER;
	if (place->who.sure == SURE_NOT)
		return NEITHER;
	*who = place->who;
	return KNOWN;
}

/*
 * The packet's own socket: on egress the sender's, also on the far side of a veth pair. On
 * egress it may know the receiver as well; `generation` as in from_socket.
 */
static __always_inline int from_packet(struct __sk_buff *skb, bool egress, __u32 l3,
				       __u64 generation, struct packet_record *record)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_owner *socket;
	struct bpf_sock *full;
	struct owner *found;
	__u64 cookie;

	if (!sk)
		return !egress && skb->ifindex == LOOPBACK_IFINDEX ?
			       from_sent(skb, l3, &record->sender) :
			       NEITHER;
	full = bpf_sk_fullsock(sk);
	if (full) {
		bool made = full->family == AF_PACKET;

		if (made && egress)
			return from_task(&record->sender);
		if (generation && !goes_to_peer(skb, full, l3))
			generation = 0;
		socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
		/* Whatever addresses a packet socket has put there, it is nobody else's packet. */
		if (!socket)
			return made ? KNOWN : NEITHER;
		return from_socket(socket, &record->sender, &record->receiver, generation);
	}
	cookie = bpf_get_socket_cookie(skb);
	found = bpf_map_lookup_elem(&cookies, &cookie);
	if (!found)
		return NEITHER;
	record->sender = *found;
	return KNOWN;
}

/*
 * Keeps the receiver, or that there is none, in the sending socket: looked for at most once for
 * each generation. Only where all packets of the socket go to one peer.
 */
static __always_inline void remember_far(struct __sk_buff *skb, __u32 l3, __u64 generation,
					 const struct packet_record *record)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_owner *socket;
	struct bpf_sock *full;
	__u32 seq;

	if (!sk)
		return;
	full = bpf_sk_fullsock(sk);
	if (!full || !goes_to_peer(skb, full, l3))
		return;
	socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
	if (!socket || !(socket->flags & FLOW_WRITTEN))
		return;
	seq = READ(socket->seq);
	if ((seq & 1) || __sync_val_compare_and_swap(&socket->seq, seq, seq + 1) != seq)
		return;
	socket->far = record->receiver;
	socket->far_at = generation;
	barrier();
	WRITE(socket->seq, seq + 2);
}

/*
 * Would the stack deliver a packet to this address here? Asked only for sockets bound to no
 * address, which a look-up finds for forwarded packets too.
 */
static __always_inline bool delivered_here(struct __sk_buff *skb, const struct tuple *tuple)
{
	struct bpf_fib_lookup route = {};
	long answer;

	if (skb->ifindex == LOOPBACK_IFINDEX)
		return true;
	if (skb->pkt_type == PACKET_OTHERHOST)
		return false;
	route.family = tuple->family;
	route.ifindex = skb->ifindex;
	if (tuple->family == AF_INET) {
		route.ipv4_src = tuple->saddr[3];
		route.ipv4_dst = tuple->daddr[3];
	} else {
		__builtin_memcpy(route.ipv6_src, tuple->saddr, 16);
		__builtin_memcpy(route.ipv6_dst, tuple->daddr, 16);
	}
	answer = bpf_fib_lookup(skb, &route, sizeof(route), 0);
	return answer == BPF_FIB_LKUP_RET_NOT_FWDED || answer == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/* Can the stack be asked whose socket stands at an end? */
static __always_inline bool has_sockets(const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_TCP || tuple->protocol == IPPROTO_UDP;
}

/* The socket that stands at one end of the packet in a network namespace; to be released. */
static __always_inline struct bpf_sock *socket_at(struct __sk_buff *skb, const struct tuple *tuple,
						  bool sender, __u64 netns)
{
	struct bpf_sock_tuple ends = {};

	if (tuple->family == AF_INET) {
		ends.ipv4.saddr = sender ? tuple->daddr[3] : tuple->saddr[3];
		ends.ipv4.daddr = sender ? tuple->saddr[3] : tuple->daddr[3];
		ends.ipv4.sport = sender ? tuple->dport : tuple->sport;
		ends.ipv4.dport = sender ? tuple->sport : tuple->dport;
		if (tuple->protocol == IPPROTO_TCP)
			return bpf_skc_lookup_tcp(skb, &ends, sizeof(ends.ipv4), netns, 0);
		return bpf_sk_lookup_udp(skb, &ends, sizeof(ends.ipv4), netns, 0);
	}
	__builtin_memcpy(ends.ipv6.saddr, sender ? tuple->daddr : tuple->saddr, 16);
	__builtin_memcpy(ends.ipv6.daddr, sender ? tuple->saddr : tuple->daddr, 16);
	ends.ipv6.sport = sender ? tuple->dport : tuple->sport;
	ends.ipv6.dport = sender ? tuple->sport : tuple->dport;
	if (tuple->protocol == IPPROTO_TCP)
		return bpf_skc_lookup_tcp(skb, &ends, sizeof(ends.ipv6), netns, 0);
	return bpf_sk_lookup_udp(skb, &ends, sizeof(ends.ipv6), netns, 0);
}

/*
 * A listener is found for every packet to its port that belongs to no connection, or to one
 * whose addresses are translated on the way: only what asks for a connection is for it.
 */
static __always_inline bool is_addressed(struct bpf_sock *sk, const struct tuple *tuple)
{
	return sk->state != BPF_TCP_LISTEN || tuple->protocol != IPPROTO_TCP || tuple->syn;
}

/* Ask the stack whose socket stands at one end of the packet. */
static __always_inline bool from_lookup(struct __sk_buff *skb, const struct tuple *tuple,
					bool sender, struct owner *who)
{
	struct sock_owner *socket;
	struct bpf_sock *sk, *full;
	bool found = false;

	if (!has_sockets(tuple))
		return false;
	sk = socket_at(skb, tuple, sender, BPF_F_CURRENT_NETNS);
	if (!sk)
		return false;
	full = bpf_sk_fullsock(sk);
	if (full) {
		bool any = !full->src_ip4 &&
			   !(full->src_ip6[0] | full->src_ip6[1] | full->src_ip6[2] | full->src_ip6[3]);

		if (is_addressed(full, tuple) && (!any || delivered_here(skb, tuple))) {
			socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
			if (socket)
				found = from_socket(socket, who, who, 0);
		}
	}
	bpf_sk_release(sk);
	return found;
}

/* The network namespace of a socket that is no full one; 0 when it cannot be told. (5.9) */
static __always_inline __u32 netns_of_small(struct bpf_sock *sk)
{
	struct tcp_request_sock *request = bpf_skc_to_tcp_request_sock(sk);
	struct tcp_timewait_sock *timewait;

	if (request)
		return BPF_CORE_READ(request, req.req.__req_common.skc_net.net, ns.inum);
	timewait = bpf_skc_to_tcp_timewait_sock(sk);
	if (timewait)
		return BPF_CORE_READ(timewait, tw_sk.__tw_common.skc_net.net, ns.inum);
	return 0;
}

/*
 * The end that lives in another network namespace of this machine: the one which has the
 * address. A socket bound to a device is passed over, whose index means nothing here.
 */
static __always_inline bool from_home(struct __sk_buff *skb, const struct tuple *tuple, bool sender,
				      __u32 seen_from, struct owner *who)
{
	struct home_key key = { .netns = seen_from };
	struct sock_owner *socket;
	struct bpf_sock *sk, *full;
	bool found = false;
	__u32 netns = 0, *home;

	__builtin_memcpy(key.address, sender ? tuple->saddr : tuple->daddr, sizeof(key.address));
	home = bpf_map_lookup_elem(&homes, &key);
	if (!home)
		return false;
	/* Only that namespace has the address: flows from there are found without its number. */
	if (!has_sockets(tuple))
		return from_flow(tuple, sender, ANY_NETNS, who);
	sk = socket_at(skb, tuple, sender, *home & 0x7fffffff);
	if (!sk)
		return false;
	full = bpf_sk_fullsock(sk);
	if (!full) {
		netns = netns_of_small(sk);
	} else if (!full->bound_dev_if) {
		socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
		if (socket) {
			netns = socket->netns;
			found = is_addressed(full, tuple) && from_socket(socket, who, who, 0);
		}
	}
	bpf_sk_release(sk);
	/* A UDP socket's flow names the one that sent, the socket only one that may have. */
	if (netns && (!found || (sender && tuple->protocol == IPPROTO_UDP)))
		found |= from_flow(tuple, sender, netns, who);
	return found;
}

/* What an ICMP error quotes at `offset`: of a quoted fragment only the first tells. */
__noinline int find_quoted(struct __sk_buff *skb, __u32 offset)
{
	struct ring_control *control = own_ring();
	struct tuple tuple;
	bool error, ipv6;

	if (!control)
		return 0;
	tuple = work_of(control)->tuple;
	ipv6 = tuple.family == AF_INET6;
	tuple.part = PART_WHOLE;
	if (!read_addresses(skb, &offset, ipv6, &tuple) || tuple.part == PART_LATER)
		return 0;
	if (is_icmp(&tuple) ? !read_icmp(skb, offset, &tuple, &error) :
			      !read_ports(skb, offset, &tuple))
		return 0;
	invert(&tuple);
	work_of(control)->tuple = tuple;
	return 1;
}

/* Ports, or what stands for them, of the transport header at `offset`. */
__noinline int find_ports(struct __sk_buff *skb, __u32 offset)
{
	struct ring_control *control = own_ring();
	struct tuple tuple;
	bool error = false;

	if (!control)
		return 0;
	tuple = work_of(control)->tuple;
	if (is_icmp(&tuple) ? !read_icmp(skb, offset, &tuple, &error) :
			      !read_ports(skb, offset, &tuple))
		return 0;
	work_of(control)->tuple = tuple;
	/* What it quotes begins after eight bytes. */
	return error ? find_quoted(skb, offset + 8) : 1;
}

/* Puts addresses and ports of the packet into the work area; 0 when it has none. */
__noinline int find_tuple(struct __sk_buff *skb, __u32 l3)
{
	struct ring_control *control = own_ring();
	__u16 ethertype = skb->protocol;
	struct tuple tuple = {};

	if (!control || l3 > ETHERNET_HEADER)
		return 0;
	for (int i = 0; i < 2; i++) {
		__u16 next;

		if (!l3 || (ethertype != bpf_htons(ETH_P_8021Q) && ethertype != bpf_htons(ETH_P_8021AD)))
			break;
		if (bpf_skb_load_bytes(skb, l3 + 2, &next, sizeof(next)))
			return 0;
		ethertype = next;
		l3 += VLAN_TAG;
	}
	if (ethertype != bpf_htons(ETH_P_IP) && ethertype != bpf_htons(ETH_P_IPV6))
		return 0;
	if (!read_addresses(skb, &l3, ethertype == bpf_htons(ETH_P_IPV6), &tuple))
		return 0;
	work_of(control)->tuple = tuple;
	return tuple.part == PART_LATER ? 1 : find_ports(skb, l3);
}

__noinline int end_from_flow(__u32 full, __u32 sender)
{
	struct ring_control *control = own_ring();
	struct packet_record *record;
	struct tuple tuple;

	if (!control)
		return 0;
	record = record_of(control, full);
	tuple = work_of(control)->tuple;
	return from_flow(&tuple, sender, record->netns,
			 sender ? &record->sender : &record->receiver);
}

__noinline int end_from_lookup(struct __sk_buff *skb, __u32 full, __u32 sender)
{
	struct ring_control *control = own_ring();
	struct packet_record *record;
	struct tuple tuple;

	if (!control)
		return 0;
	record = record_of(control, full);
	tuple = work_of(control)->tuple;
	return from_lookup(skb, &tuple, sender, sender ? &record->sender : &record->receiver);
}

__noinline int end_from_home(struct __sk_buff *skb, __u32 full, __u32 sender)
{
	struct ring_control *control = own_ring();
	struct packet_record *record;
	struct tuple tuple;

	if (!control)
		return 0;
	record = record_of(control, full);
	tuple = work_of(control)->tuple;
	return from_home(skb, &tuple, sender, record->netns,
			 sender ? &record->sender : &record->receiver);
}

/*
 * Connection tracking: what a packet's addresses are, or were, before they were translated.
 * Kernel functions (net/netfilter/nf_conntrack_bpf.c, 5.18), weak: where they are missing, ends
 * behind a translation stay empty.
 */
struct ct_options {
	__s32 netns_id;
	__s32 error;
	__u8 protocol;
	__u8 direction;
	__u8 reserved[2];
};
#define CT_ORIGINAL 0

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 tuple_size, struct ct_options *options,
					 __u32 options_size) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *connection) __ksym __weak;

static __always_inline struct nf_conn *tracked(struct __sk_buff *skb, const struct tuple *tuple,
					       bool inverse, struct ct_options *options)
{
	struct bpf_sock_tuple ends = {};

	options->netns_id = BPF_F_CURRENT_NETNS;
	options->protocol = tuple->protocol;
	if (tuple->family == AF_INET) {
		ends.ipv4.saddr = inverse ? tuple->daddr[3] : tuple->saddr[3];
		ends.ipv4.daddr = inverse ? tuple->saddr[3] : tuple->daddr[3];
		ends.ipv4.sport = inverse ? tuple->dport : tuple->sport;
		ends.ipv4.dport = inverse ? tuple->sport : tuple->dport;
		return bpf_skb_ct_lookup(skb, &ends, sizeof(ends.ipv4), options, sizeof(*options));
	}
	__builtin_memcpy(ends.ipv6.saddr, inverse ? tuple->daddr : tuple->saddr, 16);
	__builtin_memcpy(ends.ipv6.daddr, inverse ? tuple->saddr : tuple->daddr, 16);
	ends.ipv6.sport = inverse ? tuple->dport : tuple->sport;
	ends.ipv6.dport = inverse ? tuple->sport : tuple->dport;
	return bpf_skb_ct_lookup(skb, &ends, sizeof(ends.ipv6), options, sizeof(*options));
}

static __always_inline void wide(__u32 to[4], const union nf_inet_addr *from, __u8 family)
{
	to[0] = family == AF_INET ? 0 : from->all[0];
	to[1] = family == AF_INET ? 0 : from->all[1];
	to[2] = family == AF_INET ? bpf_htonl(0xffff) : from->all[2];
	to[3] = family == AF_INET ? from->all[0] : from->all[3];
}

/*
 * Puts the tuple by which one end of the packet knows it into the work area, and what stood there
 * aside; 0 when it is the same, or not tracked.
 */
__noinline int take_tracked_tuple(struct __sk_buff *skb, __u32 sender)
{
	struct ring_control *control = own_ring();
	struct ct_options options = {};
	const struct nf_conntrack_tuple *tuple_of;
	union nf_inet_addr local = {}, remote = {};
	__u16 local_port = 0, remote_port = 0;
	struct nf_conn *connection;
	struct tuple tuple, other;
	bool inverse = false, original, same;

	if (!control || !bpf_ksym_exists(bpf_skb_ct_lookup))
		return 0;
	tuple = work_of(control)->tuple;
	if (!has_sockets(&tuple))
		return 0;
	connection = tracked(skb, &tuple, false, &options);
	if (!connection) {
		inverse = true;
		connection = tracked(skb, &tuple, true, &options);
	}
	if (!connection)
		return 0;
	/* Does the packet go the way of the connection's first one? */
	original = (options.direction == CT_ORIGINAL) != inverse;
	other = tuple;
	/*
	 * The client's view is the first packet's, the server's that of its answer. Read without
	 * following the kernel's types, which costs the verifier a search for each field.
	 */
	tuple_of = original == !!sender ? &connection->tuplehash[0].tuple :
					  &connection->tuplehash[1].tuple;
	bpf_core_read(&local, sizeof(local), &tuple_of->src.u3);
	bpf_core_read(&remote, sizeof(remote), &tuple_of->dst.u3);
	bpf_core_read(&local_port, sizeof(local_port), &tuple_of->src.u);
	bpf_core_read(&remote_port, sizeof(remote_port), &tuple_of->dst.u);
	bpf_ct_release(connection);
	wide(sender ? other.saddr : other.daddr, &local, tuple.family);
	wide(sender ? other.daddr : other.saddr, &remote, tuple.family);
	*(sender ? &other.sport : &other.dport) = local_port;
	*(sender ? &other.dport : &other.sport) = remote_port;
	same = other.saddr[3] == tuple.saddr[3] && other.daddr[3] == tuple.daddr[3] &&
	       other.saddr[2] == tuple.saddr[2] && other.daddr[2] == tuple.daddr[2] &&
	       other.saddr[1] == tuple.saddr[1] && other.daddr[1] == tuple.daddr[1] &&
	       other.saddr[0] == tuple.saddr[0] && other.daddr[0] == tuple.daddr[0] &&
	       other.sport == tuple.sport && other.dport == tuple.dport;
	if (same)
		return 0;
	work_of(control)->plain = tuple;
	work_of(control)->tuple = other;
	return 1;
}

/* An end behind an address translation. */
static __always_inline int end_from_tracking(struct __sk_buff *skb, struct ring_control *control,
					     bool full, bool sender, __u64 homes_at)
{
	int known;

	if (!take_tracked_tuple(skb, sender))
		return 0;
	known = end_from_flow(full, sender) || end_from_lookup(skb, full, sender) ||
		(homes_at && end_from_home(skb, full, sender));
	work_of(control)->tuple = work_of(control)->plain;
	return known;
}

/* Fragments after the first have no ports: they belong to whom the first one did. */
struct fragment_key {
	__u32 saddr[4];
	__u32 daddr[4];
	__u32 id;
	__u32 netns;
	__u8 protocol;
	__u8 pad[3];
};

struct fragment_ends {
	struct owner sender;
	struct owner receiver;
};

/* Written and read by the capture programs. When full the oldest goes: no owner then. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct fragment_key);
	__type(value, struct fragment_ends);
} fragments SEC(".maps");

__noinline int remember_fragment(__u32 full)
{
	struct ring_control *control = own_ring();
	struct fragment_ends ends;
	struct fragment_key key = {};
	struct packet_record *record;
	struct tuple *tuple;

	if (!control)
		return 0;
	tuple = &work_of(control)->tuple;
	record = record_of(control, full);
	__builtin_memcpy(key.saddr, tuple->saddr, 16);
	__builtin_memcpy(key.daddr, tuple->daddr, 16);
	key.id = tuple->id;
	key.netns = record->netns;
	key.protocol = tuple->protocol;
	ends.sender = record->sender;
	ends.receiver = record->receiver;
	return bpf_map_update_elem(&fragments, &key, &ends, BPF_ANY);
}

__noinline int ends_from_fragment(__u32 full)
{
	struct ring_control *control = own_ring();
	struct fragment_ends *ends;
	struct fragment_key key = {};
	struct packet_record *record;
	struct tuple *tuple;

	if (!control)
		return 0;
	tuple = &work_of(control)->tuple;
	record = record_of(control, full);
	__builtin_memcpy(key.saddr, tuple->saddr, 16);
	__builtin_memcpy(key.daddr, tuple->daddr, 16);
	key.id = tuple->id;
	key.netns = record->netns;
	key.protocol = tuple->protocol;
	ends = bpf_map_lookup_elem(&fragments, &key);
	if (!ends)
		return 0;
	if (record->sender.sure == SURE_NOT)
		record->sender = ends->sender;
	record->receiver = ends->receiver;
	return 1;
}

/* To many: whoever a look-up names is one of those who may receive it. */
static __always_inline bool to_many(struct __sk_buff *skb, const struct tuple *tuple)
{
	if (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST)
		return true;
	if (tuple->family == AF_INET)
		return (tuple->daddr[3] & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
		       tuple->daddr[3] == 0xffffffff;
	return (tuple->daddr[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}

static __always_inline int find_sender(struct __sk_buff *skb, bool egress, bool full,
				       struct ring_control *control, __u64 homes_at)
{
	bool loopback = skb->ifindex == LOOPBACK_IFINDEX;
	__u8 protocol = work_of(control)->tuple.protocol;

	/* A UDP socket's flow names the one that sent, a look-up only one that may have. */
	if ((protocol != IPPROTO_TCP || !loopback || egress) && end_from_flow(full, true)) {
		/* More packets wait here than are remembered: another may have sent since. */
		if (loopback && protocol == IPPROTO_UDP)
			record_of(control, full)->sender.sure = SURE_GUESS;
		return 1;
	}
	if (loopback && !egress && (end_from_lookup(skb, full, true) || end_from_flow(full, true)))
		return 1;
	if (homes_at && end_from_home(skb, full, true))
		return 1;
	return !loopback && end_from_tracking(skb, control, full, true, homes_at);
}

static __always_inline int find_receiver(struct __sk_buff *skb, bool egress, bool full,
					 struct ring_control *control, __u64 homes_at)
{
	if (!egress && (end_from_lookup(skb, full, false) || end_from_flow(full, false)))
		return 1;
	if (homes_at && end_from_home(skb, full, false))
		return 1;
	if (egress && !homes_at)
		return 0;
	return end_from_tracking(skb, control, full, false, homes_at);
}

/* The ends that the packet's own socket does not tell; see struct work. */
static __always_inline void find_ends(struct __sk_buff *skb, struct ring_control *control,
				      struct packet_record *record)
{
	struct work *work = work_of(control);
	bool egress = work->egress, full = work->full;
	struct tuple *tuple = &work->tuple;

	if (!find_tuple(skb, work->l3))
		return;
	if (tuple->part == PART_LATER) {
		ends_from_fragment(full);
		return;
	}
	/* Who sends an ICMP error is not who sent what the error answers. */
	if (!work->known && !tuple->error)
		find_sender(skb, egress, full, control, work->homes_at);
	if (find_receiver(skb, egress, full, control, work->homes_at) && to_many(skb, tuple))
		record->receiver.sure = SURE_GUESS;
	if (work->known && egress)
		remember_far(skb, work->l3, work->homes_at, record);
	if (tuple->part == PART_FIRST)
		remember_fragment(full);
}
