/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control daemon's side of its channel to the multiplexer: messages of words on a
 * SOCK_SEQPACKET socket (docs/protocols.md, "vnet-mux and its instances").
 *
 * Requests are answered in order, but events may come between a request and its answer. They are
 * kept in `events` for vnet_control_next(). A daemon's loop, though, waits for a descriptor, and a
 * socket that was read to the end says nothing of events that wait in our memory. So what it waits
 * for is an epoll of the socket and of an eventfd that is set as long as some are kept.
 */
#include "lib/addr.h"
#include "lib/sock.h"
#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct vnet_control {
	int mux;
	int waiting; /* an eventfd: events are here, though the socket has nothing to read */
	int ready;   /* an epoll of both */
	char name[VNET_NAME_MAX];
	VEC(struct vnet_event) events; /* that came while we waited for an answer */
};

enum answer { ANSWER_NONE, ANSWER_BOUND, ANSWER_REFUSED };

static bool read_nic_info(const struct words *w, struct vnet_nic_info *nic)
{
	const char *mac = words_get(w, "mac");
	const char *mtu = words_get(w, "mtu");
	const char *carrier = words_get(w, "carrier");

	if (w->n < 3 || !mac || !mtu || !carrier ||
	    addr_parse_mac(mac, strlen(mac), nic->mac, NULL) < 0)
		return false;
	nic->index = (unsigned)atoi(w->at[1]);
	nic->mtu = (uint16_t)atoi(mtu);
	nic->carrier = *carrier == '1';
	return snprintf(nic->name, sizeof(nic->name), "%s", w->at[2]) < VNET_NAME_MAX;
}

/* What a message says: an event is queued, an answer returned. */
static enum answer take_words(struct vnet_control *c, const struct words *w)
{
	struct vnet_event event = {0};

	if (w->n >= 2 && !strcmp(w->at[0], "vnet"))
		snprintf(c->name, sizeof(c->name), "%s", w->at[1]);
	if (w->n >= 2 && !strcmp(w->at[0], "bound"))
		return ANSWER_BOUND;
	if (w->n >= 3 && !strcmp(w->at[0], "refused")) {
		vnet_fail(EINVAL, "%s", w->at[2]);
		return ANSWER_REFUSED;
	}
	if (w->n >= 2 && !strcmp(w->at[0], "closed")) {
		event.kind = VNET_EVENT_CLOSED;
		event.id = (unsigned)strtoul(w->at[1], NULL, 10);
		vec_push(&c->events, event);
	}
	if (w->n && !strcmp(w->at[0], "nic") && read_nic_info(w, &event.nic)) {
		event.kind = VNET_EVENT_NIC;
		vec_push(&c->events, event);
	}
	return ANSWER_NONE;
}

/*
 * Reads one message; flags as recv(2). 0 with *answer, or -1: EAGAIN, EPIPE. A message that makes
 * no sense is passed over: a later multiplexer may say more than we know.
 */
static int read_message(struct vnet_control *c, int flags, enum answer *answer)
{
	char text[VNET_MESSAGE_MAX];
	struct arena a = {0};
	struct words w;
	ssize_t n = recv(c->mux, text, sizeof(text), flags);

	*answer = ANSWER_NONE;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return vnet_fail(errno, "no message");
	if (n <= 0)
		return vnet_fail(EPIPE, "the multiplexer has ended");
	if (words_split(text, (size_t)n, &a, &w, NULL) == 0)
		*answer = take_words(c, &w);
	arena_finish(&a);
	return 0;
}

static bool watch(struct vnet_control *c)
{
	struct epoll_event mux = {.events = EPOLLIN};
	struct epoll_event waiting = {.events = EPOLLIN};

	c->waiting = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->ready = epoll_create1(EPOLL_CLOEXEC);
	return c->waiting >= 0 && c->ready >= 0 &&
	       epoll_ctl(c->ready, EPOLL_CTL_ADD, c->mux, &mux) == 0 &&
	       epoll_ctl(c->ready, EPOLL_CTL_ADD, c->waiting, &waiting) == 0;
}

static void unwatch(struct vnet_control *c)
{
	if (c->waiting >= 0)
		close(c->waiting);
	if (c->ready >= 0)
		close(c->ready);
}

/* Sets or clears the eventfd: are events kept? */
static void tell_waiting(struct vnet_control *c)
{
	eventfd_t count;
	int saved = errno;

	if (c->events.n)
		eventfd_write(c->waiting, 1);
	else
		eventfd_read(c->waiting, &count);
	errno = saved;
}

/*
 * The descriptors 3 and 4 are looked at before they are believed: a program that is started by hand
 * may have anything there. They must not go on to what the daemon itself starts.
 */
struct vnet_control *vnet_control_open(void)
{
	struct vnet_control *c = calloc(1, sizeof(*c));
	enum answer answer;
	int domain = 0;
	socklen_t len = sizeof(domain);

