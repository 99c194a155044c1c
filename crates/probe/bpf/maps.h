/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all programs share: maps, what the filter's terms ask for, the reading of addresses and ports.
 */
#ifndef PKTWHO_MAPS_H
#define PKTWHO_MAPS_H

#include "kernel.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "abi.h"

#define TCX_NEXT (-1) /* = TC_ACT_UNSPEC: the next program, or the stack, decides */

#define barrier() asm volatile("" ::: "memory")
#define READ(x) (*(volatile typeof(x) *)&(x))
#define WRITE(x, v) (*(volatile typeof(x) *)&(x) = (v))

/* In `flows`: of sockets that cannot be looked up from elsewhere, by an address that one namespace has. */
#define ANY_NETNS 0

/* sock_owner.flags */
#define FROM_ITERATOR 1 /* nobody has used the socket since we watch */
#define FLOW_WRITTEN 2  /* the flow of this connected socket is in `flows` */
#define COUNTED 4       /* counted in reader_state.open_connections */
#define FAR_ASKED 8     /* nobody was found at the far end, before a router has seen a packet */
#define PROVEN 16       /* the owner has sent or received with it, not only made it */
#define MIXED 32        /* what lies before mixed_until others than the owner have written */

/* Who used a socket last. Odd seq: being written. */
struct sock_owner {
	__u32 seq;
	__u32 flags;
	__u32 netns;
	__u32 writers; /* those who write, or wanted to at the same time */
	__u32 fd; /* under which the last one who sent holds it; a place to look first */
	__u32 shown; /* packets that came in with it and were remembered */
	__u32 mixed_until; /* a sequence number of TCP's */
	__u32 pad;
	__u64 last_flow; /* hash of the flow written last, for sockets with many */
	struct owner who;
	/*
	 * Who receives what this socket sends to its peer, in another network namespace of this
	 * machine: found when `far_at` was the generation, and true as long as it is.
	 */
	__u64 far_at;
	struct owner far;
};

/*
 * Begins to write an owner, unless somebody else does. Adding and looking lets one in at most:
 * who adds later sees both. Compare and exchange is of 5.12; arm64, where it orders what is
 * written after it, is supported from later kernels on.
 */
static __always_inline bool begin_writing(struct sock_owner *socket)
{
#if defined(__TARGET_ARCH_arm64)
	__u32 seq = READ(socket->seq);

	return !(seq & 1) && __sync_val_compare_and_swap(&socket->seq, seq, seq + 1) == seq;
#else
	__sync_fetch_and_add(&socket->writers, 1);
	if (READ(socket->writers) != 1) {
		__sync_fetch_and_add(&socket->writers, -1);
		return false;
	}
	WRITE(socket->seq, READ(socket->seq) + 1);
	barrier();
	return true;
#endif
}

static __always_inline void end_writing(struct sock_owner *socket)
{
	barrier();
	WRITE(socket->seq, READ(socket->seq) + 1);
#if !defined(__TARGET_ARCH_arm64)
	__sync_fetch_and_add(&socket->writers, -1);
#endif
}

/*
 * Written by the socket hooks, the tracepoints and the start-up iterator; read by the capture
 * programs. One per socket and gone with it; accepted sockets inherit the listener's.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct sock_owner);
} sock_owners SEC(".maps");

/*
 * Socket cookie -> owner, for packets of sockets that are no full sockets any more (TIME_WAIT).
 * Written when a connection closes. When full the oldest goes: such a packet falls to `flows`.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct owner);
} cookies SEC(".maps");

/*
 * Flow -> owner of its local end, in every network namespace. Written when a socket sends;
 * read when the socket itself cannot be asked. When full the oldest goes: no owner then.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct flow_key);
	__type(value, struct owner);
} flows SEC(".maps");

/*
 * What the filter's terms need to know of every process. Written by user space for what runs at
 * start, by the process tracepoints after; entries of processes that are gone are removed by
 * user space. When full: lost_events counts it, and user space decides on packets of who is
 * missing. One entry without such terms.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct process_key);
	__type(value, struct process_answer);
} processes SEC(".maps");

/*
 * Cgroup -> what the terms about containers come to there. Written by user space as it learns
 * of containers, which takes out the oldest when there are too many. Of a cgroup that is not in
 * there nothing is known: user space decides on its packets. One entry without such terms.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct cgroup_answer);
} cgroups SEC(".maps");

/* Names that terms ask for -> those terms; written at start, sized then. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct name_key);
	__type(value, __u64);
} names SEC(".maps");

/* The same for numbers: the user's, the thread's, the process's, the parent's. */
struct numbers {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};
struct numbers uids SEC(".maps");
struct numbers tids SEC(".maps");
struct numbers pids SEC(".maps");
struct numbers parent_pids SEC(".maps");

