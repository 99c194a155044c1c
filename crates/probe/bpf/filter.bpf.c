// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The filter's terms about owners: what each comes to for a packet whose owners are known, and
 * the way to the program that decides with it.
 *
 * That second program is made from the user's expression, as the first one on the device, and
 * hangs in `deciders`. It reads struct decision, and lets the capture programs go on (resume_…)
 * or ends the packet's way here, clearing `busy`. A term that cannot be answered here lets the
 * packet pass to user space, which decides.
 *
 * Oldest kernel: 5.10 (on arm64: 6.0, for tail calls beside function calls).
 */

/* The second filter programs. Written by user space; its bound is FILTERS in filter.rs. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1024);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} deciders SEC(".maps");

/*
 * Device and direction -> place in `deciders`. Written by user space before it attaches to a
 * device. When full user space decides.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct device_key);
	__type(value, __u32);
} decider_of SEC(".maps");

static __always_inline struct decision *decision_of(struct ring_control *control)
{
	return (struct decision *)((char *)control + DECISION_OFFSET);
}

struct answers {
	__u64 known;
	__u64 is;
};

/* What the terms come to for one owner. Nobody is nothing: that is known of every term. */
static __always_inline struct answers answers_of(const struct owner *who)
{
	struct answers answers = { .known = ~0ULL };

	if (who->sure == SURE_NOT)
		return answers;
	answers.known = config.by_uid | config.by_tid;
	if (config.filter_mask & TERMS_UID)
		answers.is |= terms_of_number(&uids, who->uid);
	if (config.filter_mask & TERMS_TID)
		answers.is |= terms_of_number(&tids, who->tid);
	if (config.filter_mask & (TERMS_PROCESS | TERMS_PARENT | TERMS_CONTAINER)) {
		struct process_key key = { .start = who->start, .pid = who->pid };
		struct process_answer *process = bpf_map_lookup_elem(&processes, &key);

		if (process) {
			answers.known |= config.by_process;
			answers.is |= process->is & config.by_process;
		}
		if (process && (config.filter_mask & TERMS_CONTAINER)) {
			__u64 id = process->cgroup;
			struct cgroup_answer *cgroup = bpf_map_lookup_elem(&cgroups, &id);

			if (cgroup) {
				answers.known |= cgroup->known;
				answers.is |= cgroup->is;
			}
		}
		if (process && (config.filter_mask & TERMS_PARENT)) {
			struct process_key parent = process->parent;

			process = bpf_map_lookup_elem(&processes, &parent);
			if (process) {
				answers.known |= config.by_parent;
				answers.is |= process->is & config.by_parent;
			}
		}
	}
	return answers;
}

/* Weighs the packet's owners against all terms, into struct decision. */
__noinline int weigh_owners(void)
{
	struct ring_control *control = own_ring();
	struct answers sender, receiver, near, far;
	struct decision *decision;
	bool near_known, egress;
	struct work *work;

	if (!control)
		return 0;
	work = work_of(control);
	egress = work->egress;
	decision = decision_of(control);
	sender = answers_of(&work->who[FROM]);
	receiver = answers_of(&work->who[TO]);
	near = egress ? sender : receiver;
	far = egress ? receiver : sender;
	near_known = work->who[egress ? FROM : TO].sure != SURE_NOT;
	/* The far end is the own one when it is the only one that is known. */
	if (!near_known) {
		near = far;
		far.known = ~0ULL;
		far.is = 0;
	}
	decision->is = (config.either & (sender.is | receiver.is)) |
		       (config.sender & sender.is) | (config.receiver & receiver.is) |
		       (config.own & near.is) | (config.other & far.is);
	decision->known = (config.either & ((sender.known & receiver.known) | sender.is |
					    receiver.is)) |
			  (config.sender & sender.known) | (config.receiver & receiver.known) |
			  (config.own & near.known) | (config.other & far.known);
	decision->undecided = 0;
	return 0;
}

/* Comes back only when there is nobody to ask. */
static __always_inline void ask_filter(struct __sk_buff *skb, __u32 netns, bool egress)
{
	struct device_key key = { .netns = netns, .ifindex = skb->ifindex << 1 | egress };
	__u32 *place;

	weigh_owners();
	place = bpf_map_lookup_elem(&decider_of, &key);
	if (place)
		bpf_tail_call(skb, &deciders, *place);
}
