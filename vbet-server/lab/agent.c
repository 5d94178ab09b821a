/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The wire to the agent in a guest (vkernel/init/agent.c), a virtio device of its own: the
 * substrate passes its messages to a socket in the guest's directory, so that in virtual time they
 * have their times like frames.
 *
 * One stream carries everything to and from a guest: a head with channel, type and length, then
 * that many bytes. Channel 0 is the agent's own; each command or file has one of its own, numbered
 * here, and no number is used twice. The guest is not trusted: what is no message ends the stream,
 * what is for no channel is dropped.
 *
 * Channels are owned by those who opened them (exec, cp, logs). Unless they drop it themselves,
 * they are told exactly once that it has ended: with WIRE_EXIT by the guest, or with on_gone() when
 * guest or connection end before.
 */
#include "vbet-server/lab/agent.h"

#include "lib/sock.h"

#include <string.h>
#include <sys/socket.h>

void wire_write(struct conn *c, uint32_t channel, uint8_t type, const void *data, uint32_t len)
{
	struct wire_head h = {.len = len, .channel = channel, .type = type};

	conn_write(c, &h, sizeof(h));
	conn_write(c, data, len);
}

long wire_read(const char *data, size_t len, struct wire_head *h)
{
	_Static_assert(sizeof(*h) == WIRE_HEAD, "the head has no padding");
	if (len < WIRE_HEAD)
		return 0;
	memcpy(h, data, WIRE_HEAD);
	if (h->len > WIRE_PAYLOAD_MAX || h->type == 0 || h->type >= WIRE_TYPES)
		return -1;
	return len < WIRE_HEAD + h->len ? 0 : (long)(WIRE_HEAD + h->len);
}

/*
 * What a guest says of itself costs time, a line of the log, and more: one that says more than any
 * has to is not heard any more. Each question that is sent (WIRE_CONTROL) allows one more, so
 * answers are always heard.
 */
static void event(struct agent *a, const char *prefix, const char *text, size_t len)
{
	struct arena arena = {0};
	struct words w;

	if (len > AGENT_EVENT_MAX || !a->events_left) {
		a->n_unheard++;
		return;
	}
	a->events_left--;
	char *line = arena_printf(&arena, "%s%.*s", prefix, (int)len, text);

	if (words_split_few(line, strlen(line), AGENT_EVENT_WORDS_MAX, &arena, &w, NULL) == 0 &&
	    w.n)
		a->on_event(a->ctx, &w);
	else
		a->n_unheard++;
	arena_finish(&arena);
}

void agent_remove_channel(struct agent *a, struct agent_channel *ch)
{
	for (struct agent_channel **p = &a->channels; *p; p = &(*p)->next) {
		if (*p == ch) {
			*p = ch->next;
			break;
		}
	}
	ch->id = 0;
}

static void lose_channels(struct agent *a)
{
	while (a->channels) {
		struct agent_channel *ch = a->channels;

		agent_remove_channel(a, ch);
		ch->on_gone(ch);
	}
}

/*
 * A channel is taken off the list before its owner hears of its end: the owner may free it, or open
 * the next one, while it is told.
 */
static void handle(struct agent *a, const struct wire_head *h, const char *payload)
{
	if (h->channel == 0) {
		if (h->type == WIRE_HELLO) {
			/* The guest has booted anew: what ran in it has ended. */
			lose_channels(a);
			a->said_hello = true;
			event(a, "hello ", payload, h->len);
		} else if (h->type == WIRE_EVENT) {
			event(a, "", payload, h->len);
		}
		return;
	}
	for (struct agent_channel *ch = a->channels; ch; ch = ch->next) {
		if (ch->id != h->channel)
			continue;
		if (h->type == WIRE_EXIT)
			agent_remove_channel(a, ch);
		ch->on_message(ch, h->type, payload, h->len);
		return;
	}
}

static size_t on_data(struct conn *c, const char *data, size_t len)
{
	struct agent *a = c->owner;
	struct wire_head h;
	long size = wire_read(data, len, &h);

	if (size < 0) {
		/*
		 * The guest does not keep to the protocol, and where its next message begins
		 * cannot be told.
		 */
		agent_close(a);
		return 0;
	}
	if (size > 0)
		handle(a, &h, data + WIRE_HEAD);
	return (size_t)size;
}

static void on_close(struct conn *c)
{
	struct agent *a = c->owner;

	a->said_hello = false;
	lose_channels(a);
}

int agent_connect(struct agent *a, struct loop *l, const char *path, struct err *e)
{
	int fd = sock_connect(path, SOCK_STREAM, e);

	if (fd < 0)
		return -1;
	a->conn.on_data = on_data;
	a->conn.on_close = on_close;
	a->conn.owner = a;
	a->said_hello = false;
	a->events_left = AGENT_EVENTS_MAX;
	a->n_unheard = 0;
	return conn_open(&a->conn, l, fd, e);
}

int agent_thaw(struct agent *a, struct loop *l, const char *path, struct err *e)
{
	if (a->conn.watch.fd >= 0)
		return 0;
	int fd = sock_connect(path, SOCK_STREAM, e);

	return fd < 0 ? -1 : conn_thaw(&a->conn, l, fd, e);
}

void agent_close(struct agent *a)
{
	conn_finish(&a->conn);
	a->said_hello = false;
	lose_channels(a);
}

void agent_send(struct agent *a, uint32_t channel, uint8_t type, const void *data, uint32_t len)
{
	if (type == WIRE_CONTROL)
		a->events_left++; /* the answer */
	wire_write(&a->conn, channel, type, data, len);
}

void agent_control(struct agent *a, const char *words)
{
	agent_send(a, 0, WIRE_CONTROL, words, (uint32_t)strlen(words));
}

void agent_add_channel(struct agent *a, struct agent_channel *ch)
{
	ch->id = ++a->last_id;
	ch->next = a->channels;
	a->channels = ch;
}

void agent_open_channel(struct agent *a, struct agent_channel *ch, uint8_t type, const void *data,
			uint32_t len)
{
	agent_add_channel(a, ch);
	agent_send(a, ch->id, type, data, len);
}

void agent_drop_channel(struct agent *a, struct agent_channel *ch)
{
	if (!ch->id)
		return;
	agent_send(a, ch->id, WIRE_CLOSE, NULL, 0);
	agent_remove_channel(a, ch);
}
