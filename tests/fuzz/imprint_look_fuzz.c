/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as the file of an imprint, with a right sum every time (or the fuzzer would see nothing
 * else): it is refused with a reason, or all that would be mapped and read is within bounds.
 * Nothing is mapped. A small input stands for a large file: the header and then the tables, each
 * where the header says, if it can be.
 */
#include "imprint/look.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 18 };

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_taken(const struct imprint_tables *t, const uint8_t *file, size_t size)
{
	for (uint32_t i = 0; i < t->head.n_maps; i++) {
		const struct imprint_map *m = &t->map[i];

		demand((const uint8_t *)(m + 1) <= file + size);
		demand(m->start < m->end && m->end <= UINT64_C(1) << 47);
		demand(m->kind != IMPRINT_MAP_FILE || m->file < t->head.n_files);
		demand(i == 0 || t->map[i - 1].end <= m->start);
	}
	for (uint32_t i = 0; i < t->head.n_extents; i++) {
		const struct imprint_extent *x = &t->extent[i];

		demand(x->at + x->len <= size && x->at + x->len >= x->at);
		demand(i == 0 || x->addr >= x[-1].addr + x[-1].len);
	}
	for (uint32_t i = 0; i < t->head.n_files; i++)
		demand(strlen(t->file[i].path) < sizeof(t->file[i].path));
}

/* Sizes and counts as they have to be, if the first octet says so. */
static void make_plausible(struct imprint_header *h, uint8_t how, size_t size)
{
	if (how & 1)
		h->magic = IMPRINT_MAGIC;
	if (how & 2) {
		h->version = IMPRINT_VERSION;
		h->header_size = sizeof(*h);
	}
	if (how & 4)
		h->size = size;
	if (!(how & 8))
		return;
	h->note[sizeof(h->note) - 1] = '\0';
	h->n_maps %= 8;
	h->n_extents %= 8;
	h->n_files %= 4;
	h->maps_at = IMPRINT_PAGE;
	h->extents_at = h->maps_at + h->n_maps * sizeof(struct imprint_map);
	h->files_at = h->extents_at + h->n_extents * sizeof(struct imprint_extent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct imprint_maps now;
	struct imprint_tables t;
	struct imprint_header h = {0};
	struct err e = {0};

	if (!size || size > FILE_MAX)
		return 0;
	uint8_t how = data[0];
	size_t head = size - 1 < sizeof(h) ? size - 1 : sizeof(h);
	size_t rest = size - 1 - head;
	size_t whole = (IMPRINT_PAGE + rest + 7) / 8 * 8;
	uint8_t *file = calloc(1, whole);

	memcpy(&h, data + 1, head);
	make_plausible(&h, how, whole);
	memcpy(file + IMPRINT_PAGE, data + 1 + head, rest);
	h.sum = 0;
	h.sum = imprint_sum(imprint_sum(0, file + IMPRINT_PAGE, whole - IMPRINT_PAGE), &h,
			    sizeof(h));
	memcpy(file, &h, sizeof(h));
	if (imprint_look(file, how & 16 ? size / 2 : whole, "x", &t, &e) == 0) {
		check_taken(&t, file, whole);
		if (!now.n)
			demand(imprint_maps_read(&now, true, &e) == 0);
		imprint_vdso_fits(&t, &now);
	} else {
		demand(e.kind != ERR_NONE && e.text[0]);
	}
	free(file);
	return 0;
}
