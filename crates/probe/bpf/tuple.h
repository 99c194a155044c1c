/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Addresses and ports of a packet, by which a flow is known.
 *
 * ICMP has identifiers in their place: an echo request goes from port `id` to port 0, its
 * reply from port 0 to port `id`. An ICMP error stands for an answer to the packet it quotes,
 * so that its receiver is found like any other's.
 */
#ifndef PKTWHO_TUPLE_H
#define PKTWHO_TUPLE_H

#include "maps.h"

struct end {
	__u32 address[4]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port;       /* network order; 0 where the protocol has no ports */
	__u16 pad;
};

#define TO 0
#define FROM 1

/* A flow's addresses and ports as a packet has them. */
struct tuple {
	struct end end[2]; /* TO and FROM: the receiver's and the sender's */
	__u8 protocol;
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 part;   /* PART_… */
	__u8 error;  /* of an ICMP error: the tuple is that of an answer to what it quotes */
	__u32 id;    /* of a fragment */
	__u8 syn;    /* TCP: only such packets may be a listener's */
	__u8 gre;    /* GRE_… */
	__u8 pad[2];
	__u32 key;   /* of GRE, in network order */
};

#define PART_WHOLE 0
#define PART_FIRST 1 /* a fragment with ports */
#define PART_LATER 2 /* one without */

struct ipv4_head {
	__u8 version_ihl;
	__u8 tos;
	__u16 length;
	__u16 id;
	__u16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__u32 saddr;
	__u32 daddr;
};

struct ipv6_head {
	__u32 flow;
	__u16 length;
	__u8 next;
	__u8 hops;
	__u32 saddr[4];
	__u32 daddr[4];
};

#define ETHERNET_HEADER 14
#define EXTENSION_HEADERS 6
#define NEXT_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_DESTINATION 60

#define IPPROTO_ICMP 1
#define IPPROTO_IPIP 4
#define IPPROTO_DCCP 33
#define IPPROTO_IPV6 41
#define IPPROTO_GRE 47
#define IPPROTO_ICMPV6 58
#define IPPROTO_SCTP 132
#define IPPROTO_UDPLITE 136
#define IPPROTO_RAW 255

/* ICMP types: RFC 792, RFC 4443. */
#define ICMP_ECHO_REPLY 0
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO 8
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMPV6_LAST_ERROR 127
#define ICMPV6_ECHO 128
#define ICMPV6_ECHO_REPLY 129

/* What skip_extensions gives. */
#define SKIPPED_NEXT(skipped) ((__u8)(skipped))
#define SKIPPED_PART(skipped) ((__u8)((skipped) >> 8))
#define SKIPPED_OFFSET(skipped) ((__u16)((skipped) >> 16))
#define SKIPPED_ID(skipped) ((__u32)((skipped) >> 32))
#define SKIPPED_NOT (~0ULL)

/*
 * Where the IPv6 extension headers end that begin with a `next` header at `offset`, and which header
 * comes then: SKIPPED_…, or SKIPPED_NOT when they are cut. Of a fragment which part it is, and its
 * identification. A global function, which the verifier looks at once. (RFC 8200)
 */
__noinline __u64 skip_extensions(struct __sk_buff *skb, __u32 offset, __u32 next)
{
	__u64 part = PART_WHOLE, id = 0;

	for (int i = 0; i < EXTENSION_HEADERS; i++) {
		/* Next header, length in 8 bytes less one; of a fragment: offset and id. */
		__u8 extension[8];

		if (next != NEXT_HOP && next != NEXT_ROUTING && next != NEXT_FRAGMENT &&
		    next != NEXT_DESTINATION)
			break;
		if (bpf_skb_load_bytes(skb, offset, extension, sizeof(extension)))
			return SKIPPED_NOT;
		offset += 8;
		if (next == NEXT_FRAGMENT) {
			part = extension[2] || (extension[3] & 0xf8) ? PART_LATER : PART_FIRST;
			id = *(__u32 *)(extension + 4);
		} else {
			offset += extension[1] * 8;
		}
		next = extension[0];
		if (part == PART_LATER)
			break;
	}
	return (next & 0xff) | part << 8 | (__u64)(offset & 0xffff) << 16 | id << 32;
}

