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

/*
 * Packet sockets hand their packets to the device at once, in the context of the process that
 * sends (packet_snd, tpacket_snd in net/packet/af_packet.c): no queue lies between.
 */
static __always_inline int from_task(struct __sk_buff *skb, bool egress, struct owner *who)
{
	struct task_struct *task;

	if (!config.asks_current)
		return KNOWN;
	task = (struct task_struct *)bpf_get_current_task();
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return KNOWN;
	/*
	 * Beyond a veth pair it mostly is still so, in the softirq that the sender's call has raised;
	 * a task from elsewhere is not it.
	 */
	if (!egress && BPF_CORE_READ(task, nsproxy, net_ns) !=
			       BPF_CORE_READ((struct sk_buff *)skb, sk, __sk_common.skc_net.net))
		return KNOWN;
	fill_current(who, current_id(), task, egress ? SURE_EXACT : SURE_GUESS);
	return KNOWN;
}

/* So many packets of a socket are remembered on their way in: those that may be too early for all else. */
#define EARLY_PACKETS 64
/* A bridge hands them on at once, in the same context (ns). */
#define HANDED_ON 1000000

/* What comes in with its socket may go on to another device without it, as from a bridge's port. */
static __always_inline void remember_handed_on(struct __sk_buff *skb, struct sock_owner *socket,
					       __u32 l3, const struct owner *who)
{
	struct sent *place;

	if (socket->shown >= EARLY_PACKETS)
		return;
	socket->shown++;
	place = place_of((__u64)skb);
	if (!place)
		return;
	place->buffer = 0;
	if (bpf_skb_load_bytes(skb, l3, place->head, sizeof(place->head)))
		return;
	place->who = *who;
	place->time = bpf_ktime_get_ns();
	place->buffer = (__u64)skb;
}

/* A loopback device, or a bridge, has taken the socket off the packet. */
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
	if (skb->ifindex == LOOPBACK_IFINDEX) {
		*who = place->who;
		return KNOWN;
	}
	if (bpf_ktime_get_ns() - place->time > HANDED_ON)
		return NEITHER;
	*who = place->who;
	if (place->who.sure == SURE_EXACT)
		who->sure = SURE_FLOW;
	return KNOWN;
}

/*
 * The packet's own socket: on egress the sender's, also on the far side of a veth pair. On
 * egress it may know the receiver as well; `generation` as in from_socket.
 */
static __always_inline int from_packet(struct __sk_buff *skb, bool egress, __u32 l3,
				       __u64 generation, struct owner *who)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_owner *socket;
	struct bpf_sock *full;
	struct owner *found;
	__u64 cookie;
	int known;

	if (!sk)
		return egress ? NEITHER : from_sent(skb, l3, &who[FROM]);
	full = full_or_listener(sk);
	if (full) {
		bool made = full->family == AF_PACKET;
		bool tcp = is_tcp(full);
		bool path = false;

		if (made && egress)
			return from_task(skb, true, &who[FROM]);
		if (generation && !tcp && !goes_to_peer(skb, full, l3))
			generation = 0;
		if (tcp)
			path = follow_path(skb);
		socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
		/* Whatever addresses a packet socket has put there, it is nobody else's packet. */
		if (!socket)
			return made ? from_task(skb, false, &who[FROM]) : NEITHER;
		if (egress && looks_at_devices())
			sent_at_device(skb, full, socket, l3);
		known = from_socket(socket, &who[FROM], &who[TO], generation);
		if (egress && known && sends_now(socket, sk, tcp))
			who[FROM].sure = SURE_EXACT;
		else if (egress && known && tcp && config.asks_current &&
			 socket->who.sure == SURE_EXACT && is_doubtful(socket, sk, path))
			who[FROM].sure = SURE_GUESS;
		if (!egress && known)
			remember_handed_on(skb, socket, l3, &who[FROM]);
		return known;
	}
	cookie = bpf_get_socket_cookie(skb);
	found = bpf_map_lookup_elem(&cookies, &cookie);
	if (!found)
		return NEITHER;
	who[FROM] = *found;
	return KNOWN;
}

/*
 * From here on one packet is worked on in many steps. They are global functions, see struct work,
 * and end on few paths: what depends on the family, the direction or the protocol is an index, a
 * size or a flag in the work area, not a branch that all that follows is looked at for again.
 */

/*
 * Keeps the receiver, or that there is none, in the sending socket: looked for at most once for
 * each generation. Only where all packets of the socket go to one peer.
 */
