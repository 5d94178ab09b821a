/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as the index of a snapshot, or as a pack of pages: refused with a reason, or all that
 * it says is within its bounds. With the sums put right, too, behind which a fuzzer never comes.
 */
#include "lib/xalloc.h"
#include "vbet-server/shelf/pack.h"
#include "vbet-server/shelf/snap_index.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
	char *copy = xasprintf("/%s/", name);

	if (name[0] == '/' || strstr(copy, "/../") || strstr(copy, "//"))
		abort();
	free(copy);
}

static void check_index(const void *data, size_t size)
{
	struct snap_index x;
	struct err e = {0};

	if (snap_index_parse(&x, data, size, "index", &e) < 0) {
		if (e.kind == ERR_NONE || !e.text[0] || x.files.n || x.text)
			abort();
		return;
	}
	for (size_t i = 0; i < x.files.n; i++) {
		const struct snap_file *f = &x.files.at[i];

		check_name(f->name);
		if ((uint64_t)f->first_run + f->n_runs > x.runs.n)
			abort();
		for (uint32_t r = f->first_run; r < f->first_run + f->n_runs; r++) {
			const struct snap_run *run = &x.runs.at[r];

			if ((uint64_t)run->at + run->n > f->size / PACK_PAGE + 1 ||
			    run->pack >= x.packs.n)
				abort();
		}
	}
	snap_index_finish(&x);
}

/* As snap_index.c has it. */
static void check_index_of_tables(const uint8_t *data, size_t size)
{
	size_t room = ZSTD_compressBound(size);
	uint8_t *file = xcalloc(1, 40 + room);
	uint64_t len = ZSTD_compress(file + 40, room, data, size, 1);
	uint64_t plain = size;
	uint64_t sum = XXH3_64bits(data, size);
	uint32_t version = SNAP_INDEX_VERSION;
	uint64_t magic = UINT64_C(0x3178646974656276); /* "vbetidx1" */

	memcpy(file, &magic, 8);
	memcpy(file + 8, &version, 4);
	memcpy(file + 16, &plain, 8);
	memcpy(file + 24, &len, 8);
	memcpy(file + 32, &sum, 8);
	check_index(file, 40 + len);
	free(file);
}

static void read_all(const struct pack *p)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	uint8_t *out = xmalloc(PACK_SEGMENT);

	for (uint32_t i = 0; i < p->n_segments && i < 16; i++)
		pack_read(p, i, zstd, out);
	free(out);
	ZSTD_freeDCtx(zstd);
}

static void check_pack(const void *data, size_t size)
{
	int fd = memfd_create("pack", MFD_CLOEXEC);
	char path[64];
	struct pack p;
	struct err e = {0};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) != (ssize_t)size)
		abort();
	if (pack_open(&p, path, &e) == 0)
		read_all(&p);
	else if (e.kind == ERR_NONE || !e.text[0] || p.data)
		abort();
	pack_close(&p);
	close(fd);
}

/* Segments and tables, with a header that fits: the first two bytes say how many pages. */
static void check_pack_of_body(const uint8_t *data, size_t size)
{
	struct pack_header h = {.magic = PACK_MAGIC, .version = PACK_VERSION};
	uint16_t n;

	if (size < sizeof(n))
		return;
	memcpy(&n, data, sizeof(n));
	data += sizeof(n);
	size -= sizeof(n);
	size_t tables = (n + (size_t)PACK_SEGMENT_PAGES - 1) / PACK_SEGMENT_PAGES *
				sizeof(struct pack_segment) +
			n * sizeof(uint64_t);

	if (tables > size)
		return;
	h.n_pages = n;
	h.size = sizeof(h) + size;
	h.tables_at = h.size - tables;
	uint8_t *file = xmalloc(h.size);

	memcpy(file + sizeof(h), data, size);
	h.tables_sum = XXH3_64bits(file + h.tables_at, tables);
	h.sum = XXH3_64bits(&h, offsetof(struct pack_header, sum));
	memcpy(file, &h, sizeof(h));
	check_pack(file, h.size);
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		check_index(data + 1, size - 1);
		break;
	case 1:
		check_index_of_tables(data + 1, size - 1);
		break;
	case 2:
		check_pack(data + 1, size - 1);
		break;
	default:
		check_pack_of_body(data + 1, size - 1);
	}
	return 0;
}
