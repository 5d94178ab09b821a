/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One socket per neighbour, connected, although all have the same local port: only for a connected
 * socket does the kernel tell the path's MTU (IP_MTU) and report that nobody listens. Where no
 * connected socket fits a datagram, the kernel hands it to the unconnected one.
 */
#include "substrate/overlay/udp_wire.h"

#include "lib/container_of.h"
#include "substrate/overlay/encapsulation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, BUFFER = 4 << 20, MTU_DEFAULT = 1500, DATAGRAM_MAX = 65535 };

struct udp_wire {
	struct substrate *sub;
	const struct udp_wire_ops *ops;
	void *owner;
	struct sockaddr_in here;
	struct loop_watch strangers;       /* what no path of ours is for */
	VEC(struct udp_wire_path *) paths; /* borrowed: each belongs to a neighbour */
};

struct udp_wire_path {
	struct udp_wire *udp;
	uint32_t ip;
	struct loop_watch watch;
	uint64_t sent, received, too_long, full, unreachable;
};

static uint8_t incoming[DATAGRAM_MAX];

/* Hands over what has arrived at a socket. */
static void read_all(struct udp_wire *u, int fd, struct udp_wire_path *p, int64_t now_ns)
{
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_in from = {0};
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, incoming, sizeof(incoming), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &size);

		if (n < 0 && errno == ECONNREFUSED && p) {
			p->unreachable++; /* nobody listens there (yet): an ICMP error came back */
			continue;
		}
		if (n < 0)
			break;
		struct frame *f = frame_get(u->sub->pool, (uint32_t)n);

		if (!f)
			break;
		memcpy(f->data, incoming, (size_t)n);
		if (p)
			p->received++;
		u->ops->receive(u->owner, ntohl(from.sin_addr.s_addr), f, now_ns);
	}
	substrate_drain(u->sub, now_ns);
}

static void path_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct udp_wire_path *p = container_of(w, struct udp_wire_path, watch);

	read_all(p->udp, w->fd, p, now_ns);
}

static void strangers_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct udp_wire *u = container_of(w, struct udp_wire, strangers);

	read_all(u, w->fd, NULL, now_ns);
}

/*
 * A socket at our address that never fragments. IP_PMTUDISC_DO sets DF, and lets send() say
 * EMSGSIZE where it would have to fragment. So the path's MTU becomes known, and virtual links can
 * be told before a frame is lost.
 */
static int open_socket(const struct udp_wire *u, struct err *e)
{
	static const int discover = IP_PMTUDISC_DO;
	static const int one = 1;
	static const int size = BUFFER;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover));
	if (bind(fd, (const struct sockaddr *)&u->here, sizeof(u->here)) < 0) {
		err_sys(e, "bind to %s:%u", inet_ntoa(u->here.sin_addr), ntohs(u->here.sin_port));
		close(fd);
		return -1;
	}
	return fd;
}

static int read_address(struct sockaddr_in *a, const char *text, struct err *e)
{
	size_t n = strcspn(text, ":");
	char ip[INET_ADDRSTRLEN];
	long port = ENCAPSULATION_PORT;
	char *end = NULL;

	*a = (struct sockaddr_in){.sin_family = AF_INET};
	if (text[n])
		port = strtol(text + n + 1, &end, 10);
	if (n >= sizeof(ip) || (end && *end) || port < 1 || port > 65535)
		return err_set(e, ERR_USAGE, "'%s' is not ADDR or ADDR:PORT", text);
	memcpy(ip, text, n);
	ip[n] = '\0';
	a->sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, ip, &a->sin_addr) != 1)
		return err_set(e, ERR_USAGE, "'%s' is not an IPv4 address", ip);
	return 0;
}

