// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who owns a socket: written into the socket itself at every point where the process that
 * uses it is the current task. Never guesses from softirq.
 *
 * Oldest kernel: 5.10 for the cgroup hooks; what a kernel lacks is left out by name, see
 * `HOOKS` in hooks.rs.
 */

/*
 * Thread group (upper half) and thread of the current task. Programs that look at packets may ask for
 * the task since Linux 5.15, for its numbers since 6.10 and 6.12: those are read.
 */
static __always_inline __u64 current_id(void)
{
	struct task_struct *task;

	if (!config.asks_current)
		return bpf_get_current_pid_tgid();
	task = bpf_get_current_task_btf();
	return (__u64)task->tgid << 32 | (__u32)task->pid;
}

/* What is known of whoever makes or uses a socket. Where not every use is seen, another may have it by now. */
#define SURE_OF_USE (config.unseen ? SURE_GUESS : SURE_EXACT)

static __always_inline void fill_current(struct owner *who, __u64 id, struct task_struct *task,
					 __u32 sure)
{
	who->start = BPF_CORE_READ(task, group_leader, start_boottime);
	who->pid = id >> 32;
	who->tid = (__u32)id;
	/* Read, not asked for: egress programs may ask for neither before 6.18. */
	who->uid = BPF_CORE_READ(task, cred, uid.val);
	bpf_core_read(who->thread, sizeof(who->thread), &task->comm);
	who->sure = sure;
}

/*
 * The current task uses this socket: it is the owner now. `proof`: PROVEN, or 0. Is it another process
 * than before?
 */
static __always_inline bool claim(struct sock_owner *socket, __u32 proof)
{
	__u64 id = current_id();
	struct task_struct *task;
	bool is_other;

	if (socket->who.pid == id >> 32 && socket->who.tid == (__u32)id &&
	    socket->who.sure == SURE_OF_USE && !(socket->flags & FROM_ITERATOR)) {
		if (proof & ~socket->flags)
			socket->flags |= proof;
		return false;
	}
	task = (struct task_struct *)bpf_get_current_task();
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return false;
	/* Lost the race: another thread that uses the socket at this moment claims it. */
	if (!begin_writing(socket))
		return false;
	is_other = socket->who.sure != SURE_NOT && socket->who.pid != id >> 32;
	if (!socket->netns)
		socket->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	fill_current(&socket->who, id, task, SURE_OF_USE);
	socket->flags &= ~(FROM_ITERATOR | FLOW_WRITTEN | FAR_ASKED | PROVEN);
	socket->flags |= proof;
	socket->last_flow = 0;
	socket->far_at = 0;
	end_writing(socket);
	changed();
	return is_other;
}

/*
 * A connection has another owner. What was written until now, up to this sequence number, may have yet to
 * leave, or to leave again: who wrote it is not known until it is acknowledged.
 */
static __always_inline void take_over(struct sock_owner *socket, const struct tcp_sock *tcp,
				      __u32 written)
{
	if (BPF_CORE_READ(tcp, snd_una) == written)
		return;
	socket->mixed_until = written;
	socket->flags |= MIXED;
}

