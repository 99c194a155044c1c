/* Asks 127.0.0.1 for a page over TLS 1.3, with a GnuTLS of its own. */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_in address = { .sin_family = AF_INET };
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	char answer[4096];
	int fd;

	if (count != 2)
		return 2;
	getchar(); /* until we may begin, or there is nobody to say so */
	address.sin_port = htons(atoi(words[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return 3;
	if (gnutls_certificate_allocate_credentials(&credentials) ||
	    gnutls_init(&session, GNUTLS_CLIENT) ||
	    gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL) ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials))
		return 4;
	gnutls_transport_set_int(session, fd);
	if (gnutls_handshake(session) ||
	    gnutls_record_send(session, request, sizeof(request) - 1) < 0)
		return 5;
	while (gnutls_record_recv(session, answer, sizeof(answer)) > 0)
		;
	close(fd);
	return 0;
}
