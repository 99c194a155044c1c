// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The capture programs: reached by a tail call from the filter program once it has matched.
 * They ask who sends and who receives, and write one record into the ring of their CPU.
 *
 * Oldest kernel: 5.10.
 * They change nothing in the packet and let every other program on the hook run.
 */
#define ADDRESSES 12 /* of the Ethernet header, before the tag */

/*
 * Where the filter programs, and the capture programs among themselves, jump to; filled by
 * libbpf when this object is loaded. The slots are those of filter.rs: for the first filter
 * program by direction and kind of device, for the second by kind of device, and for what the
 * first refuses.
 */
int ingress_ethernet(struct __sk_buff *skb);
int egress_ethernet(struct __sk_buff *skb);
int ingress_raw(struct __sk_buff *skb);
int egress_raw(struct __sk_buff *skb);
int resume_ethernet(struct __sk_buff *skb);
int resume_raw(struct __sk_buff *skb);
int seek_ends(struct __sk_buff *skb);

#define SLOT_SEEK 6
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 9);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} matched SEC(".maps") = {
	.values = {
		[0] = (void *)&ingress_ethernet,
		[1] = (void *)&egress_ethernet,
		[2] = (void *)&ingress_raw,
		[3] = (void *)&egress_raw,
		[4] = (void *)&resume_ethernet,
		[5] = (void *)&resume_raw,
		[SLOT_SEEK] = (void *)&seek_ends,
		[7] = (void *)&sent_ethernet,
		[8] = (void *)&sent_raw,
	},
};

static __always_inline void ring_doorbell(struct ring_control *control, __u64 head)
{
	struct reader_state *shared = reader_state();
	__u64 bell;

	if (!shared || !READ(shared->sleeping) || head - READ(control->tail) < shared->wake_bytes)
		return;
	WRITE(shared->sleeping, 0);
	bell = KIND_DOORBELL;
	bell = (bell << 32) | sizeof(bell);
	bpf_ringbuf_output(&events, &bell, sizeof(bell), BPF_RB_FORCE_WAKEUP);
}

/* Store-release of the head: the record must be seen before it. */
static __always_inline void publish(struct ring_control *control, __u64 head)
{
	barrier();
#if defined(__TARGET_ARCH_arm64)
	__sync_fetch_and_add(&control->head, head - control->head);
#else
	WRITE(control->head, head);
#endif
}

/* Copy the first cap_len bytes of the packet, with the VLAN tag back where the wire had it. */
static __always_inline long copy_packet(struct __sk_buff *skb, char *to, __u32 cap_len, bool tagged)
{
	__u32 last;
	__u16 tag[2];

	if (!tagged || cap_len <= ADDRESSES)
		return bpf_skb_load_bytes(skb, 0, to, cap_len);
	if (bpf_skb_load_bytes(skb, 0, to, ADDRESSES))
		return -1;
	tag[0] = skb->vlan_proto;
	tag[1] = bpf_htons(skb->vlan_tci);
	__builtin_memcpy(to + ADDRESSES, tag, sizeof(tag));
	/* A cut within the tag: what was written beyond lies in the record's padding. */
	if (cap_len <= ADDRESSES + VLAN_TAG)
		return 0;
	last = cap_len - ADDRESSES - VLAN_TAG - 1;
	asm volatile("" : "+r"(last));
	if (last >= config.snaplen)
		return -1;
	asm volatile("" : "+r"(last));
	return bpf_skb_load_bytes(skb, ADDRESSES, to + ADDRESSES + VLAN_TAG, last + 1);
}

#include "filter.bpf.c"

/* Has the device taken the VLAN tag out of the packet? `l3`: as in struct work. */
static __always_inline bool is_tagged(struct __sk_buff *skb, __u32 l3)
{
	return l3 && READ(skb->vlan_present);
}

/* The ring's control page has been spoilt: no record can be made where it says. */
static __always_inline int unreadable(struct __sk_buff *skb, struct ring_control *control)
{
	control->lost_unreadable++;
	count_loss(skb, LOST_UNREADABLE);
	WRITE(control->busy, 0);
	return TCX_NEXT;
}

