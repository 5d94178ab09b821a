/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet-outside: what a lab has of the host. The server starts it with a stream socket as descriptor
 * 0 and says which interfaces and routes there shall be (docs/protocols.md, "Outside"); each
 * interface is handed over to the substrate. It ends when descriptor 0 closes, and what it made
 * goes with it.
 *
 * It is a process of its own for its rights: to make interfaces it needs CAP_NET_ADMIN, of the host
 * or of namespaces of its own, and the substrate, which parses what guests send, needs neither.
 * Once an interface's descriptor is handed over, this process is not on the way of any frame. It
 * only keeps the connection, on which the substrate tells whether the cable has carrier.
 *
 * All lines are answered in the order in which they come, each when it is done: everything here is
 * a few system calls.
 */
#include "lib/conn.h"
#include "lib/container_of.h"
#include "lib/netlink.h"
#include "lib/sock.h"
#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "outside/netif.h"
#include "outside/place.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1 << 16 };

struct tap {
	struct netif netif;
	struct loop_watch substrate; /* tells what the cable does */
	struct outside *outside;
};

struct outside {
	struct loop *loop;
	struct conn control;
	enum place place;
	int netlink;
	VEC(struct tap *) taps; /* owned */
};

/* ---- where ---- */

/* The first interface decides for all: they are interfaces of one machine. */
static int choose_place(struct outside *o, const char *name, const char *where, struct err *e)
{
	enum place wanted = !where ? PLACE_NONE : !strcmp(where, "own") ? PLACE_OWN : PLACE_HOST;
	bool host = place_has_rights() || place_owns_tap(name);

	if (o->place != PLACE_NONE && wanted != PLACE_NONE && wanted != o->place)
		return err_set(
			e, ERR_USAGE,
			"%s: the outside of this lab is %s already; it cannot be in two places",
			name, o->place == PLACE_HOST ? "the host" : "a namespace of its own");
	if (o->place != PLACE_NONE)
		return 0;
	if (wanted == PLACE_HOST && !host)
		return err_set(
			e, ERR_ENV,
			"%s: an interface of the host itself needs rights: run vbet as root, or "
			"make it for you once: sudo ip tuntap add %s mode tap user $USER",
			name, name);
	if ((wanted == PLACE_OWN || !host) && place_enter_own(e) < 0)
		return err_wrap(e, "%s", name);
	o->place = wanted == PLACE_OWN || !host ? PLACE_OWN : PLACE_HOST;
	o->netlink = netlink_open(0, e);
	return o->netlink < 0 ? -1 : 0;
}

/* ---- interfaces ---- */

static void remove_tap(struct outside *o, size_t i)
{
	struct tap *t = o->taps.at[i];

	if (t->substrate.fd >= 0) {
		loop_remove(o->loop, &t->substrate);
		close(t->substrate.fd);
	}
	netif_remove(&t->netif, o->netlink);
	free(t);
	vec_remove(&o->taps, i);
}

/* "carrier 0|1": as the lab's cable has it. */
static void substrate_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct tap *t = container_of(w, struct tap, substrate);
	char line[32];
	ssize_t n = recv(w->fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		loop_remove(t->outside->loop, w);
		close(w->fd);
		w->fd = -1;
		return;
	}
	line[n] = '\0';
	if (!strncmp(line, "carrier ", 8))
		netif_set_carrier(&t->netif, line[8] == '1', t->outside->netlink);
}

/*
 * By the socket at which the substrate waits for this NIC; "packet" and "tap" differ in how frames
 * are read and written.
 */
static int hand_over(struct tap *t, const char *path, struct err *e)
{
	const char *kind = t->netif.packet ? "packet" : "tap";
	int fd = sock_connect(path, SOCK_SEQPACKET, e);

	if (fd < 0)
		return -1;
	t->substrate = (struct loop_watch){.fd = fd, .ready = substrate_ready};
	if (sock_send_fd(fd, kind, strlen(kind), t->netif.fd) < 0)
		return err_sys(e, "hand over");
	return loop_add(t->outside->loop, &t->substrate, EPOLLIN, e);
}

/*
 * The interface is in the list before it is whole, so that one that fails half way is removed like
 * any other. The answer says where the interfaces are, for `vbet outside`.
 */
