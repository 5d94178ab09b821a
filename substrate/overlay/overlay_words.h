/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of virtual networks read alike. */
#ifndef SUBSTRATE_OVERLAY_OVERLAY_WORDS_H
#define SUBSTRATE_OVERLAY_OVERLAY_WORDS_H

#include "lib/words.h"
#include "substrate/core/substrate.h"

/* The object of that name and kind (borrowed), or NULL with the error set. */
struct object *overlay_find(struct substrate *s, const char *name, const struct object_kind *kind,
			    struct err *e);
/* The rate behind "key=" in bit/s, or 0 if the word is not there. 0, or -1 with the error set. */
int overlay_read_rate(const struct words *w, const char *key, int64_t *rate_bps, struct err *e);

#endif
