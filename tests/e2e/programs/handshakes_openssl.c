/*
 * Handshakes with itself in memory, by OpenSSL or BoringSSL: for each line `VERSION COUNT` (12 or 13)
 * so many, and of each a line with the nanoseconds that the client's calls took and the server's.
 * In the folder are cert and key.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

/* One step of an end; whether it is through with it. */
static int step(SSL *end, long *spent)
{
	long before = now();
	int done = SSL_do_handshake(end);

	*spent += now() - before;
	if (done != 1 && SSL_get_error(end, done) != SSL_ERROR_WANT_READ)
		exit(4);
	return done == 1;
}

static void shake(SSL_CTX *context, int version, long spent[2])
{
	SSL *client = SSL_new(context), *server = SSL_new(context);
	BIO *near, *far;
	int done = 0;

	if (!client || !server || !BIO_new_bio_pair(&near, 1 << 16, &far, 1 << 16))
		exit(3);
	SSL_set_bio(client, near, near);
	SSL_set_bio(server, far, far);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	SSL_set_min_proto_version(client, version);
	SSL_set_max_proto_version(client, version);
	spent[0] = spent[1] = 0;
	while (done != 3) {
		if (!(done & 1))
			done |= step(client, &spent[0]);
		if (!(done & 2))
			done |= step(server, &spent[1]) << 1;
	}
	SSL_free(client);
	SSL_free(server);
}

int main(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	long spent[2];
	int version, count;

	if (!context || SSL_CTX_use_certificate_chain_file(context, "cert") != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, "key", SSL_FILETYPE_PEM) != 1)
		return 2;
	while (scanf("%d %d", &version, &count) == 2) {
		while (count-- > 0) {
			shake(context, version == 12 ? TLS1_2_VERSION : TLS1_3_VERSION, spent);
			printf("%ld %ld\n", spent[0], spent[1]);
		}
		puts("end");
		fflush(stdout);
	}
	return 0;
}