/*
 * Reads the IP header at `*offset` and the extension headers after it, and leaves `*offset` at
 * what they carry. (RFC 791, RFC 8200)
 */
static __always_inline bool read_addresses(struct __sk_buff *skb, __u32 *offset, bool ipv6,
					   struct tuple *tuple)
{
	if (!ipv6) {
		struct ipv4_head head;

		if (bpf_skb_load_bytes(skb, *offset, &head, sizeof(head)))
			return false;
		if (head.fragment & bpf_htons(0x3fff)) {
			tuple->part = head.fragment & bpf_htons(0x1fff) ? PART_LATER : PART_FIRST;
			tuple->id = head.id;
		}
		tuple->family = AF_INET;
		tuple->protocol = head.protocol;
		tuple->end[FROM].address[2] = bpf_htonl(0xffff);
		tuple->end[TO].address[2] = bpf_htonl(0xffff);
		tuple->end[FROM].address[3] = head.saddr;
		tuple->end[TO].address[3] = head.daddr;
		*offset += (head.version_ihl & 0x0f) * 4;
	} else {
		struct ipv6_head head;
		__u64 skipped;

		if (bpf_skb_load_bytes(skb, *offset, &head, sizeof(head)))
			return false;
		tuple->family = AF_INET6;
		__builtin_memcpy(tuple->end[FROM].address, head.saddr, 16);
		__builtin_memcpy(tuple->end[TO].address, head.daddr, 16);
		skipped = skip_extensions(skb, *offset + sizeof(head), head.next);
		if (skipped == SKIPPED_NOT)
			return false;
		*offset = SKIPPED_OFFSET(skipped);
		tuple->protocol = SKIPPED_NEXT(skipped);
		tuple->part = SKIPPED_PART(skipped);
		tuple->id = SKIPPED_ID(skipped);
	}
	return true;
}

/* Ports, or what stands for them, of the transport header at `offset`. */
static __always_inline bool read_ports(struct __sk_buff *skb, __u32 offset, struct tuple *tuple)
{
	__u16 ports[2];

	switch (tuple->protocol) {
	case IPPROTO_TCP: {
		__u8 flags;

		/* An ICMP error need not quote as much. */
		if (!bpf_skb_load_bytes(skb, offset + 13, &flags, sizeof(flags)))
			tuple->syn = !!(flags & 2);
	}
		/* fallthrough */
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (bpf_skb_load_bytes(skb, offset, ports, sizeof(ports)))
			return false;
		tuple->end[FROM].port = ports[0];
		tuple->end[TO].port = ports[1];
		return true;
	default:
		return true;
	}
}

