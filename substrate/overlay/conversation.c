/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. Every request has a sequence and is sent up to CONVERSATION_TRIES times, each wait twice
 * as long as the one before, until an answer with that sequence comes. Who answers remembers the
 * last CONVERSATION_WINDOW requests with their answers: a request that comes again gets the same
 * answer again, and is not carried out again. So that nothing is forgotten which may still be
 * repeated, a new request waits while the oldest unanswered one is a whole window behind it.
 *
 * A request that takes long (a setup asks node after node) is answered "working" when it is
 * repeated: the asker then waits longer and counts its tries anew.
 *
 * Messages have numbers besides, which only go up (message_window_take()): a recorded message is
 * refused, whatever its sequence.
 */
#include "substrate/overlay/conversation.h"

#include <assert.h>
#include <stdlib.h>

static const int64_t first_wait_ns = 100000000;

void conversation_init(struct conversation *c, const struct conversation_ops *ops, void *owner,
		       const struct message_key *key, const char *self, const char *link,
		       uint64_t number)
{
	*c = (struct conversation){.ops = ops,
				   .owner = owner,
				   .key = key,
				   .self = message_id(self),
				   .link = message_id(link),
				   .number = number};
}

/* done() may ask anew: whatever it adds is not touched. */
static void end_asks(struct conversation *c, int64_t now_ns)
{
	for (size_t n = c->asks.n; n > 0 && c->asks.n; n--) {
		struct conversation_ask a = c->asks.at[0];

		vec_remove(&c->asks, 0);
		free(a.body);
		if (a.done)
			a.done(c, a.ctx, NULL, NULL, now_ns);
	}
}

static void forget_memory(struct conversation *c)
{
	for (int i = 0; i < CONVERSATION_WINDOW; i++)
		free(c->memory[i].body);
	memset(c->memory, 0, sizeof(c->memory));
	c->top_sequence = 0;
}

void conversation_finish(struct conversation *c, int64_t now_ns)
{
	end_asks(c, now_ns);
	forget_memory(c);
	for (size_t i = 0; i < c->asks.n; i++)
		free(c->asks.at[i].body);
	vec_free(&c->asks);
}

/*
 * Our sequences go on from where they were, while the memory of answers is emptied: the other side
 * may have begun anew, and number its requests from the start.
 */
void conversation_restart(struct conversation *c, int64_t now_ns)
{
	end_asks(c, now_ns);
	forget_memory(c);
}

static void send(struct conversation *c, enum message_type type, uint32_t sequence,
		 const char *body, int64_t now_ns)
{
	uint8_t buf[MESSAGE_MAX];
	struct message m = {.type = type,
			    .sequence = sequence,
			    .sender = c->self,
			    .receiver = c->other,
			    .link = c->link,
			    .number = ++c->number,
			    .body = body,
			    .body_len = strlen(body)};
	size_t len = message_write(buf, &m, c->key);

	assert(len);
	c->count.sent++;
	c->ops->send(c, buf, len, now_ns);
}

void conversation_tell(struct conversation *c, enum message_type type, const char *body,
		       int64_t now_ns)
{
	send(c, type, 0, body, now_ns);
}

static void try_once(struct conversation *c, struct conversation_ask *a, int64_t now_ns)
{
	a->due_ns = now_ns + (first_wait_ns << a->tries);
	if (a->tries++)
		c->count.repeated++;
	send(c, a->type, a->sequence, a->body, now_ns);
}

/* No request leaves while one that is a whole window older may still be repeated. */
static void start_asks(struct conversation *c, int64_t now_ns)
{
	for (size_t i = 0; i < c->asks.n; i++) {
		struct conversation_ask *a = &c->asks.at[i];

		if (a->sequence - c->asks.at[0].sequence >= CONVERSATION_WINDOW)
			break;
		if (!a->tries)
			try_once(c, a, now_ns);
	}
}

void conversation_ask(struct conversation *c, enum message_type type, const char *body,
		      conversation_done_fn *done, void *ctx, int64_t now_ns)
{
	assert(strlen(body) <= MESSAGE_BODY_MAX);
	vec_push(&c->asks, ((struct conversation_ask){.sequence = ++c->last_sequence,
						      .type = type,
						      .body = xstrdup(body),
						      .due_ns = INT64_MAX,
						      .done = done,
						      .ctx = ctx}));
	start_asks(c, now_ns);
}

/*
 * The request stays under way: the other side may act on it. Only nobody hears of its answer, as
 * who asked is about to be freed.
 */
void conversation_forget(struct conversation *c, const void *ctx)
{
	struct conversation_ask *a;

	VEC_FOREACH (a, &c->asks)
		if (a->ctx == ctx)
			a->done = NULL;
}

/*
 * Sequences go up by one, so those of a window lie in different places of the table; an older one
 * is gone when the place is needed, and then it can no longer be asked again (start_asks()).
 */
static struct conversation_memory *remembered(struct conversation *c, uint32_t sequence)
{
	struct conversation_memory *m = &c->memory[sequence % CONVERSATION_WINDOW];

	return m->sequence == sequence ? m : NULL;
}

