/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/pages_in.h"

#include "lib/file.h"
#include "lib/xalloc.h"
#include "vbet-server/shelf/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_zero(const uint8_t *page)
{
	return page[0] == 0 && !memcmp(page, page + 1, PACK_PAGE - 1);
}

static void grow(struct pages_in *p)
{
	if (p->slot && p->pages.n * 2 <= p->mask)
		return;
	p->mask = p->slot ? p->mask * 2 + 1 : 4095;
	free(p->slot);
	p->slot = xcalloc(p->mask + 1, sizeof(*p->slot));
	for (size_t i = 0; i < p->pages.n; i++) {
		uint64_t k = p->pages.at[i].hash & p->mask;

		while (p->slot[k])
			k = (k + 1) & p->mask;
		p->slot[k] = (uint32_t)i + 1;
	}
}

/*
 * The number of a page; equal ones have the same. Whoever chooses pages for hashes that crowd
 * together only sees to it that his are not shared.
 */
static uint32_t number_of(struct pages_in *p, const uint8_t *data)
{
	enum { TRIES = 64 };
	uint64_t hash = pack_hash(data);
	uint64_t k = hash & p->mask;
	int tries = 0;

	for (; p->slot[k] && tries < TRIES; k = (k + 1) & p->mask, tries++) {
		struct page_in *known = &p->pages.at[p->slot[k] - 1];

		if (known->hash == hash && !memcmp(known->data, data, PACK_PAGE)) {
			known->refs++;
			return p->slot[k] - 1;
		}
	}
	struct page_in page = {.data = data, .hash = hash, .refs = 1};

	vec_push(&p->pages, page);
	if (!p->slot[k])
		p->slot[k] = (uint32_t)p->pages.n;
	return (uint32_t)p->pages.n - 1;
}

static void add_pages(struct pages_in *p, struct file_in *f, uint64_t from, uint64_t to)
{
	for (uint64_t at = from / PACK_PAGE; at * PACK_PAGE < to; at++) {
		const uint8_t *page = f->map + at * PACK_PAGE;

		if (is_zero(page))
			continue;
		grow(p);
		struct page_ref ref = {.at = (uint32_t)at, .in = number_of(p, page)};

		vec_push(&f->refs, ref);
	}
}

/* Behind the end of the file its last page is zero. Holes are passed over. */
static void read_pages(struct pages_in *p, struct file_in *f, int fd)
{
	off_t end = (off_t)f->size;
	off_t at = 0;

	while (at < end) {
		off_t from = lseek(fd, at, SEEK_DATA);

		if (from < 0 && errno == ENXIO)
			return;
		off_t to = from < 0 ? end : lseek(fd, from, SEEK_HOLE);

		if (from < 0)
			from = at;
		add_pages(p, f, (uint64_t)from, (uint64_t)to);
		/* The rest of the last page is dealt with. */
		at = (to + PACK_PAGE - 1) / PACK_PAGE * PACK_PAGE;
	}
}

/*
 * A copy that has no name. A guest's kernel keeps the descriptor through which it wrote its file:
 * between the look that finds its page equal to another guest's and the writing of that page it
 * could put something else there, for both, or make the file shorter under our mapping.
 */
static int copy_of(const char *path, const char *dir)
{
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int fd = from < 0 ? -1 : open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 && file_copy(from, fd) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		fd = -1;
	}
	if (from >= 0)
		close(from);
	return fd;
}

static int read_file(struct pages_in *p, const char *path, struct file_in *f, struct err *e)
{
	int fd = copy_of(path, p->dir);
	struct stat st = {.st_size = 0};
	void *map = NULL;

	if (fd < 0)
		return err_sys(e, "copy %s", path);
	if (fstat(fd, &st) < 0 || (st.st_size && (map = mmap(NULL, (size_t)st.st_size, PROT_READ,
							     MAP_PRIVATE, fd, 0)) == MAP_FAILED)) {
		err_sys(e, "map %s", path);
		close(fd);
		return -1;
	}
	f->size = (uint64_t)st.st_size;
	f->map = map;
	read_pages(p, f, fd);
	close(fd);
	return 0;
}

static int read_dir(struct pages_in *p, const char *dir, const char *prefix, const char *but,
		    struct err *e);

/* What is neither a file nor a directory belongs to processes that run. */
static int read_entry(struct pages_in *p, const char *dir, char *name, struct err *e)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct file_in f = {.name = name};
	struct stat st;
	int rc = 0;

	if (lstat(path, &st) < 0) {
		rc = err_sys(e, "%s", path);
	} else if (S_ISDIR(st.st_mode)) {
		char *prefix = xasprintf("%s/", name);

		f.is_dir = true;
		vec_push(&p->files, f);
		f.name = NULL;
		rc = read_dir(p, dir, prefix, NULL, e);
		free(prefix);
	} else if (S_ISREG(st.st_mode)) {
		rc = read_file(p, path, &f, e);
		vec_push(&p->files, f);
		f.name = NULL;
	}
	free(f.name);
	free(path);
	return rc;
}

static int is_entry(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int read_dir(struct pages_in *p, const char *dir, const char *prefix, const char *but,
		    struct err *e)
{
	char *path = xasprintf("%s/%s", dir, prefix);
	struct dirent **entry = NULL;
	int n = scandir(path, &entry, is_entry, alphasort);
	int rc = n < 0 ? err_sys(e, "open %s", path) : 0;

	for (int i = 0; i < n; i++) {
		if (rc == 0 && (!but || strcmp(entry[i]->d_name, but) != 0))
			rc = read_entry(p, dir, xasprintf("%s%s", prefix, entry[i]->d_name), e);
		free(entry[i]);
	}
	free(entry);
	free(path);
	return rc;
}

int pages_in_read(struct pages_in *p, const char *dir, const char *but, struct err *e)
{
	p->dir = dir;
	return read_dir(p, dir, "", but, e);
}

void pages_in_finish(struct pages_in *p)
{
	struct file_in *f;

	VEC_FOREACH (f, &p->files) {
		if (f->map)
			munmap((void *)f->map, f->size);
		vec_free(&f->refs);
		free(f->name);
	}
	vec_free(&p->files);
	vec_free(&p->pages);
	free(p->slot);
}
