// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Processes come, change and go: the events by which user space knows their names, in time
 * order with the packets, and by which the filter's terms about owners follow them without a gap.
 *
 * Oldest kernel: 5.10.
 */
/* One event under construction; tracepoints run with preemption off. */
struct event_buffer {
	struct process_event event;
	char text[EXE_MAX + ARGS_MAX];
	char called[EXE_MAX]; /* not sent */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct event_buffer);
} scratch SEC(".maps");

static __always_inline void lose_event(void)
{
	struct reader_state *shared = reader_state();

	if (shared)
		__sync_fetch_and_add(&shared->lost_events, 1);
}

static __always_inline void send(void *record, __u32 size)
{
	if (bpf_ringbuf_output(&events, record, size, BPF_RB_NO_WAKEUP))
		lose_event();
}

static __always_inline void describe(struct process_event *event, __u16 kind,
				     struct task_struct *leader, struct task_struct *parent)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->kind = kind;
	event->version = ABI_VERSION;
	event->time = bpf_ktime_get_ns();
	event->start = BPF_CORE_READ(leader, start_boottime);
	event->pid = BPF_CORE_READ(leader, tgid);
	event->uid = BPF_CORE_READ(leader, cred, uid.val);
	event->parent_pid = BPF_CORE_READ(parent, tgid);
	event->parent_start = BPF_CORE_READ(parent, group_leader, start_boottime);
	event->cgroup = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_STR_INTO(&event->name, leader, comm);
}

static __always_inline bool are_followed(void)
{
	return config.filter_mask & (TERMS_PROCESS | TERMS_PARENT | TERMS_CONTAINER);
}

/* Enters what is true of the process of an event. */
static __always_inline void answer(const struct process_event *event, __u64 is)
{
	struct process_key key = { .start = event->start, .pid = event->pid };
	struct process_answer entry = {
		.is = is,
		.parent = { .start = event->parent_start, .pid = event->parent_pid },
		.cgroup = event->cgroup,
	};
	struct process_answer *known = bpf_map_lookup_elem(&processes, &key);

	/* The child of the one that forked it, whoever has taken it over since. */
	if (known)
		entry.parent = known->parent;
	if (bpf_map_update_elem(&processes, &key, &entry, BPF_ANY))
		lose_event();
}

static __always_inline __u64 answer_of(__u64 start, __u32 pid)
{
	struct process_key key = { .start = start, .pid = pid };
	struct process_answer *found = bpf_map_lookup_elem(&processes, &key);

	return found ? found->is : 0;
}

static __always_inline __u64 terms_of_name(const struct name_key *name)
{
	__u64 *terms = bpf_map_lookup_elem(&names, name);

	return terms ? *terms : 0;
}

static __always_inline __u64 terms_of_comm(const char *comm)
{
	struct name_key name = {};

	__builtin_memcpy(name.name, comm, NAME_LEN);
	return terms_of_name(&name);
}

/* Terms that ask for the process's name, or the full name of its executable or script. */
static __always_inline __u64 terms_of_exec(struct process_event *event, struct linux_binprm *bprm,
					   char *called)
{
	struct name_key name = {};
	const unsigned char *file;
	__u32 base = 0;
	__u64 terms;
	long got;

	terms = terms_of_comm(event->name);
	file = BPF_CORE_READ(bprm, file, f_path.dentry, d_name.name);
	bpf_probe_read_kernel_str(name.name, sizeof(name.name), file);
	terms |= terms_of_name(&name);
	got = bpf_probe_read_kernel_str(called, EXE_MAX, bprm->filename);
	/* Backwards from the end: a base name too long for a key cannot be wanted. */
	for (__u32 i = 2; i < LONG_NAME_LEN + 2; i++) {
		__u32 at = (__u32)got - i;

		if (at >= EXE_MAX)
			break;
		if (called[at] == '/') {
			base = at + 1;
			break;
		}
	}
	__builtin_memset(&name, 0, sizeof(name));
	bpf_probe_read_kernel_str(name.name, sizeof(name.name), bprm->filename + base);
	return terms | terms_of_name(&name);
}

/* Since 5.5: the new image is in place, current is the process, its name is set. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct event_buffer *buffer;
	unsigned long start, length;
	__u32 zero = 0, exe_len;
	long got;

	buffer = bpf_map_lookup_elem(&scratch, &zero);
	if (!buffer)
		return 0;
	describe(&buffer->event, KIND_EXEC, leader, BPF_CORE_READ(leader, real_parent));
	got = bpf_probe_read_kernel_str(buffer->text, EXE_MAX, bprm->interp);
	exe_len = got > 0 ? got : 0;
	if (exe_len > EXE_MAX)
		exe_len = EXE_MAX;
	buffer->event.exe_len = exe_len;
	buffer->event.exe_cut = exe_len == EXE_MAX;
	start = BPF_CORE_READ(task, mm, arg_start);
	length = BPF_CORE_READ(task, mm, arg_end) - start;
	if (length > ARGS_MAX) {
		length = ARGS_MAX;
		buffer->event.args_cut = 1;
	}
	if (length && !bpf_probe_read_user(buffer->text + exe_len, length, (void *)start))
		buffer->event.args_len = length;
	else
		length = 0;
	buffer->event.size = sizeof(buffer->event) + exe_len + length;
	if (are_followed()) {
		__u64 is = answer_of(buffer->event.start, buffer->event.pid);

		/* What the old name has brought goes with it, but for what is followed. */
		is &= ~config.inherited | config.followed;
		is |= terms_of_exec(&buffer->event, bprm, buffer->called);
		answer(&buffer->event, is);
	}
	send(buffer, sizeof(buffer->event) + exe_len + length);
	return 0;
}

