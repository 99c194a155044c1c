// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A process that does with sockets what it is told, one command a line, and says when it
// began and ended each: the ground truth about who used which socket. Real fork, exec and
// descriptor passing are needed, which is why this is C.
//
//   puppet CONTROL [SLOT=FD ...]      obey the listener at the unix socket CONTROL
//   puppet-like once udp ADDR PORT    send one tagged datagram and exit at once
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
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 32
#define WORDS 8
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

static void open_socket(long long t0, char **word)
{
	int one = 1, slot = atoi(word[1]) % SLOTS;
	int family = strcmp(word[3], "6") ? AF_INET : AF_INET6;
	int type = strcmp(word[2], "tcp") ? SOCK_DGRAM : SOCK_STREAM;
	slots[slot] = socket(family, type, 0);
	setsockopt(slots[slot], SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (type == SOCK_STREAM)
		setsockopt(slots[slot], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	result(t0, slots[slot]);
}

static void to_address(long long t0, int fd, char **word)
{
	struct sockaddr_storage a;
	socklen_t size = address(word[2], word[3], &a);
	if (!strcmp(word[0], "bind"))
		result(t0, bind(fd, (void *)&a, size));
	else if (!strcmp(word[0], "connect"))
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
	snprintf(words, sizeof words, "%ld %s", length, text);
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

static void open_tun(long long t0, int slot, const char *device)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	slots[slot] = open("/dev/net/tun", O_RDWR);
	result(t0, ioctl(slots[slot], TUNSETIFF, &request));
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
	else if (!strcmp(verb, "frame"))
		send_frame(t0, word[1], word[2]);
	else if (!strcmp(verb, "tun"))
		open_tun(t0, slot, word[2]);
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

int main(int count, char **argument)
{
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (count == 5 && !strcmp(argument[1], "once"))
		return send_once(argument);
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
