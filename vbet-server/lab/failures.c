/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/failures.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Octets of an error that all nodes together may take; the rest is for the console. */
enum { NAMES_MAX = 500 };

/* The first fatal one of that node among the first n. */
static bool is_among(const struct failures *f, size_t n, const char *node)
{
	for (size_t i = 0; i < n; i++)
		if (f->all.at[i].kind && !strcmp(f->all.at[i].node, node))
			return true;
	return false;
}

bool failures_has(const struct failures *f, const char *node)
{
	return is_among(f, f->all.n, node);
}

void failures_add(struct failures *f, enum err_kind kind, const char *node, const char *why,
		  const char *console)
{
	size_t n = 0;

	for (size_t i = 0; i < f->all.n; i++)
		n += !strcmp(f->all.at[i].node, node);
	if (n >= FAILURES_OF_NODE_MAX && (!kind || failures_has(f, node)))
		return;
	vec_push(&f->all, ((struct failure){kind, xstrdup(node), xstrdup(why), xstrdup(console)}));
	f->n_fatal += kind != ERR_NONE;
}

static void free_failure(struct failure *x)
{
	free(x->node);
	free(x->why);
	free(x->console);
}

static void forget(struct failures *f, const char *node, bool only_late)
{
	for (size_t i = f->all.n; i-- > 0;) {
		struct failure *x = &f->all.at[i];

		if (strcmp(x->node, node) != 0 || (only_late && x->kind != ERR_TIMEOUT))
			continue;
		f->n_fatal -= x->kind != ERR_NONE;
		free_failure(x);
		vec_remove(&f->all, i);
	}
}

void failures_forget(struct failures *f, const char *node)
{
	forget(f, node, false);
}

void failures_forget_late(struct failures *f, const char *node)
{
	forget(f, node, true);
}

/* The reasons of the first few, then names alone, then only how many more there are. */
static void put_others(FILE *out, const struct failures *f, size_t first)
{
	const char *between = "; also ";
	size_t unnamed = 0;

	for (size_t i = first + 1; i < f->all.n; i++) {
		const struct failure *x = &f->all.at[i];
		size_t room = ftell(out) < NAMES_MAX ? NAMES_MAX - (size_t)ftell(out) : 0;

		if (!x->kind || is_among(f, i, x->node))
			continue;
		if (strlen(x->node) + 10 > room) {
			unnamed++;
			continue;
		}
		fprintf(out, "%s%s", between, x->node);
		if (strlen(x->node) + strlen(x->why) + 10 < room / 2)
			fprintf(out, ": %s", x->why);
		between = "; ";
	}
	if (unnamed)
		fprintf(out, "; and %zu more", unnamed);
}

void failures_make_error(const struct failures *f, struct err *e)
{
	size_t first = 0;
	enum err_kind kind = ERR_TIMEOUT;
	char *text = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&text, &len);

	while (!f->all.at[first].kind)
		first++;
	for (size_t i = first; i < f->all.n; i++)
		if (f->all.at[i].kind && f->all.at[i].kind != ERR_TIMEOUT)
			kind = f->all.at[i].kind;
	const struct failure *x = &f->all.at[first];

	fprintf(out, "%s: %s", x->node, x->why);
	put_others(out, f, first);
	if (*x->console)
		fprintf(out, "; the end of %s console:\n%s",
			f->n_fatal > 1 ? "the first one's" : "its", x->console);
	fclose(out);
	err_set(e, kind, "%s", text);
	free(text);
}

void failures_print(const struct failures *f, FILE *out)
{
	const struct failure *x;

	VEC_FOREACH (x, &f->all)
		fprintf(out, "%s: %s%s\n", x->node, x->why, x->kind ? "" : " (it may fail)");
}

void failures_finish(struct failures *f)
{
	struct failure *x;

	VEC_FOREACH (x, &f->all)
		free_failure(x);
	vec_free(&f->all);
}
