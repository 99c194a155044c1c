// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ends that live in other network namespaces of this machine. A part of ends.bpf.c.
 */
static __always_inline struct beyond *beyond_of(struct __sk_buff *skb, struct work *work)
{
	struct device_key key = { .netns = work->netns, .ifindex = skb->ifindex };

	return bpf_map_lookup_elem(&beyond, &key);
}

/*
 * Do packets of this device get to there? What is not next to us may have the address of a host
 * elsewhere: only a connection is proof of itself.
 */
static __always_inline bool leads_to(struct __sk_buff *skb, struct work *work,
				     const struct home *home)
{
	struct beyond *next;

	if (home->via == home->nsid)
		return true;
	next = beyond_of(skb, work);
	return next && next->nsid == home->via;
}

#include "abroad.bpf.c"
#include "iptunnels.bpf.c"

/* The end in the namespace that has the address. */
static __always_inline int end_at_home(struct __sk_buff *skb, __u32 which)
{
	struct work *work = own_work();
	struct home_key key = {};
	struct home *home;
	struct owner *who;
	__u32 netns;
	int answer;

	if (!work)
		return 0;
	__builtin_memcpy(key.address, work->tuple.end[which & 1].address, sizeof(key.address));
	key.netns = work->netns;
	home = bpf_map_lookup_elem(&homes, &key);
	if (!home)
		return 0;
	if (home->via == BEYOND_TUN) {
		/* It is there for such devices only. */
		if (!leads_to(skb, work, home))
			return 0;
		work->tunnelled = 1;
	}
	if (!home->netns)
		WRITE(home->netns, netns_of_id(skb, home->nsid));
	/* Only that namespace has the address: flows from there are found without its number. */
	if (!has_sockets(&work->tuple))
		return end_from_flow(which, ANY_NETNS) ||
		       ((which & 1) == TO && receiver_from_raw(home->netns)) ||
		       (leads_to(skb, work, home) && end_from_tunnel(which, home->nsid));
	answer = ask_stack(skb, which, home->nsid & 0x7fffffff);
	who = &work->who[which & 1];
	if (!is_answered(answer) || !((answer & ANSWER_CONNECTED) || leads_to(skb, work, home)))
		who->sure = SURE_NOT;
	/* By its address alone, on a way that is not seen. */
	if (!(answer & ANSWER_CONNECTED) && home->via != home->nsid && who->sure == SURE_EXACT)
		who->sure = SURE_FLOW;
	/* Where a socket was once, its flows are known when it is gone. */
	netns = work->found_netns;
	if (!netns)
		netns = home->netns;
	else if (home->netns != netns)
		WRITE(home->netns, netns);
	/* A UDP socket's flow names the one that sent, the socket only one that may have. */
	if (netns && (who->sure == SURE_NOT ||
		      ((which & 1) == FROM && work->tuple.protocol == IPPROTO_UDP)))
		end_from_flow(which, netns);
	/* One bound to a device goes before one that is not. What it has sent tells more. */
	if ((which & 1) == TO && !(answer & ANSWER_CONNECTED) &&
	    receiver_from_bound(skb, home->nsid, netns)) {
		end_from_flow(TO, ANY_NETNS);
		return 1;
	}
	return who->sure != SURE_NOT || end_from_flow(which, ANY_NETNS);
}

/*
 * The end that lives in another network namespace of this machine: the one which has the
 * address. Beyond a tun device another host may have it as well.
 */
__noinline int end_from_home(struct __sk_buff *skb, __u32 which)
{
	struct work *work = own_work();

	if (!work)
		return 0;
	work->tunnelled = 0;
	if (!end_at_home(skb, which))
		return 0;
	if (work->tunnelled)
		work->who[which & 1].sure = SURE_GUESS;
	return 1;
}

/* One of those who may receive what is sent to many: in the namespace that the device leads to. */
__noinline int end_from_group(struct __sk_buff *skb)
{
	struct work *work = own_work();
	struct beyond *next;

	if (!work || work->tuple.protocol != IPPROTO_UDP)
		return 0;
	next = beyond_of(skb, work);
	return next && (ask_stack(skb, TO, next->nsid & 0x7fffffff) & ANSWER_FOUND);
}
