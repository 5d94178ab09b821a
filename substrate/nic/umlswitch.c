/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The protocol is in umlswitch.h. The original switch has one data socket for all clients and tells
 * them apart by their addresses. Here each client has one of its own, connected to it: the kernel
 * refuses the datagrams of all others, and the port that a frame belongs to needs no search. The
 * stream says by its end that the client has gone.
 */
#include "substrate/nic/umlswitch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAGIC = 0xfeedface, VERSION = 3, NEW_CONTROL = 0 };

/* A data socket for one client alone: only its datagrams get in. -1 with errno. */
static int open_data_socket(struct umlswitch_session *u)
{
	static uint64_t serial; /* of this process, as the address is */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Clients use the whole structure as the address, so all of it is bound. */
	memset(&u->own, 0, sizeof(u->own));
	u->own.sun_family = AF_UNIX;
	snprintf(u->own.sun_path + 1, sizeof(u->own.sun_path) - 1, "vbet-%d-%llu", (int)getpid(),
		 (unsigned long long)++serial);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&u->own, sizeof(u->own)) == 0 &&
	    connect(fd, (const struct sockaddr *)&u->request.sock, sizeof(u->request.sock)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static enum umlswitch_step take_request(struct umlswitch_session *u, int *data_fd, struct err *e)
{
	const struct umlswitch_request *r = &u->request;

	if (r->magic != MAGIC || r->version != VERSION || r->type != NEW_CONTROL ||
	    r->sock.sun_family != AF_UNIX) {
		err_set(e, ERR_ENV, "not a request of the uml_switch protocol, version 3");
		return UMLSWITCH_OVER;
	}
	*data_fd = open_data_socket(u);
	if (*data_fd >= 0)
		return UMLSWITCH_READY;
	err_sys(e, "data socket");
	return UMLSWITCH_OVER;
}

/*
 * The request may come in pieces. What comes after it has no meaning, and is read only to notice
 * the end of the stream.
 */
enum umlswitch_step umlswitch_read(struct umlswitch_session *u, int stream, int *data_fd,
				   struct err *e)
{
	char rest[256];
	bool complete = u->n_request == sizeof(u->request);
	ssize_t n = complete ? recv(stream, rest, sizeof(rest), MSG_DONTWAIT)
			     : recv(stream, (char *)&u->request + u->n_request,
				    sizeof(u->request) - u->n_request, MSG_DONTWAIT);

	*e = (struct err){0};
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return UMLSWITCH_WAIT;
	if (n <= 0)
		return UMLSWITCH_OVER;
	if (complete)
		return UMLSWITCH_WAIT;
	u->n_request += (size_t)n;
	return u->n_request == sizeof(u->request) ? take_request(u, data_fd, e) : UMLSWITCH_WAIT;
}

int umlswitch_answer(const struct umlswitch_session *u, int stream, struct err *e)
{
	if (send(stream, &u->own, sizeof(u->own), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(u->own))
		return err_sys(e, "answer");
	return 0;
}
