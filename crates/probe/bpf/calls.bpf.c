// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who receives, and who writes to a connection, where no tracepoint tells (before 6.3): the functions
 * through which every receive on an internet socket goes, and what they have come to, and those through
 * which all goes that TCP is to send. A part of owner.bpf.c.
 *
 * Oldest kernel: 5.12, where such programs may look into sockets' storage; arm64's can look into
 * functions since 6.4.
 */

static __always_inline void has_received(struct socket *socket)
{
	struct sock *sk = socket->sk;

	if (sk)
		claim_use(sk, 0);
}

#define ON_WRITE(name)                                                                            \
	SEC("fentry/" #name) int BPF_PROG(name, struct sock *sk)                                  \
	{                                                                                         \
		claim_use(sk, 0);                                                                 \
		return 0;                                                                         \
	}
ON_WRITE(tcp_sendmsg)
/* sendfile(2), splice(2), and TLS in the kernel. */
ON_WRITE(do_tcp_sendpages)

#define ON_RECEIVE(name)                                                                          \
	SEC("fexit/" #name)                                                                       \
	int BPF_PROG(name, struct socket *socket, void *message, __u64 size, int flags, int ret) \
	{                                                                                         \
		if (ret >= 0)                                                                     \
			has_received(socket);                                                     \
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
		has_received(socket);
	return 0;
}
