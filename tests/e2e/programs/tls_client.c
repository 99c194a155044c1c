/* Asks 127.0.0.1 for a page over TLS, with whatever OpenSSL it is linked to. */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct sockaddr_in address = { .sin_family = AF_INET };
	char answer[4096];
	SSL *ssl;
	int fd;

	if (count != 2)
		return 2;
	getchar(); /* until we may begin, or there is nobody to say so */
	address.sin_port = htons(atoi(words[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return 3;
	ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
	if (!ssl || !SSL_set_fd(ssl, fd) || SSL_connect(ssl) != 1)
		return 4;
	SSL_write(ssl, request, sizeof(request) - 1);
	while (SSL_read(ssl, answer, sizeof(answer)) > 0)
		;
	SSL_shutdown(ssl);
	close(fd);
	return 0;
}
