// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is known of another network namespace besides its sockets. A part of ends.bpf.c.
 */
#define XA_NODE 2 /* in the low bits of an entry: it is a pointer to a node (linux/xarray.h) */
#define XA_BITS 3
#define XA_DEPTH 4

/*
 * The inode number of a namespace, by the id that the one of the packet's device has given it
 * (net->netns_ids, an array in the form of a tree); 0 when it is not there.
 */
__noinline int netns_of_id(struct __sk_buff *skb, __u32 nsid)
{
	struct net *net = BPF_CORE_READ((struct sk_buff *)skb, dev, nd_net.net);
	struct xa_node *node = 0;
	unsigned long entry;
	__u32 index, at;

	if (!bpf_core_field_exists(net->netns_ids))
		return 0;
	entry = (unsigned long)BPF_CORE_READ(net, netns_ids.idr_rt.xa_head);
	index = nsid - BPF_CORE_READ(net, netns_ids.idr_base);
	at = index;
	for (int i = 0; i < XA_DEPTH && (entry & XA_BITS) == XA_NODE; i++) {
		__u32 slots = bpf_core_field_size(node->slots) / sizeof(entry);

		node = (struct xa_node *)(entry & ~(unsigned long)XA_BITS);
		at = index >> (BPF_CORE_READ(node, shift) & 31);
		/* The first node has all the higher digits. */
		if (i && slots)
			at %= slots;
		if (at >= slots ||
		    bpf_probe_read_kernel(&entry, sizeof(entry),
					  (char *)node + bpf_core_field_offset(node->slots) +
						  at * sizeof(entry)))
			return 0;
		at = 0;
	}
	/* What is not a node is the entry of number 0. */
	if (at || !entry || (entry & XA_BITS))
		return 0;
	return BPF_CORE_READ((struct net *)entry, ns.inum);
}

/* Who waits on a socket bound to the device at which the packet comes in, next to ours. */
__noinline int receiver_from_bound(struct __sk_buff *skb, __u32 nsid, __u32 netns)
{
	struct work *work = own_work();
	struct beyond *next;
	struct flow_key key;
	struct owner *found;

	if (!work || !netns || (work->tuple.protocol == IPPROTO_TCP && !work->tuple.syn))
		return 0;
	next = beyond_of(skb, work);
	if (!next || next->nsid != nsid || !next->ifindex)
		return 0;
	bound_flow(&key, work->tuple.protocol, work->tuple.end[TO].port, next->ifindex, netns);
	found = bpf_map_lookup_elem(&flows, &key);
	if (!found)
		return 0;
	work->who[TO] = *found;
	return 1;
}
