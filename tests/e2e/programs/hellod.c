// A web server as small as they come: forks for each client and answers "hello". The README's
// commands watch it.
//
//   hellod PORT       on 127.0.0.1; writes "ready\n" when it listens, ends when nobody reads that
//                     pipe any more

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void serve(int client)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
	char request[4096];

	// A request of one segment: that is what curl's is here.
	if (read(client, request, sizeof(request)) > 0 &&
	    write(client, answer, sizeof(answer) - 1) < 0)
		_exit(1);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int yes = 1;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "8080"));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	signal(SIGCHLD, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 16)) {
		perror("hellod");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd events[] = {{.fd = listener, .events = POLLIN}, {.fd = 1}};
		int client;

		if (poll(events, 2, -1) < 0)
			continue;
		if (events[1].revents & POLLERR)
			return 0;
		client = accept(listener, NULL, NULL);
		if (client < 0)
			continue;
		if (fork() == 0)
			serve(client);
		close(client);
	}
}
