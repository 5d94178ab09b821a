/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Segments of a pack that no snapshot uses give their room back as holes in the file. Which they
 * are is in the file NAME.dead beside the pack, before the first hole is made: whoever looks for
 * pages to share never takes one from there, wherever this ended.
 */
#ifndef VBET_SERVER_SHELF_DEAD_H
#define VBET_SERVER_SHELF_DEAD_H

#include "lib/err.h"
#include "vbet-server/shelf/pack.h"

/* A byte for each segment, malloc'ed; NULL: all live. A file that makes no sense: all dead. */
uint8_t *dead_read(const char *dir, const char *name, uint32_t n_segments);
/*
 * Those that are not used (a byte for each) are dead from now on, those that were stay so; then
 * holes are made, where the file system can. 0 or -1.
 */
int dead_mark(const char *dir, const char *name, const struct pack *p, const uint8_t *used,
	      struct err *e);

#endif