/* The current task has received on this socket, is about to send, or has just sent so much. */
static __always_inline void claim_use(struct sock *sk, __u32 sent)
{
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;
	struct sock_owner *socket =
		bpf_sk_storage_get(&sock_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (socket && claim(socket, PROVEN) && sk->sk_protocol == IPPROTO_TCP &&
	    sk->sk_type == SOCK_STREAM)
		take_over(socket, tcp, BPF_CORE_READ(tcp, write_seq) - sent);
}

static __always_inline void claim_socket(void *sk, __u32 proof)
{
	struct sock_owner *socket =
		bpf_sk_storage_get(&sock_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (socket)
		claim(socket, proof);
}

/* A socket that gets another address or peer: what it sent and received until now tells nothing. */
static __always_inline void move_socket(void *sk)
{
	struct sock_owner *socket = bpf_sk_storage_get(&sock_owners, sk, 0, 0);

	if (socket) {
		socket->flags &= ~(FLOW_WRITTEN | FAR_ASKED);
		WRITE(socket->far_at, 0);
	}
	changed();
}

#include "multipath.bpf.c"
#include "listening.bpf.c"

/* The context is the kernel's own structure; the program may not ask for all of it. */
static __always_inline void socket_is_bound(struct bpf_sock *ctx)
{
	struct sock_owner *socket;

	if (ctx->protocol != IPPROTO_UDP)
		return;
	socket = bpf_sk_storage_get(&sock_owners, ctx, 0, 0);
	if (socket)
		remember_bound((struct sock *)ctx, IPPROTO_UDP, socket);
}

/* Sockets as they are made, bound, connected: the cgroup hooks run in the caller's context. */

#define ON_SOCK(name, section)                                                                    \
	SEC(section) int name(struct bpf_sock *ctx)                                               \
	{                                                                                         \
		claim_socket(ctx, 0);                                                             \
		move_socket(ctx);                                                                 \
		socket_is_bound(ctx);                                                             \
		return 1;                                                                         \
	}
#define ON_ADDRESS(name, section)                                                                 \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                          \
	{                                                                                         \
		struct bpf_sock *sk = ctx->sk;                                                    \
                                                                                                  \
		if (sk)                                                                           \
			claim_socket(sk, PROVEN);                                                 \
		return 1;                                                                         \
	}

SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *ctx)
{
	struct sock_owner *socket;

	claim_socket(ctx, 0);
	changed();
	if (!is_raw(ctx->type, ctx->protocol))
		return 1;
	socket = bpf_sk_storage_get(&sock_owners, ctx, 0, 0);
	if (socket)
		remember_raw(socket, ctx->family, ctx->protocol);
	return 1;
}

ON_SOCK(post_bind4, "cgroup/post_bind4")
ON_SOCK(post_bind6, "cgroup/post_bind6")
#define ON_CONNECT(name, section)                                                                 \
	SEC(section) int name(struct bpf_sock_addr *ctx)                                          \
	{                                                                                         \
		struct bpf_sock *sk = ctx->sk;                                                    \
                                                                                                  \
		if (sk) {                                                                         \
			claim_socket(sk, 0);                                                      \
			move_socket(sk);                                                          \
		}                                                                                 \
		return 1;                                                                         \
	}
ON_CONNECT(connect4, "cgroup/connect4")
ON_CONNECT(connect6, "cgroup/connect6")
ON_ADDRESS(sendmsg4, "cgroup/sendmsg4")
ON_ADDRESS(sendmsg6, "cgroup/sendmsg6")
ON_ADDRESS(recvmsg4, "cgroup/recvmsg4")
ON_ADDRESS(recvmsg6, "cgroup/recvmsg6")
/* Runs inside accept(2) when the caller asks for the peer's address. */
ON_ADDRESS(getpeername4, "cgroup/getpeername4")
ON_ADDRESS(getpeername6, "cgroup/getpeername6")

/* A socket goes: nobody receives there any more (5.9). */
SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *ctx)
{
	bool raw = is_raw(ctx->type, ctx->protocol);
	struct sock_owner *socket;
	struct flow_key key;

	changed();
	if (!raw && ctx->protocol != IPPROTO_UDP)
		return 1;
	socket = bpf_sk_storage_get(&sock_owners, ctx, 0, 0);
	if (!socket)
		return 1;
	if (raw)
		raw_flow(&key, ctx->family, ctx->protocol, socket->netns);
	else if (!is_bound((struct sock *)ctx, IPPROTO_UDP, socket, &key))
		return 1;
	forget_listening(&key, socket);
	return 1;
}

/* Internet and packet sockets: those whose packets we see. */
static __always_inline bool has_packets(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6 || family == AF_PACKET;
}

/* After every receive on any socket: whoever received is the receiver from now on (6.3). */
SEC("tp_btf/sock_recv_length")
int BPF_PROG(sock_recv_length, struct sock *sk, int ret, int flags)
{
	if (ret >= 0 && has_packets(sk))
		claim_use(sk, 0);
	return 0;
}

/*
 * What is written to a connection may leave later, in a softirq, where the window or a wait for more has held
 * it back: the writer is the sender before that. Of TCP's alone (6.16)…
 */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_sendmsg_locked, struct sock *sk)
{
	claim_use(sk, 0);
	return 0;
}

/* …and of all sends, as soon as they are done (6.3). What is no connection sends at once. */
SEC("tp_btf/sock_send_length")
int BPF_PROG(sock_send_length, struct sock *sk, int ret, int flags)
{
	if (ret >= 0 && has_packets(sk) && sk->sk_type == SOCK_STREAM)
		claim_use(sk, ret);
	return 0;
}

