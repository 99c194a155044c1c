// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A process that does with sockets what it is told, one command a line, and says when it
// began and ended each: the ground truth about who used which socket. Real fork, exec and
// descriptor passing are needed, which is why this is C.
//
//   puppet CONTROL [SLOT=FD ...]      obey the listener at the unix socket CONTROL
//   puppet-like once udp ADDR PORT    send one tagged datagram and exit at once
//   puppet-like echo PORT             a child for every datagram, which sends it back and exits at once
//
// Sockets live in numbered slots. Nothing is done with them that was not asked for: even
// getpeername(2) would tell a tracer whose they are. Every command is answered by one line:
//   ok T0 T1 [words]   or   err T0 T1 words      (CLOCK_REALTIME nanoseconds)
// What is sent begins with a tag that names its sender: `pktwho pid=PID n=COUNT|`.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define SLOTS 32
#define WORDS 10
#define LONGEST 65536

static int slots[SLOTS];
static int control = -1;
static const char *control_path;
static unsigned sent;
static char line[4 * LONGEST];
static char payload[LONGEST];

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// An address of either family from its text; the length is 0 when it is none.
static socklen_t address(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(atoi(port));
		return sizeof *in;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(atoi(port));
		return sizeof *in6;
	}
	return 0;
}

static void spell(const struct sockaddr_storage *a, char *out, size_t room)
{
	char text[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *in = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;
	if (a->ss_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		snprintf(out, room, "%s:%u", text, ntohs(in->sin_port));
	} else if (a->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
		snprintf(out, room, "[%s]:%u", text, ntohs(in6->sin6_port));
	} else {
		snprintf(out, room, "-");
	}
}

// Fills the payload with this process's tag and returns its length, at least the tag's.
static size_t tagged(const char *wanted)
{
	size_t length = strtoul(wanted, NULL, 10);
	if (length > sizeof payload)
		length = sizeof payload;
	memset(payload, '.', length);
	int tag = snprintf(payload, sizeof payload, "pktwho pid=%d n=%u|", getpid(), ++sent);
	payload[tag] = '.';
	return length > (size_t)tag ? length : (size_t)tag;
}

static void say(const char *format, ...)
{
	char out[1024];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(out, sizeof out - 1, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof out - 2)
		length = sizeof out - 2;
	out[length++] = '\n';
	if (write(control, out, length) != length)
		_exit(2);
}

static void ok(long long t0, const char *words)
{
	say("ok %lld %lld %s", t0, now(), words);
}

// The second word of a good answer is the number in the last tag.
static void result(long long t0, long value)
{
	if (value < 0) {
		say("err %lld %lld %s", t0, now(), strerror(errno));
	} else {
		char words[64];
		snprintf(words, sizeof words, "%ld %u", value, sent);
		ok(t0, words);
	}
}

#include "craft.h"
#include "uring.h"

// Joins the harness: over the path, because each process needs a line of its own.
static void join(void)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	// Tags stay unique over fork and over exec, which keeps the pid.
	sent = now() / 1000 % 1000000000;
	// Whatever becomes of the harness, no puppet outlives its show by much.
	alarm(120);
	strncpy(path.sun_path, control_path, sizeof path.sun_path - 1);
	if (control >= 0)
		close(control);
	control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (control < 0 || connect(control, (void *)&path, sizeof path))
		_exit(3);
	say("hello %lld %d %d", now(), getpid(), getppid());
}

