/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a byte of the disk comes from is asked block by block: of the layer, if it has the block;
 * else of the base; behind the end of either it is zero. Writing goes to the layer alone. A block
 * that is written in part is taken from the base whole first, so that one bit says all of it.
 *
 * Layers are private to one device at a time: the lock is that of the open file, and goes with
 * the process, however that ends. So does a layer without a name.
 */
#include "substrate/disk/image.h"

#include "lib/file.h"
#include "lib/xalloc.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 40 };

static const char magic[16] = {'v', 'b', 'e', 't', ' ', 'd', 'i', 's',
			       'k', ' ', 'l', 'a', 'y', 'e', 'r', '\n'};

struct head {
	char magic[16];
	uint64_t size, base_size;
	int64_t base_changed_ns;
};
_Static_assert(sizeof(struct head) == HEAD_BYTES, "the head of a layer has no gaps");

/* ---- pieces of files ---- */

/* What is behind the end of a file is zero. */
static int read_at(int fd, uint64_t at, uint8_t *to, size_t len)
{
	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		to += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	memset(to, 0, len);
	return 0;
}

/* ---- opening ---- */

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

static uint64_t map_bytes(const struct image *m)
{
	return round_up(round_up(m->size, IMAGE_BLOCK) / IMAGE_BLOCK, 8) / 8;
}

static int open_base(struct image *m, const char *path, struct stat *st, struct err *e)
{
	m->base_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (m->base_fd < 0 || fstat(m->base_fd, st) < 0)
		return err_sys(e, "disk %s", path);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_ENV, "disk %s: this is not a regular file", path);
	if (flock(m->base_fd, LOCK_SH | LOCK_NB) < 0)
		return err_set(e, ERR_ENV, "disk %s: a running lab writes it", path);
	m->base_size = (uint64_t)st->st_size;
	m->base_changed_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	return 0;
}

static int set_size(struct image *m, const struct image_spec *spec, struct err *e)
{
	m->size = spec->size ? (uint64_t)spec->size : round_up(m->base_size, IMAGE_SECTOR);
	if (!m->size)
		return err_set(e, ERR_USAGE, "disk %s: this file is empty: give the disk a size",
			       spec->base ? spec->base : "");
	if (m->size > (uint64_t)IMAGE_SIZE_MAX)
		return err_set(e, ERR_USAGE, "a disk has at most 64G");
	if (m->size % IMAGE_SECTOR)
		return err_set(e, ERR_USAGE, "the size of a disk is a multiple of %d bytes",
			       IMAGE_SECTOR);
	if (m->size < m->base_size)
		return err_set(e, ERR_USAGE,
			       "disk %s: this file has %llu bytes, more than the disk", spec->base,
			       (unsigned long long)m->base_size);
	return 0;
}

/* On a file system with disks behind it: run directories are in memory, as a rule. */
static int open_nameless(struct err *e)
{
	const char *dir = getenv("TMPDIR");

	if (!dir || dir[0] != '/')
		dir = "/var/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		char *path = xasprintf("%s/vbet-disk-XXXXXX", dir);

		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
		free(path);
	}
	if (fd < 0)
		err_sys(e, "a file for a disk in %s", dir);
	return fd;
}

