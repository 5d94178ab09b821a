/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. Messages of nodes may go over a stream instead of VLI 0 of a substrate link: a manager
 * listens at an address, or connects to one. A stream is only another way for the same messages of
 * the same conversations. So nothing is lost with it: while no stream to a node is open, VLI 0 is
 * used again, and what was under way is repeated as always. Greetings of links never go over a
 * stream, since they say that the link itself carries frames.
 *
 * Who connects tries again when a connection ends, each time twice as late up to a bound; a stream
 * that opens resets that. Who listens has room for STREAMS_MAX connections, and those who have not
 * shown yet that they have the key make room for others first: they keep nobody out.
 *
 * A connection can end while its own data are being read. So a line that is over is only marked,
 * and freed with the next tick.
 */
#include "substrate/overlay/manager.h"

#include "lib/conn.h"
#include "lib/container_of.h"
#include "lib/minmax.h"
#include "lib/sock.h"
#include "substrate/core/thaw.h"
#include "substrate/overlay/message_stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	STREAMS_MAX = 64,      /* of one that listens */
	PENDING_MAX = 1 << 18, /* octets that wait for a slow reader; what is more is lost */
};

static const int64_t first_wait_ns = 100000000;
static const int64_t longest_wait_ns = 8000000000;

/* One connection. */
struct line {
	struct manager *manager;
	struct conn conn;
	struct message_stream stream;
	bool ended; /* it is freed with the next tick */
};

struct manager {
	struct object object;
	struct snode *node;
	char *at; /* owned: "unix:PATH", "tcp:ADDR:PORT" */
	const struct family *family;
	const char *rest;           /* of at, behind the family */
	char *peer;                 /* owned: whom it connects to; NULL: it listens */
	struct loop_watch listener; /* fd -1: none */
	VEC(struct line *) lines;   /* owned; at most one of one that connects */
	int64_t retry_ns;           /* when to connect (again); INT64_MAX: not */
	int64_t wait_ns;            /* before the next try */
	uint64_t last_life;         /* of a connection */
	uint64_t tries, opened, unknown, full;
	uint64_t dropped[MESSAGE_DROPS]; /* of connections that have ended */
	const char *why;                 /* static: why the last one ended; NULL: it was closed */
};

/* ---- addresses ---- */

/* "ADDR:PORT", ADDR in brackets if it is IPv6; no names: nobody is asked. */
static struct addrinfo *read_tcp(const char *text, struct err *e)
{
	const char *colon = strrchr(text, ':');
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	bool bracket = *text == '[' && colon && colon > text && colon[-1] == ']';
	char *host = colon ? xstrndup(text + bracket, (size_t)(colon - text) - 2 * bracket) : NULL;

	if (!host || getaddrinfo(host, colon + 1, &hints, &found) != 0) {
		err_set(e, ERR_USAGE, "'%s' is not ADDR:PORT (an IPv6 address in brackets)", text);
		found = NULL;
	}
	free(host);
	return found;
}