struct udp_wire *udp_wire_create(struct substrate *s, const char *text,
				 const struct udp_wire_ops *ops, void *owner, struct err *e)
{
	struct udp_wire *u = xcalloc(1, sizeof(*u));

	u->sub = s;
	u->ops = ops;
	u->owner = owner;
	u->strangers = (struct loop_watch){.fd = -1, .ready = strangers_ready};
	if (read_address(&u->here, text, e) == 0)
		u->strangers.fd = open_socket(u, e);
	if (u->strangers.fd < 0 || loop_add(s->loop, &u->strangers, EPOLLIN, e) < 0) {
		if (u->strangers.fd >= 0)
			close(u->strangers.fd);
		free(u);
		return NULL;
	}
	return u;
}

void udp_wire_destroy(struct udp_wire *u)
{
	if (!u)
		return;
	loop_remove(u->sub->loop, &u->strangers);
	close(u->strangers.fd);
	vec_free(&u->paths);
	free(u);
}

uint32_t udp_wire_ip(const struct udp_wire *u)
{
	return ntohl(u->here.sin_addr.s_addr);
}

/*
 * SO_REUSEADDR lets all of these sockets have one local address and port; connecting each tells the
 * kernel which datagrams are for it. What comes in between binding and connecting, or from somebody
 * unknown, is for the unconnected socket, and is looked at in the same way.
 */
struct udp_wire_path *udp_wire_path_create(struct udp_wire *u, uint32_t ip, struct err *e)
{
	struct sockaddr_in to = u->here;
	int fd = open_socket(u, e);

	if (fd < 0)
		return NULL;
	to.sin_addr.s_addr = htonl(ip);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		err_sys(e, "connect to %s", inet_ntoa(to.sin_addr));
		close(fd);
		return NULL;
	}
	struct udp_wire_path *p = xcalloc(1, sizeof(*p));

	p->udp = u;
	p->ip = ip;
	p->watch = (struct loop_watch){.fd = fd, .ready = path_ready};
	if (loop_add(u->sub->loop, &p->watch, EPOLLIN, e) < 0) {
		close(fd);
		free(p);
		return NULL;
	}
	vec_push(&u->paths, p);
	return p;
}

void udp_wire_path_destroy(struct udp_wire_path *p)
{
	if (!p)
		return;
	vec_remove_item(&p->udp->paths, p);
	loop_remove(p->udp->sub->loop, &p->watch);
	close(p->watch.fd);
	free(p);
}

static struct udp_wire_path *find_path(const struct udp_wire *u, uint32_t ip)
{
	for (size_t i = 0; i < u->paths.n; i++)
		if (u->paths.at[i]->ip == ip)
			return u->paths.at[i];
	return NULL;
}

bool udp_wire_send(struct udp_wire *u, uint32_t ip, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct udp_wire_path *p = find_path(u, ip);

	if (!p)
		return false;
	ssize_t n = send(p->watch.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* The ICMP error of an earlier datagram is what send() reports, and sends nothing. */
	if (n < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH)) {
		p->unreachable++;
		n = send(p->watch.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (n >= 0) {
		p->sent++;
	} else if (errno == EMSGSIZE) {
		p->too_long++;
		p->udp->ops->mtu_changed(p->udp->owner, now_ns);
	} else if (errno == EAGAIN || errno == ENOBUFS) {
		p->full++;
	} else {
		p->unreachable++;
	}
	return n >= 0;
}

uint32_t udp_wire_mtu(const struct udp_wire_path *p)
{
	int mtu = 0;
	socklen_t size = sizeof(mtu);

	if (getsockopt(p->watch.fd, IPPROTO_IP, IP_MTU, &mtu, &size) < 0 || mtu <= 0)
		return MTU_DEFAULT;
	return (uint32_t)mtu;
}

void udp_wire_status(const struct udp_wire_path *p, struct json *j)
{
	json_uint(j, "path_mtu", udp_wire_mtu(p));
	json_uint(j, "datagrams_sent", p->sent);
	json_uint(j, "datagrams_received", p->received);
	json_uint(j, "datagrams_too_long", p->too_long);
	json_uint(j, "datagrams_full", p->full);
	json_uint(j, "datagrams_unreachable", p->unreachable);
}
