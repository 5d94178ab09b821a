/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots on the shelf: what is taken out is what was put in, whatever happens meanwhile. */
#include "lib/xalloc.h"
#include "tests/support/killed.h"
#include "tests/support/suite.h"
#include "vbet-server/shelf/bundle.h"
#include "vbet-server/shelf/pack.h"
#include "vbet-server/shelf/pages_in.h"
#include "vbet-server/shelf/shelf.h"
#include "vbet-server/shelf/squeeze.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct shelf shelf;
static unsigned next_out;

static char *at(const char *name)
{
	static char path[8][160];
	static unsigned i;

	i = (i + 1) % 8;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void set_up(void)
{
	strcpy(dir, "/tmp/vbet-shelf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(shelf_open(&shelf, at("shelf"), NULL), 0);
}

static void tear_down(void)
{
	shelf_close(&shelf);
	paths_remove_tree(dir);
}

/* Pages of a guest: page i is made of seed and i, as `kind` says. */
static void fill_page(uint8_t *page, unsigned seed, unsigned i)
{
	uint32_t x = (seed * 7919 + i) * 2654435761U + 1;

	memset(page, 0, PACK_PAGE);
	for (unsigned k = 0; k < PACK_PAGE / 4; k++) {
		x = x * 1664525 + 1013904223;
		/* Half of it compresses. */
		if (k % 2)
			memcpy(page + (size_t)4 * k, &x, 4);
	}
}

static void put_page(int fd, unsigned seed, unsigned i)
{
	uint8_t page[PACK_PAGE];

	fill_page(page, seed, i);
	ck_assert_int_eq(pwrite(fd, page, sizeof(page), (off_t)i * PACK_PAGE), sizeof(page));
}

static void put_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

enum { PAGES = 300 };

/*
 * A snapshot as a lab writes it: two guests that have most pages in common, and holes; all of
 * `seed`, but those below 100, which every snapshot has.
 */
static void make_raw(const char *raw, unsigned seed)
{
	static const char *const guests[] = {"a.guest", "b.guest"};
	char path[256];

	ck_assert_int_eq(mkdir(raw, 0700), 0);
	snprintf(path, sizeof(path), "%s/snapshot", raw);
	put_text(path, "lab\n/tmp/run/lab\n");
	snprintf(path, sizeof(path), "%s/server", raw);
	put_text(path, "what the server wrote");
	for (unsigned g = 0; g < 2; g++) {
		snprintf(path, sizeof(path), "%s/%s", raw, guests[g]);
		int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

		for (unsigned i = 0; i < PAGES; i++)
			if (i % 7 != 3)
				put_page(fd,
					 i < 100   ? 0
					 : i < 200 ? seed
						   : seed + 1000 * (g + 1),
					 i);
		/* Neither a whole page at the end, nor only data before it. */
		ck_assert_int_eq(ftruncate(fd, (PAGES + 50) * PACK_PAGE + 17), 0);
		ck_assert_int_eq(pwrite(fd, "end", 3, (PAGES + 50) * PACK_PAGE + 14), 3);
		close(fd);
	}
	snprintf(path, sizeof(path), "%s/run", raw);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/run/n", raw);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/run/n/log", raw);
	put_text(path, "a line\n");
	snprintf(path, sizeof(path), "%s/run/empty", raw);
	put_text(path, "");
}

static void put(const char *name, unsigned seed)
{
	struct stage stage;
	struct err e = {0};

	ck_assert_int_eq(shelf_begin(&shelf, &stage, &e), 0);
	char *raw = xasprintf("%s/s", stage.dir);

	make_raw(raw, seed);
	free(raw);
	ck_assert_msg(shelf_put(&shelf, &stage, name, &e) == 0, "%s", e.text);
}

static void tidy(void)
{
	struct err e = {0};

	ck_assert_msg(shelf_tidy(&shelf, &e) == 0, "%s", e.text);
}

static bool is_same_file(const char *a, const char *b)
{
	size_t n = 0;
	size_t m = 0;
	char *x = paths_read_file(a, &n, NULL);
	char *y = paths_read_file(b, &m, NULL);
	bool same = x && y && n == m && !memcmp(x, y, n);

	free(x);
	free(y);
	return same;
}

static const char *const files[] = {"server", "a.guest", "b.guest", "run/n/log", "run/empty"};

/* What was unpacked is the snapshot of that seed. */
static bool is_snapshot(const char *out, unsigned seed)
{
	char *want = xasprintf("%s/want-%u", dir, seed);
	bool same = true;

	if (access(want, F_OK) < 0)
		make_raw(want, seed);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *a = xasprintf("%s/%s", want, files[i]);
		char *b = xasprintf("%s/%s", out, files[i]);

		same &= is_same_file(a, b);
		free(a);
		free(b);
	}
	free(want);
	return same;
}

