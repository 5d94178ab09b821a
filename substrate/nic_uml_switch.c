/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC for a client of the uml_switch protocol (umlswitch.h), one at a time: an old guest, or
 * anything else that speaks it, plugs into a lab. Real clock only.
 */
#include "substrate/door.h"
#include "substrate/nic.h"
#include "substrate/umlswitch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, BUFFER = 4 << 20 };

struct nic {
	struct object object;
	struct end end;
	struct door door; /* of the stream */
	struct loop_watch frames;
	struct umlswitch_session session;
	uint16_t mtu;
	uint8_t buf[FRAME_MAX + 1];
};

static void hang_up(struct nic *n, const char *why)
{
	struct substrate *s = n->object.sub;

	if (n->frames.fd >= 0)
		substrate_event(s, "event down %s \"%s\"", n->object.name, why);
	door_close_watch(s->loop, &n->frames);
	n->session = (struct umlswitch_session){0};
	door_hang_up(&n->door);
}

static void frames_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct nic *n = (struct nic *)((char *)w - offsetof(struct nic, frames));

	for (int i = 0; i < BATCH; i++) {
		ssize_t len = recv(w->fd, n->buf, sizeof(n->buf), MSG_DONTWAIT);

		if (len < 0)
			break; /* nothing more, or its socket is gone: the stream will tell */
		end_take_bytes(&n->end, n->buf, (size_t)len, now_ns);
	}
	substrate_drain(n->object.sub, now_ns);
}

static int begin(struct nic *n, int fd, struct err *e)
{
	int size = BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	n->frames = (struct loop_watch){.fd = fd, .ready = frames_ready};
	if (loop_add(n->object.sub->loop, &n->frames, EPOLLIN, e) < 0 ||
	    umlswitch_answer(&n->session, n->door.client.fd, e) < 0)
		return -1;
	substrate_event(n->object.sub, "event up %s", n->object.name);
	return 0;
}

static void stream_ready(struct door *d, int64_t now_ns)
{
	struct nic *n = (struct nic *)((char *)d - offsetof(struct nic, door));
	enum umlswitch_step step;
	struct err e = {0};
	int fd = -1;

	step = umlswitch_read(&n->session, d->client.fd, &fd, &e);
	if (step == UMLSWITCH_READY && begin(n, fd, &e) < 0)
		step = UMLSWITCH_OVER;
	if (step != UMLSWITCH_OVER)
		return;
	if (e.kind)
		fprintf(stderr, "%s: client refused: %s\n", n->object.name, e.text);
	hang_up(n, "the client closed the connection");
}

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct nic *n = (struct nic *)end->object;

	if (n->frames.fd < 0)
		end_drop(end, f, END_DROP_DOWN);
	else if (f->len > n->mtu + 18u)
		end_drop(end, f, END_DROP_GIANT);
	else if (send(n->frames.fd, f->data, f->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		end_drop(end, f, END_DROP_QUEUE);
	else
		frame_unref(f);
}

static void carrier(struct end *end, int64_t now_ns)
{
	/* The protocol has no way to tell. */
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier};

static void destroy(struct object *o)
{
	struct nic *n = (struct nic *)o;

	end_finish(&n->end);
	if (n->frames.fd >= 0)
		hang_up(n, "it was removed");
	door_close(&n->door);
	object_finish(o);
	free(n);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;

	json_string(j, "backend", "uml_switch");
	json_string(j, "path", n->door.path);
	json_bool(j, "up", n->frames.fd >= 0);
	end_status(&n->end, j);
}

static struct end *end_of(struct object *o)
{
	return &((struct nic *)o)->end;
}

static const struct object_kind nic_kind = {
	.name = "nic", .destroy = destroy, .status = status, .end = end_of};

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	const char *path;
	uint16_t mtu;

	if (nic_read_words(w, &path, &mtu, e) < 0 || nic_want_real_clock(s, "uml_switch", e) < 0)
		return NULL;
	struct nic *n = xcalloc(1, sizeof(*n));

	n->mtu = mtu;
	n->frames.fd = -1;
	n->end = (struct end){.kind = &end_kind, .object = &n->object};
	n->door.ready = stream_ready;
	if (object_add(&n->object, s, &nic_kind, name, e) < 0) {
		free(n);
		return NULL;
	}
	if (door_open(&n->door, s->loop, path, SOCK_STREAM, e) < 0) {
		destroy(&n->object);
		return NULL;
	}
	return &n->object;
}

const struct nic_backend nic_uml_switch = {.name = "uml_switch", .create = create};
