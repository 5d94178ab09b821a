/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packs that are open, and where in them a page with a certain hash may be. */
#ifndef VBET_SERVER_SHELF_PACK_SET_H
#define VBET_SERVER_SHELF_PACK_SET_H

#include "lib/vec.h"
#include "vbet-server/shelf/pack.h"
#include "vbet-server/shelf/snap_index.h"

struct pack_open_one {
	char name[SNAP_NAME_MAX];
	struct pack pack;
	uint8_t *dead; /* owned: a byte for each segment; NULL: all live */
};

/* Zeroed: empty. */
struct pack_set {
	VEC(struct pack_open_one) packs;
};

/* Opens dir/NAME.pack, with the list of its dead segments (dead.h). 0 or -1. */
int pack_set_add(struct pack_set *s, const char *dir, const char *name, struct err *e);
/* Opens all of a directory that can be opened, by name. */
void pack_set_add_all(struct pack_set *s, const char *dir);
/* Opens those of an index, in its order, and checks that they are the ones it means. 0 or -1. */
int pack_set_add_index(struct pack_set *s, const char *dir, const struct snap_index *x,
		       struct err *e);
void pack_set_close(struct pack_set *s);

/* By hash; of pages with equal hashes one is there. */
struct pack_lookup {
	struct pack_place {
		uint64_t hash;
		uint32_t pack, page; /* page is one more: 0 is an empty slot */
	} * slot;
	size_t mask;
};

void pack_lookup_make(struct pack_lookup *l, const struct pack_set *s);
/* NULL: none. page is one more than it is. */
const struct pack_place *pack_lookup_find(const struct pack_lookup *l, uint64_t hash);
void pack_lookup_finish(struct pack_lookup *l);

#endif