__noinline int remember_far(struct __sk_buff *skb)
{
	struct work *work = own_work();
	struct bpf_sock *sk = skb->sk;
	struct sock_owner *socket;
	struct bpf_sock *full;
	__u32 l3;

	if (!sk || !work)
		return 0;
	l3 = work->l3;
	if (l3 > ETHERNET_HEADER)
		return 0;
	full = bpf_sk_fullsock(sk);
	if (!full || (!is_tcp(full) && !goes_to_peer(skb, full, l3)))
		return 0;
	socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
	if (!socket || !(socket->flags & FLOW_WRITTEN))
		return 0;
	/* The first packet comes before the router knows of it; TCP's state changes then. */
	if (work->who[TO].sure == SURE_NOT && !is_tcp(full) && !work->tracked &&
	    !(socket->flags & FAR_ASKED)) {
		socket->flags |= FAR_ASKED;
		return 0;
	}
	if (!begin_writing(socket))
		return 0;
	socket->far = work->who[TO];
	socket->far_at = work->homes_at;
	end_writing(socket);
	return 1;
}

/* Is the packet's address one of this namespace's own? */
__noinline int goes_here(struct __sk_buff *skb)
{
	struct work *work = own_work();
	struct bpf_fib_lookup route = {};
	long answer;

	if (!work)
		return 0;
	if (skb->ifindex == LOOPBACK_IFINDEX)
		return 1;
	route.family = work->tuple.family;
	route.ifindex = skb->ifindex;
	if (work->tuple.family == AF_INET) {
		route.ipv4_src = work->tuple.end[FROM].address[3];
		route.ipv4_dst = work->tuple.end[TO].address[3];
	} else {
		__builtin_memcpy(route.ipv6_src, work->tuple.end[FROM].address, 16);
		__builtin_memcpy(route.ipv6_dst, work->tuple.end[TO].address, 16);
	}
	answer = bpf_fib_lookup(skb, &route, sizeof(route), 0);
	return answer == BPF_FIB_LKUP_RET_NOT_FWDED || answer == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/*
 * Would the stack deliver the packet to its address here? Asked only for sockets bound to no
 * address, which a look-up finds for forwarded packets too.
 */
static __always_inline bool delivered_here(struct __sk_buff *skb)
{
	return skb->pkt_type != PACKET_OTHERHOST && goes_here(skb);
}

/* Can the stack be asked whose socket stands at an end? */
static __always_inline bool has_sockets(const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_TCP || tuple->protocol == IPPROTO_UDP;
}

/*
 * What the stack is asked with for the socket at one end, and connection tracking for a packet
 * to there. The size of it.
 */
__noinline int put_question(__u32 which)
{
	struct work *work = own_work();
	const struct end *local, *remote;

	if (!work)
		return 0;
	local = &work->tuple.end[which & 1];
	remote = &work->tuple.end[~which & 1];
	if (work->tuple.family == AF_INET) {
		work->question.ipv4.saddr = remote->address[3];
		work->question.ipv4.daddr = local->address[3];
		work->question.ipv4.sport = remote->port;
		work->question.ipv4.dport = local->port;
		return sizeof(work->question.ipv4);
	}
	__builtin_memcpy(work->question.ipv6.saddr, remote->address, 16);
	__builtin_memcpy(work->question.ipv6.daddr, local->address, 16);
	work->question.ipv6.sport = remote->port;
	work->question.ipv6.dport = local->port;
	return sizeof(work->question.ipv6);
}

/* The same, as the verifier wants it: a size that is not 0 nor too large, or 0. */
static __always_inline __u32 question(__u32 which)
{
	__u32 last = put_question(which) - 1;

	/*
	 * The compiler knows what comes back, the verifier does not: before 6.8 it learns a lower
	 * bound from an addition, and not from a comparison with 0.
	 */
	asm volatile("" : "+r"(last));
	if (last >= sizeof(((struct work *)0)->question))
		return 0;
	asm volatile("" : "+r"(last));
	return last + 1;
}

/*
 * A listener is found for every packet to its port that belongs to no connection, or to one
 * whose addresses are translated on the way: only what asks for a connection is for it.
 */
static __always_inline bool is_addressed(struct bpf_sock *sk, const struct tuple *tuple)
{
	return sk->state != BPF_TCP_LISTEN || tuple->protocol != IPPROTO_TCP || tuple->syn;
}

static __always_inline bool is_bound_to_any(struct bpf_sock *sk)
{
	return !(sk->src_ip4 | sk->src_ip6[0] | sk->src_ip6[1] | sk->src_ip6[2] | sk->src_ip6[3]);
}

/*
 * Is it a socket of the kernel's own: a tunnel's, a file system's? Those of multipath TCP are made by
 * the kernel for a process. Asked of sockets that nobody has claimed.
 */
static __always_inline bool is_kernels(struct work *work, struct bpf_sock *sk)
{
	const struct sock *full;

	/* Through memory the pointer becomes a number, from which any field can be read. */
	WRITE(work->address, (__u64)sk);
	full = (const struct sock *)READ(work->address);
	if (!BPF_CORE_READ_BITFIELD_PROBED(full, sk_kern_sock))
		return false;
	if (!is_tcp(sk) || !bpf_core_field_exists(struct tcp_sock, is_mptcp))
		return true;
	return !BPF_CORE_READ_BITFIELD_PROBED((const struct tcp_sock *)full, is_mptcp);
}

static __always_inline void fill_kernel(struct owner *who)
{
	__builtin_memset(who, 0, sizeof(*who));
	__builtin_memcpy(who->thread, KERNEL_NAME, sizeof(KERNEL_NAME));
	who->sure = SURE_EXACT;
}

/* What a look-up has come to. */
#define ANSWER_FOUND 1 /* an owner stands in the work area */
#define ANSWER_ADDRESSED 2
#define ANSWER_CONNECTED 4
#define ANSWER_BOUND_TO_ANY 8

static __always_inline int read_socket(struct bpf_sock *full, struct work *work, struct owner *who)
{
	struct sock_owner *socket = owner_of(full);
	int answer = 0;

	if (is_bound_to_any(full))
		answer |= ANSWER_BOUND_TO_ANY;
	if (full->state != BPF_TCP_LISTEN && full->state != BPF_TCP_CLOSE)
		answer |= ANSWER_CONNECTED;
	if (is_addressed(full, &work->tuple))
		answer |= ANSWER_ADDRESSED;
	if (socket) {
		work->found_netns = socket->netns;
		if (from_socket(socket, who, who, 0))
			answer |= ANSWER_FOUND;
	} else if (is_kernels(work, full)) {
		fill_kernel(who);
		answer |= ANSWER_FOUND;
	}
	return answer;
}

/* The network namespace of a connection that has ended; 0 when it cannot be told. (5.9) */
static __always_inline __u32 netns_of_small(struct bpf_sock *sk)
{
	struct tcp_timewait_sock *timewait;

	timewait = bpf_skc_to_tcp_timewait_sock(sk);
	if (timewait)
		return BPF_CORE_READ(timewait, tw_sk.__tw_common.skc_net.net, ns.inum);
	return 0;
}

/*
 * Asks the stack of a network namespace whose socket stands at one end; ANSWER_…. In another than
 * ours a socket bound to a device is passed over, whose index means nothing here.
 */
__noinline int ask_stack(struct __sk_buff *skb, __u32 which, __u32 nsid)
{
	bool far = nsid != OUR_NSID;
	struct work *work = own_work();
	struct bpf_sock *sk, *full, *listener;
	struct owner *who;
	__u32 size;
	int answer = 0;

	if (!work)
		return 0;
	work->found_netns = 0;
	size = question(which);
	if (!size)
		return 0;
	who = &work->who[which & 1];
	if (work->tuple.protocol == IPPROTO_TCP) {
		sk = bpf_skc_lookup_tcp(skb, &work->question, size, nsid, 0);
		if (!sk)
			return 0;
		full = bpf_sk_fullsock(sk);
		/* What completes a connection is its listener's yet. */
		listener = full ? 0 : bpf_get_listener_sock(sk);
		if (listener)
			full = listener;
		if (!full) {
			if (far)
				work->found_netns = netns_of_small(sk);
		} else if (!far || !full->bound_dev_if) {
			answer = read_socket(full, work, who);
			if (listener)
				answer |= ANSWER_ADDRESSED | ANSWER_CONNECTED;
		}
		bpf_sk_release(sk);
	} else {
		sk = bpf_sk_lookup_udp(skb, &work->question, size, nsid, 0);
		if (!sk)
			return 0;
		full = bpf_sk_fullsock(sk);
		if (full && (!far || !full->bound_dev_if))
			answer = read_socket(full, work, who);
		bpf_sk_release(sk);
	}
	work->answer = answer;
	return answer;
}

/* Is somebody found, and may the packet be theirs? */
static __always_inline bool is_answered(int answer)
{
	return (answer & (ANSWER_FOUND | ANSWER_ADDRESSED)) == (ANSWER_FOUND | ANSWER_ADDRESSED);
}

/* Asks the table of flows for one end. */
__noinline int end_from_flow(__u32 which, __u32 netns)
{
	struct work *work = own_work();
	struct flow_key key;
	struct owner *found;

	if (!work)
		return 0;
	flow_of(&key, &work->tuple, which, netns);
	/* Both ends have the same key: whoever sent last stands there. */
	if (!((key.local[0] ^ key.remote[0]) | (key.local[1] ^ key.remote[1]) |
	      (key.local[2] ^ key.remote[2]) | (key.local[3] ^ key.remote[3]) |
	      (key.local_port ^ key.remote_port)))
		return 0;
	found = bpf_map_lookup_elem(&flows, &key);
	if (!found)
		return 0;
	work->who[which & 1] = *found;
	return 1;
}

/* A raw socket receives whatever is of its protocol and delivered in its namespace. */
__noinline int receiver_from_raw(__u32 netns)
{
	struct work *work = own_work();
	struct flow_key key;
	struct owner *found;

	if (!work || !netns || has_sockets(&work->tuple))
		return 0;
	raw_flow(&key, work->tuple.family, work->tuple.protocol, netns);
	found = bpf_map_lookup_elem(&flows, &key);
	if (!found)
		return 0;
	work->who[TO] = *found;
	return 1;
}

/* Asks the stack whose socket stands at one end. */
__noinline int end_from_lookup(struct __sk_buff *skb, __u32 which)
{
	struct work *work = own_work();
	int answer;

	if (!work || !has_sockets(&work->tuple))
		return 0;
	answer = ask_stack(skb, which, OUR_NSID);
	if (is_answered(answer) && (!(answer & ANSWER_BOUND_TO_ANY) || delivered_here(skb)))
		return 1;
	work->who[which & 1].sure = SURE_NOT;
	return 0;
}

#include "elsewhere.bpf.c"

/* What an ICMP error quotes at `offset`: of a quoted fragment only the first tells. */
__noinline int find_quoted(struct __sk_buff *skb, __u32 offset)
{
	struct work *work = own_work();
	struct tuple *tuple;
	bool error;

	if (!work)
		return 0;
	tuple = &work->tuple;
	tuple->part = PART_WHOLE;
	if (!read_addresses(skb, &offset, tuple->family == AF_INET6, tuple) ||
	    tuple->part == PART_LATER)
		return 0;
	if (is_icmp(tuple) ? !read_icmp(skb, offset, tuple, &error) :
			     !read_ports(skb, offset, tuple))
		return 0;
	invert(tuple);
	return 1;
}

/* Ports, or what stands for them, of the transport header at `offset`. */
__noinline int find_ports(struct __sk_buff *skb, __u32 offset)
{
	struct work *work = own_work();
	bool error = false;

	if (!work)
		return 0;
	if (work->tuple.protocol == IPPROTO_GRE)
		return find_gre(skb, offset);
	if (is_icmp(&work->tuple) ? !read_icmp(skb, offset, &work->tuple, &error) :
				    !read_ports(skb, offset, &work->tuple))
		return 0;
	/* What it quotes begins after eight bytes. */
	return error ? find_quoted(skb, offset + 8) : 1;
}

/* Puts addresses and ports of the packet into the work area; 0 when it has none. */
__noinline int find_tuple(struct __sk_buff *skb)
{
	struct work *work = own_work();
	__u16 ethertype = skb->protocol;
	__u32 l3;

	if (!work)
		return 0;
	l3 = work->l3;
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
	__builtin_memset(&work->tuple, 0, sizeof(work->tuple));
	if (!read_addresses(skb, &l3, ethertype == bpf_htons(ETH_P_IPV6), &work->tuple))
		return 0;
	return work->tuple.part == PART_LATER ? 1 : find_ports(skb, l3);
}

#include "tracking.bpf.c"

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
	struct owner who[2];
};

