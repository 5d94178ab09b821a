/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sum finds what was damaged, not what somebody has made up: so each number is looked at before
 * anything is mapped by it. What the new process then does is its own: the pages are what they are.
 */
#include "imprint/look.h"

#include <string.h>
#include <sys/mman.h>

/* Programs of x86-64 have no addresses from here on. */
#define ADDRESS_END (UINT64_C(1) << 47)

/* A table of n entries at an offset; NULL if it is not within the file. */
static const void *table(const uint8_t *data, uint64_t size, uint64_t at, uint64_t n, size_t of)
{
	return at % 8 || at > size || n > (size - at) / of ? NULL : data + at;
}

static bool is_page(uint64_t n)
{
	return n % IMPRINT_PAGE == 0;
}

static bool check_maps(const struct imprint_tables *t)
{
	uint64_t before = 0;

	for (uint32_t i = 0; i < t->head.n_maps; i++) {
		const struct imprint_map *m = &t->map[i];

		if (!is_page(m->start) || !is_page(m->end) || m->start < before ||
		    m->end <= m->start || m->end > ADDRESS_END)
			return false;
		if (m->kind > IMPRINT_MAP_VDSO || m->filled > 1 ||
		    m->prot & ~(uint32_t)(PROT_READ | PROT_WRITE | PROT_EXEC))
			return false;
		if (m->kind == IMPRINT_MAP_FILE &&
		    (m->file >= t->head.n_files || !is_page(m->offset) || m->offset > INT64_MAX))
			return false;
		if (m->kind == IMPRINT_MAP_VDSO && m->filled)
			return false;
		before = m->end;
	}
	return true;
}

/* The mapping that has addr, from *i on: tables are in order. */
static const struct imprint_map *find_map(const struct imprint_tables *t, uint64_t addr,
					  uint32_t *i)
{
	while (*i < t->head.n_maps && t->map[*i].end <= addr)
		++*i;
	return *i < t->head.n_maps && addr >= t->map[*i].start ? &t->map[*i] : NULL;
}

/* An extent may go on from one mapping to the next. */
static bool check_extents(const struct imprint_tables *t)
{
	uint64_t before = 0;
	uint32_t i = 0;

	for (uint32_t k = 0; k < t->head.n_extents; k++) {
		const struct imprint_extent *x = &t->extent[k];

		if (!is_page(x->addr) || !is_page(x->len) || !x->len || x->addr < before ||
		    x->at > t->head.size || x->len > t->head.size - x->at ||
		    x->addr > ADDRESS_END || x->len > ADDRESS_END)
			return false;
		before = x->addr + x->len;
		for (uint64_t at = x->addr; at < before; at = t->map[i].end) {
			const struct imprint_map *m = find_map(t, at, &i);

			if (!m || !m->filled)
				return false;
		}
	}
	return true;
}

static bool check_files(const struct imprint_tables *t)
{
	for (uint32_t i = 0; i < t->head.n_files; i++)
		if (!memchr(t->file[i].path, '\0', sizeof(t->file[i].path)))
			return false;
	return true;
}

static bool check_entry(const struct imprint_tables *t)
{
	uint32_t i = 0;
	const struct imprint_map *m = find_map(t, t->head.entry, &i);

	return m && m->prot & PROT_EXEC && m->kind == IMPRINT_MAP_FILE;
}

int imprint_look(const uint8_t *data, uint64_t size, const char *path, struct imprint_tables *t,
		 struct err *e)
{
	struct imprint_header h;

	if (size < IMPRINT_PAGE || size % 8)
		return err_set(e, ERR_ENV, "%s is not an imprint, or was cut short", path);
	memcpy(&t->head, data, sizeof(t->head));
	h = t->head;
	if (h.magic != IMPRINT_MAGIC)
		return err_set(e, ERR_ENV, "%s is not an imprint", path);
	if (h.version != IMPRINT_VERSION || h.header_size != sizeof(h))
		return err_set(e, ERR_ENV, "%s: its format is that of another version", path);
	h.sum = 0;
	if (h.size != size || imprint_sum(imprint_sum(0, data + IMPRINT_PAGE, size - IMPRINT_PAGE),
					  &h, sizeof(h)) != t->head.sum)
		return err_set(e, ERR_ENV, "%s is damaged, or was cut short", path);
	t->map = table(data, size, h.maps_at, h.n_maps, sizeof(*t->map));
	t->extent = table(data, size, h.extents_at, h.n_extents, sizeof(*t->extent));
	t->file = table(data, size, h.files_at, h.n_files, sizeof(*t->file));
	if (!t->map || !t->extent || !t->file || h.n_maps > IMPRINT_MAPS_MAX ||
	    h.n_extents > IMPRINT_EXTENTS_MAX || h.n_files > IMPRINT_FILES_MAX ||
	    memchr(h.note, '\0', sizeof(h.note)) == NULL)
		return err_set(e, ERR_ENV, "%s is damaged", path);
	if (!check_maps(t) || !check_extents(t) || !check_files(t) || !check_entry(t))
		return err_set(e, ERR_ENV, "%s says what no process of ours has", path);
	return 0;
}

bool imprint_vdso_fits(const struct imprint_tables *t, const struct imprint_maps *now)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < now->n; i++) {
		const struct imprint_map *m = &now->at[i];

		if (m->kind != IMPRINT_MAP_VDSO)
			continue;
		while (k < t->head.n_maps && t->map[k].kind != IMPRINT_MAP_VDSO)
			k++;
		if (k == t->head.n_maps || t->map[k].end - t->map[k].start != m->end - m->start)
			return false;
		k++;
	}
	return true;
}