	prctl(PR_SET_DUMPABLE, 0);
	if (c)
		c->waiting = c->ready = -1;
	if (c && getenv("VNET_INSTANCE") &&
	    getsockopt(VNET_FD_LISTENER, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	    domain == AF_UNIX) {
		fcntl(VNET_FD_MUX, F_SETFD, FD_CLOEXEC);
		fcntl(VNET_FD_LISTENER, F_SETFD, FD_CLOEXEC);
		c->mux = VNET_FD_MUX;
		if (read_message(c, 0, &answer) == 0 && c->name[0] && watch(c))
			return c;
		unwatch(c);
	}
	free(c);
	vnet_fail(EBADF, "this is a control daemon: vnet-mux starts it");
	return NULL;
}

void vnet_control_close(struct vnet_control *c)
{
	if (!c)
		return;
	close(VNET_FD_LISTENER);
	close(c->mux);
	unwatch(c);
	vec_free(&c->events);
	free(c);
}

const char *vnet_control_vnet(const struct vnet_control *c)
{
	return c->name;
}

int vnet_control_fd(const struct vnet_control *c)
{
	return c->ready;
}

int vnet_control_next(struct vnet_control *c, struct vnet_event *event)
{
	enum answer answer;

	while (!c->events.n)
		if (read_message(c, MSG_DONTWAIT, &answer) < 0)
			return errno == EPIPE ? -1 : 0;
	*event = c->events.at[0];
	vec_remove(&c->events, 0);
	tell_waiting(c);
	return 1;
}

/* Hands over what the words say, with a descriptor or -1. 0 or -1. */
static int tell_mux(struct vnet_control *c, char *const *words, size_t n, int fd)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	words_put_line(f, words, n);
	fclose(f);
	ssize_t sent = len - 1 > VNET_MESSAGE_MAX ? -1 : sock_send_fd(c->mux, text, len - 1, fd);

	free(text);
	return sent < 0 ? vnet_fail(EPIPE, "the multiplexer has ended, or the filters are too long")
			: 0;
}

/*
 * Waits for the answer and not only for a message: NICs may change in between, which is an event.
 */
static int ask_binding(struct vnet_control *c, const struct vnet_binding *b, int fd)
{
	char *words[5] = {"bind"};
	enum answer answer = ANSWER_NONE;

	words[1] = xasprintf("%u", b->id);
	words[2] = xasprintf("priority=%d", b->priority);
	words[3] = xasprintf("in=%s", b->in);
	words[4] = xasprintf("out=%s", b->out);
	int rc = tell_mux(c, words, ARRAY_LEN(words), fd);

	for (size_t i = 1; i < ARRAY_LEN(words); i++)
		free(words[i]);
	while (rc == 0 && answer == ANSWER_NONE)
		rc = read_message(c, 0, &answer) < 0 && errno != EINTR ? -1 : 0;
	tell_waiting(c);
	return answer == ANSWER_BOUND ? 0 : -1;
}

/*
 * The endpoint is a pair of sockets: one end stays here, to be handed to an application, the other
 * goes to the multiplexer with the request. When either is closed, the other reads its end.
 */
int vnet_control_bind(struct vnet_control *c, const struct vnet_binding *b)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return vnet_fail(errno, "socketpair: %s", strerror(errno));
	int rc = ask_binding(c, b, pair[1]);
	int saved = errno;

	close(pair[1]);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	errno = saved;
	return -1;
}

void vnet_control_unbind(struct vnet_control *c, unsigned id)
{
	char *words[2] = {"unbind", xasprintf("%u", id)};

	/* If the multiplexer has ended, so have all bindings. */
	tell_mux(c, words, ARRAY_LEN(words), -1);
	free(words[1]);
	/* An end that came in the meantime is of the binding that we know to be gone. */
	for (size_t i = c->events.n; i-- > 0;)
		if (c->events.at[i].kind == VNET_EVENT_CLOSED && c->events.at[i].id == id)
			vec_remove(&c->events, i);
	tell_waiting(c);
}

int vnet_control_listener(const struct vnet_control *c)
{
	return VNET_FD_LISTENER;
}

/*
 * Who asks is taken from the kernel's word (SO_PEERCRED), which holds for the process that
 * connected, at that time. Other users than the lab's and root are hung up on.
 */
int vnet_accept(struct vnet_control *c, struct vnet_peer *peer)
{
	for (;;) {
		struct ucred who;
		socklen_t len = sizeof(who);
		int fd = accept4(VNET_FD_LISTENER, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return vnet_fail(EAGAIN, "nobody wants to connect");
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
		    (who.uid == geteuid() || who.uid == 0)) {
			*peer = (struct vnet_peer){
				.pid = who.pid, .uid = who.uid, .instance = who.pid == getppid()};
			return fd;
		}
		close(fd);
	}
}

ssize_t vnet_take_request(int connection, char *request, size_t size)
{
	ssize_t n = recv(connection, request, size - 1, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return vnet_fail(EAGAIN, "no request");
	if (n <= 0)
		return vnet_fail(EPIPE, "the application has gone");
	if ((size_t)n > size - 1)
		return vnet_fail(EMSGSIZE, "a request of %zd octets", n);
	request[n] = '\0';
	return n;
}

int vnet_reply(int connection, const char *reply, const int *fds, size_t n_fds)
{
	struct iovec iov = {.iov_base = (void *)reply, .iov_len = strlen(reply)};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int) * 4)];
	} control = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds > 4)
		return vnet_fail(EINVAL, "a reply carries at most 4 descriptors");
	if (n_fds) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * n_fds);
	}
	if (sendmsg(connection, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return vnet_fail(EPIPE, "the application has gone, or does not read");
	return 0;
}
