/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks of what guests run, when all is known that the script says of them. Each is about a
 * mistake that is hard to find from the outside: a configuration that lies under a file of the same
 * path, a line in the wrong daemon's file, which that daemon drops in silence, and a router with so
 * little memory that its daemons are killed.
 */
#include "topo/check_service.h"

#include "lib/units.h"
#include "topo/frr_conf.h"
#include "topo/service.h"

#include <string.h>

static const struct world_text *find_text(const struct world_text *list, const char *key)
{
	while (list && strcmp(list->key, key) != 0)
		list = list->next;
	return list;
}

static bool has_content(const struct world_text *t)
{
	return t && (t->text || t->source);
}

/* config(r, ospfd, ...) and write(r, "/etc/frr/ospfd.conf", ...): one would lie over the other. */
static void check_twice(struct eval *ev, const struct world_node *n, const struct world_text *c)
{
	const struct service *s = service_find(c->key);
	const struct world_text *f = s->path ? find_text(n->files, s->path) : NULL;

	if (has_content(c) && f)
		eval_wrong(ev, f->loc, "%s has this file already: config(%s, %s, ...) (%s)",
			   world_describe_node(ev->world, n), n->name, s->name,
			   eval_where(ev, c->loc));
	if (has_content(c) && !s->path)
		eval_wrong(ev, c->loc, "%s takes no configuration", s->name);
}

struct reading {
	struct eval *ev;
	const struct world_node *node;
	const struct world_text *config;
	bool is_told;
};

static bool staticd_is_bare(const struct world_node *n)
{
	const struct world_text *staticd = find_text(n->configs, "staticd");

	return staticd && !has_content(staticd);
}

/* One line is enough: the others likely have the same cause. */
static void read_line(void *ctx, const struct frr_conf_line *line)
{
	struct reading *r = ctx;
	const char *mine = r->config->key;

	if (r->is_told || !frr_conf_is_lost(line, mine, staticd_is_bare(r->node)))
		return;
	r->is_told = true;
	eval_wrong(
		r->ev, r->config->loc,
		"line %u of the text, '%.*s', is for %s, and %s would drop it in silence; one text "
		"for all daemons is config(%s, frr, ...)",
		line->number, line->len < 60 ? (int)line->len : 60, line->text, line->daemon, mine,
		r->node->name);
}

/*
 * What a guest of vbet's own file system cannot do with less, measured with both clocks: zebra is
 * killed in 27 MiB; in 36 MiB, vtysh -C beside zebra and ospfd does not end.
 */
enum { ZEBRA_MB = 28, FRR_MB = 38 };

static void check_memory(struct eval *ev, const struct world_node *n)
{
	bool is_frr = n->kind == NODE_ROUTER;
	bool is_configured = has_content(find_text(n->files, SERVICE_FRR_PATH));

	for (const struct world_text *c = n->configs; c; c = c->next) {
		is_frr |= service_find(c->key)->is_frr;
		is_configured |= service_find(c->key)->is_frr && has_content(c);
	}
	int least = is_configured ? FRR_MB : is_frr ? ZEBRA_MB : 0;

	if (n->root || n->memory_bytes >= (int64_t)least << 20)
		return;
	char have[32];

	eval_wrong(ev, n->loc, "%s of memory are too few for %s: %s at least %dM",
		   unit_format(UNIT_SIZE, n->memory_bytes, have, sizeof(have)), n->name,
		   is_configured ? "FRR and its configuration need" : "zebra needs", least);
}

/* Only text that stands in the script can be read: the language touches no files. */
static void check_node(struct eval *ev, const struct world_node *n)
{
	for (const struct world_text *c = n->configs; c; c = c->next) {
		struct reading r = {.ev = ev, .node = n, .config = c};
		const struct service *s = service_find(c->key);

		check_twice(ev, n, c);
		if (c->text && s->is_frr && s->command && strcmp(s->name, SERVICE_FRR) != 0)
			frr_conf_scan(c->text, c->len, read_line, &r);
	}
}

void check_services(struct eval *ev)
{
	for (const struct world_node *n = ev->world->nodes; n; n = n->next)
		if (!n->is_removed && node_kind_is_guest(n->kind)) {
			check_node(ev, n);
			check_memory(ev, n);
		}
}
