/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of Trellis runs in the application: it knows the routes from the daemon's table,
 * which is copied once per version, makes its packets itself, and hands them to the endpoint. The
 * daemon is asked only for names that it owns, that is, for ports and connections.
 */
#include "vnet/trellis/library.h"

#include "lib/loop.h"
#include "lib/words.h"
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_MS = 10000, ROOM_MS = 100 };

int64_t library_now_ns(void)
{
	return clock_monotonic_ns();
}

/* -1 is for ever, as in poll(2), and stays so; a time that is over leaves 0, which only looks. */
int library_left(int64_t begin_ns, int timeout_ms)
{
	int64_t left = timeout_ms - (library_now_ns() - begin_ns) / 1000000;

	if (timeout_ms < 0)
		return -1;
	return left > 0 ? (int)left : 0;
}

bool library_wait(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) > 0;
}

/*
 * A copy, since the table may change at any time. It is taken anew when the version has changed,
 * which costs one look at shared memory for each packet.
 */
const struct trellis_table *library_table(struct trellis *t)
{
	uint32_t version;

	if (t->version == vnet_table_version(t->table))
		return (const struct trellis_table *)(const void *)t->copy;
	ssize_t n = vnet_table_read(t->table, t->copy, TRELLIS_TABLE_MAX, &version);
	const struct trellis_table *table = (const struct trellis_table *)(const void *)t->copy;

	if (n < (ssize_t)sizeof(*table) ||
	    (size_t)n < sizeof(*table) + table->n_routes * sizeof(struct trellis_route)) {
		t->version = 0;
		return NULL;
	}
	t->version = version;
	return table;
}

static const struct trellis_route *routes_of(const struct trellis_table *table)
{
	return (const struct trellis_route *)(const void *)(table + 1);
}

const struct trellis_route *library_route(struct trellis *t, const struct trellis_address *to)
{
	const struct trellis_table *table = library_table(t);

	return table ? trellis_route_find(routes_of(table), table->n_routes, to) : NULL;
}

/*
 * The table comes as a descriptor of shared memory over the daemon's socket; from then on routes
 * are read without asking anybody.
 */
struct trellis *trellis_open(const char *vnet)
{
	struct vnet_conf conf;
	char reply[256];
	int fd;

	if (vnet_conf_find(vnet, &conf) < 0)
		return NULL;
	struct trellis *t = xcalloc(1, sizeof(*t));

	t->copy = xmalloc(TRELLIS_TABLE_MAX);
	t->control = vnet_connect(&conf);
	if (t->control >= 0 &&
	    vnet_request(t->control, "table", reply, sizeof(reply), &fd, 1, ASK_MS) > 0 && fd >= 0)
		t->table = vnet_table_open(fd);
	const struct trellis_table *table = t->table ? library_table(t) : NULL;

	if (!table) {
		trellis_close(t);
		return NULL;
	}
	trellis_address_format(&table->self, t->self);
	return t;
}

void trellis_close(struct trellis *t)
{
	if (!t)
		return;
	if (t->control >= 0)
		close(t->control);
	vnet_table_close(t->table);
	free(t->copy);
	free(t);
}

const char *trellis_self(const struct trellis *t)
{
	return t->self;
}

/*
 * A short name must mean one address: with two, saying which is the user's business. It holds for
 * the nodes that are known now.
 */
int library_resolve(struct trellis *t, const char *name, struct trellis_address *a)
{
	const struct trellis_table *table = library_table(t);
	size_t found = 0;

	if (*name == '/')
		return trellis_address_parse(a, name)
			       ? 0
			       : vnet_fail(EINVAL, "'%s' is not an address", name);
	if (table && trellis_address_has_suffix(&table->self, name)) {
		*a = table->self;
		found++;
	}
	for (size_t i = 0; table && i < table->n_routes; i++) {
		if (trellis_address_has_suffix(&routes_of(table)[i].to, name)) {
			*a = routes_of(table)[i].to;
			found++;
		}
	}
	if (found == 1)
		return 0;
	if (!found)
		return vnet_fail(ENOENT, "no address ends in '%s'", name);
	return vnet_fail(EEXIST, "%zu addresses end in '%s': say more of it", found, name);
}

int trellis_resolve(struct trellis *t, const char *name, char address[TRELLIS_NAME_MAX])
{
	struct trellis_address a;

	if (library_resolve(t, name, &a) < 0)
		return -1;
	trellis_address_format(&a, address);
	return 0;
}

/*
 * The route's MTU is that of the narrowest link on the way, as far as it is known; headers with
 * both addresses go off it.
 */
int trellis_datagram_max(struct trellis *t, const char *to)
{
	struct trellis_address a;

	if (library_resolve(t, to, &a) < 0)
		return -1;
	const struct trellis_route *r = library_route(t, &a);
	const struct trellis_table *table = library_table(t);

	if (!r || !table)
		return vnet_fail(ENETUNREACH, "no way to %s", to);
	return (int)(r->mtu - trellis_packet_overhead(&a, &table->self));
}

int trellis_ways(struct trellis *t, void (*each)(void *ctx, const struct trellis_way *w), void *ctx)
{
	const struct trellis_table *table = library_table(t);

	for (size_t i = 0; table && i < table->n_routes; i++) {
		const struct trellis_route *r = &routes_of(table)[i];
		struct trellis_way w = {
			.nic = r->nic, .hops = r->hops, .mtu = r->mtu, .cost = r->cost};

		trellis_address_format(&r->to, w.to);
		each(ctx, &w);
	}
	return table ? (int)table->n_routes : -1;
}

/*
 * The descriptor that comes with the answer is the endpoint: frames go through it to the
 * multiplexer and not through the daemon.
 */
