// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who sends and receives, where no tracepoint tells (before 6.3), or tells too late for the first packet
 * (before what looks at packets may ask for the current task): the functions through which every call
 * on an internet socket goes. Who sends is the owner before anything is sent; who receives when
 * something was received. A part of owner.bpf.c.
 *
 * Oldest kernel: 5.12, where such programs may look into sockets' storage; arm64's can look into
 * functions since 6.4.
 */

static __always_inline void is_used(struct socket *socket)
{
	struct sock *sk = socket->sk;

	if (sk)
		claim_socket(sk, PROVEN);
}

#define ON_SEND(name)                                                                             \
	SEC("fentry/" #name) int BPF_PROG(name, struct socket *socket)                            \
	{                                                                                         \
		is_used(socket);                                                                  \
		return 0;                                                                         \
	}
ON_SEND(inet_sendmsg)
ON_SEND(inet6_sendmsg)
/* sendfile(2) and splice(2); until 6.4, from then on they call the others. */
ON_SEND(inet_sendpage)

#define ON_RECEIVE(name)                                                                          \
	SEC("fexit/" #name)                                                                       \
	int BPF_PROG(name, struct socket *socket, void *message, __u64 size, int flags, int ret) \
	{                                                                                         \
		if (ret >= 0)                                                                     \
			is_used(socket);                                                          \
		return 0;                                                                         \
	}
ON_RECEIVE(inet_recvmsg)
ON_RECEIVE(inet6_recvmsg)

/* splice(2) from a connection. */
SEC("fexit/tcp_splice_read")
int BPF_PROG(tcp_splice_read, struct socket *socket, void *offset, void *pipe, __u64 size,
	     unsigned int flags, long ret)
{
	if (ret >= 0)
		is_used(socket);
	return 0;
}
