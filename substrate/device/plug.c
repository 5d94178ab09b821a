/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where clients plug themselves in: vhub and vswitch as programs of their own have no script that
 * declares ports. Whoever connects gets the lowest free port of the device, with a plain cable
 * between the two, and gives both back when it goes. A client is an object like any other, so that
 * status shows it.
 *
 * There are two protocols: packets (SOCK_SEQPACKET), where a connection is the whole client; and
 * that of uml_switch, whose clients have a stream for control and a socket for frames, and exist as
 * soon as their request is complete. What such a client does wrong ends it alone.
 */
#include "substrate/device/plug.h"
#include "substrate/cable/cable.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "substrate/core/end.h"
#include "substrate/device/devnode.h"
#include "substrate/nic/door.h"
#include "substrate/nic/umlswitch.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER = 4 << 20 };

struct client {
	struct object object; /* a name of its own from the time it has a port */
	struct end end;
	struct plug *plug;
	struct object *port;       /* NULL: its request is not complete yet */
	struct loop_watch frames;  /* the socket that frames come by */
	struct loop_watch control; /* uml: the stream; else fd is -1 */
	struct umlswitch_session uml;
	struct client *next;
};

struct plug {
	struct substrate *sub;
	struct object *device;
	struct loop_watch listener;
	enum plug_protocol how;
	char *path; /* owned */
	unsigned max_ports;
	uint64_t serial; /* for names */
	struct client *clients;
};

/* The client goes: its cable, its port, itself. */
static void client_destroy(struct object *o)
{
	struct client *c = (struct client *)o;
	struct plug *p = c->plug;
	struct client **link = &p->clients;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	door_close_watch(p->sub->loop, &c->frames);
	door_close_watch(p->sub->loop, &c->control);
	if (c->port) {
		end_finish(&c->end);
		c->port->kind->destroy(c->port);
		object_finish(&c->object);
	}
	free(c);
}

static void client_status(struct object *o, struct json *j, int64_t now_ns)
{
	struct client *c = (struct client *)o;

	json_string(j, "backend", c->plug->how == PLUG_UML ? "uml" : "seqpacket");
	json_string(j, "port", c->port->name);
	end_status(&c->end, j);
}

static const struct object_kind client_kind = {
	.name = "client", .destroy = client_destroy, .status = client_status};

static void frames_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	static uint8_t buf[FRAME_MAX + 1];
	struct client *c = container_of(w, struct client, frames);
	struct substrate *s = c->plug->sub;

	for (int i = 0; i < DOOR_BATCH; i++) {
		ssize_t len = door_read(w->fd, c->plug->how == PLUG_SEQPACKET, buf, sizeof(buf));

		if (len < 0)
			client_destroy(&c->object); /* c and w are gone */
		if (len <= 0)
			break;
		end_take_bytes(&c->end, buf, (size_t)len, now_ns);
	}
	substrate_drain(s, now_ns);
}

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct client *c = (struct client *)end->object;

	if (send(c->frames.fd, f->data, f->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		end_drop(end, f, errno == EMSGSIZE ? END_DROP_GIANT : END_DROP_QUEUE);
	else
		frame_unref(f);
}

static void carrier(struct end *end, int64_t now_ns)
{
	/* Neither protocol can signal carrier. */
}

static const struct end_kind client_end = {.deliver = deliver, .carrier = carrier};

/* The lowest number that is free: a client that comes back finds what was set for its port. */
static struct object *make_port(struct plug *p, struct err *e)
{
	char name[64];

	for (unsigned i = 1; i <= p->max_ports; i++) {
		snprintf(name, sizeof(name), "%.40s:%u", p->device->name, i);
		if (!object_find(p->sub, name))
			return devport_create(p->sub, name, p->device, i, NULL, 0, e);
	}
	err_set(e, ERR_ENV, "all %u ports are taken", p->max_ports);
	return NULL;
}

/* Gives a client, whose socket for frames is there, its port. 0 or -1. */
static int plug_in(struct client *c, struct err *e)
{
	struct plug *p = c->plug;
	char name[64];
	int size = BUFFER;

	setsockopt(c->frames.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(c->frames.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	c->frames.ready = frames_ready;
	c->end = (struct end){.kind = &client_end, .object = &c->object};
	snprintf(name, sizeof(name), "%s%llu", p->how == PLUG_UML ? "uml" : "client",
		 (unsigned long long)++p->serial);
	struct object *port = make_port(p, e);

	if (!port)
		return -1;
	if (object_add(&c->object, p->sub, &client_kind, name, e) < 0) {
		port->kind->destroy(port);
		return -1;
	}
	c->port = port;
	/* Two plugs of one device count for themselves: their cables must not share a name. */
	snprintf(name, sizeof(name), "%s%llu", p->how == PLUG_UML ? "wire" : "cable",
		 (unsigned long long)p->serial);
	if (!cable_create(p->sub, name, &c->end, end_of_object(port), NULL, 0, e))
		return -1;
	return loop_add(p->sub->loop, &c->frames, EPOLLIN, e);
}

static void refuse(struct client *c, const struct err *e)
{
	fprintf(stderr, "%s: client refused: %s\n", c->plug->device->name, e->text);
	client_destroy(&c->object);
}

static void control_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct client *c = container_of(w, struct client, control);
	struct substrate *s = c->plug->sub;
	struct err e;

	switch (umlswitch_read(&c->uml, w->fd, &c->frames.fd, &e)) {
	case UMLSWITCH_READY:
		if (plug_in(c, &e) < 0 || umlswitch_answer(&c->uml, w->fd, &e) < 0)
			refuse(c, &e);
		break;
	case UMLSWITCH_OVER:
		if (e.kind)
			refuse(c, &e);
		else
			client_destroy(&c->object);
		substrate_drain(s, now_ns);
		break;
	case UMLSWITCH_WAIT:
		break;
	}
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct plug *p = container_of(w, struct plug, listener);
	int fd = loop_accept(p->sub->loop, w);
	struct err e;

	if (fd < 0)
		return;
	struct client *c = xcalloc(1, sizeof(*c));

	c->plug = p;
	c->frames.fd = p->how == PLUG_SEQPACKET ? fd : -1;
	c->control.fd = p->how == PLUG_SEQPACKET ? -1 : fd;
	c->control.ready = control_ready;
	c->next = p->clients;
	p->clients = c;
	if (p->how == PLUG_SEQPACKET ? plug_in(c, &e) < 0
				     : loop_add(p->sub->loop, &c->control, EPOLLIN, &e) < 0)
		refuse(c, &e);
}

struct plug *plug_open(struct substrate *s, struct object *device, enum plug_protocol how,
		       const char *path, unsigned max_ports, struct err *e)
{
	int fd = sock_listen(path, how == PLUG_UML ? SOCK_STREAM : SOCK_SEQPACKET, e);

	if (fd < 0)
		return NULL;
	struct plug *p = xcalloc(1, sizeof(*p));

	p->sub = s;
	p->device = device;
	p->how = how;
	p->path = xstrdup(path);
	p->max_ports = max_ports;
	p->listener = (struct loop_watch){.fd = fd, .ready = listener_ready};
	if (loop_add(s->loop, &p->listener, EPOLLIN, e) < 0) {
		plug_close(p);
		return NULL;
	}
	return p;
}

void plug_close(struct plug *p)
{
	if (!p)
		return;
	for (struct client *c = p->clients, *next; c; c = next) {
		next = c->next;
		client_destroy(&c->object);
	}
	door_close_watch(p->sub->loop, &p->listener);
	unlink(p->path);
	free(p->path);
	free(p);
}
