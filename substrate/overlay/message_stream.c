/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The protocol is in message_stream.h. Fresh greetings are told from recorded ones by lives: each
 * end gives its side of a connection a number that it never used before, and the stream is open
 * only while the other end repeats that number. Who replays an old recording cannot know it.
 */
#include "substrate/overlay/message_stream.h"

#include "lib/words.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hello_every_ns = 1000000000;
static const int64_t silent_after_ns = 3500000000;

static void greet(struct message_stream *s)
{
	uint8_t buf[MESSAGE_MAX];
	char body[256];
	struct message m = {.type = MESSAGE_HELLO,
			    .sender = s->self,
			    .receiver = s->other,
			    .number = ++s->number,
			    .body = body};

	snprintf(body, sizeof(body), "name=%.*s instance=%llu heard=%llu", MESSAGE_NAME_MAX,
		 s->name, (unsigned long long)s->instance, (unsigned long long)s->heard);
	m.body_len = strlen(body);
	size_t len = message_write(buf, &m, s->key);

	assert(len);
	s->count.sent++;
	s->ops->send(s, buf, len);
}

/*
 * Both sides greet first, without having heard anything: whoever hears a greeting repeats its life
 * in the next one. Who connects knows whom it expects; who listens learns that by the greeting.
 */
void message_stream_init(struct message_stream *s, const struct message_stream_ops *ops,
			 void *owner, const struct message_key *key, const char *name,
			 const char *peer, uint64_t number, int64_t now_ns)
{
	*s = (struct message_stream){.ops = ops,
				     .owner = owner,
				     .key = key,
				     .name = name,
				     .self = message_id(name),
				     .other = peer ? message_id(peer) : 0,
				     .instance = number,
				     .number = number,
				     .hello_ns = now_ns + hello_every_ns,
				     .silent_ns = now_ns + silent_after_ns};
	greet(s);
}

/* Counts it, and says why the connection ends. */
static long refuse(struct message_stream *s, enum message_drop drop, const char *why)
{
	s->count.dropped[drop]++;
	s->why = why;
	return -1;
}

static uint64_t get_u64(const struct words *w, const char *key)
{
	const char *text = words_get(w, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* A greeting that names another life of this connection was recorded on an earlier one. */
static enum message_drop take_hello(struct message_stream *s, const struct message *m,
				    const struct words *w, int64_t now_ns)
{
	uint64_t instance = get_u64(w, "instance");
	uint64_t heard = get_u64(w, "heard");
	const char *name = words_get(w, "name");

	if (!name || !message_name_fits(name) || message_id(name) != m->sender)
		return MESSAGE_DROP_BODY;
	if (!message_window_take(&s->window, m->number) || !instance ||
	    (s->heard && instance != s->heard) || (heard && heard != s->instance))
		return MESSAGE_DROP_REPLAY;
	bool is_new = !s->heard;

	s->heard = instance;
	s->other = m->sender;
	strcpy(s->peer, name);
	if (heard) {
		s->silent_ns = now_ns + silent_after_ns;
		if (!s->open) {
			s->open = true;
			s->ops->opened(s, now_ns);
		}
	}
	if (is_new)
		greet(s); /* the other waits to hear that it was heard */
	return MESSAGE_GOOD;
}

static long hear_hello(struct message_stream *s, const struct message *m, int64_t now_ns)
{
	struct arena a = {0};
	struct words w = {0};
	enum message_drop why = MESSAGE_DROP_BODY;

	if (words_split(m->body, m->body_len, &a, &w, NULL) == 0)
		why = take_hello(s, m, &w, now_ns);
	arena_finish(&a);
	return why == MESSAGE_GOOD
		       ? 0
		       : refuse(s, why, "a greeting came that is not of this connection");
}

/* The message is authentic. Is it for us, and from the node that this connection is to? */
static long hear(struct message_stream *s, const struct message *m, const uint8_t *data, size_t len,
		 int64_t now_ns)
{
	bool is_hello = m->type == MESSAGE_HELLO && !m->link;

	if (m->sender == s->self || (m->receiver != s->self && (m->receiver || !is_hello)))
		return refuse(s, MESSAGE_DROP_RECEIVER, "a message for another node came");
	if (s->other && m->sender != s->other)
		return refuse(s, MESSAGE_DROP_RECEIVER,
			      "another node than the one expected is there");
	if (is_hello)
		return hear_hello(s, m, now_ns);
	if (!s->open)
		return refuse(s, MESSAGE_DROP_STATE, "a message came before a greeting");
	s->ops->message(s, m, data, len, now_ns);
	return 0;
}

/*
 * What comes is taken message by message, as lengths in their heads say. An impossible length ends
 * the connection, as nothing behind it can be found any more.
 */
long message_stream_take(struct message_stream *s, const uint8_t *data, size_t len, int64_t now_ns)
{
	int size = message_stream_length(data, len);
	struct message m;

	if (size == 0)
		return 0;
	if (size < 0)
		return refuse(s, MESSAGE_DROP_SHORT, "something came that is no message");
	enum message_drop why = message_read(data, (size_t)size, s->key, &m);

	if (why != MESSAGE_GOOD)
		return refuse(s, why, "a message came that is not authentic");
	s->count.received++;
	return hear(s, &m, data, (size_t)size, now_ns) < 0 ? -1 : size;
}

bool message_stream_send(struct message_stream *s, const uint8_t *data, size_t len)
{
	if (!s->open)
		return false;
	s->count.sent++;
	s->ops->send(s, data, len);
	return true;
}

int64_t message_stream_due_ns(const struct message_stream *s)
{
	return s->hello_ns < s->silent_ns ? s->hello_ns : s->silent_ns;
}

bool message_stream_tick(struct message_stream *s, int64_t now_ns)
{
	if (now_ns >= s->silent_ns) {
		s->why = s->open ? "the other end is silent" : "nobody answers there";
		return false;
	}
	if (now_ns >= s->hello_ns) {
		s->hello_ns = now_ns + hello_every_ns;
		greet(s);
	}
	return true;
}