// `socket SLOT KIND FAMILY [NUMBER]`: tcp, mptcp, udp, ping (ICMP echo without privileges), raw (an IP
// protocol's number), header (raw, with the IP header made by hand).
static void open_socket(long long t0, char **word)
{
	int one = 1, slot = atoi(word[1]) % SLOTS, type = SOCK_RAW, number = atoi(word[4]);
	int family = strcmp(word[3], "6") ? AF_INET : AF_INET6;
	const char *kind = word[2];
	if (!strcmp(kind, "tcp"))
		type = SOCK_STREAM;
	else if (!strcmp(kind, "mptcp"))
		type = SOCK_STREAM, number = IPPROTO_MPTCP;
	else if (!strcmp(kind, "udp"))
		type = SOCK_DGRAM;
	else if (!strcmp(kind, "header"))
		number = IPPROTO_RAW;
	if (!strcmp(kind, "ping")) {
		type = SOCK_DGRAM;
		number = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	}
	slots[slot] = socket(family, type, number);
	if (type == SOCK_STREAM)
		setsockopt(slots[slot], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	result(t0, slots[slot]);
}

// `option SLOT NAME [VALUE...]`, socket options by the names that socket(7), ip(7) and ipv6(7) use.
static int set_option(int fd, char **word)
{
	const char *name = word[2];
	int one = 1, value = atoi(word[3]);
	if (!strcmp(name, "reuseport"))
		return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	// Probes after a second of silence, and a receive that gives up after so many milliseconds.
	if (!strcmp(name, "keepalive"))
		return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) |
		       setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof one) |
		       setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof one);
	if (!strcmp(name, "patience")) {
		struct timeval patience = { value / 1000, value % 1000 * 1000 };
		return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	}
	if (!strcmp(name, "broadcast"))
		return setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
	if (!strcmp(name, "device"))
		return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, word[3], strlen(word[3]));
	if (!strcmp(name, "rcvbuf"))
		return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value);
	if (!strcmp(name, "sndbuf"))
		return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof value);
	// Less than a full segment waits for more, 200 ms at most.
	if (!strcmp(name, "cork"))
		return setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
	// Path MTU discovery: 2 always says "do not fragment".
	if (!strcmp(name, "discover"))
		return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof value) &
		       setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof value);
	// A hop-by-hop and a destination header, each with nothing but padding (RFC 8200, 4.2).
	if (!strcmp(name, "extension")) {
		uint8_t pad[8] = { 0, 0, 1, 4 };
		return setsockopt(fd, IPPROTO_IPV6, IPV6_HOPOPTS, pad, sizeof pad) |
		       setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, pad, sizeof pad);
	}
	struct sockaddr_storage a;
	address(word[3], "0", &a);
	if (a.ss_family == AF_INET6) {
		struct ipv6_mreq join = { .ipv6mr_interface = if_nametoindex(word[4]) };
		address_of(&a, &join.ipv6mr_multiaddr);
		if (!strcmp(name, "join"))
			return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &join, sizeof join);
		value = join.ipv6mr_interface;
		return setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &value, sizeof value);
	}
	struct ip_mreqn join = { .imr_ifindex = if_nametoindex(word[4]) };
	address_of(&a, &join.imr_multiaddr);
	if (!strcmp(name, "join"))
		return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join);
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join, sizeof join);
}

static void to_address(long long t0, int fd, char **word)
{
	struct sockaddr_storage a;
	socklen_t size = address(word[2], word[3], &a);
	if (!strcmp(word[0], "bind")) {
		// Only for ports that are asked for: of UDP, two that may share get the same free port at times.
		int shares = strcmp(word[3], "0");
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &shares, sizeof shares);
		result(t0, bind(fd, (void *)&a, size));
	} else if (!strcmp(word[0], "connect"))
		result(t0, connect(fd, (void *)&a, size));
	else
		result(t0, sendto(fd, payload, tagged(word[4]), 0, (void *)&a, size));
}

static void receive_from(long long t0, int fd)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof a;
	char text[64], words[128];
	long length = recvfrom(fd, payload, sizeof payload, 0, (void *)&a, &size);
	if (length < 0) {
		result(t0, length);
		return;
	}
	spell(&a, text, sizeof text);
	// Raw sockets of IPv4 give the headers too: the tag is wherever it is.
	unsigned pid = 0, number = 0;
	char *tag = memmem(payload, length, "pktwho pid=", 11);
	if (!tag || sscanf(tag, "pktwho pid=%u n=%u|", &pid, &number) != 2)
		pid = number = 0;
	snprintf(words, sizeof words, "%ld %s %u %u", length, text, pid, number);
	ok(t0, words);
}

// The child joins on a line of its own before it does anything else.
static void fork_off(long long t0)
{
	pid_t child = fork();
	if (child == 0)
		join();
	else
		result(t0, child);
}

// Replaces the image; open slots go along by their descriptor numbers.
static void become(const char *path)
{
	char *arguments[SLOTS + 4];
	int count = 0;
	arguments[count++] = (char *)path;
	arguments[count++] = (char *)control_path;
	for (int i = 0; i < SLOTS; i++)
		if (slots[i] >= 0 && asprintf(&arguments[count], "%d=%d", i, slots[i]) > 0)
			count++;
	arguments[count] = NULL;
	execv(path, arguments);
	say("err %lld %lld %s", now(), now(), strerror(errno));
}