/* Are these the owners of the record before? What stands beside an unknown one may differ. */
static __always_inline bool is_said(const struct work *work)
{
	const __u64 *who = (const __u64 *)work->who, *said = (const __u64 *)work->said;
	__u64 differ = 0;

	for (__u32 i = 0; i < sizeof(struct owner_pair) / sizeof(*who); i++)
		differ |= READ(who[i]) ^ READ(said[i]);
	return !differ;
}

/*
 * The owners, unless the record before has told them, and the packet's bytes. The record's length
 * in bytes; 0: the packet cannot be read.
 */
static __always_inline __u32 fill(struct __sk_buff *skb, struct work *work,
				  struct packet_record *record, __u32 l3)
{
	__u32 last = READ(work->cap_len) - 1;
	__u32 before = sizeof(*record);

	record->owners = !is_said(work);
	if (record->owners) {
		__builtin_memcpy((char *)record + before, work->who, sizeof(work->who));
		before += sizeof(work->who);
	}
	if (last >= config.snaplen)
		return 0;
	/* Before 6.8 the verifier learns that a size is not 0 from an addition alone. */
	asm volatile("" : "+r"(last));
	if (copy_packet(skb, (char *)record + before, last + 1, is_tagged(skb, l3)))
		return 0;
	if (record->owners)
		__builtin_memcpy(work->said, work->who, sizeof(work->who));
	return before + last + 1;
}

/* The last step: the record, which has its head by now, gets its bytes and is published. */
static __always_inline int store(struct __sk_buff *skb, struct ring_control *control,
				 struct packet_record *record, __u32 l3)
{
	struct work *work = work_of(control);
	__u64 head = control->head;
	__u32 length = 0;

	if (READ(work->full)) {
		control->lost_full++;
		count_loss(skb, LOST_FULL);
	} else if (!(length = fill(skb, work, record, l3))) {
		control->lost_unreadable++;
		count_loss(skb, LOST_UNREADABLE);
	} else {
		record->size = (length + 7) & ~7U;
		head += record->size;
		control->stored++;
		publish(control, head);
		ring_doorbell(control, head);
	}
	barrier();
	WRITE(control->busy, 0);
	return TCX_NEXT;
}

/* Who stands at the ends is known as far as it can be. */
static __always_inline int finish(struct __sk_buff *skb, struct ring_control *control,
				  struct packet_record *record, bool egress, __u32 l3)
{
	record->undecided = 0;
	if (config.filter_mask) {
		ask_filter(skb, record->netns, egress);
		record->undecided = 1;
	}
	return store(skb, control, record, l3);
}

/* What of the record is known of every packet. Nothing when there is no room for it. */
static __always_inline struct packet_record *begin(struct __sk_buff *skb,
						   struct ring_control *control, bool egress,
						   __u32 l3)
{
	__u32 length = skb->len + (is_tagged(skb, l3) ? VLAN_TAG : 0);
	__u32 cap_len = length < config.snaplen ? length : config.snaplen;
	__u32 size = (RECORD_HEAD_MAX + cap_len + 7) & ~7U;
	struct packet_record *record;
	struct work *work = work_of(control);

	place_record(control, control->head - READ(control->tail) + size > config.ring_size);
	record = own_record(control);
	if (!record)
		return 0;
	WRITE(work->cap_len, cap_len);
	work->netns = netns_of(skb);
	record->kind = KIND_PACKET;
	record->version = ABI_VERSION;
	record->time = bpf_ktime_get_ns();
	record->ifindex = skb->ifindex;
	record->orig_len = length;
	record->cap_len = cap_len;
	record->egress = egress;
	record->pkt_type = skb->pkt_type;
	record->netns = work->netns;
	record->awaited = 0;
	/* What stands in an owner is only looked at when somebody is known. */
	work->who[FROM].sure = SURE_NOT;
	work->who[TO].sure = SURE_NOT;
	return record;
}