/*
 * What sockets of this CPU sent to a loopback device last, by the address of the packet's
 * buffer: the device takes the socket off the packet, and hands it in on the same CPU. A bridge does so with
 * what came in by its ports. Written by cgroup_skb/egress and by the capture programs; read by these, which compare
 * the packet's head. A place
 * that another packet has taken: the owner is looked for as anywhere else.
 */
#define SENT_PLACES 1024
#define SENT_HEAD 5
struct sent {
	__u64 buffer;
	__u32 head[SENT_HEAD]; /* of the IP header: with identification, addresses or lengths */
	__u32 pad;
	__u64 time; /* of what came in with its socket (ns) */
	struct owner who;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SENT_PLACES);
	__type(key, __u32);
	__type(value, struct sent);
} sent SEC(".maps");

/*
 * Address -> the other network namespace which has it. Written by user space, `netns` by the capture
 * programs; addresses that several namespaces equally far away have are left out, and what does
 * not fit: no far end is known there.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct home_key);
	__type(value, struct home);
} homes SEC(".maps");

/* Device -> the other network namespace which it leads to. The same. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct device_key);
	__type(value, struct beyond);
} beyond SEC(".maps");

/* The kernel's own tunnels, here and in other namespaces. The same. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct tunnel_key);
	__type(value, __u32);
} tunnels SEC(".maps");

/* Process events, and the doorbell of the rings. When full: lost_events. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* One entry, mapped by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reader_state);
} reader SEC(".maps");

const volatile struct config config = {};

static __always_inline struct reader_state *reader_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&reader, &zero);
}

/* Enters or replaces what stands there; counts what is new, so that evictions can be told. */
#define ENTER(table, key, value, count)                                                           \
	do {                                                                                      \
		struct reader_state *shared_;                                                     \
                                                                                                  \
		if (bpf_map_update_elem(table, key, value, BPF_NOEXIST))                          \
			bpf_map_update_elem(table, key, value, BPF_ANY);                          \
		else if ((shared_ = reader_state()))                                              \
			__sync_fetch_and_add(&shared_->count, 1);                                 \
	} while (0)

/*
 * Grows whenever a packet from one address to another may have another receiver than the last
 * one had. 0: nobody lives in other namespaces.
 */
static __always_inline __u64 generation(void)
{
	struct reader_state *shared = reader_state();

	if (!shared || !READ(shared->homes))
		return 0;
	return READ(shared->homes) + READ(shared->changes);
}

static __always_inline struct sent *place_of(__u64 buffer)
{
	__u32 place;

	/* The verifier counts with no pointer, only with what was copied of it as a number. */
	asm volatile("%0 = %1" : "=w"(place) : "w"((__u32)buffer));
	place = (place >> 8) % SENT_PLACES; /* buffers lie 256 bytes apart */
	return bpf_map_lookup_elem(&sent, &place);
}

static __always_inline void changed(void)
{
	struct reader_state *shared = reader_state();

	if (shared)
		__sync_fetch_and_add(&shared->changes, 1);
}

static __always_inline __u64 terms_of_number(void *numbers, __u32 number)
{
	__u64 *terms = bpf_map_lookup_elem(numbers, &number);

	return terms ? *terms : 0;
}

/* Are this process's connections counted? */
static __always_inline bool owner_matches(const struct owner *who)
{
	struct process_key key = { .start = who->start, .pid = who->pid };
	struct process_answer *found;

	if (who->sure == SURE_NOT)
		return false;
	found = bpf_map_lookup_elem(&processes, &key);
	return found && (found->is & config.counted);
}

#endif
