// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Never loaded: its BTF is what the test in src/abi.rs compares the Rust side with. */
#include <linux/types.h>
#include "abi.h"

#define KEEP(name) struct name *keep_##name
KEEP(owner);
KEEP(packet_record);
KEEP(owner_pair);
KEEP(ring_control);
KEEP(reader_state);
KEEP(process_event);
KEEP(home_key);
KEEP(home);
KEEP(beyond);
KEEP(tunnel_key);
KEEP(process_key);
KEEP(process_answer);
KEEP(cgroup_answer);
KEEP(decision);
KEEP(device_key);
KEEP(loss_key);
KEEP(config);
KEEP(tls_place);
KEEP(tls_operand);
KEEP(tls_hook);
KEEP(tls_breakpoint);
KEEP(tls_secret);
KEEP(tls_config);
