/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In the file: a header, and one block of zstd with the tables of packs, files and runs, and the
 * names. What is read is not believed before all of it was looked at.
 */
#include "vbet-server/shelf/snap_index.h"

#include "lib/sock.h"
#include "vbet-server/shelf/pack.h"
#include "vbet-server/store/paths.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

enum { LEVEL = 3, PLAIN_MAX = 1 << 30, FILE_PAGES_MAX = 1 << 30 };

#define MAGIC UINT64_C(0x3178646974656276) /* "vbetidx1" */

struct header {
	uint64_t magic;
	uint32_t version, reserved;
	uint64_t plain_len, packed_len;
	uint64_t sum; /* XXH3 of what it holds */
};

/* What is packed begins with this; then packs, files, runs, text. */
struct tables {
	char lab[SNAP_LAB_MAX];
	int64_t saved_ns;
	uint32_t n_packs, n_files, n_runs, text_len;
};

struct file_entry {
	uint64_t size;
	uint32_t name, n_runs; /* where in the text; the runs follow those of the file before */
	uint32_t is_dir, reserved;
};

static uint64_t plain_size(const struct tables *t)
{
	return sizeof(*t) + t->n_packs * (uint64_t)sizeof(struct snap_pack) +
	       t->n_files * (uint64_t)sizeof(struct file_entry) +
	       t->n_runs * (uint64_t)sizeof(struct snap_run) + t->text_len;
}

static uint8_t *put(uint8_t *to, const void *from, size_t len)
{
	if (len)
		memcpy(to, from, len);
	return to + len;
}

/* malloc'ed. */
static uint8_t *lay_out(const struct snap_index *x, uint64_t *len)
{
	struct tables t = {
		.saved_ns = x->saved_ns,
		.n_packs = (uint32_t)x->packs.n,
		.n_files = (uint32_t)x->files.n,
		.n_runs = (uint32_t)x->runs.n,
	};
	const struct snap_file *f;

	memcpy(t.lab, x->lab, sizeof(t.lab));
	VEC_FOREACH (f, &x->files)
		t.text_len += (uint32_t)strlen(f->name) + 1;
	*len = plain_size(&t);
	uint8_t *plain = xmalloc(*len);
	uint8_t *p = put(plain, &t, sizeof(t));
	uint32_t name = 0;

	p = put(p, x->packs.at, x->packs.n * sizeof(*x->packs.at));
	VEC_FOREACH (f, &x->files) {
		struct file_entry entry = {
			.size = f->size, .name = name, .n_runs = f->n_runs, .is_dir = f->is_dir};

		p = put(p, &entry, sizeof(entry));
		name += (uint32_t)strlen(f->name) + 1;
	}
	p = put(p, x->runs.at, x->runs.n * sizeof(*x->runs.at));
	VEC_FOREACH (f, &x->files)
		p = put(p, f->name, strlen(f->name) + 1);
	return plain;
}

int snap_index_write(const struct snap_index *x, const char *path, struct err *e)
{
	struct header h = {.magic = MAGIC, .version = SNAP_INDEX_VERSION};
	uint8_t *plain = lay_out(x, &h.plain_len);
	size_t room = ZSTD_compressBound(h.plain_len);
	uint8_t *packed = xmalloc(sizeof(h) + room);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : 0;

	h.packed_len = ZSTD_compress(packed + sizeof(h), room, plain, h.plain_len, LEVEL);
	h.sum = XXH3_64bits(plain, h.plain_len);
	memcpy(packed, &h, sizeof(h));
	if (rc == 0 && (ZSTD_isError(h.packed_len) ||
			sock_write_all(fd, packed, sizeof(h) + h.packed_len) < 0 || fsync(fd) < 0))
		rc = -1;
	if (rc < 0)
		err_sys(e, "write %s", path);
	if (fd >= 0)
		close(fd);
	free(packed);
	free(plain);
	return rc;
}

static bool name_fits(const char *name)
{
	for (const char *part = name;;) {
		size_t len = strcspn(part, "/");

		if (!len || (len == 1 && *part == '.') || (len == 2 && !memcmp(part, "..", 2)))
			return false;
		if (!part[len])
			return true;
		part += len + 1;
	}
}

static bool pack_fits(const struct snap_pack *k)
{
	return k->name[0] && strnlen(k->name, sizeof(k->name)) < sizeof(k->name) &&
	       !strchr(k->name, '/') && k->name[0] != '.';
}