static size_t unhex(const char *text)
{
	size_t length = 0;
	unsigned byte;
	while (length < sizeof payload && sscanf(text + 2 * length, "%2x", &byte) == 1)
		payload[length++] = byte;
	return length;
}

static void send_frame(long long t0, const char *device, const char *hex)
{
	size_t length = unhex(hex);
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	to.sll_ifindex = if_nametoindex(device);
	memcpy(to.sll_addr, payload, 6);
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	result(t0, fd < 0 ? -1 : sendto(fd, payload, length, 0, (void *)&to, sizeof to));
	close(fd);
}

// `tun SLOT DEVICE [NETNS]`: in the network namespace at that path, or in this one.
static void open_tun(long long t0, int slot, const char *device, const char *netns)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int there = *netns ? open(netns, O_RDONLY | O_CLOEXEC) : -1;
	int here = there < 0 ? -1 : open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	if (there >= 0)
		setns(there, CLONE_NEWNET);
	slots[slot] = open("/dev/net/tun", O_RDWR);
	long made = ioctl(slots[slot], TUNSETIFF, &request);
	if (here >= 0)
		setns(here, CLONE_NEWNET);
	result(t0, made);
}

// `carry SLOT SLOT`: what comes out of one tun device goes into the other, for ever.
static void carry(int one, int other)
{
	static char packet[LONGEST];
	struct pollfd ends[] = { { .fd = one, .events = POLLIN }, { .fd = other, .events = POLLIN },
				 { .fd = control, .events = POLLIN } };
	while (poll(ends, 3, -1) > 0 && !ends[2].revents)
		for (int i = 0; i < 2; i++)
			if (ends[i].revents) {
				long length = read(ends[i].fd, packet, sizeof packet);
				// A device that is down takes nothing: that packet is lost.
				if (length > 0 && write(ends[1 - i].fd, packet, length) < 0)
					errno = 0;
			}
	_exit(0);
}

// As many datagrams as the count says, in a tight loop, numbered from 0 in eight bytes behind
// the tag; the answer is how many were taken.
static void flood(long long t0, int fd, const char *count, const char *length)
{
	long taken = 0, wanted = atol(count);
	size_t size = tagged(length);
	char *number = strchr(payload, '|') + 1;
	for (long i = 0; i < wanted; i++) {
		memcpy(number, &taken, sizeof taken);
		taken += send(fd, payload, size, 0) >= 0;
	}
	result(t0, taken);
}

// `echo SLOT ADDRESS IDENTIFIER NUMBER LENGTH`
static void send_echo(long long t0, int fd, char **word)
{
	static uint8_t packet[LONGEST + 64];
	struct sockaddr_storage a;
	socklen_t size = address(word[2], "0", &a);
	size_t length = tagged(word[5]);
	length = echo_around(a.ss_family == AF_INET6, atoi(word[3]), atoi(word[4]), length, packet);
	result(t0, sendto(fd, packet, length, 0, (void *)&a, size));
}

// `craft SLOT udp|tcp FROM PORT TO PORT LENGTH [FLAGS NUMBER]` over a `header` socket, or
// `craft DEVICE ...` as a frame whose Ethernet addresses are those of the test's veth pairs.
static void send_crafted(long long t0, char **word)
{
	static uint8_t packet[LONGEST + 128];
	static const uint8_t macs[] = { 2, 0, 0, 0, 0x77, 2, 2, 0, 0, 0, 0x77, 1 };
	struct ends ends;
	bool tcp = !strcmp(word[2], "tcp");
	address(word[3], word[4], &ends.from);
	socklen_t size = address(word[5], word[6], &ends.to);
	size_t length = tagged(word[7]);
	length = packet_around(&ends, tcp, atoi(word[8]), atoi(word[9]), length, packet + 14);
	unsigned device = if_nametoindex(word[1]);
	if (!device) {
		// The port of a raw socket is its protocol, if it is anything.
		((struct sockaddr_in *)&ends.to)->sin_port = 0;
		result(t0, sendto(slots[atoi(word[1]) % SLOTS], packet + 14, length, 0,
				  (void *)&ends.to, size));
		return;
	}
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = device, .sll_halen = 6 };
	memcpy(packet, macs, sizeof macs);
	memcpy(to.sll_addr, macs, 6);
	put(packet + 12, is_six(&ends) ? 0x86dd : 0x0800);
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	result(t0, fd < 0 ? -1 : sendto(fd, packet, 14 + length, 0, (void *)&to, sizeof to));
	close(fd);
}

