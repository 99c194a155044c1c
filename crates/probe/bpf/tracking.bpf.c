// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ends behind an address translation: what the connection tracking of the device's namespace, or
 * of the router that the device leads to, knows of a packet's connection. A part of ends.bpf.c.
 *
 * By functions of the kernel (net/netfilter/nf_conntrack_bpf.c, 5.18), weak: where they are
 * missing, ends behind a translation stay empty.
 */
struct ct_options {
	__s32 netns_id;
	__s32 error;
	__u8 protocol;
	__u8 direction;
	__u8 reserved[2];
};
#define CT_ORIGINAL 0
#define CT_INFO 7UL /* enum ip_conntrack_info, in the low bits of sk_buff._nfct… */
#define CT_REPLY 3  /* …and from where on it says that a packet is an answer */

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 tuple_size, struct ct_options *options,
					 __u32 options_size) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *connection) __ksym __weak;

static __always_inline struct nf_conn *tracked(struct __sk_buff *skb, struct work *work, __u32 which,
					       struct ct_options *options)
{
	__u32 size = question(which);

	options->netns_id = work->tracker;
	options->protocol = work->tuple.protocol;
	if (!size)
		return 0;
	return bpf_skb_ct_lookup(skb, &work->question, size, options, sizeof(*options));
}

static __always_inline void wide(struct end *to, const struct end *from, __u8 family)
{
	__u32 v6 = family == AF_INET ? 0 : ~0U;

	to->address[0] = from->address[0] & v6;
	to->address[1] = from->address[1] & v6;
	to->address[2] = (from->address[2] & v6) | (bpf_htonl(0xffff) & ~v6);
	to->address[3] = (from->address[3] & v6) | (from->address[0] & ~v6);
	to->port = from->port;
}

static __always_inline bool is_same(const struct end *one, const struct end *other)
{
	return !((one->address[0] ^ other->address[0]) | (one->address[1] ^ other->address[1]) |
		 (one->address[2] ^ other->address[2]) | (one->address[3] ^ other->address[3]) |
		 (one->port ^ other->port));
}

/* Copies such a tuple, without following the kernel's types, which costs the verifier a search for each field. */
static __always_inline void read_tracked(struct work *work, const struct nf_conntrack_tuple *tuple)
{
	struct end *one = &work->tracked_end[0], *other = &work->tracked_end[1];

	bpf_core_read(one->address, sizeof(one->address), &tuple->src.u3);
	bpf_core_read(other->address, sizeof(other->address), &tuple->dst.u3);
	bpf_core_read(&one->port, sizeof(one->port), &tuple->src.u);
	bpf_core_read(&other->port, sizeof(other->port), &tuple->dst.u);
}

/*
 * Puts what was copied, in which one end stands first, into the work area, and what stood there
 * aside; 0 when it is the same.
 */
__noinline int take_tracked(__u32 which)
{
	struct work *work = own_work();

	if (!work)
		return 0;
	/* Of ICMP only the identifier counts, which is the asking end's. */
	if (is_icmp(&work->tuple))
		work->tracked_end[1].port = 0;
	work->plain = work->tuple;
	wide(&work->tuple.end[which & 1], &work->tracked_end[0], work->tuple.family);
	wide(&work->tuple.end[~which & 1], &work->tracked_end[1], work->tuple.family);
	return !is_same(&work->tuple.end[0], &work->plain.end[0]) ||
	       !is_same(&work->tuple.end[1], &work->plain.end[1]);
}

/* The client's view is the first packet's, the server's that of its answer. */
static __always_inline const struct nf_conntrack_tuple *view_of(const struct nf_conn *connection,
								bool client)
{
	/* No index: where the second one lies the kernel's types say. */
	return client ? &connection->tuplehash[0].tuple : &connection->tuplehash[1].tuple;
}

/* The connection that a packet which leaves carries along, and what it is to it: enum ip_conntrack_info. */
static __always_inline const struct nf_conn *carried(struct __sk_buff *skb, __u32 *info)
{
	unsigned long both = 0;

	if (bpf_core_field_exists(struct sk_buff, _nfct))
		both = BPF_CORE_READ((struct sk_buff *)skb, _nfct);
	*info = both & CT_INFO;
	return (const struct nf_conn *)(both & ~CT_INFO);
}

/*
 * Puts the tuple by which one end of the packet knows it into the work area, and what stood there
 * aside; 0 when it is the same, or not tracked.
 */
__noinline int take_tracked_tuple(struct __sk_buff *skb, __u32 which)
{
	struct work *work = own_work();
	struct ct_options options = {};
	const struct nf_conn *known;
	struct nf_conn *connection;
	bool original;
	__u32 info;

	if (!work || !has_sockets(&work->tuple))
		return 0;
	/* Also when its first packet is translated in part only. */
	if (work->egress && work->tracker == BPF_F_CURRENT_NETNS && !work->tuple.error) {
		known = carried(skb, &info);
		if (known) {
			work->tracked = 1;
			read_tracked(work, view_of(known, (info < CT_REPLY) == (which & 1)));
			return take_tracked(which);
		}
	}
	if (!config.tracking)
		return 0;
	/* Does the packet go the way of the connection's first one? */
	connection = tracked(skb, work, TO, &options);
	original = options.direction == CT_ORIGINAL;
	if (!connection) {
		connection = tracked(skb, work, FROM, &options);
		original = options.direction != CT_ORIGINAL;
	}
	if (!connection)
		return 0;
	read_tracked(work, view_of(connection, original == (which & 1)));
	bpf_ct_release(connection);
	work->tracked = 1;
	return take_tracked(which);
}