static int run_tap(struct outside *o, const struct words *w, FILE *answer, struct err *e)
{
	const char *name = w->at[1];
	const char *path = words_get(w, "path");

	if (!path || strlen(name) > 15)
		return err_set(e, ERR_USAGE, "tap NAME path=PATH: the name has 15 letters at most");
	if (choose_place(o, name, words_get(w, "where"), e) < 0)
		return -1;
	struct tap *t = xcalloc(1, sizeof(*t));

	t->outside = o;
	t->substrate.fd = -1;
	vec_push(&o->taps, t);
	enum netif_rights rights = o->place == PLACE_OWN ? NETIF_OWN
				   : place_has_rights()  ? NETIF_HOST
							 : NETIF_GIVEN;

	if (netif_make(&t->netif, name, w, rights, o->netlink, e) < 0 ||
	    hand_over(t, path, e) < 0) {
		remove_tap(o, o->taps.n - 1);
		return -1;
	}
	fprintf(answer, " %s", place_name(o->place));
	return 0;
}

static int run_route(struct outside *o, const struct words *w, FILE *answer, struct err *e)
{
	if (o->place == PLACE_NONE)
		return err_set(e, ERR_USAGE, "a route needs an interface");
	return netif_set_route(w, !strcmp(w->at[0], "route"), o->netlink, e);
}

static int run_remove(struct outside *o, const struct words *w, FILE *answer, struct err *e)
{
	for (size_t i = 0; i < o->taps.n; i++) {
		if (!strcmp(o->taps.at[i]->netif.name, w->at[1])) {
			remove_tap(o, i);
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "there is no interface '%s'", w->at[1]);
}

/* ---- the server ---- */

static const struct {
	const char *name;
	int (*run)(struct outside *o, const struct words *w, FILE *answer, struct err *e);
} commands[] = {
	{"tap", run_tap},
	{"route", run_route},
	{"unroute", run_route},
	{"remove", run_remove},
};

static int run_line(struct outside *o, const struct words *w, FILE *answer, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(commands) && w->n >= 2; i++)
		if (!strcmp(commands[i].name, w->at[0]))
			return commands[i].run(o, w, answer, e);
	return err_set(e, ERR_USAGE, "tap NAME path=PATH..., route DEST..., or remove NAME");
}

static void answer_line(struct outside *o, const char *line, size_t len)
{
	struct arena a = {0};
	struct err e = {0};
	struct words w;
	char *text = NULL;
	size_t text_len = 0;
	FILE *f = xmemstream(&text, &text_len);
	int rc = words_split(line, len, &a, &w, &e);

	if (rc == 0)
		rc = run_line(o, &w, f, &e);
	fclose(f);
	if (rc == 0)
		conn_printf(&o->control, "ok%s\n", text);
	else
		conn_printf(&o->control, "error %s\n", words_quote(&a, e.text));
	free(text);
	arena_finish(&a);
}

static size_t take_lines(struct conn *c, const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len);

	if (!end)
		return 0;
	answer_line(c->owner, data, (size_t)(end - data));
	return (size_t)(end - data) + 1;
}

static void closed(struct conn *c)
{
	struct outside *o = c->owner;

	loop_stop(o->loop);
}

int main(int argc, char **argv)
{
	struct outside o = {.netlink = -1};
	struct err e = {0};

	if (argc > 1) {
		puts("usage: vbet-outside <SOCKET\n"
		     "Holds what a lab has of the host. Descriptor 0 is a stream socket on which "
		     "it is\n"
		     "told what that is; vbet starts it.");
		return strcmp(argv[1], "--help") ? 2 : 0;
	}
	signal(SIGPIPE, SIG_IGN);
	o.loop = loop_create(&e);
	o.control.in_max = LINE_MAX_BYTES;
	o.control.on_data = take_lines;
	o.control.on_close = closed;
	o.control.owner = &o;
	int rc = o.loop ? conn_open(&o.control, o.loop, dup(0), &e) : -1;

	if (rc == 0)
		rc = loop_run(o.loop, &e);
	while (o.taps.n)
		remove_tap(&o, o.taps.n - 1);
	vec_free(&o.taps);
	if (o.netlink >= 0)
		close(o.netlink);
	conn_finish(&o.control);
	loop_destroy(o.loop);
	if (rc < 0)
		fprintf(stderr, "vbet-outside: %s\n", e.text);
	return rc < 0 ? ERR_ENV : 0;
}
