/*
 * Handshakes with itself in memory, by GnuTLS: for each line `VERSION COUNT` (12 or 13) so many, and of
 * each a line with the nanoseconds that the client's calls took and the server's. In the folder are
 * cert and key.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One direction: bytes that were written and not yet read. */
struct pipe {
	char bytes[1 << 16];
	size_t start, end;
};

struct end {
	gnutls_session_t session;
	struct pipe *in, *out;
	long spent;
};

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static ssize_t push(gnutls_transport_ptr_t to, const void *bytes, size_t length)
{
	struct end *end = to;
	struct pipe *out = end->out;

	if (length > sizeof(out->bytes) - out->end)
		exit(5);
	memcpy(out->bytes + out->end, bytes, length);
	out->end += length;
	return length;
}

static ssize_t pull(gnutls_transport_ptr_t from, void *bytes, size_t length)
{
	struct end *end = from;
	struct pipe *in = end->in;

	if (in->start == in->end) {
		gnutls_transport_set_errno(end->session, EAGAIN);
		return -1;
	}
	if (length > in->end - in->start)
		length = in->end - in->start;
	memcpy(bytes, in->bytes + in->start, length);
	in->start += length;
	return length;
}

static void set_up(struct end *end, unsigned int kind, gnutls_certificate_credentials_t credentials,
		   int version)
{
	const char *words = version == 12 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2"
					  : "NORMAL:-VERS-ALL:+VERS-TLS1.3";

	if (gnutls_init(&end->session, kind | GNUTLS_NONBLOCK) ||
	    gnutls_priority_set_direct(end->session, words, NULL) ||
	    gnutls_credentials_set(end->session, GNUTLS_CRD_CERTIFICATE, credentials))
		exit(3);
	gnutls_transport_set_ptr(end->session, end);
	gnutls_transport_set_push_function(end->session, push);
	gnutls_transport_set_pull_function(end->session, pull);
	end->spent = 0;
}

/* One step of an end; whether it is through with it. */
static int step(struct end *end)
{
	long before = now();
	int done = gnutls_handshake(end->session);

	end->spent += now() - before;
	if (done != 0 && done != GNUTLS_E_AGAIN)
		exit(4);
	return done == 0;
}

int main(void)
{
	static struct pipe there, back;
	gnutls_certificate_credentials_t credentials;
	struct end client = { .in = &back, .out = &there };
	struct end server = { .in = &there, .out = &back };
	int version, count, done;

	if (gnutls_certificate_allocate_credentials(&credentials) ||
	    gnutls_certificate_set_x509_key_file(credentials, "cert", "key", GNUTLS_X509_FMT_PEM))
		return 2;
	while (scanf("%d %d", &version, &count) == 2) {
		while (count-- > 0) {
			there.start = there.end = back.start = back.end = 0;
			set_up(&client, GNUTLS_CLIENT, credentials, version);
			set_up(&server, GNUTLS_SERVER, credentials, version);
			for (done = 0; done != 3;) {
				if (!(done & 1))
					done |= step(&client);
				if (!(done & 2))
					done |= step(&server) << 1;
			}
			gnutls_deinit(client.session);
			gnutls_deinit(server.session);
			printf("%ld %ld\n", client.spent, server.spent);
		}
		puts("end");
		fflush(stdout);
	}
	return 0;
}
