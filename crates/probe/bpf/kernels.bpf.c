// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets of sockets of the kernel's own: of those with a port, others answer for anybody. A part of
 * ends.bpf.c.
 */

/*
 * What a tunnel says of its own accord, or carries for others, leaves without its socket; and is no
 * packet that has come in and goes on.
 */
__noinline int sent_without_socket(struct __sk_buff *skb)
{
	struct work *work = own_work();
	struct owner *who;

	if (!work || !work->egress || skb->ingress_ifindex || work->tracked)
		return 0;
	who = &work->who[FROM];
	/* It may carry what a closed connection acknowledges, which has no socket any more either. */
	if (end_from_tunnel(FROM, OUR_NSID)) {
		who->sure = SURE_GUESS;
		return 1;
	}
	if (work->tuple.protocol != IPPROTO_UDP)
		return 0;
	if ((ask_stack(skb, FROM, OUR_NSID) & ANSWER_FOUND) && !READ(who->pid)) {
		who->sure = SURE_FLOW;
		return 1;
	}
	who->sure = SURE_NOT;
	return 0;
}

/* Does the packet's socket, or nobody's, say so? */
__noinline int sent_by_kernel(struct __sk_buff *skb)
{
	struct work *work = own_work();
	struct bpf_sock *sk = skb->sk;

	if (!work)
		return 0;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	/*
	 * What a tunnel carries keeps the socket that it has inside: also one that is no socket any more,
	 * or that answers for those.
	 */
	if (!sk || sk->protocol != work->tuple.protocol)
		return sent_without_socket(skb);
	if (!sk->src_port || sk->src_port != bpf_ntohs(work->tuple.end[FROM].port) ||
	    !is_kernels(work, sk))
		return 0;
	fill_kernel(&work->who[FROM]);
	return 1;
}