static int open_layer_file(struct image *m, const char *path, struct stat *st, struct err *e)
{
	if (!path)
		m->layer_fd = open_nameless(e);
	else
		m->layer_fd =
			open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (m->layer_fd < 0)
		return path ? err_sys(e, "kept disk %s", path) : -1;
	if (fstat(m->layer_fd, st) < 0 || !S_ISREG(st->st_mode))
		return err_set(e, ERR_ENV, "kept disk %s: this is not a regular file", path);
	if (path && flock(m->layer_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, ERR_ENV, "kept disk %s: a running lab uses it", path);
	return 0;
}

/* Without a base: the content itself. */
static int open_plain(struct image *m, const char *path, const struct stat *st, struct err *e)
{
	char start[sizeof(magic)];

	if (!st->st_size && ftruncate(m->layer_fd, (off_t)m->size) < 0)
		return err_sys(e, "make a disk of %llu bytes", (unsigned long long)m->size);
	if (!st->st_size)
		return 0;
	if (read_at(m->layer_fd, 0, (uint8_t *)start, sizeof(start)) < 0)
		return err_sys(e, "kept disk %s", path);
	if (!memcmp(start, magic, sizeof(magic)))
		return err_set(e, ERR_ENV,
			       "kept disk %s: it was made over a base, and there is none", path);
	if ((uint64_t)st->st_size != m->size)
		return err_set(e, ERR_ENV,
			       "kept disk %s: it has %llu bytes, and the script says %llu", path,
			       (unsigned long long)st->st_size, (unsigned long long)m->size);
	return 0;
}

static int open_over_base(struct image *m, const char *path, const struct stat *st, struct err *e)
{
	struct head want = {.size = htole64(m->size), .base_size = htole64(m->base_size)};
	struct head have;

	memcpy(want.magic, magic, sizeof(magic));
	want.base_changed_ns = (int64_t)htole64((uint64_t)m->base_changed_ns);
	m->map = xcalloc(1, map_bytes(m));
	m->data_at = round_up(IMAGE_BLOCK + map_bytes(m), IMAGE_BLOCK);
	if (!st->st_size)
		return file_write_at(m->layer_fd, 0, &want, sizeof(want)) < 0
			       ? err_sys(e, "begin a layer of a disk")
			       : 0;
	if (read_at(m->layer_fd, 0, (uint8_t *)&have, sizeof(have)) < 0 ||
	    read_at(m->layer_fd, IMAGE_BLOCK, m->map, map_bytes(m)) < 0)
		return err_sys(e, "kept disk %s", path);
	if (memcmp(have.magic, magic, sizeof(magic)) != 0)
		return err_set(e, ERR_ENV, "kept disk %s: it was not made over a base", path);
	if (have.size != want.size)
		return err_set(e, ERR_ENV,
			       "kept disk %s: it has %llu bytes, and the script says %llu", path,
			       (unsigned long long)le64toh(have.size), (unsigned long long)m->size);
	if (have.base_size != want.base_size || have.base_changed_ns != want.base_changed_ns)
		return err_set(e, ERR_ENV,
			       "kept disk %s: its base was changed since it was made, so what it "
			       "has does not fit any more: bring the base back, or remove this "
			       "file to begin anew",
			       path);
	return 0;
}

int image_open(struct image *m, const struct image_spec *spec, struct err *e)
{
	struct stat base = {0};
	struct stat layer = {0};

	*m = (struct image){.base_fd = -1, .layer_fd = -1};
	if (spec->base && open_base(m, spec->base, &base, e) < 0)
		return -1;
	m->base = spec->base ? xstrdup(spec->base) : NULL;
	m->has_name = spec->layer != NULL;
	if (set_size(m, spec, e) < 0)
		return -1;
	if (spec->read_only)
		return 0;
	if (open_layer_file(m, spec->layer, &layer, e) < 0)
		return -1;
	return spec->base ? open_over_base(m, spec->layer, &layer, e)
			  : open_plain(m, spec->layer, &layer, e);
}

void image_close(struct image *m)
{
	if (m->base_fd >= 0)
		close(m->base_fd);
	if (m->layer_fd >= 0)
		close(m->layer_fd);
	free(m->map);
	free(m->base);
	*m = (struct image){.base_fd = -1, .layer_fd = -1};
}

/* ---- snapshots ---- */

static int copy(int from, int to, const char *path, struct err *e)
{
	return from < 0 || to < 0 || file_copy(from, to) < 0 ? err_sys(e, "%s", path) : 0;
}

static int copy_from(const char *path, int to, struct err *e)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int rc = copy(from, to, path, e);

	if (from >= 0)
		close(from);
	return rc;
}

int image_keep(const struct image *m, const char *path, struct err *e)
{
	if (m->has_name)
		return err_set(e, ERR_ENV,
			       "its content is kept in a file of its own (--keep-disks), which no "
			       "snapshot can have");
	if (m->layer_fd < 0)
		return 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = copy(m->layer_fd, fd, path, e);

	if (fd >= 0)
		close(fd);
	return rc;
}

