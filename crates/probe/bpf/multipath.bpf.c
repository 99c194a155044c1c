// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Multipath TCP: a process has one socket, which carries nothing itself, and the kernel makes a TCP
 * socket for each path. The process that receives claims the first, who sends the others: whoever
 * did either last is the owner of both. A part of owner.bpf.c.
 *
 * Oldest kernel: 5.19, on arm64 6.3, where all receives are seen; before, a path knows what it knows.
 * Tracing programs may not ask: what is known of a path that closes is what its last packet told.
 */

/* What is known of the whole connection that a path belongs to. */
static __always_inline struct sock_owner *owner_of_paths(struct bpf_sock *path)
{
	struct mptcp_sock *whole;

	if (!config.multipath || !is_tcp(path))
		return 0;
	whole = bpf_skc_to_mptcp_sock(path);
	return whole ? bpf_sk_storage_get(&sock_owners, whole, 0, 0) : 0;
}

/* Whoever has used the connection since the path was used last is the path's owner, too. */
static __always_inline void follow_paths(struct sock_owner *path, const struct sock_owner *whole)
{
	struct owner who;
	__u32 seq = READ(whole->seq);

	barrier();
	who = whole->who;
	barrier();
	if ((seq & 1) || READ(whole->seq) != seq)
		return;
	/* A connection that nobody has used yet says as much as its listener. */
	if (!(whole->flags & PROVEN) || who.sure != SURE_EXACT ||
	    (path->who.sure == SURE_EXACT && path->who.pid == who.pid && path->who.tid == who.tid) ||
	    !begin_writing(path))
		return;
	path->who = who;
	path->flags &= ~(FROM_ITERATOR | FLOW_WRITTEN | FAR_ASKED);
	path->flags |= PROVEN;
	path->last_flow = 0;
	path->far_at = 0;
	end_writing(path);
	changed();
}

/*
 * A packet of a path is sent: what the connection knows better is known of the path from here on, also
 * of one from before the capture. A global function, so that few ways lead through it.
 */
__noinline int follow_path(struct __sk_buff *skb)
{
	struct sock_owner *path, *whole;
	struct bpf_sock *full, *sk = skb->sk;

	if (!config.multipath || !sk)
		return 0;
	full = bpf_sk_fullsock(sk);
	if (!full)
		return 0;
	whole = owner_of_paths(full);
	if (!whole)
		return 0;
	path = bpf_sk_storage_get(&sock_owners, full, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!path)
		return 0;
	if (!path->netns)
		path->netns = whole->netns;
	follow_paths(path, whole);
	return 1;
}

/* What is known of a socket that a look-up has found: of a path what the whole connection knows. */
static __always_inline struct sock_owner *owner_of(struct bpf_sock *full)
{
	struct sock_owner *whole = owner_of_paths(full);

	if (whole && (whole->flags & PROVEN))
		return whole;
	return bpf_sk_storage_get(&sock_owners, full, 0, 0);
}

static __always_inline bool is_path(const struct tcp_sock *tcp)
{
	return bpf_core_field_exists(struct tcp_sock, is_mptcp) &&
	       BPF_CORE_READ_BITFIELD_PROBED(tcp, is_mptcp);
}

/* The current task sends on this socket. */
static __always_inline void claim_sending(struct bpf_sock *full, struct sock_owner *socket)
{
	bool is_other = claim(socket, PROVEN);
	struct sock_owner *whole;
	struct tcp_sock *tcp;

	if (!is_tcp(full))
		return;
	tcp = is_other ? bpf_skc_to_tcp_sock(full) : 0;
	/* What is written just now is among it, unless somebody tells of that later. */
	if (tcp)
		take_over(socket, tcp, config.unseen ? tcp->write_seq : tcp->snd_nxt);
	whole = owner_of_paths(full);
	if (whole)
		claim(whole, PROVEN);
}