/*
 * TCP has handed over what it received. Where nothing tells of all receives. Softirqs read for the
 * kernel's own purposes, and lock nothing for a user.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(tcp_rcv_space_adjust, struct sock *sk)
{
	if (sk->sk_lock.owned)
		claim_use(sk, 0);
	return 0;
}

/* TCP connections begin and end: remember the owner by cookie, and count those of the filter. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(inet_sock_set_state, struct sock *sk, int old, int state)
{
	struct sock_owner *socket;
	struct reader_state *shared;
	__u64 cookie;

	changed();
	if (state != BPF_TCP_ESTABLISHED && state != BPF_TCP_SYN_SENT && state != BPF_TCP_CLOSE &&
	    state != BPF_TCP_LISTEN)
		return 0;
	socket = bpf_sk_storage_get(&sock_owners, sk, 0, 0);
	if (!socket)
		return 0;
	if (state == BPF_TCP_LISTEN) {
		remember_bound(sk, IPPROTO_TCP, socket);
		return 0;
	}
	if (old == BPF_TCP_LISTEN) {
		struct flow_key key;

		if (is_bound(sk, IPPROTO_TCP, socket, &key))
			forget_listening(&key, socket);
	}
	cookie = bpf_get_socket_cookie(sk); /* makes one, for TIME_WAIT to inherit */
	/*
	 * Accepted, or soon to be: it has inherited the listener's owner, but another process may
	 * accept it. No hook says which one until it uses the connection.
	 */
	if (old == BPF_TCP_SYN_RECV && state == BPF_TCP_ESTABLISHED &&
	    socket->who.sure == SURE_EXACT)
		socket->who.sure = SURE_GUESS;
	if (state == BPF_TCP_CLOSE && old != BPF_TCP_LISTEN) {
		struct owner who = socket->who;

		if (who.sure == SURE_EXACT)
			who.sure = SURE_FLOW;
		ENTER(&cookies, &cookie, &who, entered_cookies);
	}
	shared = reader_state();
	if (!config.filter_mask || !shared)
		return 0;
	if (state == BPF_TCP_CLOSE) {
		if (socket->flags & COUNTED) {
			socket->flags &= ~COUNTED;
			__sync_fetch_and_add(&shared->open_connections, -1);
		}
	} else if (!(socket->flags & COUNTED) && owner_matches(&socket->who)) {
		socket->flags |= COUNTED;
		__sync_fetch_and_add(&shared->open_connections, 1);
	}
	return 0;
}

/*
 * Sockets that were open before us: every file of every task, once, at start. A socket that
 * several processes hold open is a guess until one of them uses it. For each of them the holder
 * is told, as a process_key read from the iterator's file.
 */
SEC("iter/task_file")
int existing_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct process_key holder = {};
	struct task_struct *leader;
	struct sock_owner *socket;
	struct socket *sock;
	struct sock *sk;

	if (!task || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || !has_packets(sk))
		return 0;
	leader = BPF_CORE_READ(task, group_leader);
	holder.start = BPF_CORE_READ(leader, start_boottime);
	holder.pid = task->tgid;
	/* Where there is no room, the kernel comes back with this file. */
	if (bpf_seq_write(ctx->meta->seq, &holder, sizeof(holder)))
		return 0;
	socket = bpf_sk_storage_get(&sock_owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket)
		return 0;
	if (socket->who.sure != SURE_NOT) {
		if (!(socket->flags & FROM_ITERATOR) || socket->who.pid == task->tgid)
			return 0;
		socket->who.sure = SURE_GUESS;
		if (socket->who.start >= holder.start)
			return 0;
	} else {
		socket->who.sure = SURE_OF_USE;
	}
	socket->flags |= FROM_ITERATOR;
	socket->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	socket->who.start = holder.start;
	socket->who.pid = task->tgid;
	socket->who.tid = task->tgid;
	socket->who.uid = BPF_CORE_READ(task, cred, uid.val);
	BPF_CORE_READ_STR_INTO(&socket->who.thread, leader, comm);
	if (is_raw(sk->sk_type, sk->sk_protocol))
		remember_raw(socket, sk->__sk_common.skc_family, sk->sk_protocol);
	else if (sk->sk_protocol == IPPROTO_UDP ||
		 (sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state == BPF_TCP_LISTEN))
		remember_bound(sk, sk->sk_protocol, socket);
	bpf_get_socket_cookie(sk);
	return 0;
}

#include "calls.bpf.c"
