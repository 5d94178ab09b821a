/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/pack_set.h"

#include "vbet-server/shelf/dead.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pack_set_add(struct pack_set *s, const char *dir, const char *name, struct err *e)
{
	char *path = xasprintf("%s/%s.pack", dir, name);
	struct pack_open_one one = {.dead = NULL};
	int rc = pack_open(&one.pack, path, e);

	if (rc == 0) {
		snprintf(one.name, sizeof(one.name), "%s", name);
		one.dead = dead_read(dir, name, one.pack.n_segments);
		vec_push(&s->packs, one);
	}
	free(path);
	return rc;
}

static int is_pack(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && dot > d->d_name && !strcmp(dot, ".pack") && dot - d->d_name < SNAP_NAME_MAX;
}

void pack_set_add_all(struct pack_set *s, const char *dir)
{
	struct dirent **entry = NULL;
	int n = scandir(dir, &entry, is_pack, alphasort);

	for (int i = 0; i < n; i++) {
		*strrchr(entry[i]->d_name, '.') = '\0';
		pack_set_add(s, dir, entry[i]->d_name, NULL);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

int pack_set_add_index(struct pack_set *s, const char *dir, const struct snap_index *x,
		       struct err *e)
{
	const struct snap_pack *k;

	VEC_FOREACH (k, &x->packs) {
		if (pack_set_add(s, dir, k->name, e) < 0)
			return -1;
		if (s->packs.at[s->packs.n - 1].pack.head.tables_sum != k->sum)
			return err_set(e, ERR_ENV,
				       "%s/%s.pack is not the one that the snapshot was made with",
				       dir, k->name);
	}
	return 0;
}

void pack_set_close(struct pack_set *s)
{
	struct pack_open_one *one;

	VEC_FOREACH (one, &s->packs) {
		pack_close(&one->pack);
		free(one->dead);
	}
	vec_free(&s->packs);
}

/*
 * The slot of a hash, or the first free one. Guests choose what is in pages, and could choose them
 * for hashes that crowd together: after so many slots it is as if there were none.
 */
static struct pack_place *find_slot(const struct pack_lookup *l, uint64_t hash)
{
	enum { TRIES = 256 };
	size_t i = hash & l->mask;

	for (int k = 0; k < TRIES; k++, i = (i + 1) & l->mask)
		if (!l->slot[i].page || l->slot[i].hash == hash)
			return &l->slot[i];
	return NULL;
}

static void insert(struct pack_lookup *l, uint64_t hash, uint32_t pack, uint32_t page)
{
	struct pack_place *slot = find_slot(l, hash);

	if (slot && !slot->page)
		*slot = (struct pack_place){.hash = hash, .pack = pack, .page = page + 1};
}

void pack_lookup_make(struct pack_lookup *l, const struct pack_set *s)
{
	size_t n = 0;
	size_t cap = 16;

	for (size_t i = 0; i < s->packs.n; i++)
		n += s->packs.at[i].pack.head.n_pages;
	while (cap < n * 2)
		cap *= 2;
	l->slot = xcalloc(cap, sizeof(*l->slot));
	l->mask = cap - 1;
	for (uint32_t i = 0; i < s->packs.n; i++) {
		const struct pack_open_one *one = &s->packs.at[i];

		for (uint32_t k = 0; k < one->pack.head.n_pages; k++)
			if (!one->dead || !one->dead[k / PACK_SEGMENT_PAGES])
				insert(l, one->pack.hash[k], i, k);
	}
}

const struct pack_place *pack_lookup_find(const struct pack_lookup *l, uint64_t hash)
{
	const struct pack_place *slot = find_slot(l, hash);

	return slot && slot->page ? slot : NULL;
}

void pack_lookup_finish(struct pack_lookup *l)
{
	free(l->slot);
}
