/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/overlay/conversation.h"

#include <assert.h>
#include <stdlib.h>

static const int64_t first_wait_ns = 100000000;

void conversation_init(struct conversation *p, const struct conversation_ops *ops, void *owner,
		       const struct message_key *key, const char *self, const char *link,
		       uint64_t number)
{
	*p = (struct conversation){.ops = ops,
				   .owner = owner,
				   .key = key,
				   .self = message_id(self),
				   .link = message_id(link),
				   .number = number};
}

/* done() may ask anew: whatever it adds is not touched. */
static void end_asks(struct conversation *p, int64_t now_ns)
{
	for (size_t n = p->asks.n; n > 0 && p->asks.n; n--) {
		struct conversation_ask a = p->asks.at[0];

		vec_remove(&p->asks, 0);
		free(a.body);
		if (a.done)
			a.done(p, a.ctx, NULL, NULL, now_ns);
	}
}

static void forget_memory(struct conversation *p)
{
	for (int i = 0; i < CONVERSATION_WINDOW; i++)
		free(p->memory[i].body);
	memset(p->memory, 0, sizeof(p->memory));
	p->top_sequence = 0;
}

void conversation_finish(struct conversation *p, int64_t now_ns)
{
	end_asks(p, now_ns);
	forget_memory(p);
	for (size_t i = 0; i < p->asks.n; i++)
		free(p->asks.at[i].body);
	vec_free(&p->asks);
}

void conversation_restart(struct conversation *p, int64_t now_ns)
{
	end_asks(p, now_ns);
	forget_memory(p);
}

static void send(struct conversation *p, enum message_type type, uint32_t sequence,
		 const char *body, int64_t now_ns)
{
	uint8_t buf[MESSAGE_MAX];
	struct message m = {.type = type,
			    .sequence = sequence,
			    .sender = p->self,
			    .receiver = p->other,
			    .link = p->link,
			    .number = ++p->number,
			    .body = body,
			    .body_len = strlen(body)};
	size_t len = message_write(buf, &m, p->key);

	assert(len);
	p->count.sent++;
	p->ops->send(p, buf, len, now_ns);
}

void conversation_tell(struct conversation *p, enum message_type type, const char *body,
		       int64_t now_ns)
{
	send(p, type, 0, body, now_ns);
}

static void try_once(struct conversation *p, struct conversation_ask *a, int64_t now_ns)
{
	a->due_ns = now_ns + (first_wait_ns << a->tries);
	if (a->tries++)
		p->count.repeated++;
	send(p, a->type, a->sequence, a->body, now_ns);
}

/* The other side remembers CONVERSATION_WINDOW requests: no newer one may leave before the oldest
 * ended.
 */
static void start_asks(struct conversation *p, int64_t now_ns)
{
	for (size_t i = 0; i < p->asks.n; i++) {
		struct conversation_ask *a = &p->asks.at[i];

		if (a->sequence - p->asks.at[0].sequence >= CONVERSATION_WINDOW)
			break;
		if (!a->tries)
			try_once(p, a, now_ns);
	}
}

void conversation_ask(struct conversation *p, enum message_type type, const char *body,
		      conversation_done_fn *done, void *ctx, int64_t now_ns)
{
	assert(strlen(body) <= MESSAGE_BODY_MAX);
	vec_push(&p->asks, ((struct conversation_ask){.sequence = ++p->last_sequence,
						      .type = type,
						      .body = xstrdup(body),
						      .due_ns = INT64_MAX,
						      .done = done,
						      .ctx = ctx}));
	start_asks(p, now_ns);
}

void conversation_forget(struct conversation *p, const void *ctx)
{
	struct conversation_ask *a;

	VEC_FOREACH (a, &p->asks)
		if (a->ctx == ctx)
			a->done = NULL;
}

static struct conversation_memory *remembered(struct conversation *p, uint32_t sequence)
{
	struct conversation_memory *m = &p->memory[sequence % CONVERSATION_WINDOW];

	return m->sequence == sequence ? m : NULL;
}

void conversation_answer(struct conversation *p, uint32_t sequence, enum message_type type,
			 const char *body, int64_t now_ns)
{
	struct conversation_memory *m = remembered(p, sequence);

	/* The conversation began anew meanwhile: nobody waits for it. */
	if (!m || m->type)
		return;
	m->type = type;
	m->body = xstrdup(body);
	send(p, type, sequence, body, now_ns);
}