/* Written and read by the capture programs. When full the oldest goes: no owner then. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct fragment_key);
	__type(value, struct fragment_ends);
} fragments SEC(".maps");

static __always_inline void fragment_of(struct fragment_key *key, const struct work *work)
{
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->saddr, work->tuple.end[FROM].address, sizeof(key->saddr));
	__builtin_memcpy(key->daddr, work->tuple.end[TO].address, sizeof(key->daddr));
	key->id = work->tuple.id;
	key->netns = work->netns;
	key->protocol = work->tuple.protocol;
}

__noinline int remember_fragment(void)
{
	struct work *work = own_work();
	struct fragment_key key;

	if (!work)
		return 0;
	fragment_of(&key, work);
	ENTER(&fragments, &key, &work->who, entered_fragments);
	return 0;
}

__noinline int ends_from_fragment(void)
{
	struct work *work = own_work();
	struct fragment_ends *ends;
	struct fragment_key key;

	if (!work)
		return 0;
	fragment_of(&key, work);
	ends = bpf_map_lookup_elem(&fragments, &key);
	if (!ends)
		return 0;
	if (!work->known)
		work->who[FROM] = ends->who[FROM];
	work->who[TO] = ends->who[TO];
	return 1;
}

/* To many: whoever a look-up names is one of those who may receive it. */
static __always_inline bool to_many(struct __sk_buff *skb, const struct work *work)
{
	const __u32 *to = work->tuple.end[TO].address;

	__u8 first;

	if (skb->pkt_type == PACKET_BROADCAST || skb->pkt_type == PACKET_MULTICAST)
		return true;
	/* What is sent has no type yet, but a link layer's address. */
	if (work->egress && work->l3 && !bpf_skb_load_bytes(skb, 0, &first, 1) && (first & 1))
		return true;
	if (work->tuple.family == AF_INET)
		return (to[3] & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) ||
		       to[3] == 0xffffffff;
	return (to[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}

#include "kernels.bpf.c"

__noinline int find_sender(struct __sk_buff *skb)
{
	struct work *work = own_work();
	bool loopback = skb->ifindex == LOOPBACK_IFINDEX;
	__u8 protocol;

	if (!work)
		return 0;
	protocol = work->tuple.protocol;
	if (work->egress && !loopback && !has_sockets(&work->tuple) && sender_from_carried(skb))
		return 1;
	/* A UDP socket's flow names the one that sent, a look-up only one that may have. */
	if ((protocol != IPPROTO_TCP || !loopback || work->egress) &&
	    end_from_flow(FROM, work->netns)) {
		/* More packets wait here than are remembered: another may have sent since. */
		if (loopback && protocol == IPPROTO_UDP)
			work->who[FROM].sure = SURE_GUESS;
		return 1;
	}
	if (loopback && !work->egress &&
	    (end_from_lookup(skb, FROM) || end_from_flow(FROM, work->netns)))
		return 1;
	if (work->homes_at && end_from_home(skb, FROM))
		return 1;
	return (!loopback && end_from_tracking(skb, FROM)) || sent_by_kernel(skb);
}

__noinline int find_receiver(struct __sk_buff *skb)
{
	struct work *work = own_work();

	if (!work)
		return 0;
	if (!work->egress && end_from_lookup(skb, TO)) {
		doubt_receiver(skb);
		return 1;
	}
	if (!work->egress && end_from_flow(TO, work->netns))
		return 1;
	if (!work->egress && !has_sockets(&work->tuple) &&
	    (work->many || delivered_here(skb)) &&
	    (receiver_from_raw(work->netns) || end_from_tunnel(TO, OUR_NSID)))
		return 1;
	if (work->homes_at && end_from_home(skb, TO))
		return 1;
	if (work->egress && !work->homes_at)
		return 0;
	if (work->egress && work->many)
		return end_from_group(skb);
	return end_from_tracking(skb, TO) || await_answer(skb);
}

/* The ends that the packet's own socket does not tell; see struct work. */
static __always_inline void find_ends(struct __sk_buff *skb, struct work *work)
{
	work->awaited = 0;
	if (!find_tuple(skb))
		return;
	work->tracked = 0;
	if (work->tuple.part == PART_LATER) {
		ends_from_fragment();
		return;
	}
	/* Who sends an ICMP error is not who sent what the error answers. */
	if (!work->known && !work->tuple.error)
		find_sender(skb);
	work->tracked = 0;
	work->many = to_many(skb, work);
	if (find_receiver(skb) && work->many)
		work->who[TO].sure = SURE_GUESS;
	if (work->known && work->egress)
		remember_far(skb);
	if (work->tuple.part == PART_FIRST)
		remember_fragment();
}
