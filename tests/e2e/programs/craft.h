// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Packets put together by hand, for raw and packet sockets: IPv4 (RFC 791), IPv6 (RFC 8200),
// UDP (RFC 768), TCP (RFC 9293), ICMP echo (RFC 792, RFC 4443). Included by puppet.c only.

struct ends {
	struct sockaddr_storage from, to;
};

static uint32_t add_up(uint32_t sum, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? at[i] : at[i] << 8;
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

static bool is_six(const struct ends *ends)
{
	return ends->to.ss_family == AF_INET6;
}

static size_t address_of(const struct sockaddr_storage *a, void *out)
{
	if (a->ss_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
		return 16;
	}
	memcpy(out, &((const struct sockaddr_in *)a)->sin_addr, 4);
	return 4;
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	return ((const struct sockaddr_in *)a)->sin_port; // at the same place in both
}

static void put(uint8_t *out, unsigned value)
{
	out[0] = value >> 8;
	out[1] = value;
}

// The checksum over the pseudo header of both families and `length` bytes at `body`.
static uint16_t transport_sum(const struct ends *ends, int protocol, const uint8_t *body,
			      size_t length)
{
	uint8_t pseudo[40] = { 0 };
	size_t size = address_of(&ends->from, pseudo);
	size += address_of(&ends->to, pseudo + size);
	uint32_t sum = add_up(0, pseudo, size) + protocol + length;
	return folded(add_up(sum, body, length));
}

// An IP header for `length` bytes of `protocol`; returns its size.
static size_t ip_header(const struct ends *ends, int protocol, size_t length, uint8_t *out)
{
	memset(out, 0, 40);
	if (is_six(ends)) {
		out[0] = 0x60;
		put(out + 4, length);
		out[6] = protocol;
		out[7] = 64;
		address_of(&ends->from, out + 8);
		address_of(&ends->to, out + 24);
		return 40;
	}
	out[0] = 0x45;
	put(out + 2, 20 + length);
	put(out + 4, now());
	out[8] = 64;
	out[9] = protocol;
	address_of(&ends->from, out + 12);
	address_of(&ends->to, out + 16);
	uint16_t sum = folded(add_up(0, out, 20));
	memcpy(out + 10, &sum, 2);
	return 20;
}

// An IP packet with one UDP datagram or TCP segment around the payload; returns its length.
// `flags` are TCP's, `number` its sequence number.
static size_t packet_around(const struct ends *ends, bool tcp, int flags, uint32_t number,
			    size_t length, uint8_t *out)
{
	int protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	size_t own = tcp ? 20 : 8;
	size_t ip = ip_header(ends, protocol, own + length, out);
	uint8_t *head = out + ip;
	uint16_t from = port_of(&ends->from), to = port_of(&ends->to);
	memset(head, 0, own);
	memcpy(head, &from, 2);
	memcpy(head + 2, &to, 2);
	if (tcp) {
		number = htonl(number);
		memcpy(head + 4, &number, 4);
		head[12] = 0x50;
		head[13] = flags;
		put(head + 14, 8192);
	} else {
		put(head + 4, own + length);
	}
	memcpy(head + own, payload, length);
	uint16_t sum = transport_sum(ends, protocol, head, own + length);
	memcpy(head + (tcp ? 16 : 6), &sum, 2);
	return ip + own + length;
}

// An ICMP echo request with the payload; the kernel sums up those of IPv6 and of ping sockets.
static size_t echo_around(bool six, unsigned identifier, unsigned number, size_t length,
			  uint8_t *out)
{
	memset(out, 0, 8);
	out[0] = six ? 128 : 8;
	put(out + 4, identifier);
	put(out + 6, number);
	memcpy(out + 8, payload, length);
	if (!six) {
		uint16_t sum = folded(add_up(0, out, 8 + length));
		memcpy(out + 2, &sum, 2);
	}
	return 8 + length;
}
