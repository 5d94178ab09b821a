/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The difference of two plans. Steps are the same if operation, process and name are; what else a
 * step says is compared as text. A step goes if the new plan has none like it, if its change cannot
 * be told, or if a line that it needs goes: the substrate has forgotten it then, too. Plans are in
 * the order in which things depend on each other, so removals run backwards and the rest forwards.
 */
#include "vbet-server/plan/plan.h"

#include "lib/vec.h"
#include "vbet-server/plan/spread.h"

#include <stdlib.h>
#include <string.h>

/* Steps in the order of their names, to find them. */
static int compare_steps(const void *pa, const void *pb)
{
	const struct plan_step *a = *(const struct plan_step *const *)pa;
	const struct plan_step *b = *(const struct plan_step *const *)pb;

	if (a->op != b->op)
		return a->op < b->op ? -1 : 1;
	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	return strcmp(a->name, b->name);
}

static const struct plan_step **sort_steps(const struct plan *p)
{
	const struct plan_step **sorted = xcalloc(p->n_steps + 1, sizeof(*sorted));

	for (size_t i = 0; i < p->n_steps; i++)
		sorted[i] = &p->steps[i];
	if (p->n_steps > 1)
		qsort(sorted, p->n_steps, sizeof(*sorted), compare_steps);
	return sorted;
}

/* Two plans that are compared. */
struct difference {
	const struct plan *from, *to;
	const struct plan_step **from_sorted, **to_sorted;
	bool *gone; /* by step of `from`: it is undone */
};

/* Plans of large labs have thousands of steps: they are sorted once, and searched by halves. */
static const struct plan_step *find_step(const struct plan *p, const struct plan_step **sorted,
					 const struct plan_step *like)
{
	const struct plan_step **found =
		bsearch(&like, sorted, p->n_steps, sizeof(*sorted), compare_steps);

	return found ? *found : NULL;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/*
 * A process that was told a line keeps what it made of it until it is told otherwise. Files are
 * written over, and guests go on as they are: no change of their argv is worth a reboot.
 */
static bool must_replace(const struct plan_step *old, const struct plan_step *new)
{
	if (plan_op_kind(old->op)->upkeep != PLAN_TELLS || !old->undo ||
	    same_text(old->text, new->text))
		return false;
	return !old->set || !same_text(old->fixed, new->fixed);
}

/*
 * True if a line that the step needs is undone, in whatever process: a cable between two
 * processes needs an end in each.
 */
static bool lost_need(const struct difference *d, const struct plan_step *s)
{
	for (size_t i = 0; i < s->n_needs; i++) {
		for (unsigned process = 1; process <= SPREAD_MAX; process++) {
			struct plan_step like = {
				.op = PLAN_SUBSTRATE, .name = s->needs[i], .process = process};
			const struct plan_step *need = find_step(d->from, d->from_sorted, &like);

			if (need && d->gone[need - d->from->steps])
				return true;
		}
	}
	return false;
}

static bool is_gone(const struct difference *d, const struct plan_step *old)
{
	const struct plan_step *new = find_step(d->to, d->to_sorted, old);

	return !new || must_replace(old, new) || lost_need(d, old);
}

size_t plan_diff(const struct plan *from, const struct plan *to, struct plan_diff_item **items)
{
	VEC(struct plan_diff_item) v = {0};
	struct difference d = {from, to, sort_steps(from), sort_steps(to),
			       xcalloc(from->n_steps + 1, sizeof(bool))};

	for (size_t i = 0; i < from->n_steps; i++)
		d.gone[i] = is_gone(&d, &from->steps[i]);
	for (size_t i = from->n_steps; i-- > 0;)
		if (d.gone[i])
			vec_push(&v, ((struct plan_diff_item){PLAN_REMOVE, &from->steps[i]}));
	for (size_t i = 0; i < to->n_steps; i++) {
		const struct plan_step *new = &to->steps[i];
		const struct plan_step *old = find_step(from, d.from_sorted, new);

		if (!old || d.gone[old - from->steps])
			vec_push(&v, ((struct plan_diff_item){PLAN_ADD, new}));
		else if (!same_text(old->text, new->text))
			vec_push(&v, ((struct plan_diff_item){PLAN_SET, new}));
	}
	free(d.from_sorted);
	free(d.to_sorted);
	free(d.gone);
	*items = v.at;
	return v.n;
}
