/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who uses what: each segment of each pack is marked by the snapshots that need it. What nobody has
 * marked is garbage, what only one has marked is its own.
 *
 * A snapshot whose index cannot be read could need anything: then nothing is removed.
 */
#include "lib/xalloc.h"
#include "vbet-server/shelf/dead.h"
#include "vbet-server/shelf/pack_set.h"
#include "vbet-server/shelf/shelf_priv.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many snapshots use a segment: none, one (its number and 2), or more. */
enum { USED_BY_NONE, USED_BY_MANY, USED_BY_FIRST };

struct use {
	struct pack_set packs;
	VEC(uint32_t *) by; /* owned: for each pack, by segment */
};

static int is_name(const struct dirent *d)
{
	return shelf_is_name(d->d_name);
}

void shelf_names(const struct shelf *s, struct shelf_names *names)
{
	char *dir = xasprintf("%s/names", s->dir);

	names->n = scandir(dir, &names->at, is_name, alphasort);
	if (names->n < 0)
		names->n = 0;
	free(dir);
}

void shelf_names_free(struct shelf_names *names)
{
	for (int i = 0; i < names->n; i++)
		free(names->at[i]);
	if (names->n)
		free(names->at);
}

static void use_open(struct use *u, const char *dir)
{
	const struct pack_open_one *one;

	pack_set_add_all(&u->packs, dir);
	VEC_FOREACH (one, &u->packs.packs)
		vec_push(&u->by, xcalloc(one->pack.n_segments + (size_t)1, sizeof(uint32_t)));
}

static void use_close(struct use *u)
{
	for (size_t i = 0; i < u->by.n; i++)
		free(u->by.at[i]);
	vec_free(&u->by);
	pack_set_close(&u->packs);
}

static void mark_run(struct use *u, size_t pack, const struct snap_run *r, uint32_t who)
{
	uint32_t *by = u->by.at[pack];
	uint32_t last = (r->page + r->n - 1) / PACK_SEGMENT_PAGES;

	for (uint32_t i = r->page / PACK_SEGMENT_PAGES; i <= last; i++)
		by[i] = !by[i] || by[i] == who ? who : (uint32_t)USED_BY_MANY;
}

/* False: a pack of it is missing, or not the one that it means. */
static bool mark(struct use *u, const struct snap_index *x, uint32_t who)
{
	size_t *number = xcalloc(x->packs.n + 1, sizeof(*number));
	bool all = true;

	/* Of nothing but zeroes, or in packs of which none can be opened. */
	if (!x->runs.n || !u->by.n) {
		free(number);
		return !x->runs.n;
	}
	for (size_t i = 0; i < x->packs.n; i++) {
		size_t k = 0;

		while (k < u->packs.packs.n &&
		       (strcmp(u->packs.packs.at[k].name, x->packs.at[i].name) != 0 ||
			u->packs.packs.at[k].pack.head.tables_sum != x->packs.at[i].sum))
			k++;
		number[i] = k;
		all &= k < u->packs.packs.n;
	}
	for (size_t i = 0; i < x->runs.n; i++) {
		const struct snap_run *r = &x->runs.at[i];
		size_t k = number[r->pack];

		if (k == u->packs.packs.n)
			continue;
		if ((uint64_t)r->page + r->n > u->packs.packs.at[k].pack.head.n_pages)
			all = false;
		else
			mark_run(u, k, r, who);
	}
	free(number);
	return all;
}

static int read_index(const struct shelf *s, const char *name, struct snap_index *x, struct err *e)
{
	char *path = xasprintf("%s/names/%s/index", s->dir, name);
	int rc = snap_index_read(x, path, e);

	free(path);
	return rc;
}

/* Packs that cannot be opened are kept, too: they are evidence. */
static int collect_pack(const char *dir, struct use *u, size_t i, struct err *e)
{
	const struct pack_open_one *one = &u->packs.packs.at[i];
	uint8_t *used = xcalloc(one->pack.n_segments + (size_t)1, 1);
	bool any = false;
	int rc = 0;

	for (uint32_t k = 0; k < one->pack.n_segments; k++)
		any |= used[k] = u->by.at[i][k] != USED_BY_NONE;
	if (any) {
		rc = dead_mark(dir, one->name, &one->pack, used, e);
	} else {
		char *pack = xasprintf("%s/%s.pack", dir, one->name);
		char *dead = xasprintf("%s/%s.dead", dir, one->name);

		/* In this order: a list that is left would be taken for that of the next pack of
		 * this name. */
		unlink(dead);
		if (unlink(pack) < 0)
			rc = err_sys(e, "remove %s", pack);
		free(pack);
		free(dead);
	}
	free(used);
	return rc;
}