/* A new process (not a mere thread) inherits name and image. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct process_event event;

	if (child->pid != child->tgid)
		return 0;
	describe(&event, KIND_FORK, child, parent);
	if (are_followed()) {
		__u64 is = answer_of(event.parent_start, event.parent_pid);

		is &= config.inherited | config.followed;
		is |= terms_of_number(&pids, event.pid);
		is |= terms_of_number(&parent_pids, event.parent_pid);
		answer(&event, is);
	}
	send(&event, sizeof(event));
	return 0;
}

/* The last thread of a process is gone. Its entry in `processes` stays for its last packets. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	struct process_event event;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	describe(&event, KIND_EXIT, leader, BPF_CORE_READ(leader, real_parent));
	send(&event, sizeof(event));
	return 0;
}

/* prctl(PR_SET_NAME) and writes to /proc/PID/comm, of the process, not of its threads. */
SEC("tp_btf/task_rename")
int BPF_PROG(task_rename, struct task_struct *task, const char *comm)
{
	struct process_event event;

	if (task->pid != task->tgid)
		return 0;
	describe(&event, KIND_RENAME, task, BPF_CORE_READ(task, real_parent));
	__builtin_memset(event.name, 0, sizeof(event.name));
	bpf_probe_read_kernel_str(event.name, sizeof(event.name), comm);
	if (are_followed()) {
		__u64 terms = terms_of_comm(event.name);

		if (terms)
			answer(&event, answer_of(event.start, event.pid) | terms);
	}
	send(&event, sizeof(event));
	return 0;
}

/*
 * A cgroup and its path. The reader is woken: it has a name to ask a container runtime for, and
 * a container may be gone in a moment.
 */
static __always_inline void send_cgroup(struct event_buffer *buffer, struct cgroup *cgroup,
					const char *path)
{
	long got = bpf_probe_read_kernel_str(buffer->text, CGROUP_PATH_MAX, path);
	__u32 length = got > 0 ? got : 0;

	if (length > CGROUP_PATH_MAX)
		length = CGROUP_PATH_MAX;
	buffer->event.cgroup = BPF_CORE_READ(cgroup, root, hierarchy_id) ?
			       0 : BPF_CORE_READ(cgroup, kn, id);
	buffer->event.args_len = length;
	buffer->event.size = sizeof(buffer->event) + length;
	if (bpf_ringbuf_output(&events, buffer, sizeof(buffer->event) + length,
			       BPF_RB_FORCE_WAKEUP))
		lose_event();
}

/* Since 5.5. A container's is made before its first process runs. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	struct event_buffer *buffer;
	__u32 zero = 0;

	if (BPF_CORE_READ(cgroup, root, hierarchy_id))
		return 0;
	buffer = bpf_map_lookup_elem(&scratch, &zero);
	if (!buffer)
		return 0;
	__builtin_memset(&buffer->event, 0, sizeof(buffer->event));
	buffer->event.kind = KIND_NEW_CGROUP;
	buffer->event.version = ABI_VERSION;
	buffer->event.time = bpf_ktime_get_ns();
	send_cgroup(buffer, cgroup, path);
	return 0;
}

/* Since 5.5. A process enters a container, at its start or by `exec` of a runtime. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_attach_task, struct cgroup *cgroup, const char *path,
	     struct task_struct *task, bool threadgroup)
{
	struct event_buffer *buffer;
	__u32 zero = 0;

	if (task->pid != task->tgid)
		return 0;
	buffer = bpf_map_lookup_elem(&scratch, &zero);
	if (!buffer)
		return 0;
	describe(&buffer->event, KIND_MOVED, task, BPF_CORE_READ(task, real_parent));
	if ((config.filter_mask & TERMS_CONTAINER) && !BPF_CORE_READ(cgroup, root, hierarchy_id)) {
		buffer->event.cgroup = BPF_CORE_READ(cgroup, kn, id);
		answer(&buffer->event, answer_of(buffer->event.start, buffer->event.pid));
	}
	send_cgroup(buffer, cgroup, path);
	return 0;
}

/* What runs already: one process_event per process, read from the iterator's file. */
SEC("iter/task")
int existing_processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct process_event event;

	if (!task || task->pid != task->tgid)
		return 0;
	describe(&event, KIND_EXISTING, task, BPF_CORE_READ(task, real_parent));
	bpf_seq_write(ctx->meta->seq, &event, sizeof(event));
	return 0;
}
