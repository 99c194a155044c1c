// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets of tunnels that have no sockets (GRE, IP in IP): the kernel sends and takes them for
 * itself. User space lists the tunnels (iptunnels.rs). A part of ends.bpf.c.
 */

#define GRE_KEY_FLAG 0x2000      /* RFC 2890 */
#define GRE_CHECKSUM_FLAG 0x8000 /* RFC 2784; it stands before the key */
#define ETH_P_TEB 0x6558         /* transparent Ethernet bridging */

struct gre_head {
	__u16 flags;
	__u16 protocol;
};

static __always_inline bool is_tunnels(const struct tuple *tuple)
{
	return tuple->protocol == IPPROTO_GRE || tuple->protocol == IPPROTO_IPIP ||
	       tuple->protocol == IPPROTO_IPV6;
}

/* What tells tunnels with the same addresses apart, of the GRE header at `offset`. */
__noinline int find_gre(struct __sk_buff *skb, __u32 offset)
{
	struct work *work = own_work();
	struct gre_head head;
	__u32 key;

	if (!work || bpf_skb_load_bytes(skb, offset, &head, sizeof(head)))
		return 0;
	if (head.protocol == bpf_htons(ETH_P_TEB))
		work->tuple.gre = GRE_ETHERNET;
	if (!(head.flags & bpf_htons(GRE_KEY_FLAG)))
		return 1;
	offset += sizeof(head) + (head.flags & bpf_htons(GRE_CHECKSUM_FLAG) ? 4 : 0);
	if (bpf_skb_load_bytes(skb, offset, &key, sizeof(key)))
		return 0;
	work->tuple.key = key;
	work->tuple.gre |= GRE_KEYED;
	return 1;
}

/* Does a tunnel of a namespace, by its id, stand at this end? Its own addresses go before any. */
__noinline int end_from_tunnel(__u32 which, __u32 nsid)
{
	struct work *work = own_work();
	struct tunnel_key key = {};
	const struct end *local, *remote;

	if (!work || !is_tunnels(&work->tuple))
		return 0;
	local = &work->tuple.end[which & 1];
	remote = &work->tuple.end[~which & 1];
	key.netns = work->netns;
	key.nsid = nsid;
	key.protocol = work->tuple.protocol;
	key.gre = work->tuple.gre;
	key.key = work->tuple.key;
	for (int i = 0; i < 4; i++) {
		__u32 here = i & 1 ? 0 : ~0U, there = i & 2 ? 0 : ~0U;

#pragma unroll
		for (int j = 0; j < 4; j++) {
			key.local[j] = local->address[j] & here;
			key.remote[j] = remote->address[j] & there;
		}
		if (bpf_map_lookup_elem(&tunnels, &key)) {
			fill_kernel(&work->who[which & 1]);
			return 1;
		}
	}
	return 0;
}
