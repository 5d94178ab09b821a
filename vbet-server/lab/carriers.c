/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The substrate's processes as one: what is asked of all has one answer.
 *
 * It is the sum of all states, when the last has answered; or, of an object, that of the first who
 * knows it. Processes are pointers, for their sockets hold on to them; numbers are those of the
 * plan, and one that is gone leaves a hole.
 *
 * A poll counts the answers that are still to come. Whoever asks counts himself, too, until all are
 * asked: a process that has ended answers while it is being asked, and that must not be taken for
 * the last answer.
 */
#include "vbet-server/lab/carriers.h"

#include "lib/words.h"
#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

struct carrier *carriers_at(const struct carriers *s, unsigned number)
{
	return number && number <= s->at.n ? s->at.at[number - 1] : NULL;
}

struct carrier *carriers_add(struct carriers *s, unsigned number, const char *name)
{
	while (s->at.n < number)
		vec_push(&s->at, NULL);
	carriers_stop(s, number);
	struct carrier *l = xcalloc(1, sizeof(*l));

	l->name = xstrdup(name);
	l->number = number;
	s->at.at[number - 1] = l;
	return l;
}

void carriers_send(struct carriers *s, unsigned number, const char *line, carrier_answer_fn answer,
		   void *ctx)
{
	struct carrier *l = carriers_at(s, number);

	if (l)
		carrier_send(l, line, answer, ctx);
	else if (answer)
		answer(ctx, false, "there is no such substrate process");
}

void carriers_send_each(struct carriers *s, const char *line, carrier_answer_fn answer, void *ctx)
{
	for (unsigned i = 1; i <= s->at.n; i++)
		if (carriers_at(s, i))
			carrier_send(carriers_at(s, i), line, answer, ctx);
}

unsigned carriers_count(const struct carriers *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->at.n; i++)
		n += s->at.at[i] != NULL;
	return n;
}

/* One question to all. */
struct poll {
	unsigned outstanding;
	const struct carriers *carriers; /* of carriers_ask_whole() */
	carrier_answer_fn answer;
	void *ctx;
	bool answered; /* there was a good answer */
};

static struct poll *poll_create(carrier_answer_fn answer, void *ctx)
{
	struct poll *p = xcalloc(1, sizeof(*p));

	p->answer = answer;
	p->ctx = ctx;
	p->outstanding = 1; /* the caller's own: nobody's answer is the last before all are asked */
	return p;
}

/* A process that has ended answers at once. The caller has counted itself, and answers last. */
static void ask_all(struct carriers *s, unsigned *outstanding, const char *line,
		    carrier_answer_fn on_answer, void *ctx)
{
	for (size_t i = 0; i < s->at.n; i++) {
		if (!s->at.at[i])
			continue;
		++*outstanding;
		carrier_send(s->at.at[i], line, on_answer, ctx);
	}
}

static void on_first(void *ctx, bool ok, const char *text)
{
	struct poll *p = ctx;

	p->outstanding--;
	if (!p->answered && (ok || !p->outstanding)) {
		p->answered = true;
		p->answer(p->ctx, ok, text);
	}
	if (!p->outstanding)
		free(p);
}

/*
 * Nobody knows which process has the object, so all are asked, and those that do not have it say
 * so. If all do, the last refusal is the answer.
 */
void carriers_send_all(struct carriers *s, const char *line, carrier_answer_fn answer, void *ctx)
{
	struct poll *p = poll_create(answer, ctx);

	ask_all(s, &p->outstanding, line, on_first, p);
	on_first(p, false, "no substrate process knows of it");
}

struct status_poll {
	unsigned outstanding;
	carriers_status_fn *answer;
	void *ctx;
	struct json_object *status; /* of all that answered until now; NULL: none */
};

/* One time for all: that of the first. What two know of the same object becomes one. */
static void take_status(struct status_poll *p, struct json_object *status)
{
	struct json_object *objects = status_member(p->status, "objects");

	if (!p->status) {
		p->status = status;
		return;
	}
	if (objects)
		status_merge(objects, status_member(status, "objects"));
	status_free(status);
}

static void on_status(void *ctx, bool ok, const char *text)
{
	struct status_poll *p = ctx;
	struct arena a = {0};
	struct words w;

	p->outstanding--;
	if (ok && words_split(text, strlen(text), &a, &w, NULL) == 0 && w.n) {
		struct json_object *status = status_parse(w.at[0]);

		if (status)
			take_status(p, status);
	}
	arena_finish(&a);
	if (p->outstanding)
		return;
	p->answer(p->ctx, p->status);
	status_free(p->status);
	free(p);
}

void carriers_ask_status(struct carriers *s, carriers_status_fn *answer, void *ctx)
{
	struct status_poll *p = xcalloc(1, sizeof(*p));

	p->answer = answer;
	p->ctx = ctx;
	p->outstanding = 1; /* as in poll_create() */
	ask_all(s, &p->outstanding, "status", on_status, p);
	on_status(p, false, "");
}

/* What it answers does not matter: whoever answers lives, and who does not is lost by then. */
static void on_whole(void *ctx, bool ok, const char *text)
{
	struct poll *p = ctx;
	const char *lost = NULL;

	if (--p->outstanding)
		return;
	for (size_t i = 0; i < p->carriers->at.n; i++)
		if (p->carriers->at.at[i] && p->carriers->at.at[i]->lost)
			lost = p->carriers->at.at[i]->name;
	p->answer(p->ctx, !lost, lost ? lost : "");
	free(p);
}

void carriers_ask_whole(struct carriers *s, carrier_answer_fn answer, void *ctx)
{
	struct poll *p = poll_create(answer, ctx);

	p->carriers = s;
	ask_all(s, &p->outstanding, "now", on_whole, p);
	on_whole(p, true, "");
}

bool carriers_are_idle(const struct carriers *s)
{
	for (size_t i = 0; i < s->at.n; i++)
		if (s->at.at[i] && s->at.at[i]->first)
			return false;
	return true;
}

static void destroy(struct carrier *l)
{
	free(l->name);
	free(l);
}

void carriers_stop(struct carriers *s, unsigned number)
{
	struct carrier *l = carriers_at(s, number);

	if (!l)
		return;
	s->at.at[number - 1] = NULL;
	carrier_stop(l);
	if (l->lost)
		vec_push(&s->ended, l);
	else
		destroy(l);
}

void carriers_stop_all(struct carriers *s)
{
	for (unsigned i = 1; i <= s->at.n; i++)
		carriers_stop(s, i);
	while (s->ended.n)
		destroy(s->ended.at[--s->ended.n]);
	vec_free(&s->ended);
	vec_free(&s->at);
}
