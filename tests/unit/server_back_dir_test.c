/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots to go back to: few, and going back repeats no more than what has passed since. */
#include "tests/support/suite.h"
#include "vbet-server/store/back_dir.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVERY = 10 };

static void take(struct back_points *p, int64_t now)
{
	long spare;

	vec_push(&p->at, ((struct back_point){.time_ns = now, .bytes = 1}));
	while ((spare = back_points_spare(p, now)) >= 0)
		vec_remove(&p->at, (size_t)spare);
}

/* From any moment, to any moment before it. */
static void check_all_ways(const struct back_points *p, int64_t now)
{
	for (int64_t to = EVERY; to <= now; to++) {
		long i = back_points_find(p, to);

		ck_assert_int_ge(i, 0);
		int64_t repeated = to - p->at.at[i].time_ns;
		int64_t back = now - to;

		/* An assertion that holds costs a system call. */
		if (repeated < 0 || (repeated >= EVERY && repeated > back))
			ck_abort_msg("from %lld back to %lld: %lld repeated", (long long)now,
				     (long long)to, (long long)repeated);
	}
}

START_TEST(few_are_kept)
{
	struct back_points p = {0};

	ck_assert_int_eq(back_points_find(&p, 5), -1);
	for (int64_t now = EVERY; now <= 1000 * EVERY; now += EVERY) {
		take(&p, now);
		/* Twice in each power of two, at most. */
		ck_assert_uint_le(p.at.n, 22);
		if (now <= 100 * EVERY || now % (100 * EVERY) == 0)
			check_all_ways(&p, now + EVERY / 2);
	}
	ck_assert_int_eq(p.at.at[0].time_ns, EVERY);
	ck_assert_int_eq(p.at.at[p.at.n - 1].time_ns, 1000 * EVERY);
	ck_assert_int_eq(back_points_bytes(&p), (int64_t)p.at.n);
	back_points_finish(&p);
}
END_TEST

static void make(const char *run, int64_t time_ns, const char *suffix, bool whole)
{
	const struct snapshot_mark mark = {.lab = (char *)"t", .run = (char *)run};
	char *place = back_dir_path(run, time_ns);
	char dir[256];

	snprintf(dir, sizeof(dir), "%s%s", place, suffix);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	if (whole)
		ck_assert_int_eq(snapshot_dir_write_mark(dir, &mark, NULL), 0);
	free(place);
}

/* A guest's file, in one of them or in both. */
static void put_guest(const char *run, int64_t time_ns, const char *name, const char *as)
{
	static const char data[40960];
	char *dir = back_dir_path(run, time_ns);
	char path[300], other[300];

	snprintf(path, sizeof(path), "%s/%s.guest", dir, name);
	free(dir);
	if (as) {
		dir = back_dir_path(run, 4500000001);
		snprintf(other, sizeof(other), "%s/%s.guest", dir, as);
		free(dir);
		ck_assert_int_eq(link(other, path), 0);
		return;
	}
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, sizeof(data), f), sizeof(data));
	ck_assert_int_eq(fclose(f), 0);
}

/* What several have counts once, all in all. */
static void check_weight(const char *run, struct back_points *p)
{
	int64_t before, whole;

	back_dir_weigh(run, p);
	before = back_points_bytes(p);
	put_guest(run, 4500000001, "h1", NULL);
	back_dir_weigh(run, p);
	whole = back_points_bytes(p) - before;
	ck_assert_int_ge(whole, 40960);
	put_guest(run, 20000000000, "h1", "h1");
	back_dir_weigh(run, p);
	ck_assert_int_eq(back_points_bytes(p) - before, whole);
	put_guest(run, 20000000000, "h2", NULL);
	back_dir_weigh(run, p);
	ck_assert_int_eq(back_points_bytes(p) - before, 2 * whole);
}

/* What is being made, or removed, is none. */
START_TEST(whole_ones_are_found)
{
	char run[] = "/tmp/vbet-back-XXXXXX";
	char dir[64];
	struct back_points p;

	ck_assert_ptr_nonnull(mkdtemp(run));
	back_dir_list(run, &p);
	ck_assert_uint_eq(p.at.n, 0);
	snprintf(dir, sizeof(dir), "%s/back", run);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	make(run, 20000000000, "", true);
	make(run, 4500000001, "", true);
	make(run, 30000000000, ".new", true);
	make(run, 10000000000, "", false);
	back_dir_list(run, &p);
	ck_assert_uint_eq(p.at.n, 2);
	ck_assert_int_eq(p.at.at[0].time_ns, 4500000001);
	ck_assert_int_eq(p.at.at[1].time_ns, 20000000000);
	check_weight(run, &p);
	ck_assert_int_gt(p.at.at[1].bytes, 0);
	ck_assert_int_eq(back_points_find(&p, 4500000000), -1);
	ck_assert_int_eq(back_points_find(&p, 19999999999), 0);
	ck_assert_int_eq(back_points_find(&p, 20000000000), 1);
	back_points_finish(&p);
	paths_remove_tree(run);
}
END_TEST

START_TEST(what_may_be_done_with_files)
{
	char *run = xstrdup("/tmp/back-dir-XXXXXX");

	ck_assert_ptr_nonnull(mkdtemp(run));
	ck_assert_int_eq(snapshot_dir_use(run), SNAPSHOT_READ);
	ck_assert_int_eq(snapshot_dir_set_use(run, SNAPSHOT_SHARE, NULL), 0);
	ck_assert_int_eq(snapshot_dir_use(run), SNAPSHOT_SHARE);
	/* Only who adopts a file writes to it. */
	ck_assert_int_eq(snapshot_use_flags(SNAPSHOT_SHARE) & O_ACCMODE, O_RDONLY);
	ck_assert_int_eq(snapshot_use_flags(SNAPSHOT_ADOPT) & O_ACCMODE, O_RDWR);
	paths_remove_tree(run);
	ck_assert_int_eq(snapshot_dir_set_use(run, SNAPSHOT_ADOPT, NULL), -1);
	free(run);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("back_dir");
	TCase *tc = tcase_create("back_dir");

	tcase_add_test(tc, few_are_kept);
	tcase_add_test(tc, whole_ones_are_found);
	tcase_add_test(tc, what_may_be_done_with_files);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