static int listen_tcp(const char *text, struct err *e)
{
	struct addrinfo *a = read_tcp(text, e);
	int one = 1;

	if (!a)
		return -1;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, STREAMS_MAX) < 0) {
		err_sys(e, "listen at tcp:%s", text);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

/* Does not wait: the connection may still be under way. */
static int connect_tcp(const char *text, struct err *e)
{
	struct addrinfo *a = read_tcp(text, e);

	if (!a)
		return -1;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)) {
		err_sys(e, "connect to tcp:%s", text);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

static int listen_unix(const char *path, struct err *e)
{
	return sock_listen(path, SOCK_STREAM, e);
}

/* Does not wait either: if the listener's queue is full, that is an error. */
static int connect_unix(const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	/* The address is as long as was checked when it was given. */
	memcpy(a.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	err_sys(e, "connect to unix:%s", path);
	close(fd);
	return -1;
}

static int check_tcp(const char *text, struct err *e)
{
	struct addrinfo *a = read_tcp(text, e);

	if (a)
		freeaddrinfo(a);
	return a ? 0 : -1;
}

static int check_unix(const char *path, struct err *e)
{
	if (*path && strlen(path) <= SOCK_PATH_MAX)
		return 0;
	return err_set(e, ERR_USAGE, "a socket's path has 1 to %d octets", SOCK_PATH_MAX);
}

static const struct family {
	const char *prefix;
	int (*check)(const char *at, struct err *e);
	int (*listen)(const char *at, struct err *e);
	int (*connect)(const char *at, struct err *e);
} families[] = {
	{"unix:", check_unix, listen_unix, connect_unix},
	{"tcp:", check_tcp, listen_tcp, connect_tcp},
};

/* The family that an address names, and what follows its prefix. NULL with the error set. */
static const struct family *family_of(const char *at, const char **rest, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		size_t n = strlen(families[i].prefix);

		if (strncmp(at, families[i].prefix, n) != 0)
			continue;
		*rest = at + n;
		return families[i].check(*rest, e) < 0 ? NULL : &families[i];
	}
	err_set(e, ERR_USAGE, "'%s' is not unix:PATH or tcp:ADDR:PORT", at);
	return NULL;
}

/* ---- one connection ---- */

static void send_octets(struct message_stream *s, const uint8_t *data, size_t len)
{
	struct line *l = s->owner;

	if (conn_pending(&l->conn) + len > PENDING_MAX)
		l->manager->full++;
	else
		conn_write(&l->conn, data, len);
}

/* The conversation that a message belongs to hears it. */
static void hear(struct message_stream *s, const struct message *m, const uint8_t *data, size_t len,
		 int64_t now_ns)
{
	struct line *l = s->owner;
	struct snode *n = l->manager->node;

	for (size_t i = 0; i < n->links.n; i++) {
		for (size_t k = 0; k < n->links.at[i]->neighbours.n; k++) {
			struct neighbour *b = n->links.at[i]->neighbours.at[k];

			if (b->conversation.link != m->link || b->conversation.other != m->sender)
				continue;
			neighbour_receive(b, NULL, data, len, now_ns);
			return;
		}
	}
	l->manager->unknown++;
}

static void opened(struct message_stream *s, int64_t now_ns)
{
	struct manager *m = ((struct line *)s->owner)->manager;

	m->opened++;
	m->wait_ns = first_wait_ns;
	m->why = NULL;
	substrate_event(m->object.sub, "event manager %s open %s", m->object.name, s->peer);
}

static const struct message_stream_ops ops = {
	.send = send_octets, .opened = opened, .message = hear};

/* Each time twice as late as the time before, up to a bound. */
static void retry_later(struct manager *m, int64_t now_ns)
{
	m->retry_ns = now_ns + m->wait_ns;
	m->wait_ns = m->wait_ns * 2 > longest_wait_ns ? longest_wait_ns : m->wait_ns * 2;
}

/* The connection is closed. Somebody up the stack may use the line still: it is freed later. */
static void end_line(struct line *l, const char *why, int64_t now_ns)
{
	struct manager *m = l->manager;

	if (l->ended)
		return;
	l->ended = true;
	m->why = why;
	for (int i = 0; i < MESSAGE_DROPS; i++)
		m->dropped[i] += l->stream.count.dropped[i];
	if (l->stream.open)
		substrate_event(m->object.sub, "event manager %s lost %s \"%s\"", m->object.name,
				l->stream.peer, why);
	l->stream.open = false;
	conn_finish(&l->conn);
	if (m->peer)
		retry_later(m, now_ns);
	snode_wake(m->node, now_ns);
}

static size_t on_data(struct conn *c, const char *data, size_t len)
{
	struct line *l = c->owner;
	int64_t now = substrate_now_ns(l->manager->object.sub);
	uint8_t message[MESSAGE_MAX]; /* a copy: the connection may be closed, and its buffer go */

	len = len < sizeof(message) ? len : sizeof(message);
	memcpy(message, data, len);
	long n = message_stream_take(&l->stream, message, len, now);

	if (n < 0)
		end_line(l, l->stream.why, now);
	substrate_drain(l->manager->object.sub, now);
	return n > 0 ? (size_t)n : 0;
}

static void on_close(struct conn *c)
{
	struct line *l = c->owner;

	end_line(l, l->stream.open ? "the connection was closed" : "no connection",
		 substrate_now_ns(l->manager->object.sub));
}

/* Each life has another number, whatever the clock does. */
static uint64_t next_life(struct manager *m, int64_t now_ns)
{
	uint64_t now_us = (uint64_t)(m->object.sub->epoch_ns + now_ns) / 1000;

	m->last_life = now_us > m->last_life ? now_us : m->last_life + 1;
	return m->last_life;
}

static void add_line(struct manager *m, int fd, int64_t now_ns)
{
	struct line *l = xcalloc(1, sizeof(*l));
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* no harm to others */
	l->manager = m;
	l->conn.on_data = on_data;
	l->conn.on_close = on_close;
	l->conn.owner = l;
	l->conn.in_max = 1 << 17;
	if (conn_open(&l->conn, m->object.sub->loop, fd, NULL) < 0) {
		close(fd);
		free(l);
		return;
	}
	vec_push(&m->lines, l);
	message_stream_init(&l->stream, &ops, l, &m->node->key, m->node->object.name, m->peer,
			    next_life(m, now_ns), now_ns);
	snode_wake(m->node, now_ns);
}

static void free_line(struct line *l)
{
	conn_finish(&l->conn);
	free(l);
}

static void free_ended(struct manager *m)
{
	for (size_t i = m->lines.n; i-- > 0;) {
		if (!m->lines.at[i]->ended)
			continue;
		free_line(m->lines.at[i]);
		vec_remove(&m->lines, i);
	}
}

/* Those who have not shown that they have the key go first. */
static void make_room(struct manager *m, int64_t now_ns)
{
	for (size_t i = 0; i < m->lines.n && m->lines.n >= STREAMS_MAX; i++) {
		if (m->lines.at[i]->stream.open)
			continue;
		end_line(m->lines.at[i], "there were too many connections", now_ns);
		free_ended(m);
	}
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct manager *m = container_of(w, struct manager, listener);
	int64_t now = substrate_now_ns(m->object.sub);
	int fd = loop_accept(m->object.sub->loop, w);

	free_ended(m);
	if (fd < 0)
		return;
	make_room(m, now);
	if (m->lines.n < STREAMS_MAX)
		add_line(m, fd, now);
	else
		close(fd);
}

static void connect_again(struct manager *m, int64_t now_ns)
{
	struct err e;
	int fd = m->family->connect(m->rest, &e);

	m->tries++;
	m->retry_ns = INT64_MAX;
	if (fd >= 0) {
		add_line(m, fd, now_ns);
		return;
	}
	m->why = "no connection";
	retry_later(m, now_ns);
}

static int64_t due_ns(const struct snode *n)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < n->managers.n; i++) {
		const struct manager *m = n->managers.at[i];

		due = min_i64(due, m->retry_ns);
		for (size_t k = 0; k < m->lines.n; k++)
			if (!m->lines.at[k]->ended)
				due = min_i64(due, message_stream_due_ns(&m->lines.at[k]->stream));
	}
	return due;
}