/* Of the kernel (kernel/bpf/helpers.c, 6.2): fields are read without a call then. */
extern void *bpf_cast_to_kern_ctx(void *context) __ksym __weak;

/*
 * A device that is moved to another network namespace takes programs of tcx (6.6) with it, until the
 * reader hears of it: what it sees there is not what was asked for, nor is its name its own there.
 */
static __always_inline bool has_left(struct __sk_buff *skb)
{
	struct sk_buff *packet;

	if (!config.netns || !config.reads_context)
		return false;
	packet = bpf_cast_to_kern_ctx(skb);
	return packet->dev->nd_net.net->ns.inum != config.netns;
}

static __always_inline int capture(struct __sk_buff *skb, bool egress, __u32 l3)
{
	struct ring_control *control = own_ring();
	struct packet_record *record;
	struct work *work;

	if (has_left(skb))
		return TCX_NEXT;
	if (!control) {
		struct reader_state *shared = reader_state();

		if (shared)
			__sync_fetch_and_add(&shared->lost_no_ring, 1);
		count_loss(skb, LOST_BUSY);
		return TCX_NEXT;
	}
	/* Only where softirqs can be preempted (PREEMPT_RT) may we meet ourselves here. */
	if (READ(control->busy)) {
		__sync_fetch_and_add(&control->lost_busy, 1);
		count_loss(skb, LOST_BUSY);
		return TCX_NEXT;
	}
	WRITE(control->busy, 1);
	barrier();
	work = work_of(control);
	work->egress = egress;
	record = begin(skb, control, egress, l3);
	if (!record)
		return unreadable(skb, control);
	if (config.owners) {
		__u64 homes_at = skb->ifindex == LOOPBACK_IFINDEX ? 0 : generation();
		int known = from_packet(skb, egress, l3, egress ? homes_at : 0, work->who);

		if (known != BOTH_KNOWN && !(known && egress && !homes_at)) {
			work->homes_at = homes_at;
			work->l3 = l3;
			work->known = known;
			bpf_tail_call(skb, &matched, SLOT_SEEK);
		}
	}
	return finish(skb, control, record, egress, l3);
}

/* The packet's own socket does not tell who stands at its ends. */
SEC("tc")
int seek_ends(struct __sk_buff *skb)
{
	struct ring_control *control = own_ring();
	struct packet_record *record;
	struct work *work;

	if (!control)
		return TCX_NEXT;
	work = work_of(control);
	record = own_record(control);
	if (!record)
		return unreadable(skb, control);
	work->who[TO].sure = SURE_NOT;
	find_ends(skb, work);
	record->awaited = work->awaited;
	return finish(skb, control, record, work->egress, work->l3);
}

/* The second filter program lets the packet through, or cannot tell. */
static __always_inline int resume(struct __sk_buff *skb, __u32 l3)
{
	struct ring_control *control = own_ring();
	struct packet_record *record;

	if (!control)
		return TCX_NEXT;
	record = own_record(control);
	if (!record)
		return unreadable(skb, control);
	record->undecided = decision_of(control)->undecided;
	return store(skb, control, record, l3);
}

/* By direction, and by where the network header is: after an Ethernet header, or at once. */

SEC("tc")
int ingress_ethernet(struct __sk_buff *skb)
{
	return capture(skb, false, ETHERNET_HEADER);
}

SEC("tc")
int egress_ethernet(struct __sk_buff *skb)
{
	return capture(skb, true, ETHERNET_HEADER);
}

SEC("tc")
int ingress_raw(struct __sk_buff *skb)
{
	return capture(skb, false, 0);
}

SEC("tc")
int egress_raw(struct __sk_buff *skb)
{
	return capture(skb, true, 0);
}

SEC("tc")
int resume_ethernet(struct __sk_buff *skb)
{
	return resume(skb, ETHERNET_HEADER);
}

SEC("tc")
int resume_raw(struct __sk_buff *skb)
{
	return resume(skb, 0);
}
