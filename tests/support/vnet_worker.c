/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A further instance of a vNet for the tests of the multiplexer: asks the control daemon, to which
 * descriptor 3 is a connection, for number 50 of the toy network (vnet_daemon.c), and sends every
 * frame back. Octet 15 of a frame (from whom) may make it misbehave.
 */
#include "vnet/vnet.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CONTROL = 3, NUMBER = 50, SPIN = 200, SOCKET = 201 };

static int bind_number(void)
{
	char said[64];
	int fd = -1;

	if (vnet_request(CONTROL, "who", said, sizeof(said), NULL, 0, 10000) < 0 ||
	    !strstr(said, " instance")) {
		fprintf(stderr, "vnet_worker: the daemon takes it for no instance: %s\n", said);
		exit(4);
	}
	if (vnet_request(CONTROL, "bind 50", said, sizeof(said), &fd, 1, 10000) < 0 || fd < 0) {
		fprintf(stderr, "vnet_worker: %s\n", said);
		exit(5);
	}
	return fd;
}

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1}; /* of the NIC */

static void answer(int endpoint, unsigned nic, uint8_t *f, size_t len)
{
	while (f[15] == SPIN)
		;
	if (f[15] == SOCKET)
		exit(socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 6 : 7);
	memcpy(f, f + 6, 6);
	memcpy(f + 6, mac, sizeof(mac));
	f[14] = f[15];
	f[15] = NUMBER;
	vnet_endpoint_send(endpoint, nic, f, len);
}

int main(void)
{
	int endpoint = bind_number();
	uint8_t f[2000];
	unsigned nic;

	for (;;) {
		struct pollfd p[] = {{.fd = endpoint, .events = POLLIN},
				     {.fd = CONTROL, .events = POLLIN}};

		poll(p, 2, -1);
		if (p[1].revents)
			return 0; /* the daemon has ended */
		ssize_t len = vnet_endpoint_receive(endpoint, &nic, f, sizeof(f));

		if (len >= 16)
			answer(endpoint, nic, f, (size_t)len);
	}
}
