/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is asked of all processes has one answer: the sum of all states, when the last has answered;
 * or, of an object, that of the first who knows it. Processes are pointers, for their sockets hold
 * on to them; numbers are those of the plan, and one that is gone leaves a hole.
 */
#include "vbet-server/lab/carriers.h"

#include "lib/json.h"
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

/* One question to all. */
struct poll {
	unsigned outstanding;
	carrier_answer_fn answer;
	void *ctx;
	VEC(char *) texts; /* owned; what the good answers were */
};

static struct poll *poll_create(carrier_answer_fn answer, void *ctx)
{
	struct poll *p = xcalloc(1, sizeof(*p));

	p->answer = answer;
	p->ctx = ctx;
	p->outstanding = 1; /* the caller's own: nobody's answer is the last before all are asked */
	return p;
}

static void poll_free(struct poll *p)
{
	for (size_t i = 0; i < p->texts.n; i++)
		free(p->texts.at[i]);
	vec_free(&p->texts);
	free(p);
}

/* A process that has ended answers at once. The caller has counted itself, and answers last. */
static void ask_all(struct carriers *s, struct poll *p, const char *line,
		    carrier_answer_fn on_answer)
{
	for (size_t i = 0; i < s->at.n; i++) {
		if (!s->at.at[i])
			continue;
		p->outstanding++;
		carrier_send(s->at.at[i], line, on_answer, p);
	}
}

static void on_first(void *ctx, bool ok, const char *text)
{
	struct poll *p = ctx;

	p->outstanding--;
	if (ok && !p->texts.n) {
		vec_push(&p->texts, xstrdup(text));
		p->answer(p->ctx, true, text);
	}
	if (!p->outstanding && !p->texts.n)
		p->answer(p->ctx, false, text);
	if (!p->outstanding)
		poll_free(p);
}

void carriers_send_all(struct carriers *s, const char *line, carrier_answer_fn answer, void *ctx)
{
	struct poll *p = poll_create(answer, ctx);

	ask_all(s, p, line, on_first);
	on_first(p, false, "no substrate process knows of it");
}

/*
 * {"now_ns":..., "objects":{...}} of all. A cable between two processes is known to both: what
 * they say of it becomes one.
 */
static void answer_status(struct poll *p)
{
	char **objects = xcalloc(p->texts.n + 1, sizeof(*objects));
	char *now = p->texts.n ? json_find_member(p->texts.at[0], "now_ns") : NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	size_t n = 0;

	for (size_t i = 0; i < p->texts.n; i++) {
		objects[n] = json_find_member(p->texts.at[i], "objects");
		n += objects[n] != NULL;
	}
	fprintf(f, "{\"now_ns\":%s,\"objects\":", now ? now : "0");
	json_merge(f, (const char *const *)objects, n);
	fputc('}', f);
	fclose(f);
	p->answer(p->ctx, p->texts.n > 0, text);
	for (size_t i = 0; i < n; i++)
		free(objects[i]);
	free(objects);
	free(now);
	free(text);
}

static void on_status(void *ctx, bool ok, const char *text)
{
	struct poll *p = ctx;
	struct arena a = {0};
	struct words w;

	p->outstanding--;
	if (ok && words_split(text, strlen(text), &a, &w, NULL) == 0 && w.n)
		vec_push(&p->texts, xstrdup(w.at[0]));
	arena_finish(&a);
	if (p->outstanding)
		return;
	if (p->texts.n == 1)
		p->answer(p->ctx, true, p->texts.at[0]);
	else
		answer_status(p);
	poll_free(p);
}

void carriers_ask_status(struct carriers *s, carrier_answer_fn answer, void *ctx)
{
	struct poll *p = poll_create(answer, ctx);

	ask_all(s, p, "status", on_status);
	on_status(p, false, "");
}

void carriers_stop(struct carriers *s, unsigned number)
{
	struct carrier *l = carriers_at(s, number);

	if (!l)
		return;
	s->at.at[number - 1] = NULL;
	carrier_stop(l);
	free(l->name);
	free(l);
}

void carriers_stop_all(struct carriers *s)
{
	for (unsigned i = 1; i <= s->at.n; i++)
		carriers_stop(s, i);
	vec_free(&s->at);
}
