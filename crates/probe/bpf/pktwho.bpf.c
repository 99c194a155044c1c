// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The one object that load.rs loads. One, because each object costs the reading of the whole
 * kernel's type information; several files, because they are about different things.
 */
#include "tuple.h"
#include "owner.bpf.c"
#include "sends.bpf.c"
#include "process.bpf.c"
#include "ends.bpf.c"
#include "capture.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
