/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/overlay/conversation.h"

#include <assert.h>
#include <stdlib.h>

static const int64_t first_wait_ns = 100000000;

void speer_init(struct speer *p, const struct speer_ops *ops, void *owner,
		const struct smsg_key *key, const char *self, const char *link, uint64_t number)
{
	*p = (struct speer){.ops = ops,
			    .owner = owner,
			    .key = key,
			    .self = smsg_id(self),
			    .link = smsg_id(link),
			    .number = number};
}

/* done() may ask anew: whatever it adds is not touched. */
static void end_asks(struct speer *p, int64_t now_ns)
{
	for (size_t n = p->asks.n; n > 0 && p->asks.n; n--) {
		struct speer_ask a = p->asks.at[0];

		vec_remove(&p->asks, 0);
		free(a.body);
		if (a.done)
			a.done(p, a.ctx, NULL, NULL, now_ns);
	}
}

static void forget_memory(struct speer *p)
{
	for (int i = 0; i < SPEER_WINDOW; i++)
		free(p->memory[i].body);
	memset(p->memory, 0, sizeof(p->memory));
	p->top_sequence = 0;
}

void speer_finish(struct speer *p, int64_t now_ns)
{
	end_asks(p, now_ns);
	forget_memory(p);
	for (size_t i = 0; i < p->asks.n; i++)
		free(p->asks.at[i].body);
	vec_free(&p->asks);
}

void speer_restart(struct speer *p, int64_t now_ns)
{
	end_asks(p, now_ns);
	forget_memory(p);
}

static void send(struct speer *p, enum smsg_type type, uint32_t sequence, const char *body,
		 int64_t now_ns)
{
	uint8_t buf[SMSG_MAX];
	struct smsg m = {.type = type,
			 .sequence = sequence,
			 .sender = p->self,
			 .receiver = p->other,
			 .link = p->link,
			 .number = ++p->number,
			 .body = body,
			 .body_len = strlen(body)};
	size_t len = smsg_write(buf, &m, p->key);

	assert(len);
	p->count.sent++;
	p->ops->send(p, buf, len, now_ns);
}

void speer_tell(struct speer *p, enum smsg_type type, const char *body, int64_t now_ns)
{
	send(p, type, 0, body, now_ns);
}

static void try_once(struct speer *p, struct speer_ask *a, int64_t now_ns)
{
	a->due_ns = now_ns + (first_wait_ns << a->tries);
	if (a->tries++)
		p->count.repeated++;
	send(p, a->type, a->sequence, a->body, now_ns);
}

/* The other side remembers SPEER_WINDOW requests: no newer one may leave before the oldest ended.
 */
static void start_asks(struct speer *p, int64_t now_ns)
{
	for (size_t i = 0; i < p->asks.n; i++) {
		struct speer_ask *a = &p->asks.at[i];

		if (a->sequence - p->asks.at[0].sequence >= SPEER_WINDOW)
			break;
		if (!a->tries)
			try_once(p, a, now_ns);
	}
}

void speer_ask(struct speer *p, enum smsg_type type, const char *body, speer_done_fn *done,
	       void *ctx, int64_t now_ns)
{
	assert(strlen(body) <= SMSG_BODY_MAX);
	vec_push(&p->asks, ((struct speer_ask){.sequence = ++p->last_sequence,
					       .type = type,
					       .body = xstrdup(body),
					       .due_ns = INT64_MAX,
					       .done = done,
					       .ctx = ctx}));
	start_asks(p, now_ns);
}

void speer_forget(struct speer *p, const void *ctx)
{
	struct speer_ask *a;

	VEC_FOREACH (a, &p->asks)
		if (a->ctx == ctx)
			a->done = NULL;
}

static struct speer_memory *remembered(struct speer *p, uint32_t sequence)
{
	struct speer_memory *m = &p->memory[sequence % SPEER_WINDOW];

	return m->sequence == sequence ? m : NULL;
}

void speer_answer(struct speer *p, uint32_t sequence, enum smsg_type type, const char *body,
		  int64_t now_ns)
{
	struct speer_memory *m = remembered(p, sequence);

	/* The conversation began anew meanwhile: nobody waits for it. */
	if (!m || m->type)
		return;
	m->type = type;
	m->body = xstrdup(body);
	send(p, type, sequence, body, now_ns);
}