static __always_inline bool is_icmp(const struct tuple *tuple)
{
	return tuple->protocol == (tuple->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* The identifier of an ICMP echo message; `*error`: it is an error that quotes a packet. */
static __always_inline bool read_icmp(struct __sk_buff *skb, __u32 offset, struct tuple *tuple,
				      bool *error)
{
	__u16 head[4]; /* type and code, checksum, identifier, sequence number */
	__u8 type;

	if (bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
		return false;
	type = *(__u8 *)head;
	if (tuple->family == AF_INET) {
		*error = type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED ||
			 type == ICMP_PARAMETER_PROBLEM;
		if (type == ICMP_ECHO)
			tuple->end[FROM].port = head[2];
		else if (type == ICMP_ECHO_REPLY)
			tuple->end[TO].port = head[2];
	} else {
		*error = type <= ICMPV6_LAST_ERROR;
		if (type == ICMPV6_ECHO)
			tuple->end[FROM].port = head[2];
		else if (type == ICMPV6_ECHO_REPLY)
			tuple->end[TO].port = head[2];
	}
	return true;
}

/* Turns the tuple of a quoted packet into that of an answer to it. */
static __always_inline void invert(struct tuple *tuple)
{
	struct end from = tuple->end[FROM];

	tuple->end[FROM] = tuple->end[TO];
	tuple->end[TO] = from;
	tuple->part = PART_WHOLE;
	tuple->error = 1;
}

/*
 * The tuple of the IP packet that a socket sends, whose IP header is at `offset`; false when it
 * has none.
 */
static __always_inline bool read_sent(struct __sk_buff *skb, __u32 offset, struct tuple *tuple)
{
	bool ipv6 = skb->protocol == bpf_htons(ETH_P_IPV6);

	/* A VLAN's tag that the device is not to put there. */
	if (!ipv6 && skb->protocol != bpf_htons(ETH_P_IP))
		return false;
	if (!read_addresses(skb, &offset, ipv6, tuple) || tuple->part == PART_LATER)
		return false;
	if (is_icmp(tuple)) {
		bool error = false;

		return read_icmp(skb, offset, tuple, &error) && !error;
	}
	return read_ports(skb, offset, tuple);
}

/*
 * Is it a socket of TCP's? A raw one may have that protocol's number too, a user's as well as the kernel's
 * own that resets and acknowledges for sockets that are gone: it is smaller. The kernel's bpf_skc_to_… do
 * not look at the type before they read what lies behind it, and follow a pointer from there: without this a
 * kernel 6.1 died (net/mptcp/bpf.c, net/core/filter.c).
 */
static __always_inline bool is_tcp(const struct bpf_sock *full)
{
	return full->protocol == IPPROTO_TCP && full->type == SOCK_STREAM;
}

/*
 * Does this packet, whose network header is at `l3`, go where its UDP socket is connected to? It
 * may send elsewhere as well (sendto). Looks at the usual case only: no IP options, bytes at hand.
 */
static __always_inline bool goes_to_peer(struct __sk_buff *skb, struct bpf_sock *sk, __u32 l3)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 dst_port = *(volatile __u32 *)&sk->dst_port; /* two bytes wide since 5.18 */

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct ipv4_head *head = data + l3;
		__u16 *ports = (void *)(head + 1);

		if ((void *)(ports + 2) > end)
			return false;
		return head->version_ihl == 0x45 && !(head->fragment & bpf_htons(0x1fff)) &&
		       head->daddr == sk->dst_ip4 && ports[1] == (__u16)dst_port;
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6_head *head = data + l3;
		__u16 *ports = (void *)(head + 1);

		if ((void *)(ports + 2) > end)
			return false;
		return head->next == IPPROTO_UDP && head->daddr[0] == sk->dst_ip6[0] &&
		       head->daddr[1] == sk->dst_ip6[1] && head->daddr[2] == sk->dst_ip6[2] &&
		       head->daddr[3] == sk->dst_ip6[3] && ports[1] == (__u16)dst_port;
	}
	return false;
}

/* The key under which one end of such a packet stands in `flows`: FROM the sender, TO the receiver. */
static __always_inline void flow_of(struct flow_key *key, const struct tuple *tuple, __u32 which,
				    __u32 netns)
{
	const struct end *local = &tuple->end[which & 1], *remote = &tuple->end[~which & 1];

	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->local, local->address, sizeof(key->local));
	__builtin_memcpy(key->remote, remote->address, sizeof(key->remote));
	key->local_port = local->port;
	key->remote_port = remote->port;
	key->protocol = tuple->protocol;
	key->netns = netns;
}

/* The key of those who wait on a port on sockets bound to a device. */
static __always_inline void bound_flow(struct flow_key *key, __u8 protocol, __u16 port, __u32 ifindex,
				       __u32 netns)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->remote[0] = ifindex;
	key->local_port = port;
	key->protocol = protocol;
	key->netns = netns;
}

/* The key of those who have raw sockets of a protocol: the family stands in place of a port. */
static __always_inline void raw_flow(struct flow_key *key, __u16 family, __u8 protocol, __u32 netns)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->local_port = family;
	key->protocol = protocol;
	key->netns = netns;
}

#endif
