// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Another user of tc on the same device: counts what passes it and gives the verdict that it
// was compiled with. Needs nothing but clang; no header of libbpf has to be installed.

#define SEC(name) __attribute__((section(name), used))

struct __sk_buff;

struct {
	int (*type)[2 /* BPF_MAP_TYPE_ARRAY */];
	int (*max_entries)[1];
	unsigned *key;
	unsigned long long *value;
} e2e_passed SEC(".maps");

static void *(*const look_up)(void *map, const void *key) = (void *)1;

SEC("classifier") int neighbour(struct __sk_buff *skb)
{
	unsigned zero = 0;
	unsigned long long *passed = look_up(&e2e_passed, &zero);

	(void)skb;
	if (passed)
		__sync_fetch_and_add(passed, 1);
	return VERDICT;
}

char terms[] SEC("license") = "Dual BSD/GPL";
