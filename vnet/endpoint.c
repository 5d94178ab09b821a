/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an application has: an endpoint, whose messages are a head with the number of the NIC and a
 * frame, and a connection to the control daemon, whose messages are text.
 */
#include "lib/sock.h"
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/*
 * The number of the NIC goes in front of the frame, in the same message: one endpoint serves all
 * links of an end system, and the frame itself stays as it will be on the wire.
 */
int vnet_endpoint_send(int endpoint, unsigned nic, const void *frame, size_t len)
{
	uint8_t head[VNET_ENDPOINT_HEAD] = {(uint8_t)nic};
	struct iovec iov[] = {
		{.iov_base = head, .iov_len = sizeof(head)},
		{.iov_base = (void *)frame, .iov_len = len},
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	if (nic >= VNET_NICS_MAX || len < VNET_FRAME_MIN || len > VNET_FRAME_MAX)
		return vnet_fail(EMSGSIZE, "a frame of %zu octets by NIC %u", len, nic);
	if (sendmsg(endpoint, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return vnet_fail(EAGAIN, "the endpoint's queue is full");
	return vnet_fail(EPIPE, "the endpoint is not bound any more");
}

ssize_t vnet_endpoint_receive(int endpoint, unsigned *nic, void *frame, size_t size)
{
	uint8_t head[VNET_ENDPOINT_HEAD];
	struct iovec iov[] = {
		{.iov_base = head, .iov_len = sizeof(head)},
		{.iov_base = frame, .iov_len = size},
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n = recvmsg(endpoint, &msg, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return vnet_fail(EAGAIN, "no frame");
	if (n <= 0)
		return vnet_fail(EPIPE, "the endpoint is not bound any more");
	if (n < VNET_ENDPOINT_HEAD || (msg.msg_flags & MSG_TRUNC))
		return vnet_fail(EMSGSIZE, "not a frame of at most %zu octets", size);
	*nic = head[0];
	return n - VNET_ENDPOINT_HEAD;
}

int vnet_connect(const struct vnet_conf *conf)
{
	char path[VNET_PATH_MAX + 16];
	struct err e;

	snprintf(path, sizeof(path), "%s/control", conf->dir);
	int fd = sock_connect(path, SOCK_SEQPACKET, &e);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return vnet_fail(errno, "no control daemon of vNet %s runs on %s (%s)", conf->vnet,
				 conf->node, path);
	return vnet_fail_err(&e);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/*
 * Waits for a reply. 0 or -1. A signal that comes in between must not make the wait longer: the
 * time that is left is worked out anew.
 */
static int wait_readable(int fd, int timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - now_ms();
		int n = poll(&p, 1, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);

		if (n > 0)
			return 0;
		if (n == 0)
			return vnet_fail(ETIMEDOUT, "the control daemon does not answer");
		if (errno != EINTR)
			return vnet_fail(errno, "poll: %s", strerror(errno));
	}
}

/* One question at a time on a connection: what comes next is the answer. */
ssize_t vnet_request(int connection, const char *request, char *reply, size_t size, int *fds,
		     size_t n_fds, int timeout_ms)
{
	size_t got_fds = 0;

	for (size_t i = 0; i < n_fds; i++)
		fds[i] = -1;
	if (send(connection, request, strlen(request), MSG_NOSIGNAL) < 0)
		return vnet_fail(EPIPE, "the control daemon has ended");
	if (wait_readable(connection, timeout_ms) < 0)
		return -1;
	ssize_t n = sock_recv_fds(connection, reply, size - 1, fds, n_fds, &got_fds, 0);

	if (n <= 0)
		return vnet_fail(EPIPE, "the control daemon has ended");
	if ((size_t)n == size - 1)
		return vnet_fail(EMSGSIZE, "the reply is too long");
	reply[n] = '\0';
	return n;
}