static void tick(struct manager *m, int64_t now_ns)
{
	for (size_t i = 0; i < m->lines.n; i++) {
		struct line *l = m->lines.at[i];

		if (!l->ended && !message_stream_tick(&l->stream, now_ns))
			end_line(l, l->stream.why, now_ns);
	}
	free_ended(m);
	if (now_ns >= m->retry_ns)
		connect_again(m, now_ns);
}

static void tick_all(struct snode *n, int64_t now_ns)
{
	for (size_t i = 0; i < n->managers.n; i++)
		tick(n->managers.at[i], now_ns);
}

static bool send_to(const struct snode *n, uint64_t to, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < n->managers.n; i++) {
		struct manager *m = n->managers.at[i];

		/* The latest connection first: an older one may be broken without our knowing. */
		for (size_t k = m->lines.n; k-- > 0;)
			if (m->lines.at[k]->stream.other == to &&
			    message_stream_send(&m->lines.at[k]->stream, data, len))
				return true;
	}
	return false;
}

const struct link_user manager_link_user = {.send = send_to};

/* ---- the object ---- */

static void destroy(struct object *o)
{
	struct manager *m = (struct manager *)o;

	if (m->listener.fd >= 0) {
		loop_remove(o->sub->loop, &m->listener);
		close(m->listener.fd);
		if (m->family->listen == listen_unix)
			unlink(m->rest);
	}
	for (size_t i = 0; i < m->lines.n; i++)
		free_line(m->lines.at[i]);
	vec_free(&m->lines);
	vec_remove_item(&m->node->managers, m);
	free(m->at);
	free(m->peer);
	object_finish(o);
	free(m);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct manager *m = (struct manager *)o;
	uint64_t dropped[MESSAGE_DROPS];

	memcpy(dropped, m->dropped, sizeof(dropped));
	json_string(j, "snode", m->node->object.name);
	json_string(j, m->peer ? "connect" : "listen", m->at);
	if (m->peer)
		json_string(j, "peer", m->peer);
	json_open(j, "streams", '[');
	for (size_t i = 0; i < m->lines.n; i++) {
		const struct message_stream *s = &m->lines.at[i]->stream;

		if (m->lines.at[i]->ended)
			continue;
		for (int k = 0; k < MESSAGE_DROPS; k++)
			dropped[k] += s->count.dropped[k];
		json_open(j, NULL, '{');
		json_string(j, "snode", *s->peer ? s->peer : NULL);
		json_bool(j, "open", s->open);
		json_uint(j, "sent", s->count.sent);
		json_uint(j, "received", s->count.received);
		json_close(j, '}');
	}
	json_close(j, ']');
	if (m->why)
		json_string(j, "why", m->why);
	json_uint(j, "tries", m->tries);
	json_uint(j, "opened", m->opened);
	json_uint(j, "unknown_link", m->unknown);
	json_uint(j, "full", m->full);
	json_open(j, "dropped", '{');
	for (int i = MESSAGE_GOOD + 1; i < MESSAGE_DROPS; i++)
		if (dropped[i])
			json_uint(j, message_drop_name((enum message_drop)i), dropped[i]);
	json_close(j, '}');
}

