/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of Debian packages: of the script as a whole (`packages = [...]`), and of single nodes.
 * Here they are only names, checked by their form; whether there are such packages, and what they
 * depend on, is found out when the file system is made.
 *
 * Lists are sorted and without repetitions, so that two nodes that want the same, in whatever
 * order, have the same file system, and it is made once.
 */
#include "topo/packages.h"

#include "topo/builtin.h"

#include <string.h>

enum { PACKAGES_MAX = 200 };

struct taking {
	struct world_pair *list;
	size_t n;
};

/* Debian policy, section 5.6.1. */
static bool is_package_name(const char *text, size_t len)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";

	return len >= 2 && len < 128 && strlen(text) == len && strchr(first, *text) &&
	       strspn(text, rest) == len;
}

static bool take_name(struct eval *ev, const struct arg *item, void *ctx)
{
	struct taking *t = ctx;
	const struct value *v = &item->v;
	struct world_pair **at = &t->list;

	if ((v->kind != VALUE_STRING && v->kind != VALUE_WORD) ||
	    !is_package_name(v->text, strlen(v->text))) {
		eval_wrong(
			ev, item->loc,
			"packages are names of Debian packages, such as [\"nginx\", \"tshark\"]");
		return false;
	}
	while (*at && strcmp((*at)->value, v->text) < 0)
		at = &(*at)->next;
	if (*at && !strcmp((*at)->value, v->text))
		return true;
	if (++t->n > PACKAGES_MAX) {
		eval_wrong(ev, item->loc, "more than %d packages", PACKAGES_MAX);
		return false;
	}
	struct world_pair *p = arena_alloc(ev->arena, sizeof(*p));

	p->value = v->text;
	p->next = *at;
	*at = p;
	return true;
}

bool packages_take(struct eval *ev, const struct arg *a, struct world_pair **list)
{
	struct taking t = {0};

	if (!builtin_each(ev, a, take_name, &t))
		return false;
	*list = t.list;
	return true;
}

bool packages_set_vbet(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		       const struct arg *a)
{
	return builtin_want_bool(ev, a, &n->vbet);
}

void packages_check(struct eval *ev)
{
	for (const struct world_node *n = ev->world->nodes; n; n = n->next)
		if (!n->is_removed && n->root && (n->packages || n->vbet))
			eval_wrong(ev, n->loc,
				   "%s has a file system of its own (root): %s added to "
				   "that of vbet only",
				   n->name, n->packages ? "packages are" : "vbet is");
}

size_t packages_join(const struct world_pair *a, const struct world_pair *b, const char **to)
{
	size_t n = 0;

	while (a || b) {
		int order = !a ? 1 : !b ? -1 : strcmp(a->value, b->value);

		to[n++] = order <= 0 ? a->value : b->value;
		if (order <= 0)
			a = a->next;
		if (order >= 0)
			b = b->next;
	}
	return n;
}