/* 1: it was taken out, and is that of the seed; 0: it is another; -1: it was refused. */
static int take_out(const char *name, unsigned seed, struct err *e)
{
	struct unpacked u = {.fds = {0}};
	char *out = xasprintf("%s/out-%u", dir, next_out++);

	ck_assert_int_eq(mkdir(out, 0700), 0);
	int rc = strchr(name, '/') ? bundle_unpack(name, &u, out, e)
				   : shelf_unpack(&shelf, name, &u, out, e);

	if (rc == 0)
		rc = is_snapshot(out, seed);
	unpack_close(&u);
	paths_remove_tree(out);
	free(out);
	return rc;
}

static void expect(const char *name, unsigned seed)
{
	struct err e = {0};
	int rc = take_out(name, seed, &e);

	ck_assert_msg(rc == 1, "%s: %d %s", name, rc, e.text);
}

static uint64_t disk_use(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	uint64_t sum = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d))) {
		char *file = xasprintf("%s/%s", path, entry->d_name);
		struct stat st;

		if (lstat(file, &st) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_blocks * 512;
		free(file);
	}
	closedir(d);
	return sum;
}

static size_t count_entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

START_TEST(test_out_is_in)
{
	put("one", 1);
	expect("one", 1);
	tidy();
	expect("one", 1);
	put("one", 2);
	expect("one", 2);
	tidy();
	expect("one", 2);
	ck_assert_int_eq(count_entries(at("shelf/stage")), 0);
}
END_TEST

START_TEST(test_pages_are_kept_once)
{
	put("a", 1);
	tidy();
	uint64_t one = disk_use(at("shelf/packs"));

	put("b", 1);
	tidy();
	ck_assert_uint_eq(disk_use(at("shelf/packs")), one);
	put("c", 2);
	tidy();
	uint64_t two = disk_use(at("shelf/packs"));

	/* Of 257 + 171 pages 86 are shared with the first. */
	ck_assert_uint_gt(two, one);
	ck_assert_uint_lt(two - one, one * 85 / 100);
	struct shelf_entry *list;

	ck_assert_uint_eq(shelf_list(&shelf, &list), 3);
	ck_assert_str_eq(list[0].name, "a");
	ck_assert_str_eq(list[0].lab, "lab");
	ck_assert_uint_eq(list[0].own, 0);
	ck_assert_uint_gt(list[2].own, list[2].size / 2);
	ck_assert(!list[0].is_damaged && !list[0].is_raw);
	shelf_list_free(list, 3);

	/* Nobody else's goes with it, and what nobody has goes. */
	ck_assert_int_eq(shelf_remove(&shelf, "a", NULL), 0);
	tidy();
	expect("b", 1);
	expect("c", 2);
	ck_assert_int_eq(shelf_remove(&shelf, "b", NULL), 0);
	tidy();
	expect("c", 2);
	ck_assert_uint_lt(disk_use(at("shelf/packs")), two);
	put("d", 1);
	tidy();
	expect("d", 1);
	expect("c", 2);
	ck_assert_int_eq(shelf_remove(&shelf, "c", NULL), 0);
	ck_assert_int_eq(shelf_remove(&shelf, "d", NULL), 0);
	ck_assert_int_eq(shelf_remove(&shelf, "d", NULL), -1);
	tidy();
	ck_assert_int_eq(count_entries(at("shelf/packs")), 0);
}
END_TEST

/*
 * A pack whose pages are others than their hashes say, as a guest would like to have it who has
 * found two pages of one hash: nothing of it gets into another's memory.
 */
