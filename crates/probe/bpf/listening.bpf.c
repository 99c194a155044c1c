// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who waits for packets where a look-up from another network namespace does not find them: on raw
 * sockets, which have no port, and on sockets bound to a device, whose index means nothing elsewhere.
 * They stand in `flows`, as guesses: of several only the last. A part of owner.bpf.c.
 */

/*
 * Raw sockets are found by their protocol: whoever has one may receive what is of it. Not those
 * of ICMP, who wait for their own answers, nor those that only send.
 */
static __always_inline bool is_raw(__u32 type, __u32 protocol)
{
	return type == SOCK_RAW && protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6 &&
	       protocol < IPPROTO_RAW;
}

static __always_inline void enter_listening(const struct flow_key *key,
					    const struct sock_owner *socket)
{
	struct owner who = socket->who;

	if (who.sure == SURE_NOT)
		return;
	who.sure = SURE_GUESS;
	ENTER(&flows, key, &who, entered_flows);
}

static __always_inline void remember_raw(const struct sock_owner *socket, __u16 family,
					 __u8 protocol)
{
	struct flow_key key;

	raw_flow(&key, family, protocol, socket->netns);
	enter_listening(&key, socket);
}

/* The key of a UDP socket, or a listener, that is bound to a device; false when it is not. */
static __always_inline bool is_bound(const struct sock *sk, __u8 protocol,
				     const struct sock_owner *socket, struct flow_key *key)
{
	__u32 device = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);

	if (!device)
		return false;
	bound_flow(key, protocol, bpf_htons(BPF_CORE_READ(sk, __sk_common.skc_num)), device,
		   socket->netns);
	return true;
}

static __always_inline void remember_bound(const struct sock *sk, __u8 protocol,
					   const struct sock_owner *socket)
{
	struct flow_key key;

	if (is_bound(sk, protocol, socket, &key))
		enter_listening(&key, socket);
}

/* Takes out what a socket that goes has entered. */
static __always_inline void forget_listening(const struct flow_key *key,
					     const struct sock_owner *socket)
{
	struct reader_state *shared = reader_state();
	struct owner *who = bpf_map_lookup_elem(&flows, key);

	if (who && shared && who->pid == socket->who.pid && !bpf_map_delete_elem(&flows, key))
		__sync_fetch_and_add(&shared->entered_flows, -1);
}