const struct object_kind manager_kind = {
	.name = "manager", .destroy = destroy, .status = status, .freeze = object_freeze_none};

static void end_all(struct snode *n)
{
	while (n->managers.n)
		destroy(&n->managers.at[n->managers.n - 1]->object);
}

const struct snode_user manager_snode_user = {.due_ns = due_ns, .tick = tick_all, .gone = end_all};

static int begin(struct manager *m, struct err *e)
{
	struct substrate *s = m->object.sub;

	if (s->time->is_exact)
		return err_set(e, ERR_USAGE, "a stream takes no part in virtual time");
	m->family = family_of(m->at, &m->rest, e);
	if (!m->family)
		return -1;
	if (m->peer) {
		m->retry_ns = substrate_now_ns(s);
		snode_wake(m->node, m->retry_ns);
		return 0;
	}
	m->listener.fd = m->family->listen(m->rest, e);
	return m->listener.fd < 0 ? -1 : loop_add(s->loop, &m->listener, EPOLLIN, e);
}

/* "manager NAME SNODE listen=AT", "manager NAME SNODE peer=NODE connect=AT" */
int manager_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *node = object_find_kind(s, w->at[2], &snode_kind, e);
	const char *listen = words_get(w, "listen");
	const char *connect = words_get(w, "connect");
	const char *peer = words_get(w, "peer");

	if (!node)
		return -1;
	if (!listen == !connect || !connect != !peer)
		return err_set(e, ERR_USAGE, "a manager needs listen=, or connect= and peer=");
	struct manager *m = xcalloc(1, sizeof(*m));

	if (object_add(&m->object, s, &manager_kind, w->at[1], e) < 0) {
		free(m);
		return -1;
	}
	m->node = (struct snode *)node;
	m->at = xstrdup(listen ? listen : connect);
	m->peer = peer ? xstrdup(peer) : NULL;
	m->listener = (struct loop_watch){.fd = -1, .ready = listener_ready};
	m->retry_ns = INT64_MAX;
	m->wait_ns = first_wait_ns;
	vec_push(&m->node->managers, m);
	if (begin(m, e) == 0)
		return 0;
	destroy(&m->object);
	return -1;
}