START_TEST(test_equal_hashes_are_no_proof)
{
	static uint8_t data[PAGES][PACK_PAGE];
	struct pack_page page[PAGES];
	uint64_t sum;
	int fd = open(at("shelf/packs/evil.pack"), O_RDWR | O_CREAT, 0600);

	for (unsigned i = 0; i < PAGES; i++) {
		fill_page(data[i], i < 100 ? 0 : 1, i);
		page[i] = (struct pack_page){data[i], pack_hash(data[i])};
		data[i][i]++;
	}
	ck_assert_int_eq(pack_write(fd, page, PAGES, 2, &sum, NULL), 0);
	close(fd);
	put("victim", 1);
	tidy();
	expect("victim", 1);
}
END_TEST

/*
 * A guest's kernel still has the descriptor of its file while the file is read: what it writes
 * there is in no page that another guest's file has, too, and it may cut the file short.
 */
START_TEST(test_pages_stay_when_files_change)
{
	struct pages_in in = {.dir = NULL};
	struct err e = {0};
	uint8_t want[PACK_PAGE];
	uint8_t evil[PACK_PAGE];
	char *file = xasprintf("%s/raw/a.guest", dir);

	make_raw(at("raw"), 5);
	int fd = open(file, O_RDWR | O_CLOEXEC);

	ck_assert_msg(pages_in_read(&in, at("raw"), "snapshot", &e) == 0, "%s", e.text);
	memset(evil, 0x90, sizeof(evil));
	ck_assert_int_eq(pwrite(fd, evil, sizeof(evil), 0), sizeof(evil));
	fill_page(want, 0, 0);
	for (size_t i = 0; i < in.pages.n; i++)
		ck_assert(memcmp(in.pages.at[i].data, evil, PACK_PAGE) != 0);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	unsigned seen = 0;

	for (size_t i = 0; i < in.pages.n; i++)
		seen += !memcmp(in.pages.at[i].data, want, PACK_PAGE);
	ck_assert_uint_eq(seen, 1);
	close(fd);
	pages_in_finish(&in);
	free(file);
}
END_TEST

static void flip(const char *path, off_t where)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	ck_assert_int_eq(pread(fd, &byte, 1, where), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(fd, &byte, 1, where), 1);
	close(fd);
}

static off_t size_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size;
}

/* Refused with a reason; or it makes no difference, as some bits of what is compressed do not. */
static void expect_refused(const char *name, bool always)
{
	struct err e = {0};
	int rc = take_out(name, 1, &e);

	ck_assert_msg(rc == -1 || (rc == 1 && !always), "%s: %d %s", name, rc, e.text);
	ck_assert(rc == 1 || e.text[0]);
}

static char *make_bundle(const char *name)
{
	struct stage stage;
	struct err e = {0};
	char *raw = xasprintf("%s/raw", dir);
	char *to = xasprintf("%s/%s", dir, name);

	make_raw(raw, 1);
	ck_assert_int_eq(stage_make(&stage, dir, "stage-", &e), 0);
	ck_assert_msg(bundle_make(raw, &stage, to, &e) == 0, "%s", e.text);
	stage_end(&stage);
	paths_remove_tree(raw);
	free(raw);
	return to;
}

static char *find_pack(const char *bundle)
{
	DIR *d = opendir(bundle);
	const struct dirent *entry;
	char *path = NULL;

	while ((entry = readdir(d)))
		if (strstr(entry->d_name, ".pack"))
			path = xasprintf("%s/%s", bundle, entry->d_name);
	closedir(d);
	ck_assert_ptr_nonnull(path);
	return path;
}

static void damage(const char *bundle, const char *file, unsigned steps)
{
	size_t len;
	char *whole = paths_read_file(file, &len, NULL);
	off_t step = size_of(file) / steps + 1;

	for (off_t i = 0; i < (off_t)len; i += step) {
		flip(file, i);
		expect_refused(bundle, false);
		flip(file, i);
		ck_assert_int_eq(truncate(file, i), 0);
		expect_refused(bundle, true);
		int fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);

		ck_assert_int_eq(write(fd, whole, len), (ssize_t)len);
		close(fd);
	}
	expect(bundle, 1);
	free(whole);
}