void conversation_answer(struct conversation *c, uint32_t sequence, enum message_type type,
			 const char *body, int64_t now_ns)
{
	struct conversation_memory *m = remembered(c, sequence);

	/* The other side began anew since it asked: nobody waits for this answer. */
	if (!m || m->type)
		return;
	m->type = type;
	m->body = xstrdup(body);
	send(c, type, sequence, body, now_ns);
}

void conversation_refuse(struct conversation *c, uint32_t sequence, const char *reason,
			 int64_t now_ns)
{
	struct arena a = {0};
	/* A reason is never longer than an error's text, but quoting it makes it longer. */
	char *word = words_quote(&a, arena_printf(&a, "reason=%.400s", reason));

	conversation_answer(c, sequence, MESSAGE_REFUSED, word, now_ns);
	arena_finish(&a);
}

static enum message_drop take_answer(struct conversation *c, const struct message *m,
				     const struct words *w, int64_t now_ns)
{
	for (size_t i = 0; i < c->asks.n; i++) {
		struct conversation_ask a = c->asks.at[i];

		if (a.sequence != m->sequence || !a.tries)
			continue;
		if (m->type == MESSAGE_WORKING) {
			/* The other side has it: the tries so far do not count against it. */
			c->asks.at[i].tries = 1;
			c->asks.at[i].due_ns = now_ns + first_wait_ns * 16;
			return MESSAGE_GOOD;
		}
		vec_remove(&c->asks, i);
		free(a.body);
		if (a.done)
			a.done(c, a.ctx, m, w, now_ns);
		start_asks(c, now_ns);
		return MESSAGE_GOOD;
	}
	return MESSAGE_DROP_STATE;
}

static enum message_drop take_request(struct conversation *c, const struct message *m,
				      const struct words *w, int64_t now_ns)
{
	struct conversation_memory *old = remembered(c, m->sequence);

	if (old) {
		send(c, old->type ? old->type : MESSAGE_WORKING, m->sequence,
		     old->type ? old->body : "", now_ns);
		return MESSAGE_GOOD;
	}
	if (m->sequence + CONVERSATION_WINDOW <= c->top_sequence)
		return MESSAGE_DROP_REPLAY;
	if (m->sequence > c->top_sequence)
		c->top_sequence = m->sequence;
	old = &c->memory[m->sequence % CONVERSATION_WINDOW];
	free(old->body);
	*old = (struct conversation_memory){.sequence = m->sequence};
	c->ops->request(c, m, w, now_ns);
	return MESSAGE_GOOD;
}

static enum message_drop check(struct conversation *c, const uint8_t *data, size_t len,
			       struct message *m)
{
	enum message_drop why = message_read(data, len, c->key, m);

	if (why != MESSAGE_GOOD)
		return why;
	if (m->link != c->link || m->sender == c->self ||
	    (m->receiver != c->self && (m->receiver || m->type != MESSAGE_HELLO)) ||
	    (c->other && m->sender != c->other))
		return MESSAGE_DROP_RECEIVER;
	if (!message_window_take(&c->window, m->number))
		return MESSAGE_DROP_REPLAY;
	return MESSAGE_GOOD;
}

void conversation_receive(struct conversation *c, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct arena a = {0};
	struct words w = {0};
	struct message m;

	/* Greetings to strangers are not part of a conversation. */
	if (message_is_to_strangers(data, len))
		return;
	enum message_drop why = check(c, data, len, &m);

	if (why == MESSAGE_GOOD && words_split(m.body, m.body_len, &a, &w, NULL) < 0)
		why = MESSAGE_DROP_BODY;
	if (why == MESSAGE_GOOD) {
		c->count.received++;
		if (m.type == MESSAGE_HELLO || (!m.sequence && c->open))
			c->ops->tell(c, &m, &w, now_ns);
		else if (!m.sequence || (!c->open && !message_is_answer(m.type)))
			why = MESSAGE_DROP_STATE;
		else if (message_is_answer(m.type))
			why = take_answer(c, &m, &w, now_ns);
		else
			why = take_request(c, &m, &w, now_ns);
	}
	if (why != MESSAGE_GOOD)
		c->count.dropped[why]++;
	arena_finish(&a);
}

int64_t conversation_due_ns(const struct conversation *c)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < c->asks.n; i++)
		if (c->asks.at[i].due_ns < due)
			due = c->asks.at[i].due_ns;
	return due;
}

void conversation_tick(struct conversation *c, int64_t now_ns)
{
	for (size_t i = 0; i < c->asks.n;) {
		struct conversation_ask a = c->asks.at[i];

		if (a.due_ns > now_ns) {
			i++;
			continue;
		}
		if (a.tries < CONVERSATION_TRIES) {
			try_once(c, &c->asks.at[i++], now_ns);
			continue;
		}
		vec_remove(&c->asks, i);
		c->count.gave_up++;
		free(a.body);
		if (a.done)
			a.done(c, a.ctx, NULL, NULL, now_ns);
		i = 0; /* done() may have asked */
	}
	start_asks(c, now_ns);
}
