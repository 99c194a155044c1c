// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The capture programs: reached by a tail call from the filter program once it has matched.
 * They ask who sends and who receives, and write one record into the ring of their CPU.
 *
 * Oldest kernel: 5.10.
 * They change nothing in the packet and let every other program on the hook run.
 */
#define TCX_NEXT (-1)		/* = TC_ACT_UNSPEC: the next program, or the stack, decides */
#define LOOPBACK_IFINDEX 1
#define PACKET_OTHERHOST 3
#define ETHERNET_HEADER 14
#define VLAN_TAG 4
#define ADDRESSES 12 /* of the Ethernet header, before the tag */

/*
 * One ring per CPU, mapped by user space: a page of struct ring_control, ring_size bytes, and
 * room for one record that begins at the very end. Written by its own CPU only. When full the
 * packet is counted, not stored.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4096);
} rings SEC(".maps");

/* Losses by device and cause, written by the kernel only when something is lost. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct loss_key);
	__type(value, __u64);
} losses SEC(".maps");

/*
 * What one packet's programs share, in the otherwise unused end of their CPU's control page.
 * The functions below are global, so that the verifier looks at each once and not along
 * every path to it; such functions take only numbers and the context on old kernels. A
 * record is made in place in the ring, or here when the ring is full and it is only counted.
 */
struct work {
	struct packet_record record;
	struct tuple tuple;
};
#define WORK_OFFSET 1024

static __always_inline struct ring_control *own_ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

static __always_inline struct work *work_of(struct ring_control *control)
{
	return (struct work *)((char *)control + WORK_OFFSET);
}

/* Where the next record is made: at the head, or in the work area when the ring is full. */
static __always_inline struct packet_record *record_of(struct ring_control *control, bool full)
{
	__u32 at = RING_HEADER + ((__u32)control->head & (config.ring_size - 1));

	return (struct packet_record *)((char *)control + (full ? WORK_OFFSET : at));
}