// `uring SLOT send|recv plain|async|sqpoll [LENGTH]`
static void by_uring(long long t0, int fd, char **word)
{
	bool sends = !strcmp(word[2], "send");
	size_t length = sends ? tagged(word[4]) : sizeof payload;
	result(t0, through_uring(sends ? IORING_OP_SEND : IORING_OP_RECV, fd, word[3], length));
}

// `sendfile SLOT LENGTH` and `splice SLOT LENGTH`: the payload never passes through send(2).
static void send_file(long long t0, int fd, const char *length)
{
	size_t size = tagged(length);
	int file = memfd_create("payload", MFD_CLOEXEC);
	off_t start = 0;
	bool written = write(file, payload, size) == (long)size;
	result(t0, written ? sendfile(fd, file, &start, size) : -1);
	close(file);
}

static void splice_in(long long t0, int fd, const char *length)
{
	size_t size = tagged(length);
	int ends[2];
	if (pipe(ends) || write(ends[1], payload, size) != (long)size) {
		result(t0, -1);
		return;
	}
	result(t0, splice(ends[0], NULL, fd, NULL, size, SPLICE_F_MOVE));
	close(ends[0]);
	close(ends[1]);
}

// `splicerecv SLOT`: what comes goes into a pipe and is forgotten.
static void splice_out(long long t0, int fd)
{
	int ends[2];
	if (pipe(ends)) {
		result(t0, -1);
		return;
	}
	result(t0, splice(fd, NULL, ends[1], NULL, LONGEST, SPLICE_F_MOVE));
	close(ends[0]);
	close(ends[1]);
}

// `once PID PROGRAM ADDRESS PORT`: a child with exactly this pid becomes the program, which sends
// one datagram and ends; waits until it is gone.
static void once_as(long long t0, char **word)
{
	pid_t wanted = atoi(word[1]);
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
		uint64_t set_tid, set_tid_size;
	} arguments = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1 };
	pid_t child = -1;
	// The kernel gives the id of one that is gone free a little later than it says so.
	for (int tries = 0; tries < 2000; tries++) {
		child = syscall(__NR_clone3, &arguments, sizeof arguments);
		if (child >= 0 || errno != EEXIST)
			break;
		usleep(1000);
	}
	if (child == 0) {
		execl(word[2], word[2], "once", "udp", word[3], word[4], NULL);
		_exit(1);
	}
	if (child > 0)
		waitpid(child, NULL, 0); // ECHILD when it is gone: SIGCHLD is ignored
	result(t0, child);
}

// `swarm SLOT COUNT LENGTH FILE`: so many children, each of which sends one tagged datagram on the
// socket it inherits and lives as long as its parent; their pids and numbers go to the file.
static int gate[2] = { -1, -1 };

static void live_on(int fd, const char *length, int done)
{
	char byte = 0;
	alarm(120);
	close(gate[1]);
	send(fd, payload, tagged(length), 0);
	if (write(done, &byte, 1) == 1)
		close(done);
	// Until the parent is gone, and with it the other end.
	_exit(read(gate[0], &byte, 1) != 0);
}

static void swarm(long long t0, int fd, char **word)
{
	int count = atoi(word[2]), done[2], made = 0;
	FILE *list = fopen(word[4], "w");
	if (!list || pipe(done) || (gate[0] < 0 && pipe(gate))) {
		result(t0, -1);
		return;
	}
	for (; made < count; made++) {
		pid_t child = fork();
		if (child < 0)
			break;
		if (child == 0)
			live_on(fd, word[3], done[1]);
		fprintf(list, "%d %u\n", child, sent + 1);
	}
	fclose(list);
	close(done[1]);
	char byte;
	for (int i = 0; i < made && read(done[0], &byte, 1) == 1; i++)
		;
	close(done[0]);
	result(t0, made == count ? made : -1);
}

