/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Paths of unix sockets are short (107 bytes), and a socket file outlives the process that made it.
 * So whoever wants to listen tries to connect first: if nobody answers, the file is stale and is
 * replaced; if somebody does, that is an error and not a takeover.
 */
#include "lib/sock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int make_address(struct sockaddr_un *sa, const char *path, struct err *e)
{
	size_t len = strlen(path);

	if (len > SOCK_PATH_MAX)
		return err_set(e, ERR_ENV,
			       "socket path is %zu bytes, the system takes at most %d: %s", len,
			       SOCK_PATH_MAX, path);
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	memcpy(sa->sun_path, path, len + 1);
	return 0;
}

/*
 * Connecting is the only test: that the file exists says nothing, and a lock beside it would be one
 * more file to go stale. ECONNREFUSED means that nobody listens on it any more.
 */
static bool is_stale(const struct sockaddr_un *sa, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	int rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	bool stale = rc < 0 && errno == ECONNREFUSED;

	close(fd);
	return stale;
}

/* The mode is set before listen(2): nobody can connect in between. */
int sock_listen(const char *path, int type, struct err *e)
{
	struct sockaddr_un sa;

	if (make_address(&sa, path, e) < 0)
		return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	int rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));

	if (rc < 0 && errno == EADDRINUSE) {
		if (!is_stale(&sa, type)) {
			close(fd);
			return err_set(e, ERR_ENV, "%s is in use by a running process", path);
		}
		unlink(path);
		rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	}
	if (rc < 0 || chmod(path, 0600) < 0 || listen(fd, 128) < 0) {
		err_sys(e, "listen at %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * errno is that of connect(2) when it fails, as the caller may want to tell "nobody listens" from
 * the rest.
 */
int sock_connect(const char *path, int type, struct err *e)
{
	struct sockaddr_un sa;

	if (make_address(&sa, path, e) < 0)
		return -1;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		int saved = errno;

		err_sys(e, "connect to %s", path);
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* The union aligns the control buffer, which cmsg(3) wants. Without any it is an ordinary message.
 */
ssize_t sock_send_fds(int sock, const void *data, size_t len, const int *fds, size_t n_fds)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * SOCK_FDS_MAX)];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	assert(n_fds <= SOCK_FDS_MAX);
	if (n_fds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

ssize_t sock_send_fd(int sock, const void *data, size_t len, int fd)
{
	return sock_send_fds(sock, data, len, &fd, fd >= 0);
}

/*
 * Descriptors that the caller has no place for are closed at once: a peer who sends more than was
 * agreed must not fill our table. They are closed on exec from the beginning (MSG_CMSG_CLOEXEC).
 */
ssize_t sock_recv_fds(int sock, void *data, size_t len, int *fds, size_t max_fds, size_t *n_fds,
		      int flags)
{
	struct iovec iov = {.iov_base = data, .iov_len = len};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * SOCK_FDS_MAX)];
	} control;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	ssize_t got = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);

	*n_fds = 0;
	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (*n_fds < max_fds)
				fds[(*n_fds)++] = fd;
			else
				close(fd);
		}
	}
	return got;
}

pid_t sock_peer_pid(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? 0 : peer.pid;
}

void sock_set_nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/*
 * For descriptors that may be non-blocking but whose writer has nothing else to do: it waits with
 * poll(2).
 */
int sock_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = {.fd = fd, .events = POLLOUT};

			poll(&pfd, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
