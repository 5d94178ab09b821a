/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries are sorted by number: frames look one up by halves, and giving out goes on from the last
 * number given, so that a number is used again only when all others were.
 */
#include "substrate/overlay/vli.h"

#include "substrate/overlay/encapsulation.h"

/* Index of the first entry whose number is vli or more. */
static size_t place_of(const struct vli_table *t, uint32_t vli)
{
	size_t from = 0;
	size_t to = t->entries.n;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (t->entries.at[mid].vli < vli)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool is_at(const struct vli_table *t, size_t i, uint32_t vli)
{
	return i < t->entries.n && t->entries.at[i].vli == vli;
}

void vli_finish(struct vli_table *t)
{
	vec_free(&t->entries);
}

static void put_at(struct vli_table *t, size_t i, uint32_t vli, void *what)
{
	vec_push_zero(&t->entries);
	memmove(&t->entries.at[i + 1], &t->entries.at[i],
		(t->entries.n - 1 - i) * sizeof(t->entries.at[0]));
	t->entries.at[i] = (struct vli_entry){.vli = vli, .what = what};
}

/*
 * From the number behind the last one that was given, over the ones that are in use, and round to
 * the first again: so a frame that is still on its way under an old number finds nobody for a long
 * time.
 */
uint32_t vli_allocate(struct vli_table *t, void *what)
{
	uint32_t max = t->max ? t->max : UINT32_MAX;
	uint32_t vli = t->last < VLI_FIRST || t->last >= max ? VLI_FIRST : t->last + 1;

	if (t->entries.n >= (size_t)max - VLI_FIRST + 1)
		return 0;
	size_t i = place_of(t, vli);

	while (is_at(t, i, vli)) {
		i++;
		if (vli++ < max)
			continue;
		vli = VLI_FIRST;
		i = 0;
	}
	put_at(t, i, vli, what);
	t->last = vli;
	return vli;
}

bool vli_insert(struct vli_table *t, uint32_t vli, void *what)
{
	size_t i = place_of(t, vli);

	if (vli < VLI_FIRST || is_at(t, i, vli))
		return false;
	put_at(t, i, vli, what);
	return true;
}

void vli_release(struct vli_table *t, uint32_t vli)
{
	size_t i = place_of(t, vli);

	if (is_at(t, i, vli))
		vec_remove(&t->entries, i);
}

void *vli_find(const struct vli_table *t, uint32_t vli)
{
	size_t i = place_of(t, vli);

	return is_at(t, i, vli) ? t->entries.at[i].what : NULL;
}