// `spray SLOT FIRST PORT COUNT LENGTH`: a datagram to each of so many IPv4 addresses in a row.
static void spray(long long t0, int fd, char **word)
{
	struct sockaddr_storage a;
	struct sockaddr_in *to = (void *)&a;
	socklen_t size = address(word[2], word[3], &a);
	long count = atol(word[4]), taken = 0;
	uint32_t first = ntohl(to->sin_addr.s_addr);
	for (long i = 0; i < count; i++) {
		to->sin_addr.s_addr = htonl(first + i);
		taken += sendto(fd, payload, tagged(word[5]), 0, (void *)&a, size) > 0;
	}
	result(t0, taken == count ? taken : -1);
}

static void reset(long long t0, int slot)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(slots[slot], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	result(t0, close(slots[slot]));
	slots[slot] = -1;
}

static void pass(long long t0, int fd, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part,
				  .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	strncpy(to.sun_path, path, sizeof to.sun_path - 1);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	int carrier = socket(AF_UNIX, SOCK_DGRAM, 0);
	result(t0, sendmsg(carrier, &message, 0));
	close(carrier);
}

// `mailbox PATH` opens the place where a descriptor may be left, `take SLOT` waits for one.
static int mailbox = -1;

static void open_mailbox(long long t0, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	strncpy(at.sun_path, path, sizeof at.sun_path - 1);
	mailbox = socket(AF_UNIX, SOCK_DGRAM, 0);
	result(t0, bind(mailbox, (void *)&at, sizeof at));
}

static void take(long long t0, int slot)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof room };
	long length = recvmsg(mailbox, &message, 0);
	struct cmsghdr *header = length < 0 ? NULL : CMSG_FIRSTHDR(&message);
	if (header)
		memcpy(&slots[slot], CMSG_DATA(header), sizeof(int));
	result(t0, header ? slots[slot] : -1);
}

// What the threads of a `thread` command do: one send each from a thread with a name.
struct errand {
	int fd;
	char name[16];
	char length[16];
};

static void *run_errand(void *given)
{
	struct errand *errand = given;
	prctl(PR_SET_NAME, errand->name);
	return (void *)(long)send(errand->fd, payload, tagged(errand->length), 0);
}

static void send_by_thread(long long t0, int fd, const char *name, const char *length)
{
	struct errand errand = { .fd = fd };
	pthread_t thread;
	void *sent_bytes = NULL;
	strncpy(errand.name, name, sizeof errand.name - 1);
	strncpy(errand.length, length, sizeof errand.length - 1);
	if (pthread_create(&thread, NULL, run_errand, &errand) || pthread_join(thread, &sent_bytes))
		result(t0, -1);
	else
		result(t0, (long)sent_bytes);
}

// `accept SLOT NEW` asks for the peer's address as servers do, `accept SLOT NEW quiet` does not.
static void accept_one(long long t0, int fd, char **word)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof a;
	bool quiet = !strcmp(word[3], "quiet");
	int accepted = accept(fd, quiet ? NULL : (void *)&a, quiet ? NULL : &size);
	slots[atoi(word[2]) % SLOTS] = accepted;
	result(t0, accepted);
}

static void on_socket(long long t0, int slot, char **word)
{
	int fd = slots[slot];
	const char *verb = word[0];
	if (!strcmp(verb, "listen"))
		result(t0, listen(fd, 128));
	else if (!strcmp(verb, "accept"))
		accept_one(t0, fd, word);
	else if (!strcmp(verb, "send"))
		result(t0, send(fd, payload, tagged(word[2]), MSG_NOSIGNAL));
	else if (!strcmp(verb, "recv"))
		result(t0, recv(fd, payload, sizeof payload, 0));
	else if (!strcmp(verb, "recvfrom"))
		receive_from(t0, fd);
	else if (!strcmp(verb, "option"))
		result(t0, set_option(fd, word));
	else if (!strcmp(verb, "echo"))
		send_echo(t0, fd, word);
	else if (!strcmp(verb, "uring"))
		by_uring(t0, fd, word);
	else if (!strcmp(verb, "sendfile"))
		send_file(t0, fd, word[2]);
	else if (!strcmp(verb, "splice"))
		splice_in(t0, fd, word[2]);
	else if (!strcmp(verb, "splicerecv"))
		splice_out(t0, fd);
	else if (!strcmp(verb, "swarm"))
		swarm(t0, fd, word);
	else if (!strcmp(verb, "spray"))
		spray(t0, fd, word);
	else if (!strcmp(verb, "shutdown"))
		result(t0, shutdown(fd, SHUT_WR));
	else if (!strcmp(verb, "reset"))
		reset(t0, slot);
	else if (!strcmp(verb, "flood"))
		flood(t0, fd, word[2], word[3]);
	else if (!strcmp(verb, "pass"))
		pass(t0, fd, word[2]);
	else if (!strcmp(verb, "threadsend"))
		send_by_thread(t0, fd, word[2], word[3]);
	else if (!strcmp(verb, "close"))
		result(t0, close(fd)), slots[slot] = -1;
	else
		say("err %lld %lld unknown command %s", t0, now(), verb);
}

