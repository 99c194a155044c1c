/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where records go: one ring for each CPU, and the room in which a packet is worked on.
 */
#ifndef PKTWHO_RING_H
#define PKTWHO_RING_H

#include "tuple.h"

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
	struct owner who[2]; /* at the ends of the packet, FROM and TO */
	struct owner said[2]; /* what the last record that was stored says of them */
	struct tuple tuple;
	struct tuple plain; /* what stood in `tuple` while another one is tried */
	struct bpf_sock_tuple question;
	__u64 homes_at;     /* see generation() */
	__u64 address;      /* of a socket, as a number */
	__u32 at;           /* of the record, from the start of the control page */
	__u32 cap_len;
	__u32 netns; /* of the device: inode number */
	__u8 l3;
	__u8 egress;
	__u8 full; /* the ring is full: the record is not in it */
	__u8 known;
	__u8 tracked; /* a connection that its router knows */
	__u8 answer; /* of the stack, asked last: ANSWER_… */
	__u8 many;    /* sent to a group, or to all */
	__u8 awaited; /* see struct packet_record */
	__u8 tunnelled; /* the end is beyond a tun device */
	__s32 tracker; /* id of the namespace whose connections are looked at */
	__u32 found_netns; /* of the socket that a look-up has found: inode number; 0: not told */
	struct end tracked_end[2]; /* of a tracked connection, as the kernel writes it */
};
#define WORK_OFFSET 1024

#define RECORD_HEAD_MAX (sizeof(struct packet_record) + sizeof(struct owner_pair))

static __always_inline struct ring_control *own_ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

static __always_inline struct work *work_of(struct ring_control *control)
{
	return (struct work *)((char *)control + WORK_OFFSET);
}

static __always_inline struct work *own_work(void)
{
	struct ring_control *control = own_ring();

	return control ? work_of(control) : 0;
}

/*
 * Where the packet's record is made: at the ring's head, or in the work area when the ring is
 * full. Read from memory, so that the verifier has one path to look at and not two.
 */
static __always_inline struct packet_record *own_record(struct ring_control *control)
{
	__u32 at = READ(work_of(control)->at);

	return at <= RING_HEADER + config.ring_size ? (struct packet_record *)((char *)control + at) : 0;
}

static __always_inline void place_record(struct ring_control *control, bool full)
{
	struct work *work = work_of(control);

	WRITE(work->full, full);
	WRITE(work->at, RING_HEADER + ((__u32)control->head & (config.ring_size - 1)));
	if (full)
		WRITE(work->at, WORK_OFFSET);
}

/* The network namespace of the packet's device. The context is the kernel's own structure. */
static __always_inline __u32 netns_of(struct __sk_buff *skb)
{
	return config.netns ?: BPF_CORE_READ((struct sk_buff *)skb, dev, nd_net.net, ns.inum);
}

__noinline int count_loss(struct __sk_buff *skb, __u32 cause)
{
	struct loss_key key = { .netns = netns_of(skb), .ifindex = skb->ifindex, .cause = cause };
	__u64 zero = 0, *count;

	bpf_map_update_elem(&losses, &key, &zero, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&losses, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

#endif
