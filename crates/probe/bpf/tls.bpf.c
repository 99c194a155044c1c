// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TLS secrets, read where a process hands them to the function that writes key logs. One program
 * for every library: the attachment's cookie names the description of where the values lie.
 * An object of its own, loaded only when secrets are asked for (src/tls.rs).
 *
 * Oldest kernel: 5.15 (bpf_get_attach_cookie). Before 6.6 without uprobe_multi, before 6.0
 * without sleeping: a value on a page that is not in memory is missed then, and counted.
 */
#include "kernel.h"
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "abi.h"

#define SECRETS_SIZE (1 << 19)
#define SECRETS_STEP (SECRETS_SIZE / 16)
#define UNREADABLE(hook) __sync_fetch_and_add(&(hook)->unreadable, 1)

const volatile struct tls_config config = {};

/*
 * Where each function that is hooked has its values, by cookie. Written by user space before
 * the attachment is made; the counters are written here. Bounded by what user space attaches.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TLS_HOOKS_MAX);
	__type(key, __u32);
	__type(value, struct tls_hook);
} hooks SEC(".maps");

/*
 * Cookies of functions that processes hit by breakpoints. Written and emptied by user space, read
 * here. When full: the processes that come next have none.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TLS_BREAKPOINTS_MAX);
	__type(key, struct tls_breakpoint);
	__type(value, __u32);
} breakpoints SEC(".maps");

/* Secrets on their way to user space, 1,200 at a time. When full: `lost` of the hook. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SECRETS_SIZE);
} secrets SEC(".maps");

/* Reads user memory. A page that is not there is waited for, where programs may sleep. */
static __always_inline long read_user(void *to, __u32 size, __u64 from, bool may_sleep)
{
	long failed = bpf_probe_read_user(to, size, (const void *)from);

	if (failed && may_sleep)
		failed = bpf_copy_from_user(to, size, (const void *)from);
	return failed;
}

static __always_inline long register_at(void *regs, __u16 offset, __u64 *value)
{
	return bpf_probe_read_kernel(value, sizeof(*value), (char *)regs + (offset & 511));
}

/* The address that a place stands for. */
static __always_inline long locate(void *regs, const struct tls_place *place, __u64 *address,
				   bool may_sleep)
{
	if (register_at(regs, place->reg, address))
		return -1;
	for (__u32 i = 0; i < TLS_STEPS_MAX; i++) {
		if (i >= place->steps)
			break;
		if (read_user(address, sizeof(*address), *address + place->step[i], may_sleep))
			return -1;
	}
	*address += place->add;
	return 0;
}

/* A text's bytes up to its NUL, or as many as a register says: label_len, 0 when unreadable. */
static __always_inline void read_label(void *regs, const struct tls_operand *operand,
				       struct tls_secret *secret, bool may_sleep)
{
	__u64 address, length;
	__u8 touched;
	long got;

	if (locate(regs, &operand->place, &address, may_sleep))
		return;
	if (operand->kind == TLS_SIZED) {
		if (register_at(regs, operand->length_reg, &length))
			return;
		length = (__u32)length;
		if (length >= TLS_LABEL_MAX)
			return;
		if (!read_user(secret->label, length & (TLS_LABEL_MAX - 1), address, may_sleep))
			secret->label_len = length;
		return;
	}
	got = bpf_probe_read_user_str(secret->label, TLS_LABEL_MAX, (const void *)address);
	if (got < 0 && may_sleep) {
		/* Bring the page in, and the next one if the text may reach it. */
		bpf_copy_from_user(&touched, 1, (const void *)address);
		bpf_copy_from_user(&touched, 1, (const void *)(address + TLS_LABEL_MAX - 1));
		got = bpf_probe_read_user_str(secret->label, TLS_LABEL_MAX, (const void *)address);
	}
	if (got > 0)
		secret->label_len = got - 1;
}

static __always_inline void read_secret(void *regs, const struct tls_operand *operand,
					struct tls_secret *secret, bool may_sleep)
{
	__u64 address, length = operand->length;