static void obey(char **word)
{
	long long t0 = now();
	const char *verb = word[0];
	int slot = atoi(word[1]) % SLOTS;
	if (!strcmp(verb, "fork"))
		fork_off(t0);
	else if (!strcmp(verb, "exec"))
		become(word[1]);
	else if (!strcmp(verb, "exit"))
		_exit(0);
	else if (!strcmp(verb, "socket"))
		open_socket(t0, word);
	else if (!strcmp(verb, "bind") || !strcmp(verb, "connect") || !strcmp(verb, "sendto"))
		to_address(t0, slots[slot], word);
	else if (!strcmp(verb, "craft"))
		send_crafted(t0, word);
	else if (!strcmp(verb, "once"))
		once_as(t0, word);
	else if (!strcmp(verb, "frame"))
		send_frame(t0, word[1], word[2]);
	else if (!strcmp(verb, "tun"))
		open_tun(t0, slot, word[2], word[3]);
	else if (!strcmp(verb, "carry"))
		carry(slots[slot], slots[atoi(word[2]) % SLOTS]);
	else if (!strcmp(verb, "tunwrite"))
		result(t0, write(slots[slot], payload, unhex(word[2])));
	else if (!strcmp(verb, "mailbox"))
		open_mailbox(t0, word[1]);
	else if (!strcmp(verb, "take"))
		take(t0, slot);
	else if (!strcmp(verb, "setuid"))
		result(t0, setresuid(atoi(word[1]), atoi(word[1]), atoi(word[1])));
	else
		on_socket(t0, slot, word);
}

// Reads one line of commands; the harness's end going away ends this process.
static void read_line(void)
{
	size_t length = 0;
	while (length < sizeof line - 1) {
		long got = read(control, line + length, sizeof line - 1 - length);
		if (got <= 0)
			_exit(0);
		length += got;
		if (line[length - 1] == '\n')
			break;
	}
	line[length] = 0;
}

static int send_once(char **argument)
{
	struct sockaddr_storage a;
	socklen_t size = address(argument[3], argument[4], &a);
	int fd = socket(a.ss_family, SOCK_DGRAM, 0);
	return sendto(fd, payload, tagged("64"), 0, (void *)&a, size) < 0;
}

static int echo_by_children(const char *port)
{
	struct sockaddr_storage a;
	socklen_t size = address("0.0.0.0", port, &a);
	int fd = socket(a.ss_family, SOCK_DGRAM, 0);
	if (bind(fd, (void *)&a, size))
		return 1;
	for (;;) {
		struct pollfd come = { .fd = fd, .events = POLLIN };
		pid_t child;
		poll(&come, 1, -1);
		child = fork();
		if (!child) {
			ssize_t length;
			size = sizeof a;
			length = recvfrom(fd, payload, sizeof payload, MSG_DONTWAIT, (void *)&a, &size);
			if (length >= 0)
				sendto(fd, payload, length, 0, (void *)&a, size);
			_exit(0);
		}
		while (waitpid(child, NULL, 0) > 0)
			;
	}
}

int main(int count, char **argument)
{
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (count == 5 && !strcmp(argument[1], "once"))
		return send_once(argument);
	if (count == 3 && !strcmp(argument[1], "echo"))
		return echo_by_children(argument[2]);
	if (count < 2)
		return 2;
	memset(slots, -1, sizeof slots);
	for (int i = 2; i < count; i++) {
		int slot, fd;
		if (sscanf(argument[i], "%d=%d", &slot, &fd) == 2)
			slots[slot % SLOTS] = fd;
	}
	control_path = argument[1];
	join();
	for (;;) {
		char *word[WORDS], *rest = NULL;
		read_line();
		for (int i = 0; i < WORDS; i++) {
			char *next = strtok_r(i ? NULL : line, " \n", &rest);
			word[i] = next ? next : "";
		}
		obey(word);
	}
}
