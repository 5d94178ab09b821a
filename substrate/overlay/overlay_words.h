/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of virtual networks read alike. */
#ifndef SUBSTRATE_OVERLAY_OVERLAY_WORDS_H
#define SUBSTRATE_OVERLAY_OVERLAY_WORDS_H

#include "lib/words.h"

#include <stdint.h>

/* The rate behind "key=" in bit/s, or 0 if the word is not there. 0, or -1 with the error set. */
int overlay_read_rate(const struct words *w, const char *key, int64_t *rate_bps, struct err *e);

#endif
