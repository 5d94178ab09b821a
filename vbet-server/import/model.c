/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lab in our terms, as readers fill it.
 *
 * Past a limit nothing more is added, and `full` says so: functions that return a place then return
 * the last one, so readers need no check after each call and end soon, for their loops look at
 * `full`. The user is told once, at the end (model_check_size()).
 *
 * Notes are what is not carried over. The same text for many nodes is one note with a list of
 * nodes, or a lab of a hundred routers with the same key would have a hundred lines.
 */
#include "vbet-server/import/model.h"

#include "lib/xalloc.h"
#include "vbet-server/import/name.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void model_init(struct import_model *m, const char *file, const char *what)
{
	memset(m, 0, sizeof(*m));
	m->file = arena_strdup(&m->arena, file);
	m->what = what;
	m->lab = "lab";
}

static void node_finish(struct import_node *n)
{
	for (size_t i = 0; i < n->nics.n; i++)
		vec_free(&n->nics.at[i].addrs);
	vec_free(&n->nics);
	vec_free(&n->files);
	vec_free(&n->services);
	vec_free(&n->commands);
}

void model_finish(struct import_model *m)
{
	for (size_t i = 0; i < m->nodes.n; i++)
		node_finish(&m->nodes.at[i]);
	for (size_t i = 0; i < m->notes.n; i++)
		vec_free(&m->notes.at[i].nodes);
	free(m->by_name);
	vec_free(&m->nodes);
	vec_free(&m->links);
	vec_free(&m->notes);
	arena_finish(&m->arena);
	memset(m, 0, sizeof(*m));
}

void model_set_lab(struct import_model *m, const char *name)
{
	m->lab = name_make_lab(&m->arena, name);
}

/* One more of something: false if that is too much. */
static bool spend(struct import_model *m)
{
	m->full = m->full || ++m->n_items > IMPORT_MAX_ITEMS;
	return !m->full;
}

/* ---- nodes by name: a table with open addressing, at most half full ---- */

/* Indices, not pointers: the vector of nodes moves when it grows. 0 is an empty place. */
static uint32_t *place_of(const struct import_model *m, const char *was)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (const char *p = was; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	for (size_t i = h;; i++) {
		uint32_t *place = &m->by_name[i & (m->by_name_cap - 1)];

		if (!*place || !strcmp(m->nodes.at[*place - 1].was, was))
			return place;
	}
}

static void remember_name(struct import_model *m)
{
	size_t first = m->nodes.n - 1;

	if (m->nodes.n * 2 > m->by_name_cap) {
		free(m->by_name);
		m->by_name_cap = m->by_name_cap ? m->by_name_cap * 2 : 64;
		m->by_name = xcalloc(m->by_name_cap, sizeof(*m->by_name));
		first = 0;
	}
	for (size_t i = first; i < m->nodes.n; i++) {
		uint32_t *place = place_of(m, m->nodes.at[i].was);

		if (!*place)
			*place = (uint32_t)i + 1;
	}
}

size_t model_add_node(struct import_model *m, const char *was, enum import_kind kind)
{
	if (m->nodes.n >= IMPORT_MAX_NODES) {
		m->full = true;
		return m->nodes.n - 1;
	}
	struct import_node *n = vec_add(&m->nodes);

	n->was = arena_strdup(&m->arena, was);
	n->kind = kind;
	remember_name(m);
	return m->nodes.n - 1;
}

long model_find_node(const struct import_model *m, const char *was)
{
	return m->by_name ? (long)*place_of(m, was) - 1 : -1;
}

/*
 * NICs below that number come into being, too: in other tools eth3 may be there without eth2, here
 * NICs are numbered without gaps.
 */
struct import_nic *model_nic(struct import_model *m, size_t node, size_t nic)
{
	struct import_node *n = &m->nodes.at[node];

	if (nic >= (n->kind == IMPORT_SWITCH ? IMPORT_MAX_PORTS : IMPORT_MAX_NICS))
		return NULL;
	while (n->nics.n <= nic)
		vec_push_zero(&n->nics);
	return &n->nics.at[nic];
}

size_t model_free_nic(struct import_model *m, size_t node, size_t from)
{
	const struct import_node *n = &m->nodes.at[node];

	while (from < n->nics.n && n->nics.at[from].is_plugged)
		from++;
	return from;
}

struct import_link *model_add_link(struct import_model *m, struct import_end a, struct import_end b)
{
	if (m->links.n >= IMPORT_MAX_LINKS) {
		m->full = true;
		return &m->links.at[m->links.n - 1];
	}
	struct import_link *l = vec_add(&m->links);

	l->a = a;
	l->b = b;
	m->nodes.at[a.node].nics.at[a.nic].is_plugged = true;
	m->nodes.at[b.node].nics.at[b.nic].is_plugged = true;
	return l;
}

/*
 * A later file takes the place of an earlier one at the same path, as a mount or copy over it
 * would.
 */
void model_add_file(struct import_model *m, size_t node, const struct import_file *f)
{
	struct import_node *n = &m->nodes.at[node];

	for (size_t i = 0; i < n->files.n; i++) {
		if (!strcmp(n->files.at[i].path, f->path)) {
			n->files.at[i] = *f;
			return;
		}
	}
	if (n->files.n >= IMPORT_MAX_OF_NODE)
		m->full = true;
	if (spend(m))
		vec_push(&n->files, *f);
}

void model_add_command(struct import_model *m, size_t node, const struct import_command *c)
{
	struct import_node *n = &m->nodes.at[node];

	if (n->commands.n >= IMPORT_MAX_OF_NODE)
		m->full = true;
	if (spend(m))
		vec_push(&n->commands, *c);
}

void model_add_service(struct import_model *m, size_t node, const char *name)
{
	struct import_node *n = &m->nodes.at[node];

	for (size_t i = 0; i < n->services.n; i++)
		if (!strcmp(n->services.at[i], name))
			return;
	if (spend(m))
		vec_push(&n->services, name);
}

void model_note(struct import_model *m, const char *was, const char *fmt, ...)
{
	struct import_note *note = NULL;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!spend(m))
		return;
	for (size_t i = 0; i < m->notes.n && !note; i++)
		if (!strcmp(m->notes.at[i].text, text))
			note = &m->notes.at[i];
	if (!note && m->notes.n >= IMPORT_MAX_NOTES)
		return;
	if (!note) {
		note = vec_add(&m->notes);
		note->text = arena_strdup(&m->arena, text);
	}
	if (was && (!note->nodes.n || strcmp(note->nodes.at[note->nodes.n - 1], was) != 0))
		vec_push(&note->nodes, arena_strdup(&m->arena, was));
}

int model_check_size(const struct import_model *m, struct err *e)
{
	if (m->full)
		return err_set(e, ERR_USAGE,
			       "%s: too large: a lab has at most %d nodes and %d links, and %d "
			       "files, commands and settings are imported",
			       m->file, IMPORT_MAX_NODES, IMPORT_MAX_LINKS, IMPORT_MAX_ITEMS);
	if (!m->nodes.n)
		return err_set(e, ERR_USAGE, "%s: there are no nodes in it", m->file);
	return 0;
}
