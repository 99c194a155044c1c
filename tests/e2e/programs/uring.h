// SPDX-License-Identifier: MIT OR Apache-2.0
//
// One request through io_uring(7) by its three system calls. Included by puppet.c only.

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

// Submits one send or receive and waits for its result. `how`: "plain", "async" (a worker
// thread of the kernel's does it), "sqpoll" (a thread of the kernel's takes it from the ring).
static long through_uring(int opcode, int fd, const char *how, size_t length)
{
	struct io_uring_params p = { 0 };
	bool polled = !strcmp(how, "sqpoll");
	if (polled) {
		p.flags = IORING_SETUP_SQPOLL;
		p.sq_thread_idle = 100;
	}
	int ring = syscall(__NR_io_uring_setup, 4, &p);
	if (ring < 0)
		return -1;
	size_t sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	size_t cq_size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	int access = PROT_READ | PROT_WRITE, shared = MAP_SHARED | MAP_POPULATE;
	char *sq = mmap(NULL, sq_size, access, shared, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, cq_size, access, shared, ring, IORING_OFF_CQ_RING);
	size_t entries = p.sq_entries * sizeof(struct io_uring_sqe);
	struct io_uring_sqe *request = mmap(NULL, entries, access, shared, ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || request == MAP_FAILED)
		return -1;
	memset(request, 0, sizeof *request);
	request->opcode = opcode;
	request->fd = fd;
	request->addr = (uintptr_t)payload;
	request->len = length;
	request->flags = strcmp(how, "async") ? 0 : IOSQE_ASYNC;
	((unsigned *)(sq + p.sq_off.array))[0] = 0;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	unsigned flags = IORING_ENTER_GETEVENTS | (polled ? IORING_ENTER_SQ_WAKEUP : 0);
	long value = -1;
	if (syscall(__NR_io_uring_enter, ring, 1, 1, flags, NULL, 0) >= 0) {
		struct io_uring_cqe *done = (void *)(cq + p.cq_off.cqes);
		value = done->res;
		if (value < 0) {
			errno = -value;
			value = -1;
		}
	}
	munmap(request, entries);
	munmap(cq, cq_size);
	munmap(sq, sq_size);
	close(ring);
	return value;
}
