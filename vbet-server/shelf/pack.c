/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/pack.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include <string.h>

uint64_t pack_hash(const void *page)
{
	return XXH3_64bits(page, PACK_PAGE);
}

uint32_t pack_segment_pages(const struct pack *p, uint32_t segment)
{
	uint32_t left = p->head.n_pages - segment * PACK_SEGMENT_PAGES;

	return left < PACK_SEGMENT_PAGES ? left : PACK_SEGMENT_PAGES;
}

static int map_file(struct pack *p, const char *path, uint64_t *size, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *data = MAP_FAILED;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "open %s", path);
	} else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < sizeof(p->head)) {
		err_set(e, ERR_ENV, "%s is damaged, or was cut short", path);
	} else {
		*size = (uint64_t)st.st_size;
		data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			err_sys(e, "map %s", path);
	}
	if (fd >= 0)
		close(fd);
	if (data == MAP_FAILED)
		return -1;
	p->data = data;
	p->head.size = *size;
	return 0;
}

/* Every segment is where data are; what is in it tells its own sum. */
static bool tables_fit(const struct pack *p)
{
	for (uint32_t i = 0; i < p->n_segments; i++) {
		const struct pack_segment *s = &p->segment[i];

		if (s->at < sizeof(p->head) || s->at > p->head.tables_at ||
		    s->len > p->head.tables_at - s->at)
			return false;
	}
	return true;
}

static int check(struct pack *p, const char *path, uint64_t size, struct err *e)
{
	struct pack_header h;

	memcpy(&h, p->data, sizeof(h));
	if (h.magic != PACK_MAGIC)
		return err_set(e, ERR_ENV, "%s is no pack of pages", path);
	if (h.version != PACK_VERSION)
		return err_set(e, ERR_ENV, "%s: its format is that of another version", path);
	uint64_t segments = ((uint64_t)h.n_pages + PACK_SEGMENT_PAGES - 1) / PACK_SEGMENT_PAGES;
	uint64_t tables = segments * sizeof(struct pack_segment) + h.n_pages * sizeof(uint64_t);

	if (h.sum != XXH3_64bits(&h, offsetof(struct pack_header, sum)) || h.size != size ||
	    h.n_pages > PACK_PAGES_MAX || h.tables_at % 8 || h.tables_at < sizeof(h) ||
	    h.tables_at > size || size - h.tables_at != tables ||
	    XXH3_64bits(p->data + h.tables_at, tables) != h.tables_sum)
		return err_set(e, ERR_ENV, "%s is damaged, or was cut short", path);
	p->head = h;
	p->n_segments = (uint32_t)segments;
	p->segment = (const struct pack_segment *)(p->data + h.tables_at);
	p->hash = (const uint64_t *)(p->segment + segments);
	return tables_fit(p) ? 0 : err_set(e, ERR_ENV, "%s is damaged", path);
}

int pack_open(struct pack *p, const char *path, struct err *e)
{
	uint64_t size;

	memset(p, 0, sizeof(*p));
	if (map_file(p, path, &size, e) < 0)
		return -1;
	if (check(p, path, size, e) == 0)
		return 0;
	p->head.size = size;
	pack_close(p);
	return -1;
}

void pack_close(struct pack *p)
{
	if (p->data)
		munmap((void *)p->data, p->head.size);
	memset(p, 0, sizeof(*p));
}

int pack_read(const struct pack *p, uint32_t segment, void *ctx, uint8_t *out)
{
	const struct pack_segment *s = &p->segment[segment];
	size_t want = (size_t)pack_segment_pages(p, segment) * PACK_PAGE;

	if (ZSTD_decompressDCtx(ctx, out, want, p->data + s->at, s->len) != want)
		return -1;
	return XXH3_64bits(out, want) == s->sum ? 0 : -1;
}