int shelf_collect(struct shelf *s, struct err *e)
{
	char *dir = xasprintf("%s/packs", s->dir);
	struct shelf_names names;
	struct use u = {.packs = {{0}}};
	int rc = 0;

	use_open(&u, dir);
	shelf_names(s, &names);
	for (int i = 0; i < names.n && rc == 0; i++) {
		struct snap_index x = {.text = NULL};

		if (shelf_is_raw(s, names.at[i]->d_name))
			continue;
		rc = read_index(s, names.at[i]->d_name, &x, e);
		if (rc == 0)
			mark(&u, &x, USED_BY_FIRST + (uint32_t)i);
		snap_index_finish(&x);
	}
	for (size_t i = 0; i < u.packs.packs.n && rc == 0; i++)
		rc = collect_pack(dir, &u, i, e);
	shelf_names_free(&names);
	use_close(&u);
	free(dir);
	return rc;
}

uint64_t shelf_size(const struct shelf *s)
{
	return paths_tree_bytes(s->dir);
}

static void look_at_raw(const struct shelf *s, struct shelf_entry *entry)
{
	char *dir = shelf_path(s, entry->name);
	struct snapshot_mark mark;

	entry->is_raw = true;
	if (snapshot_dir_read_mark(dir, &mark, NULL) == 0) {
		entry->saved_ns = mark.saved_ns;
		snprintf(entry->lab, sizeof(entry->lab), "%s", mark.lab);
	}
	entry->size = entry->own = paths_tree_bytes(dir);
	snapshot_mark_finish(&mark);
	free(dir);
}

/* Of its packs; the index itself is small. */
static void add_sizes(const struct use *u, const struct use *one, uint32_t who,
		      struct shelf_entry *entry)
{
	for (size_t i = 0; i < u->packs.packs.n; i++) {
		const struct pack *p = &u->packs.packs.at[i].pack;

		for (uint32_t k = 0; k < p->n_segments; k++) {
			if (one->by.at[i][k])
				entry->size += p->segment[k].len;
			if (u->by.at[i][k] == who)
				entry->own += p->segment[k].len;
		}
	}
}

static void look_at(const struct shelf *s, const char *dir, const struct use *all, uint32_t who,
		    struct shelf_entry *entry)
{
	struct snap_index x = {.text = NULL};
	struct use one = {.packs = {{0}}};

	if (shelf_is_raw(s, entry->name)) {
		look_at_raw(s, entry);
		return;
	}
	use_open(&one, dir);
	if (read_index(s, entry->name, &x, NULL) < 0 || !mark(&one, &x, who))
		entry->is_damaged = true;
	memcpy(entry->lab, x.lab, sizeof(entry->lab));
	entry->saved_ns = x.saved_ns;
	if (one.packs.packs.n == all->packs.packs.n)
		add_sizes(all, &one, who, entry);
	use_close(&one);
	snap_index_finish(&x);
}

size_t shelf_list(struct shelf *s, struct shelf_entry **list)
{
	char *dir = xasprintf("%s/packs", s->dir);
	int lock = shelf_lock(s, "lock", LOCK_SH, NULL);
	struct shelf_names names;
	struct use all = {.packs = {{0}}};
	size_t n;

	use_open(&all, dir);
	shelf_names(s, &names);
	n = (size_t)names.n;
	*list = xcalloc(n + 1, sizeof(**list));
	for (size_t i = 0; i < n; i++) {
		struct snap_index x = {.text = NULL};

		if (read_index(s, names.at[i]->d_name, &x, NULL) == 0)
			mark(&all, &x, USED_BY_FIRST + (uint32_t)i);
		snap_index_finish(&x);
	}
	for (size_t i = 0; i < n; i++) {
		(*list)[i].name = xstrdup(names.at[i]->d_name);
		look_at(s, dir, &all, USED_BY_FIRST + (uint32_t)i, &(*list)[i]);
	}
	shelf_names_free(&names);
	use_close(&all);
	free(dir);
	if (lock >= 0)
		close(lock);
	return n;
}

void shelf_list_free(struct shelf_entry *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].name);
	free(list);
}
