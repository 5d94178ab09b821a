/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads take segments as they come, and each compressed one gets the next free place in the file.
 * The header is written last: a file without it is no pack.
 */
#include "lib/file.h"
#include "lib/xalloc.h"
#include "vbet-server/shelf/lanes.h"
#include "vbet-server/shelf/pack.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

/* Level 1 takes half of the time of level 3, for a tenth more of room (docs/snapshots.md). */
enum { LEVEL = 1 };

struct writing {
	int fd;
	const struct pack_page *page;
	uint32_t n_pages, n_segments;
	struct pack_segment *segment; /* in front of the hashes: both are written at once */
	atomic_uint_fast32_t next;
	atomic_uint_fast64_t at;
	atomic_int failed; /* errno of the first that did */
};

static int write_segment(struct writing *w, uint32_t i, ZSTD_CCtx *ctx, uint8_t *plain,
			 uint8_t *packed, size_t room)
{
	uint32_t first = i * PACK_SEGMENT_PAGES;
	uint32_t n = w->n_pages - first;
	size_t len;

	if (n > PACK_SEGMENT_PAGES)
		n = PACK_SEGMENT_PAGES;
	for (uint32_t k = 0; k < n; k++)
		memcpy(plain + (size_t)k * PACK_PAGE, w->page[first + k].data, PACK_PAGE);
	len = ZSTD_compressCCtx(ctx, packed, room, plain, (size_t)n * PACK_PAGE, LEVEL);
	if (ZSTD_isError(len)) {
		errno = ENOMEM;
		return -1;
	}
	w->segment[i] = (struct pack_segment){
		.at = atomic_fetch_add(&w->at, len),
		.len = len,
		.sum = XXH3_64bits(plain, (size_t)n * PACK_PAGE),
	};
	return file_write_at(w->fd, w->segment[i].at, packed, len);
}

static void write_segments(void *ctx)
{
	struct writing *w = ctx;
	size_t room = ZSTD_compressBound(PACK_SEGMENT);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	uint8_t *plain = xmalloc(PACK_SEGMENT);
	uint8_t *packed = xmalloc(room);
	uint32_t i;

	while (!w->failed && (i = (uint32_t)atomic_fetch_add(&w->next, 1)) < w->n_segments)
		if (write_segment(w, i, zstd, plain, packed, room) < 0)
			w->failed = errno;
	free(packed);
	free(plain);
	ZSTD_freeCCtx(zstd);
}

static int write_tables(struct writing *w, uint64_t *sum)
{
	size_t len = w->n_segments * sizeof(*w->segment) + w->n_pages * sizeof(uint64_t);
	uint64_t *hash = (uint64_t *)(w->segment + w->n_segments);
	struct pack_header h = {
		.magic = PACK_MAGIC,
		.version = PACK_VERSION,
		.n_pages = w->n_pages,
		.tables_at = (w->at + 7) & ~UINT64_C(7),
	};

	for (uint32_t i = 0; i < w->n_pages; i++)
		hash[i] = w->page[i].hash;
	h.size = h.tables_at + len;
	h.tables_sum = *sum = XXH3_64bits(w->segment, len);
	h.sum = XXH3_64bits(&h, offsetof(struct pack_header, sum));
	if (file_write_at(w->fd, h.tables_at, w->segment, len) < 0 || fdatasync(w->fd) < 0)
		return -1;
	return file_write_at(w->fd, 0, &h, sizeof(h)) < 0 ? -1 : fsync(w->fd);
}

int pack_write(int fd, const struct pack_page *page, uint32_t n, unsigned threads, uint64_t *sum,
	       struct err *e)
{
	struct writing w = {
		.fd = fd,
		.page = page,
		.n_pages = n,
		.n_segments = (n + PACK_SEGMENT_PAGES - 1) / PACK_SEGMENT_PAGES,
		.at = sizeof(struct pack_header),
	};

	w.segment = xcalloc(1, w.n_segments * sizeof(*w.segment) + n * sizeof(uint64_t) + 1);
	lanes_run(threads, write_segments, &w);
	if (!w.failed && write_tables(&w, sum) < 0)
		w.failed = errno;
	free(w.segment);
	errno = w.failed;
	return w.failed ? err_sys(e, "write a pack of pages") : 0;
}
