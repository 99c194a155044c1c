/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side and user space say to each other: the only source of these shapes.
 * Fixed widths, explicit padding; src/abi.rs mirrors it and a test compares every offset
 * with the BTF of the compiled objects.
 */
#ifndef PKTWHO_ABI_H
#define PKTWHO_ABI_H

#define ABI_VERSION 1
#define NAME_LEN 16 /* TASK_COMM_LEN */
#define LONG_NAME_LEN 64
#define EXE_MAX 512
#define ARGS_MAX 4096
#define CGROUP_PATH_MAX 1024

/* Kinds of record. */
#define KIND_PACKET 1
#define KIND_DOORBELL 2
#define KIND_EXEC 3
#define KIND_FORK 4
#define KIND_EXIT 5
#define KIND_RENAME 6
#define KIND_EXISTING 7
#define KIND_MOVED 8      /* to another cgroup; its path is what follows */
#define KIND_NEW_CGROUP 9 /* of no process; the same */

/* How sure we are of an owner; 0 is "nobody known". */
#define SURE_NOT 0
#define SURE_EXACT 1
#define SURE_FLOW 2
#define SURE_GUESS 3

/* Which kinds of terms about owners the filter has (filter_mask). */
#define TERMS_PROCESS 1 /* answered by `processes` */
#define TERMS_PARENT 2  /* answered by the parent's entry there */
#define TERMS_UID 4
#define TERMS_TID 8
#define TERMS_OTHER 16  /* only user space can answer */
#define TERMS_CONTAINER 32 /* answered by `cgroups` */

/* The process at one end of a packet. */
/* A process; or the kernel itself, with process id 0 and this name. */
#define KERNEL_NAME "kernel"
struct owner {
	__u64 start; /* start_boottime of the thread group leader, ns */
	__u32 pid;   /* tgid */
	__u32 tid;
	__u32 uid;
	__u8 sure;
	__u8 pad[3];
	char thread[NAME_LEN];
};

/*
 * Head of every packet record in a ring; the captured bytes follow. Between them stand the owners
 * of sender and receiver, unless they are those of the record before it in the same ring.
 */
struct packet_record {
	__u32 size; /* of the whole record, a multiple of 8 */
	__u16 kind;
	__u16 version;
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u32 ifindex;
	__u32 orig_len;
	__u32 cap_len;
	__u8 egress;
	__u8 pkt_type; /* PACKET_HOST, … (linux/if_packet.h) */
	__u8 undecided; /* a term of the filter is not known here: user space is to decide */
	__u8 owners; /* they follow */
	__u32 netns; /* of the device: inode number */
	__u8 awaited; /* an answer may tell who receives it (awaited.rs) */
	__u8 pad[3];
};

/* The owners in a record; what stands beside SURE_NOT means nothing. */
struct owner_pair {
	struct owner receiver;
	struct owner sender;
};

/* First page of every ring. The kernel writes the first line, the reader the second. */
struct ring_control {
	__u64 head; /* bytes ever written */
	__u64 stored;
	__u64 lost_full;
	__u64 lost_busy;
	__u64 lost_unreadable;
	__u32 busy; /* a record is being written now */
	__u32 pad0;
	__u64 pad1[2];
	__u64 tail; /* bytes ever read */
	__u64 pad2[7];
};

/* One for all CPUs. */
struct reader_state {
	__u32 sleeping;   /* the reader waits at the doorbell */
	__u32 wake_bytes; /* ring it when so much is queued in one ring */
	__u64 lost_no_ring; /* packets on CPUs that have no ring */
	__u64 lost_events;
	__s64 open_connections; /* of processes for which one of the `counted` terms is true */
	__u64 changes; /* so often did a socket change its owner, its address or its peer */
	__u64 homes;   /* so often has user space changed the map `homes`; 0: it is empty */
	__u64 watching; /* cgroup_skb/egress sees every packet that a socket sends, anywhere */
	/* So many entries were made in these tables: what is no longer there has made room. */
	__u64 entered_flows;
	__u64 entered_cookies;
	__u64 entered_fragments;
};