int image_thaw(struct image *m, const char *path, struct err *e)
{
	bool is_read_only = m->layer_fd < 0;
	int64_t changed_ns = m->base_changed_ns;
	uint64_t size = m->base_size;
	struct stat st;

	m->base_fd = m->layer_fd = -1;
	if (m->base && open_base(m, m->base, &st, e) < 0)
		return -1;
	if (m->base && (m->base_changed_ns != changed_ns || m->base_size != size))
		return err_set(e, ERR_ENV, "disk %s: it was changed since the lab was saved",
			       m->base);
	if (is_read_only)
		return 0;
	m->layer_fd = open_nameless(e);
	return m->layer_fd < 0 ? -1 : copy_from(path, m->layer_fd, e);
}

int image_leave(const struct image *m, const char *path, struct err *e)
{
	if (m->map_differs)
		return err_set(e, ERR_ENV, "what its disk has could not be written");
	if (!m->has_name)
		return image_keep(m, path, e);
	/* The other process opens it before this one is told to let go of its disk. */
	flock(m->layer_fd, LOCK_UN);
	return 0;
}

int image_arrive(struct image *m, const char *path, struct err *e)
{
	if (m->layer_fd < 0 || m->has_name)
		return 0;
	int rc = copy_from(path, m->layer_fd, e);

	unlink(path);
	if (rc == 0 && m->map && read_at(m->layer_fd, IMAGE_BLOCK, m->map, map_bytes(m)) < 0)
		rc = err_sys(e, "%s", path);
	return rc;
}

/* ---- reading and writing ---- */

static bool layer_has(const struct image *m, uint64_t block)
{
	return m->layer_fd >= 0 && (!m->map || m->map[block / 8] >> block % 8 & 1);
}

/* Of the disk as it would be without its layer. */
static int read_base(const struct image *m, uint64_t at, uint8_t *to, size_t len)
{
	if (m->base_fd >= 0)
		return read_at(m->base_fd, at, to, len);
	memset(to, 0, len);
	return 0;
}

int image_read(const struct image *m, uint64_t at, uint8_t *to, size_t len)
{
	while (len) {
		uint64_t block = at / IMAGE_BLOCK;
		bool in_layer = layer_has(m, block);
		size_t n = IMAGE_BLOCK - at % IMAGE_BLOCK;

		/* As far as it comes from the same file. */
		while (n < len && layer_has(m, ++block) == in_layer)
			n += IMAGE_BLOCK;
		n = n < len ? n : len;
		if ((in_layer ? read_at(m->layer_fd, m->data_at + at, to, n)
			      : read_base(m, at, to, n)) < 0)
			return -1;
		at += n;
		to += n;
		len -= n;
	}
	return 0;
}

/* A block of which only a part will be written is taken from the base first. */
static int copy_up(struct image *m, uint64_t block)
{
	uint8_t content[IMAGE_BLOCK];

	if (layer_has(m, block))
		return 0;
	if (read_base(m, block * IMAGE_BLOCK, content, sizeof(content)) < 0)
		return -1;
	return file_write_at(m->layer_fd, m->data_at + block * IMAGE_BLOCK, content,
			     sizeof(content));
}

/* The layer has these blocks from now on. */
static int mark(struct image *m, uint64_t first, uint64_t last)
{
	uint64_t from = first / 8;
	uint64_t bytes = last / 8 - from + 1;
	bool is_new = m->map_differs;

	for (uint64_t b = first; b <= last; b++) {
		is_new = is_new || !layer_has(m, b);
		m->map[b / 8] |= (uint8_t)(1 << b % 8);
	}
	if (!is_new)
		return 0;
	if (m->map_differs) {
		from = 0;
		bytes = map_bytes(m);
	}
	m->map_differs = file_write_at(m->layer_fd, IMAGE_BLOCK + from, m->map + from, bytes) < 0;
	return m->map_differs ? -1 : 0;
}

int image_write(struct image *m, uint64_t at, const uint8_t *from, size_t len)
{
	uint64_t end = at + len;
	uint64_t first = at / IMAGE_BLOCK;
	uint64_t last = (end - 1) / IMAGE_BLOCK;

	if (!len)
		return 0;
	if (m->map && (at % IMAGE_BLOCK || end < (first + 1) * IMAGE_BLOCK) &&
	    copy_up(m, first) < 0)
		return -1;
	if (m->map && last != first && end % IMAGE_BLOCK && copy_up(m, last) < 0)
		return -1;
	if (file_write_at(m->layer_fd, m->data_at + at, from, len) < 0)
		return -1;
	return m->map ? mark(m, first, last) : 0;
}