static bool runs_fit(const struct snap_index *x, const struct snap_file *f)
{
	uint64_t pages = (f->size + PACK_PAGE - 1) / PACK_PAGE;
	uint64_t next = 0;

	for (uint32_t i = 0; i < f->n_runs; i++) {
		const struct snap_run *r = &x->runs.at[f->first_run + i];

		if (!r->n || r->at < next || r->at >= pages || r->n > pages - r->at ||
		    r->pack >= x->packs.n || r->page >= PACK_PAGES_MAX ||
		    r->n > PACK_PAGES_MAX - r->page)
			return false;
		next = (uint64_t)r->at + r->n;
	}
	return true;
}

static bool take_files(struct snap_index *x, const uint8_t *entries, const struct tables *t)
{
	uint64_t run = 0;

	for (uint32_t i = 0; i < t->n_files; i++) {
		struct file_entry entry;

		memcpy(&entry, entries + i * sizeof(entry), sizeof(entry));
		if (entry.name >= t->text_len || entry.n_runs > t->n_runs - run ||
		    entry.size / PACK_PAGE >= FILE_PAGES_MAX ||
		    (entry.is_dir && (entry.n_runs || entry.size)))
			return false;
		struct snap_file f = {
			.name = x->text + entry.name,
			.size = entry.size,
			.first_run = (uint32_t)run,
			.n_runs = entry.n_runs,
			.is_dir = entry.is_dir != 0,
		};

		if (!name_fits(f.name) || !runs_fit(x, &f))
			return false;
		run += f.n_runs;
		vec_push(&x->files, f);
	}
	return run == t->n_runs;
}

static bool take_tables(struct snap_index *x, const uint8_t *p, uint64_t len)
{
	struct tables t;

	if (len < sizeof(t))
		return false;
	memcpy(&t, p, sizeof(t));
	if (plain_size(&t) != len || strnlen(t.lab, sizeof(t.lab)) == sizeof(t.lab))
		return false;
	memcpy(x->lab, t.lab, sizeof(t.lab));
	x->saved_ns = t.saved_ns;
	p += sizeof(t);
	for (uint32_t i = 0; i < t.n_packs; i++, p += sizeof(struct snap_pack)) {
		struct snap_pack k;

		memcpy(&k, p, sizeof(k));
		if (!pack_fits(&k))
			return false;
		vec_push(&x->packs, k);
	}
	const uint8_t *entries = p;

	p += t.n_files * sizeof(struct file_entry);
	vec_reserve(&x->runs, t.n_runs);
	x->runs.n = t.n_runs;
	if (t.n_runs)
		memcpy(x->runs.at, p, t.n_runs * sizeof(struct snap_run));
	p += t.n_runs * sizeof(struct snap_run);
	x->text = xmalloc((size_t)t.text_len + 1);
	memcpy(x->text, p, t.text_len);
	x->text[t.text_len] = '\0';
	return take_files(x, entries, &t);
}

int snap_index_parse(struct snap_index *x, const void *data, size_t len, const char *what,
		     struct err *e)
{
	struct header h;

	memset(x, 0, sizeof(*x));
	if (len < sizeof(h))
		return err_set(e, ERR_ENV, "%s is damaged, or was cut short", what);
	memcpy(&h, data, sizeof(h));
	if (h.magic != MAGIC)
		return err_set(e, ERR_ENV, "%s is no index of a snapshot", what);
	if (h.version != SNAP_INDEX_VERSION || h.reserved)
		return err_set(e, ERR_ENV, "%s: its format is that of another version", what);
	if (h.packed_len != len - sizeof(h) || h.plain_len > PLAIN_MAX ||
	    ZSTD_getFrameContentSize((const char *)data + sizeof(h), len - sizeof(h)) !=
		    h.plain_len)
		return err_set(e, ERR_ENV, "%s is damaged, or was cut short", what);
	uint8_t *plain = xmalloc(h.plain_len + 1);
	bool ok = ZSTD_decompress(plain, h.plain_len, (const char *)data + sizeof(h),
				  h.packed_len) == h.plain_len &&
		  XXH3_64bits(plain, h.plain_len) == h.sum && take_tables(x, plain, h.plain_len);

	free(plain);
	if (ok)
		return 0;
	snap_index_finish(x);
	return err_set(e, ERR_ENV, "%s is damaged", what);
}

int snap_index_read(struct snap_index *x, const char *path, struct err *e)
{
	size_t len;
	struct stat st;

	memset(x, 0, sizeof(*x));
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_ENV, "%s is no file", path);
	char *data = paths_read_file(path, &len, e);

	if (!data)
		return -1;
	int rc = snap_index_parse(x, data, len, path, e);

	free(data);
	return rc;
}

void snap_index_finish(struct snap_index *x)
{
	vec_free(&x->packs);
	vec_free(&x->files);
	vec_free(&x->runs);
	free(x->text);
	memset(x, 0, sizeof(*x));
}