/*
 * Other network namespaces, by the ids that the namespace of our device has given them
 * (rtnetlink's nsid). Seen from `netns`: the one which has this address.
 */
struct home_key {
	__u32 address[4]; /* IPv4 as ::ffff:a.b.c.d */
	__u32 netns;      /* inode number */
};
struct home {
	__u32 nsid;
	__u32 via; /* the one that packets pass first: itself when it is next to ours; or BEYOND_TUN */
	__u32 netns; /* its inode number, once it has been asked for; 0 before */
};

/* In place of an id: beyond a tun device, wherever its process carries packets. */
#define BEYOND_TUN 0xfffffffe

/* The one that a device leads to. */
struct beyond {
	__u32 nsid;
	__u32 forwards; /* it is a router: addresses may be translated there */
	__u32 ifindex; /* of the device there; 0: not known */
};

/*
 * A tunnel of the kernel's own, seen from `netns`: the packets that it takes for itself, and those that
 * it sends with the addresses the other way round. Addresses of zeros: any.
 */
struct tunnel_key {
	__u32 local[4];
	__u32 remote[4];
	__u32 netns; /* inode number */
	__u32 nsid;  /* of the namespace that the tunnel is in; OUR_NSID */
	__u32 key;   /* of GRE, in network order */
	__u8 protocol;
	__u8 gre; /* GRE_… */
	__u8 pad[2];
};
#define GRE_KEYED 1    /* there is a key */
#define GRE_ETHERNET 2 /* it carries frames */
/* In place of another namespace's id: the packet's own. */
#define OUR_NSID 0xffffffff

/*
 * A process appeared, changed, moved or went. exe and then args (NUL-separated) follow; of
 * cgroups the path, as args.
 */
struct process_event {
	__u32 size;
	__u16 kind;
	__u16 version;
	__u64 time;
	__u64 start;
	__u64 parent_start;
	__u32 pid;
	__u32 parent_pid;
	__u32 uid;
	__u16 exe_len;
	__u16 args_len;
	__u8 args_cut;
	__u8 exe_cut;
	__u8 pad[6];
	__u64 cgroup; /* id in the default hierarchy; of a move in another one: 0 */
	char name[NAME_LEN];
};

/* Key of the filter's table of processes. */
struct process_key {
	__u64 start;
	__u32 pid;
	__u32 pad;
};

/* What the filter needs to know of a process: one bit for each term about owners. */
struct process_answer {
	__u64 is; /* true of it; for terms about parents: true of it as somebody's parent */
	struct process_key parent;
	__u64 cgroup;
};

/* What the terms about containers come to for the processes of a cgroup. */
struct cgroup_answer {
	__u64 known; /* terms by bit */
	__u64 is;
};

/*
 * What the owner terms of a packet come to, in the control page of its CPU at DECISION_OFFSET:
 * written by the capture programs, read by the second filter program.
 */
struct decision {
	__u64 known; /* terms by bit */
	__u64 is;
	__u8 undecided; /* user space is to decide */
	__u8 pad[7];
};
#define DECISION_OFFSET 2048

/* A name that a term asks for, padded with NUL. */
struct name_key {
	char name[LONG_NAME_LEN];
};

/* Local end first; IPv4 addresses as ::ffff:a.b.c.d; ports in network order. */
struct flow_key {
	__u32 local[4];
	__u32 remote[4];
	__u16 local_port;
	__u16 remote_port;
	__u8 protocol;
	__u8 pad[3];
	__u32 netns; /* inode number */
};

/* Key of the programs by device. */
struct device_key {
	__u32 netns;   /* inode number */
	__u32 ifindex; /* twice, and one more for egress */
};

/* Key and value of the loss counters by device. */
struct loss_key {
	__u32 netns; /* inode number */
	__u32 ifindex;
	__u32 cause; /* LOST_… */
};
#define LOST_FULL 0
#define LOST_BUSY 1
#define LOST_UNREADABLE 2