	if (operand->kind == TLS_SIZED && register_at(regs, operand->length_reg, &length))
		return;
	length = (__u32)length;
	/* One more than there is room for tells user space that it is none. */
	if (length >= TLS_SECRET_MAX || locate(regs, &operand->place, &address, may_sleep))
		return;
	if (!read_user(secret->secret, length & (TLS_SECRET_MAX - 1), address, may_sleep))
		secret->secret_len = length;
}

static __always_inline void describe(struct tls_secret *secret)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	__u64 id = bpf_get_current_pid_tgid();

	secret->time = bpf_ktime_get_ns();
	secret->start = BPF_CORE_READ(leader, start_boottime);
	secret->cgroup = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
	secret->pid = id >> 32;
	secret->tid = (__u32)id;
	secret->uid = (__u32)bpf_get_current_uid_gid();
	BPF_CORE_READ_STR_INTO(&secret->name, leader, comm);
	bpf_probe_read_kernel_str(secret->exe, sizeof(secret->exe),
				  BPF_CORE_READ(leader, mm, exe_file, f_path.dentry, d_name.name));
	if (!config.ancestors)
		return;
	for (__u32 i = 0; i < TLS_ANCESTORS_MAX; i++) {
		leader = BPF_CORE_READ(leader, real_parent, group_leader);
		if (!leader)
			break;
		secret->ancestors[i] = BPF_CORE_READ(leader, tgid);
		if (secret->ancestors[i] <= 1)
			break;
	}
}

static __always_inline int tell(void *regs, __u32 cookie, bool may_sleep)
{
	__u32 index = cookie & TLS_HOOK_INDEX;
	struct tls_hook *hook = bpf_map_lookup_elem(&hooks, &index);
	struct tls_secret *secret;
	__u64 address, waiting;
	bool many;

	if (!hook)
		return 0;
	secret = bpf_ringbuf_reserve(&secrets, sizeof(*secret), 0);
	if (!secret) {
		__sync_fetch_and_add(&hook->lost, 1);
		return 0;
	}
	__builtin_memset(secret, 0, sizeof(*secret));
	secret->hook = cookie;
	read_label(regs, &hook->label, secret, may_sleep);
	read_secret(regs, &hook->secret, secret, may_sleep);
	if (!secret->label_len || !secret->secret_len ||
	    locate(regs, &hook->client_random.place, &address, may_sleep) ||
	    read_user(secret->client_random, sizeof(secret->client_random), address, may_sleep)) {
		UNREADABLE(hook);
		bpf_ringbuf_discard(secret, BPF_RB_NO_WAKEUP);
		return 0;
	}
	describe(secret);
	/*
	 * The reader looks by itself; to wake it costs the handshake more than all the rest. When
	 * many secrets wait it is woken, but by one of them in a step, not by all.
	 */
	waiting = bpf_ringbuf_query(&secrets, BPF_RB_AVAIL_DATA);
	many = waiting > SECRETS_SIZE / 4 && waiting % SECRETS_STEP < sizeof(*secret);
	bpf_ringbuf_submit(secret, many ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("uprobe.multi.s")
int tls_multi(void *ctx)
{
	return tell(ctx, bpf_get_attach_cookie(ctx), true);
}

SEC("uprobe.s")
int tls_sleeping(void *ctx)
{
	return tell(ctx, bpf_get_attach_cookie(ctx), true);
}

SEC("uprobe")
int tls_plain(void *ctx)
{
	return tell(ctx, bpf_get_attach_cookie(ctx), false);
}

/*
 * The same by a breakpoint of the processor, in one process: it stands at once, while the kernel
 * makes those who would fork wait for some milliseconds before it hooks a file.
 * Oldest kernel: 5.13 (inherited by threads alone). Without it: nothing until the file is hooked.
 */
SEC("perf_event")
int tls_breakpoint(struct bpf_perf_event_data *ctx)
{
	struct tls_breakpoint at = {};
	void *regs;
	__u32 *cookie;

	/* The verifier shows this context's registers one by one; here their number is not constant. */
	if (bpf_probe_read_kernel(&regs, sizeof(regs), ctx))
		return 0;
	at.address = ctx->addr;
	at.pid = bpf_get_current_pid_tgid() >> 32;
	cookie = bpf_map_lookup_elem(&breakpoints, &at);
	return cookie ? tell(regs, *cookie, false) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
