/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each content of a page is kept once. What is in a pack that is there already stays there; all
 * else goes into a new one, pages that several files have first: whoever wants one guest back need
 * not read what only others have.
 */
#include "vbet-server/shelf/squeeze.h"

#include "vbet-server/shelf/lanes.h"
#include "vbet-server/shelf/pack_set.h"
#include "vbet-server/shelf/pages_in.h"
#include "vbet-server/shelf/snap_index.h"
#include "vbet-server/store/snapshot_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* A page that may be in a pack: its segment has to be looked at. */
struct candidate {
	struct page_in *page;
	uint32_t pack, at;
};

struct squeezing {
	const struct squeeze *ask;
	struct pages_in in;
	struct pack_set known;
	VEC(struct candidate) candidates;
	VEC(size_t) groups; /* the first candidate of each segment */
	atomic_size_t next;
	VEC(struct page_in *) fresh; /* what goes into the new pack */
	char name[SNAP_NAME_MAX];    /* of the new pack; "": none */
	uint64_t sum;
};

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static void find_candidates(struct squeezing *s)
{
	struct pack_lookup lookup;
	struct page_in *page;

	pack_lookup_make(&lookup, &s->known);
	VEC_FOREACH (page, &s->in.pages) {
		const struct pack_place *place = pack_lookup_find(&lookup, page->hash);
		struct candidate c = {.page = page};

		if (!place)
			continue;
		c.pack = place->pack;
		c.at = place->page - 1;
		vec_push(&s->candidates, c);
	}
	pack_lookup_finish(&lookup);
	if (s->candidates.n)
		qsort(s->candidates.at, s->candidates.n, sizeof(*s->candidates.at),
		      compare_candidates);
	for (size_t i = 0; i < s->candidates.n; i++) {
		const struct candidate *c = &s->candidates.at[i];

		if (!i || c->pack != c[-1].pack ||
		    c->at / PACK_SEGMENT_PAGES != c[-1].at / PACK_SEGMENT_PAGES)
			vec_push(&s->groups, i);
	}
}

/* Only what is equal byte by byte is shared. A segment that is damaged has nothing to share. */
static void compare_group(struct squeezing *s, size_t group, ZSTD_DCtx *zstd, uint8_t *plain)
{
	size_t end = group + 1 < s->groups.n ? s->groups.at[group + 1] : s->candidates.n;
	struct candidate *c = &s->candidates.at[s->groups.at[group]];

	if (pack_read(&s->known.packs.at[c->pack].pack, c->at / PACK_SEGMENT_PAGES, zstd, plain) <
	    0)
		return;
	for (; c < s->candidates.at + end; c++) {
		const uint8_t *kept = plain + (size_t)(c->at % PACK_SEGMENT_PAGES) * PACK_PAGE;

		if (memcmp(kept, c->page->data, PACK_PAGE) != 0)
			continue;
		c->page->is_kept = true;
		c->page->pack = c->pack;
		c->page->page = c->at;
	}
}

static void compare_groups(void *ctx)
{
	struct squeezing *s = ctx;
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	uint8_t *plain = xmalloc(PACK_SEGMENT);
	size_t i;

	while ((i = atomic_fetch_add(&s->next, 1)) < s->groups.n)
		compare_group(s, i, zstd, plain);
	free(plain);
	ZSTD_freeDCtx(zstd);
}

/* Pages that several files have come first. Their pack is the last one in the table. */
static void order_fresh(struct squeezing *s)
{
	for (int shared = 1; shared >= 0; shared--) {
		struct page_in *page;

		VEC_FOREACH (page, &s->in.pages) {
			if (page->is_kept || (page->refs > 1) != shared)
				continue;
			page->page = (uint32_t)s->fresh.n;
			page->pack = (uint32_t)s->known.packs.n;
			vec_push(&s->fresh, page);
		}
	}
}

/* The file has no name until it is whole: whoever is killed leaves nothing. */
static int name_pack(struct squeezing *s, int fd, struct err *e)
{
	uint64_t name = s->sum;

	for (;;) {
		char from[64];

		snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
		snprintf(s->name, sizeof(s->name), "%016llx", (unsigned long long)name);
		char *path = xasprintf("%s/%s.pack", s->ask->packs, s->name);
		int rc = linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW);

		free(path);
		if (rc == 0)
			return 0;
		if (errno != EEXIST)
			return err_sys(e, "make a pack in %s", s->ask->packs);
		name++;
	}
}