__noinline int count_loss(__u32 ifindex, __u32 cause)
{
	struct loss_key key = { .ifindex = ifindex, .cause = cause };
	__u64 zero = 0, *count;

	bpf_map_update_elem(&losses, &key, &zero, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&losses, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

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

	flow_of(&key, tuple, sender, netns);
	found = bpf_map_lookup_elem(&flows, &key);
	if (!found)
		return false;
	*who = *found;
	return true;
}

/*
 * The packet's own socket: on egress the sender's, also on the far side of a veth pair. On
 * egress it may know the receiver as well; `generation` as in from_socket.
 */
static __always_inline int from_packet(struct __sk_buff *skb, __u32 l3, __u64 generation,
				       struct packet_record *record)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_owner *socket;
	struct bpf_sock *full;
	struct owner *found;
	__u64 cookie;

	if (!sk)
		return NEITHER;
	full = bpf_sk_fullsock(sk);
	if (full) {
		if (generation && !goes_to_peer(skb, full, l3))
			generation = 0;
		socket = bpf_sk_storage_get(&sock_owners, full, 0, 0);
		if (!socket)
			return NEITHER;
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

/* Ask the stack whose socket stands at one end of the packet. */
static __always_inline bool from_lookup(struct __sk_buff *skb, const struct tuple *tuple,
					bool sender, struct owner *who)
{
	struct bpf_sock *sk = socket_at(skb, tuple, sender, BPF_F_CURRENT_NETNS), *full;
	struct sock_owner *socket;
	bool found = false;

	if (!sk)
		return false;
	full = bpf_sk_fullsock(sk);
	if (full) {
		bool any = !full->src_ip4 &&
			   !(full->src_ip6[0] | full->src_ip6[1] | full->src_ip6[2] | full->src_ip6[3]);

		if (!any || delivered_here(skb, tuple)) {
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
		return request->req.req.__req_common.skc_net.net->ns.inum;
	timewait = bpf_skc_to_tcp_timewait_sock(sk);
	if (timewait)
		return timewait->tw_sk.__tw_common.skc_net.net->ns.inum;
	return 0;
}

/*
 * The end that lives in another network namespace of this machine: the one which has the
 * address. A socket bound to a device is passed over, whose index means nothing here.
 */
static __always_inline bool from_home(struct __sk_buff *skb, const struct tuple *tuple, bool sender,
				      struct owner *who)
{
	struct home_key key;
	struct sock_owner *socket;
	struct bpf_sock *sk, *full;
	bool found = false;
	__u32 netns = 0, *home;

	__builtin_memcpy(key.address, sender ? tuple->saddr : tuple->daddr, sizeof(key.address));
	home = bpf_map_lookup_elem(&homes, &key);
	if (!home)
		return false;
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
			found = from_socket(socket, who, who, 0);
		}
	}
	bpf_sk_release(sk);
	/* A UDP socket's flow names the one that sent, the socket only one that may have. */
	if (netns && (!found || (sender && tuple->protocol == IPPROTO_UDP)))
		found |= from_flow(tuple, sender, netns, who);
	return found;
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
	if (!read_tuple(skb, l3, ethertype, &tuple))
		return 0;
	work_of(control)->tuple = tuple;
	return 1;
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
	return from_flow(&tuple, sender, config.netns,
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
	return from_home(skb, &tuple, sender, sender ? &record->sender : &record->receiver);
}

static __always_inline void find_owners(struct __sk_buff *skb, bool egress, __u32 l3,
					struct ring_control *control, struct packet_record *record,
					bool full)
{
	bool loopback = skb->ifindex == LOOPBACK_IFINDEX;
	__u64 homes_at = loopback ? 0 : generation();
	int known = from_packet(skb, l3, egress ? homes_at : 0, record);

	if (known == BOTH_KNOWN || (known && egress && !homes_at) || !find_tuple(skb, l3))
		return;
	if (!known) {
		/* A UDP socket's flow names the one that sent, a look-up only one that may have. */
		if (work_of(control)->tuple.protocol == IPPROTO_UDP || !loopback || egress)
			known = end_from_flow(full, true);
		if (!known && loopback && !egress && !end_from_lookup(skb, full, true))
			known = end_from_flow(full, true);
	}
	if (!known && homes_at)
		end_from_home(skb, full, true);
	known = !egress && (end_from_lookup(skb, full, false) || end_from_flow(full, false));
	if (!known && homes_at) {
		end_from_home(skb, full, false);
		if (egress)
			remember_far(skb, l3, homes_at, record);
	}
}

static __always_inline void ring_doorbell(struct ring_control *control, __u64 head)
{
	struct reader_state *shared = reader_state();
	__u64 bell;

	if (!shared || !READ(shared->sleeping) || head - READ(control->tail) < shared->wake_bytes)
		return;
	WRITE(shared->sleeping, 0);
	bell = KIND_DOORBELL;
	bell = (bell << 32) | sizeof(bell);
	bpf_ringbuf_output(&events, &bell, sizeof(bell), BPF_RB_FORCE_WAKEUP);
}

/* Store-release of the head: the record must be seen before it. */
static __always_inline void publish(struct ring_control *control, __u64 head)
{
	barrier();
#if defined(__TARGET_ARCH_arm64)
	__sync_fetch_and_add(&control->head, head - control->head);
#else
	WRITE(control->head, head);
#endif
}

/* Copy the first cap_len bytes of the packet, with the VLAN tag back where the wire had it. */
static __always_inline long copy_packet(struct __sk_buff *skb, char *to, __u32 cap_len, bool tagged)
{
	__u32 rest;
	__u16 tag[2];

	if (!tagged || cap_len <= ADDRESSES)
		return bpf_skb_load_bytes(skb, 0, to, cap_len);
	if (bpf_skb_load_bytes(skb, 0, to, ADDRESSES))
		return -1;
	tag[0] = skb->vlan_proto;
	tag[1] = bpf_htons(skb->vlan_tci);
	__builtin_memcpy(to + ADDRESSES, tag, sizeof(tag));
	/* A cut within the tag: what was written beyond lies in the record's padding. */
	if (cap_len <= ADDRESSES + VLAN_TAG)
		return 0;
	rest = cap_len - ADDRESSES - VLAN_TAG;
	if (rest > SNAPLEN_MAX)
		return -1;
	return bpf_skb_load_bytes(skb, ADDRESSES, to + ADDRESSES + VLAN_TAG, rest);
}

#include "filter.bpf.c"

/* The last step: the record, which has its head by now, gets its bytes and is published. */
static __always_inline int store(struct __sk_buff *skb, struct ring_control *control,
				 struct packet_record *record, __u32 cap_len, bool tagged,
				 bool full)
{
	__u64 head = control->head;

	if (full) {
		control->lost_full++;
		count_loss(skb->ifindex, LOST_FULL);
	} else if (cap_len == 0 || cap_len > SNAPLEN_MAX ||
		   copy_packet(skb, (char *)record + sizeof(*record), cap_len, tagged)) {
		control->lost_unreadable++;
		count_loss(skb->ifindex, LOST_UNREADABLE);
	} else {
		control->stored++;
		head += (sizeof(*record) + cap_len + 7) & ~7U;
		publish(control, head);
		ring_doorbell(control, head);
	}
	barrier();
	WRITE(control->busy, 0);
	return TCX_NEXT;
}

static __always_inline int capture(struct __sk_buff *skb, bool egress, __u32 l3)
{
	struct ring_control *control;
	struct packet_record *record;
	bool tagged = l3 && skb->vlan_present, full;
	__u32 length, cap_len, size;
	__u64 head;

	control = own_ring();
	if (!control) {
		struct reader_state *shared = reader_state();

		if (shared)
			__sync_fetch_and_add(&shared->lost_no_ring, 1);
		count_loss(skb->ifindex, LOST_BUSY);
		return TCX_NEXT;
	}
	/* Only where softirqs can be preempted (PREEMPT_RT) may we meet ourselves here. */
	if (READ(control->busy)) {
		__sync_fetch_and_add(&control->lost_busy, 1);
		count_loss(skb->ifindex, LOST_BUSY);
		return TCX_NEXT;
	}
	WRITE(control->busy, 1);
	barrier();
	length = skb->len + (tagged ? VLAN_TAG : 0);
	cap_len = length < config.snaplen ? length : config.snaplen;
	size = (sizeof(*record) + cap_len + 7) & ~7U;
	head = control->head;
	full = head - READ(control->tail) + size > config.ring_size;
	record = record_of(control, full);
	record->size = size;
	record->kind = KIND_PACKET;
	record->version = ABI_VERSION;
	record->time = bpf_ktime_get_ns();
	record->ifindex = skb->ifindex;
	record->orig_len = length;
	record->cap_len = cap_len;
	record->egress = egress;
	record->pkt_type = skb->pkt_type;
	/* What stands in an owner is only looked at when somebody is known. */
	record->sender.sure = SURE_NOT;
	record->receiver.sure = SURE_NOT;
	if (config.owners)
		find_owners(skb, egress, l3, control, record, full);
	record->undecided = 0;
	if (config.filter_mask) {
		ask_filter(skb, egress, full, cap_len);
		record->undecided = 1;
	}
	return store(skb, control, record, cap_len, tagged, full);
}

/* The second filter program lets the packet through, or cannot tell. */
static __always_inline int resume(struct __sk_buff *skb, __u32 l3)
{
	struct ring_control *control = own_ring();
	struct packet_record *record;
	struct decision *decision;

	if (!control)
		return TCX_NEXT;
	decision = decision_of(control);
	record = record_of(control, decision->full);
	record->undecided = decision->undecided;
	return store(skb, control, record, decision->cap_len, l3 && skb->vlan_present,
		     decision->full);
}

/* By direction, and by where the network header is: after an Ethernet header, or at once. */

SEC("tc")
int ingress_ethernet(struct __sk_buff *skb)
{
	return capture(skb, false, ETHERNET_HEADER);
}

SEC("tc")
int egress_ethernet(struct __sk_buff *skb)
{
	return capture(skb, true, ETHERNET_HEADER);
}

SEC("tc")
int ingress_raw(struct __sk_buff *skb)
{
	return capture(skb, false, 0);
}

SEC("tc")
int egress_raw(struct __sk_buff *skb)
{
	return capture(skb, true, 0);
}

SEC("tc")
int resume_ethernet(struct __sk_buff *skb)
{
	return resume(skb, ETHERNET_HEADER);
}

SEC("tc")
int resume_raw(struct __sk_buff *skb)
{
	return resume(skb, 0);
}

/*
 * Where the filter programs jump to once they have matched; filled by libbpf when this object
 * is loaded. The slots are those of filter.rs: for the first filter program by direction and
 * kind of device, then for the second by kind of device.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 6);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} matched SEC(".maps") = {
	.values = {
		[0] = (void *)&ingress_ethernet,
		[1] = (void *)&egress_ethernet,
		[2] = (void *)&ingress_raw,
		[3] = (void *)&egress_raw,
		[4] = (void *)&resume_ethernet,
		[5] = (void *)&resume_raw,
	},
};