void speer_refuse(struct speer *p, uint32_t sequence, const char *reason, int64_t now_ns)
{
	struct arena a = {0};
	/* A reason is never longer than an error's text, but quoting it makes it longer. */
	char *word = words_quote(&a, arena_printf(&a, "reason=%.400s", reason));

	speer_answer(p, sequence, SMSG_REFUSED, word, now_ns);
	arena_finish(&a);
}

static enum smsg_drop take_answer(struct speer *p, const struct smsg *m, const struct words *w,
				  int64_t now_ns)
{
	for (size_t i = 0; i < p->asks.n; i++) {
		struct speer_ask a = p->asks.at[i];

		if (a.sequence != m->sequence || !a.tries)
			continue;
		if (m->type == SMSG_WORKING) {
			/* It counts its tries from the last one on. */
			p->asks.at[i].tries = 1;
			p->asks.at[i].due_ns = now_ns + first_wait_ns * 16;
			return SMSG_GOOD;
		}
		vec_remove(&p->asks, i);
		free(a.body);
		if (a.done)
			a.done(p, a.ctx, m, w, now_ns);
		start_asks(p, now_ns);
		return SMSG_GOOD;
	}
	return SMSG_DROP_STATE;
}

static enum smsg_drop take_request(struct speer *p, const struct smsg *m, const struct words *w,
				   int64_t now_ns)
{
	struct speer_memory *old = remembered(p, m->sequence);

	if (old) {
		send(p, old->type ? old->type : SMSG_WORKING, m->sequence,
		     old->type ? old->body : "", now_ns);
		return SMSG_GOOD;
	}
	if (m->sequence + SPEER_WINDOW <= p->top_sequence)
		return SMSG_DROP_REPLAY;
	if (m->sequence > p->top_sequence)
		p->top_sequence = m->sequence;
	old = &p->memory[m->sequence % SPEER_WINDOW];
	free(old->body);
	*old = (struct speer_memory){.sequence = m->sequence};
	p->ops->request(p, m, w, now_ns);
	return SMSG_GOOD;
}

static enum smsg_drop check(struct speer *p, const uint8_t *data, size_t len, struct smsg *m)
{
	enum smsg_drop why = smsg_read(data, len, p->key, m);

	if (why != SMSG_GOOD)
		return why;
	if (m->link != p->link || m->sender == p->self ||
	    (m->receiver != p->self && (m->receiver || m->type != SMSG_HELLO)) ||
	    (p->other && m->sender != p->other))
		return SMSG_DROP_RECEIVER;
	if (!smsg_window_take(&p->window, m->number))
		return SMSG_DROP_REPLAY;
	return SMSG_GOOD;
}

void speer_receive(struct speer *p, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct arena a = {0};
	struct words w = {0};
	struct smsg m;

	/* We are none, and its number is not of this conversation. */
	if (smsg_is_to_strangers(data, len))
		return;
	enum smsg_drop why = check(p, data, len, &m);

	if (why == SMSG_GOOD && words_split(m.body, m.body_len, &a, &w, NULL) < 0)
		why = SMSG_DROP_BODY;
	if (why == SMSG_GOOD) {
		p->count.received++;
		if (m.type == SMSG_HELLO || (!m.sequence && p->open))
			p->ops->tell(p, &m, &w, now_ns);
		else if (!m.sequence || (!p->open && !smsg_is_answer(m.type)))
			why = SMSG_DROP_STATE;
		else if (smsg_is_answer(m.type))
			why = take_answer(p, &m, &w, now_ns);
		else
			why = take_request(p, &m, &w, now_ns);
	}
	if (why != SMSG_GOOD)
		p->count.dropped[why]++;
	arena_finish(&a);
}

int64_t speer_due_ns(const struct speer *p)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < p->asks.n; i++)
		if (p->asks.at[i].due_ns < due)
			due = p->asks.at[i].due_ns;
	return due;
}

void speer_tick(struct speer *p, int64_t now_ns)
{
	for (size_t i = 0; i < p->asks.n;) {
		struct speer_ask a = p->asks.at[i];

		if (a.due_ns > now_ns) {
			i++;
			continue;
		}
		if (a.tries < SPEER_TRIES) {
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