void conversation_refuse(struct conversation *p, uint32_t sequence, const char *reason,
			 int64_t now_ns)
{
	struct arena a = {0};
	/* A reason is never longer than an error's text, but quoting it makes it longer. */
	char *word = words_quote(&a, arena_printf(&a, "reason=%.400s", reason));

	conversation_answer(p, sequence, MESSAGE_REFUSED, word, now_ns);
	arena_finish(&a);
}

static enum message_drop take_answer(struct conversation *p, const struct message *m,
				     const struct words *w, int64_t now_ns)
{
	for (size_t i = 0; i < p->asks.n; i++) {
		struct conversation_ask a = p->asks.at[i];

		if (a.sequence != m->sequence || !a.tries)
			continue;
		if (m->type == MESSAGE_WORKING) {
			/* It counts its tries from the last one on. */
			p->asks.at[i].tries = 1;
			p->asks.at[i].due_ns = now_ns + first_wait_ns * 16;
			return MESSAGE_GOOD;
		}
		vec_remove(&p->asks, i);
		free(a.body);
		if (a.done)
			a.done(p, a.ctx, m, w, now_ns);
		start_asks(p, now_ns);
		return MESSAGE_GOOD;
	}
	return MESSAGE_DROP_STATE;
}

static enum message_drop take_request(struct conversation *p, const struct message *m,
				      const struct words *w, int64_t now_ns)
{
	struct conversation_memory *old = remembered(p, m->sequence);

	if (old) {
		send(p, old->type ? old->type : MESSAGE_WORKING, m->sequence,
		     old->type ? old->body : "", now_ns);
		return MESSAGE_GOOD;
	}
	if (m->sequence + CONVERSATION_WINDOW <= p->top_sequence)
		return MESSAGE_DROP_REPLAY;
	if (m->sequence > p->top_sequence)
		p->top_sequence = m->sequence;
	old = &p->memory[m->sequence % CONVERSATION_WINDOW];
	free(old->body);
	*old = (struct conversation_memory){.sequence = m->sequence};
	p->ops->request(p, m, w, now_ns);
	return MESSAGE_GOOD;
}

static enum message_drop check(struct conversation *p, const uint8_t *data, size_t len,
			       struct message *m)
{
	enum message_drop why = message_read(data, len, p->key, m);

	if (why != MESSAGE_GOOD)
		return why;
	if (m->link != p->link || m->sender == p->self ||
	    (m->receiver != p->self && (m->receiver || m->type != MESSAGE_HELLO)) ||
	    (p->other && m->sender != p->other))
		return MESSAGE_DROP_RECEIVER;
	if (!message_window_take(&p->window, m->number))
		return MESSAGE_DROP_REPLAY;
	return MESSAGE_GOOD;
}

void conversation_receive(struct conversation *p, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct arena a = {0};
	struct words w = {0};
	struct message m;

	/* We are none, and its number is not of this conversation. */
	if (message_is_to_strangers(data, len))
		return;
	enum message_drop why = check(p, data, len, &m);

	if (why == MESSAGE_GOOD && words_split(m.body, m.body_len, &a, &w, NULL) < 0)
		why = MESSAGE_DROP_BODY;
	if (why == MESSAGE_GOOD) {
		p->count.received++;
		if (m.type == MESSAGE_HELLO || (!m.sequence && p->open))
			p->ops->tell(p, &m, &w, now_ns);
		else if (!m.sequence || (!p->open && !message_is_answer(m.type)))
			why = MESSAGE_DROP_STATE;
		else if (message_is_answer(m.type))
			why = take_answer(p, &m, &w, now_ns);
		else
			why = take_request(p, &m, &w, now_ns);
	}
	if (why != MESSAGE_GOOD)
		p->count.dropped[why]++;
	arena_finish(&a);
}

int64_t conversation_due_ns(const struct conversation *p)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < p->asks.n; i++)
		if (p->asks.at[i].due_ns < due)
			due = p->asks.at[i].due_ns;
	return due;
}

void conversation_tick(struct conversation *p, int64_t now_ns)
{
	for (size_t i = 0; i < p->asks.n;) {
		struct conversation_ask a = p->asks.at[i];

		if (a.due_ns > now_ns) {
			i++;
			continue;
		}
		if (a.tries < CONVERSATION_TRIES) {
			try_once(p, &p->asks.at[i++], now_ns);
			continue;
		}
		vec_remove(&p->asks, i);
		p->count.gave_up++;
		free(a.body);
		if (a.done)
			a.done(p, a.ctx, NULL, NULL, now_ns);
		i = 0; /* done() may have asked */
	}
	start_asks(p, now_ns);
}