int library_bind(struct trellis *t, const char *request, uint16_t *port)
{
	char reply[VNET_MESSAGE_MAX];
	int fd = -1;
	unsigned number;

	if (vnet_request(t->control, request, reply, sizeof(reply), &fd, 1, ASK_MS) < 0)
		return -1;
	if (fd < 0 || sscanf(reply, "ok %u", &number) != 1)
		return vnet_fail(EADDRINUSE, "%s", reply);
	*port = (uint16_t)number;
	return fd;
}

/*
 * A full endpoint gets a moment (ROOM_MS) to make room. Without that, a program that sends in a
 * loop would lose most of what it sends, and see nothing of it.
 */
int library_send(struct trellis *t, int fd, struct trellis_packet *p, uint8_t *frame)
{
	const struct trellis_route *r = library_route(t, &p->destination);
	const struct trellis_table *table = library_table(t);
	char text[TRELLIS_TEXT_MAX];

	if (!r || !table || r->nic >= NODE_NICS_MAX)
		return vnet_fail(ENETUNREACH, "no way to %s",
				 trellis_address_format(&p->destination, text));
	p->source = table->self;
	size_t len = trellis_packet_write(p, r->mac, table->mac[r->nic], frame, VNET_FRAME_MAX);

	if (!len || len > table->mtu[r->nic] + 14u)
		return vnet_fail(EMSGSIZE, "too long for the first link");
	if (vnet_endpoint_send(fd, r->nic, frame, len) == 0)
		return 0;
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	if (errno != EAGAIN || poll(&room, 1, ROOM_MS) <= 0)
		return -1;
	return vnet_endpoint_send(fd, r->nic, frame, len);
}

/* Too long a frame (EMSGSIZE) is passed over like a damaged one: it can be no packet of ours. */
bool library_receive(int fd, uint8_t *frame, struct trellis_packet *p, bool *gone)
{
	*gone = false;
	for (;;) {
		unsigned nic;
		ssize_t n = vnet_endpoint_receive(fd, &nic, frame, VNET_FRAME_MAX);

		if (n < 0 && errno != EMSGSIZE) {
			*gone = errno != EAGAIN;
			return false;
		}
		/* Damaged on the way: as if it had been lost. */
		if (n > 0 && trellis_packet_read(p, frame, (size_t)n))
			return true;
	}
}

/* Applications know errors of sockets, so what a node on the way says becomes one of those. */
int library_errno(enum trellis_error_code code)
{
	switch (code) {
	case TRELLIS_ERROR_ROUTE:
		return ENETUNREACH;
	case TRELLIS_ERROR_HOPS:
		return EHOSTUNREACH;
	case TRELLIS_ERROR_SIZE:
		return EMSGSIZE;
	case TRELLIS_ERROR_PORT:
		return ECONNREFUSED;
	}
	return EPROTO;
}

static struct trellis_socket *open_socket(struct trellis *t, const char *what, uint16_t port)
{
	char request[64];
	struct trellis_socket *s = xcalloc(1, sizeof(*s));

	snprintf(request, sizeof(request), "%s %u", what, port);
	s->t = t;
	s->hops = TRELLIS_HOPS;
	s->fd = library_bind(t, request, &s->port);
	if (s->fd >= 0)
		return s;
	free(s);
	return NULL;
}

struct trellis_socket *trellis_datagram(struct trellis *t, uint16_t port)
{
	return open_socket(t, "datagram", port);
}

struct trellis_socket *trellis_listen(struct trellis *t, uint16_t port)
{
	return open_socket(t, "listen", port);
}

void trellis_socket_close(struct trellis_socket *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}

uint16_t trellis_socket_port(const struct trellis_socket *s)
{
	return s->port;
}

int trellis_socket_fd(const struct trellis_socket *s)
{
	return s->fd;
}

void trellis_set_hops(struct trellis_socket *s, unsigned hops)
{
	s->hops = (uint8_t)(hops > 255 ? 255 : hops);
}

int trellis_send(struct trellis_socket *s, const char *to, uint16_t port, const void *data,
		 size_t len)
{
	struct trellis_packet p = {
		.kind = TRELLIS_DATAGRAM,
		.hop_limit = s->hops,
		.source_port = s->port,
		.destination_port = port,
		.payload = data,
		.len = (uint16_t)len,
	};

	if (len > TRELLIS_PACKET_MAX)
		return vnet_fail(EMSGSIZE, "a datagram of %zu octets", len);
	if (library_resolve(s->t, to, &p.destination) < 0)
		return -1;
	return library_send(s->t, s->fd, &p, s->frame);
}

/* An error of the network takes the place of a datagram: its sender is the node that says so. */
ssize_t trellis_receive(struct trellis_socket *s, struct trellis_from *from, void *data,
			size_t size, int timeout_ms)
{
	int64_t begin = library_now_ns();
	struct trellis_packet p;
	struct trellis_error e;
	bool gone;

	while (!library_receive(s->fd, s->frame, &p, &gone)) {
		if (gone)
			return -1;
		int left = library_left(begin, timeout_ms);

		if (!library_wait(s->fd, left) && left >= 0)
			return vnet_fail(ETIMEDOUT, "nothing came");
	}
	trellis_address_format(&p.source, from->address);
	from->port = p.source_port;
	if (p.kind == TRELLIS_ERROR && trellis_error_read(&e, p.payload, p.len))
		return vnet_fail(library_errno(e.code), "%s says: %s", from->address,
				 trellis_error_text(e.code));
	size_t n = p.len < size ? p.len : size;

	memcpy(data, p.payload, n);
	return (ssize_t)n;
}