/*
 * Who sends what connection tracking cannot be asked about by its addresses: echo, and protocols
 * other than TCP and UDP. What leaves carries its connection along. Answers come in before
 * anything is known of them: they are found by what has left.
 */
__noinline int sender_from_carried(struct __sk_buff *skb)
{
	struct work *work = own_work();
	const struct nf_conn *connection;
	struct flow_key key;
	__u32 info;
	int known;

	if (!work)
		return 0;
	connection = carried(skb, &info);
	if (!connection || info >= CT_REPLY)
		return 0;
	read_tracked(work, view_of(connection, true));
	if (!take_tracked(FROM))
		return 0;
	known = end_from_flow(FROM, work->netns) || (work->homes_at && end_from_home(skb, FROM));
	work->tuple = work->plain;
	if (!known)
		return 0;
	flow_of(&key, &work->tuple, FROM, work->netns);
	ENTER(&flows, &key, &work->who[FROM], entered_flows);
	return 1;
}

/* An end behind an address translation of one namespace: that of work->tracker. */
__noinline int end_from_tracker(struct __sk_buff *skb, __u32 which)
{
	struct work *work = own_work();
	int known;

	if (!work || !take_tracked_tuple(skb, which))
		return 0;
	known = end_from_flow(which, work->netns) || end_from_lookup(skb, which) ||
		(work->homes_at && end_from_home(skb, which));
	work->tuple = work->plain;
	return known;
}

/* An end behind an address translation, here or at the router that the device leads to. */
__noinline int end_from_tracking(struct __sk_buff *skb, __u32 which)
{
	struct work *work = own_work();
	struct beyond *next;

	if (!work)
		return 0;
	work->tracker = BPF_F_CURRENT_NETNS;
	if (end_from_tracker(skb, which))
		return 1;
	next = work->homes_at ? beyond_of(skb, work) : 0;
	if (!next || !next->forwards)
		return 0;
	work->tracker = next->nsid & 0x7fffffff;
	return end_from_tracker(skb, which);
}

#define NAT_DST (-100) /* NF_IP_PRI_NAT_DST (linux/netfilter_ipv4.h), for IPv6 the same */
#define HOOKS_MAX 8

/*
 * Does the namespace change the destinations of some of the packets that come to it? Its hook for
 * that stands before routing (NF_INET_PRE_ROUTING, 0).
 */
__noinline int translates(struct __sk_buff *skb)
{
	struct net *net = BPF_CORE_READ((struct sk_buff *)skb, dev, nd_net.net);
	struct work *work = own_work();
	struct nf_hook_entries *entries;
	struct nf_hook_ops *ops;
	int priority;
	__u16 count;
	char *at;

	if (!work || !bpf_core_field_exists(net->nf))
		return 0;
	if (work->tuple.family == AF_INET)
		entries = BPF_CORE_READ(net, nf.hooks_ipv4[0]);
	else
		entries = BPF_CORE_READ(net, nf.hooks_ipv6[0]);
	if (!entries)
		return 0;
	count = BPF_CORE_READ(entries, num_hook_entries);
	at = (char *)entries + bpf_core_field_offset(struct nf_hook_entries, hooks) +
	     count * sizeof(struct nf_hook_entry);
	for (int i = 0; i < HOOKS_MAX && i < count; i++) {
		if (bpf_probe_read_kernel(&ops, sizeof(ops), at + i * sizeof(ops)))
			return 0;
		priority = BPF_CORE_READ(ops, priority);
		if (priority == NAT_DST)
			return 1;
	}
	return 0;
}

/*
 * A socket without a peer is where the packet is addressed to. Behind a translation it is
 * somebody else's; that of a connection's first packet is not known yet.
 */
__noinline int doubt_receiver(struct __sk_buff *skb)
{
	struct work *work = own_work();
	struct owner found;

	if (!work || (work->answer & ANSWER_CONNECTED) || skb->ifindex == LOOPBACK_IFINDEX ||
	    !translates(skb))
		return 0;
	found = work->who[TO];
	work->tracked = 0;
	if (end_from_tracking(skb, TO))
		return 0;
	work->who[TO] = found;
	if (!work->tracked) {
		work->who[TO].sure = SURE_GUESS;
		work->awaited = !work->many;
	}
	return 0;
}

/*
 * Nobody is found to receive a connection's first packet, which is addressed to this namespace and
 * may yet be sent elsewhere: who answers tells. A bridge's port has it as another host's. Always 0:
 * nobody is found.
 */
__noinline int await_answer(struct __sk_buff *skb)
{
	struct work *work = own_work();

	if (!work || work->egress || work->tracked || work->many || work->tuple.error ||
	    !has_sockets(&work->tuple) || skb->ifindex == LOOPBACK_IFINDEX ||
	    (work->tuple.protocol == IPPROTO_TCP && !work->tuple.syn))
		return 0;
	work->awaited = translates(skb) && goes_here(skb);
	return 0;
}