/* Constants of one capture, set before the programs are loaded; the same in every object. */
struct config {
	/* Terms about owners, by bit: by the end of the packet that they speak of… */
	__u64 either;
	__u64 sender;
	__u64 receiver;
	__u64 own;
	__u64 other;
	/* …and by who answers. */
	__u64 by_process;
	__u64 by_parent;
	__u64 by_uid;
	__u64 by_tid;
	__u64 by_container;
	__u64 followed;      /* terms that children inherit, and keep after exec */
	__u64 inherited;     /* the same without exec: by the name */
	__u64 counted;       /* terms whose processes' connections are counted */
	__u32 filter_mask;   /* TERMS_…; 0: no terms about owners */
	__u32 snaplen;       /* at most SNAPLEN_MAX */
	__u32 ring_size;     /* bytes, a power of two */
	__u32 netns;         /* inode number of the network namespace of all devices; 0: of several */
	__u8 asks_current;   /* what looks at packets may ask for the current task; else others refresh */
	__u8 owners;         /* look for owners at all */
	__u8 tracking; /* classifiers may ask the connection tracking (bpf_skb_ct_lookup) */
	__u8 reads_context; /* and read the packet as the kernel has it (bpf_cast_to_kern_ctx) */
	__u8 multipath; /* paths of multipath TCP lead to their connection (bpf_skc_to_mptcp_sock) */
	__u8 unseen; /* UNSEEN_…: of uses of sockets; where there are such, owners are guesses */
	__u8 pad[2];
};
#define UNSEEN_NONE 0
#define UNSEEN_SOME 1 /* what leaves later, and most that is received */
#define UNSEEN_ALL 2
#define SNAPLEN_MAX 262144
#define RING_HEADER 4096 /* bytes before the records of a ring */

#define TLS_HOOKS_MAX 1024    /* functions hooked at a time */
#define TLS_HOOK_INDEX 0xffff /* of a cookie: its place in the map; the rest tells files apart */
#define TLS_BREAKPOINTS_MAX 64 /* at a time */
#define TLS_STEPS_MAX 4       /* pointers followed */
#define TLS_LABEL_MAX 64      /* bytes of a label, a power of two */
#define TLS_SECRET_MAX 128    /* bytes of a secret, a power of two */
#define TLS_ANCESTORS_MAX 8
#define TLS_EXE_MAX 64

/* Which bytes are meant. */
#define TLS_TEXT 0  /* up to a NUL */
#define TLS_FIXED 1 /* `length` of them */
#define TLS_SIZED 2 /* as many as the register at length_reg says */

/* An address: a register's value, followed through pointers. Registers are named by their
 * offset in the kernel's struct pt_regs. */
struct tls_place {
	__u16 reg;
	__u8 steps;
	__u8 pad;
	__s32 step[TLS_STEPS_MAX]; /* added; then the pointer there is read */
	__s32 add;
};

struct tls_operand {
	struct tls_place place;
	__u32 length;
	__u16 length_reg;
	__u8 kind; /* TLS_… */
	__u8 pad;
};

/* One function that is given secrets. */
struct tls_hook {
	struct tls_operand label;
	struct tls_operand client_random; /* 32 bytes */
	struct tls_operand secret;
	__u64 unreadable; /* calls whose values could not be read */
	__u64 lost;       /* calls that found no room */
};

/* A function that is hooked in one process by the processor itself, until its file is. */
struct tls_breakpoint {
	__u64 address;
	__u32 pid;
	__u32 pad;
};

/* A secret, and who has it. Nothing has been checked. */
struct tls_secret {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u64 start;
	__u64 cgroup; /* id of the process's in the default hierarchy */
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 hook;
	__u32 label_len;
	__u32 secret_len;
	char name[NAME_LEN];
	char exe[TLS_EXE_MAX]; /* file name of the executable, without directories */
	__u32 ancestors[TLS_ANCESTORS_MAX]; /* pids from the parent on, if they are asked for */
	__u8 client_random[32];
	char label[TLS_LABEL_MAX];
	__u8 secret[TLS_SECRET_MAX];
};

/* Constants of the program for secrets. */
struct tls_config {
	__u8 ancestors; /* say who the ancestors are */
	__u8 pad[7];
};

#endif