static int write_fresh(struct squeezing *s, struct err *e)
{
	if (!s->fresh.n)
		return 0;
	struct pack_page *page = xreallocarray(NULL, s->fresh.n, sizeof(*page));
	int fd = open(s->ask->packs, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int rc = fd < 0 ? err_sys(e, "make a file in %s", s->ask->packs) : 0;

	for (size_t i = 0; i < s->fresh.n; i++)
		page[i] = (struct pack_page){s->fresh.at[i]->data, s->fresh.at[i]->hash};
	if (rc == 0)
		rc = pack_write(fd, page, (uint32_t)s->fresh.n, s->ask->threads, &s->sum, e);
	if (rc == 0)
		rc = name_pack(s, fd, e);
	if (fd >= 0)
		close(fd);
	free(page);
	return rc;
}

/* Only packs that are used are in the index. */
static void add_packs(struct squeezing *s, struct snap_index *x)
{
	uint32_t *number = xcalloc(s->known.packs.n + 1, sizeof(*number));
	struct page_in *page;

	VEC_FOREACH (page, &s->in.pages) {
		uint32_t k = page->pack;

		if (!number[k]) {
			struct snap_pack add = {.sum = s->sum};
			const char *name = s->name;

			if (k < s->known.packs.n) {
				name = s->known.packs.at[k].name;
				add.sum = s->known.packs.at[k].pack.head.tables_sum;
			}
			memcpy(add.name, name, strlen(name) + 1);
			vec_push(&x->packs, add);
			number[k] = (uint32_t)x->packs.n;
		}
		page->pack = number[k] - 1;
	}
	free(number);
}

static void add_file(const struct squeezing *s, struct snap_index *x, const struct file_in *f)
{
	struct snap_file file = {.name = f->name,
				 .size = f->size,
				 .first_run = (uint32_t)x->runs.n,
				 .is_dir = f->is_dir};
	const struct page_ref *ref;

	VEC_FOREACH (ref, &f->refs) {
		const struct page_in *page = &s->in.pages.at[ref->in];
		struct snap_run *last = file.n_runs ? &x->runs.at[x->runs.n - 1] : NULL;

		if (last && ref->at == last->at + last->n && page->pack == last->pack &&
		    page->page == last->page + last->n) {
			last->n++;
			continue;
		}
		struct snap_run run = {
			.at = ref->at, .n = 1, .pack = page->pack, .page = page->page};

		vec_push(&x->runs, run);
		file.n_runs++;
	}
	vec_push(&x->files, file);
}

/* The mark keeps the time at which the lab was saved. */
static int sync_mark(const char *dir, int64_t saved_ns, struct err *e)
{
	const struct timespec saved = {saved_ns / 1000000000, saved_ns % 1000000000};
	const struct timespec times[2] = {saved, saved};
	char *path = xasprintf("%s/snapshot", dir);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || futimens(fd, times) < 0 || fsync(fd) < 0 ? err_sys(e, "write %s", path)
								    : 0;

	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static int copy_mark(const struct squeeze *q, struct snap_index *x, struct err *e)
{
	struct snapshot_mark mark;
	int rc = snapshot_dir_read_mark(q->from, &mark, e);

	if (rc == 0) {
		x->saved_ns = mark.saved_ns;
		snprintf(x->lab, sizeof(x->lab), "%s", mark.lab);
		rc = snapshot_dir_write_mark(q->to, &mark, e);
	}
	if (rc == 0)
		rc = sync_mark(q->to, mark.saved_ns, e);
	snapshot_mark_finish(&mark);
	return rc;
}

static int write_index(struct squeezing *s, struct err *e)
{
	char *path = xasprintf("%s/index", s->ask->to);
	struct snap_index x = {.text = NULL};
	const struct file_in *f;
	int rc = copy_mark(s->ask, &x, e);

	add_packs(s, &x);
	VEC_FOREACH (f, &s->in.files)
		add_file(s, &x, f);
	if (rc == 0)
		rc = snap_index_write(&x, path, e);
	snap_index_finish(&x);
	free(path);
	return rc;
}

int squeeze(const struct squeeze *q, struct err *e)
{
	struct squeezing s = {.ask = q};
	int rc = pages_in_read(&s.in, q->from, "snapshot", e);

	if (rc == 0 && q->share) {
		pack_set_add_all(&s.known, q->packs);
		find_candidates(&s);
		lanes_run(q->threads, compare_groups, &s);
	}
	order_fresh(&s);
	if (rc == 0)
		rc = write_fresh(&s, e);
	if (rc == 0)
		rc = write_index(&s, e);
	vec_free(&s.fresh);
	vec_free(&s.groups);
	vec_free(&s.candidates);
	pack_set_close(&s.known);
	pages_in_finish(&s.in);
	return rc;
}
