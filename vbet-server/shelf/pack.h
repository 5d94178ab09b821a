/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pack: pages of memory in a file that is never changed. Pages lie in segments of 64, each
 * compressed for itself (zstd) with a sum over what it holds. A page is named by its number in the
 * pack. Of each page there is a hash, by which candidates for sharing are found; that two pages are
 * equal is only ever believed after all of their bytes were compared, so nobody gains from pages of
 * equal hashes.
 *
 * Numbers are in the machine's byte order: so is the memory that is kept.
 */
#ifndef VBET_SERVER_SHELF_PACK_H
#define VBET_SERVER_SHELF_PACK_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACK_PAGE = 4096,
	PACK_SEGMENT_PAGES = 64,
	PACK_SEGMENT = PACK_PAGE * PACK_SEGMENT_PAGES, /* bytes */
	PACK_VERSION = 1,
	PACK_PAGES_MAX = 1 << 28,
};

#define PACK_MAGIC UINT64_C(0x316b617074656276) /* "vbetpak1" */

struct pack_header {
	uint64_t magic;
	uint32_t version, n_pages;
	uint64_t size;       /* of the file */
	uint64_t tables_at;  /* segments, then a hash (64 bits) for each page, to the end */
	uint64_t tables_sum; /* XXH3 of them */
	uint64_t sum;        /* XXH3 of what is above */
};

struct pack_segment {
	uint64_t at; /* in the file */
	uint64_t len;
	uint64_t sum; /* XXH3 of what it holds */
};

/* A pack that is open for reading; the tables point into the mapped file. */
struct pack {
	const uint8_t *data;
	struct pack_header head;
	uint32_t n_segments;
	const struct pack_segment *segment;
	const uint64_t *hash; /* by page */
};

/* A page that is to be written. */
struct pack_page {
	const uint8_t *data; /* PACK_PAGE bytes */
	uint64_t hash;
};

uint64_t pack_hash(const void *page);
/* Pages in a segment: 64, but for the last one. */
uint32_t pack_segment_pages(const struct pack *p, uint32_t segment);
/*
 * Opens and checks all but what is in the segments. An empty struct may be closed. 0, or -1: it is
 * no pack, of another version, cut short or damaged.
 */
int pack_open(struct pack *p, const char *path, struct err *e);
void pack_close(struct pack *p);
/*
 * Reads a segment into `out` (PACK_SEGMENT bytes). ctx: a ZSTD_DCtx of the calling thread. -1: it
 * is damaged.
 */
int pack_read(const struct pack *p, uint32_t segment, void *ctx, uint8_t *out);

/*
 * Writes a pack of n pages into an empty file, by so many threads, and waits until it is on the
 * disk. Equal pages give equal contents, not in the same order. *sum: the header's tables_sum, by
 * which it is known. 0 or -1.
 */
int pack_write(int fd, const struct pack_page *page, uint32_t n, unsigned threads, uint64_t *sum,
	       struct err *e);

#endif