START_TEST(test_damage_is_refused)
{
	char *bundle = make_bundle("kept");
	char *pack = find_pack(bundle);
	char *index = xasprintf("%s/index", bundle);

	expect(bundle, 1);
	damage(bundle, pack, 60);
	damage(bundle, index, 60);
	/* One of another snapshot in its place. */
	unlink(pack);
	expect_refused(bundle, true);
	free(index);
	free(pack);
	free(bundle);
}
END_TEST

/* What is damaged is not shared, and what is saved later is whole. */
START_TEST(test_damage_does_not_spread)
{
	put("old", 1);
	tidy();
	char *pack = find_pack(at("shelf/packs"));

	flip(pack, size_of(pack) / 3);
	put("new", 1);
	tidy();
	expect("new", 1);
	expect_refused("old", true);
	ck_assert_int_eq(shelf_remove(&shelf, "old", NULL), 0);
	tidy();
	expect("new", 1);
	free(pack);
}
END_TEST

static void save_and_tidy(void)
{
	put("twice", 2);
	shelf_tidy(&shelf, NULL);
}

static void remove_and_tidy(void)
{
	shelf_remove(&shelf, "twice", NULL);
	shelf_tidy(&shelf, NULL);
}

/* Each is what it was, or what it became; what was half made goes with the next that tidies. */
static void check_after_kill(bool may_be_gone)
{
	expect("old", 1);
	if (!may_be_gone || shelf_has(&shelf, "twice"))
		ck_assert(take_out("twice", 2, NULL) == 1 || take_out("twice", 3, NULL) == 1);
}

/* At the first call of the kernel, and each so many calls later, until it comes to its end. */
static void kill_at_each_moment(void (*work)(void), unsigned step, bool removes)
{
	unsigned killed = 0;
	unsigned call = 0;

	put("old", 1);
	put("twice", 3);
	while (killed_at_call(work, call) > call) {
		check_after_kill(removes);
		if (++killed % 3 == 0 || removes)
			put("twice", 3);
		call += step;
	}
	/* How many depends on the file system: one that shares blocks needs fewer calls to copy. */
	ck_assert_uint_gt(killed, 10);
	put("twice", 3);
	tidy();
	expect("old", 1);
	expect("twice", 3);
	ck_assert_int_eq(count_entries(at("shelf/stage")), 0);
	shelf_remove(&shelf, "twice", NULL);
	shelf_remove(&shelf, "old", NULL);
	tidy();
	ck_assert_int_eq(count_entries(at("shelf/packs")), 0);
	ck_assert_int_eq(count_entries(at("shelf/names")), 0);
}

START_TEST(test_killed_save)
{
	kill_at_each_moment(save_and_tidy, 53, false);
}
END_TEST

START_TEST(test_killed_remove)
{
	kill_at_each_moment(remove_and_tidy, 19, true);
}
END_TEST

/* One that is being written is nobody else's to remove. */
START_TEST(test_stages_belong_to_who_locks_them)
{
	struct stage one;
	struct stage two;

	ck_assert_int_eq(shelf_begin(&shelf, &one, NULL), 0);
	ck_assert_int_eq(shelf_begin(&shelf, &two, NULL), 0);
	ck_assert_int_eq(count_entries(at("shelf/stage")), 2);
	tidy();
	ck_assert_int_eq(access(one.dir, F_OK), 0);
	stage_end(&two);
	ck_assert_int_eq(access(one.dir, F_OK), 0);
	stage_end(&one);
}
END_TEST

START_TEST(test_names)
{
	ck_assert(shelf_is_name("ospf-60s_2.b"));
	ck_assert(!shelf_is_name(""));
	ck_assert(!shelf_is_name(".."));
	ck_assert(!shelf_is_name("-x"));
	ck_assert(!shelf_is_name("a/b"));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_out_is_in);
	tcase_add_test(tc, test_pages_are_kept_once);
	tcase_add_test(tc, test_equal_hashes_are_no_proof);
	tcase_add_test(tc, test_pages_stay_when_files_change);
	tcase_add_test(tc, test_damage_is_refused);
	tcase_add_test(tc, test_damage_does_not_spread);
	tcase_add_test(tc, test_killed_save);
	tcase_add_test(tc, test_killed_remove);
	tcase_add_test(tc, test_stages_belong_to_who_locks_them);
	tcase_add_test(tc, test_names);
}

int main(void)
{
	return suite_run_case("shelf", add_tests);
}
