/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process that goes on from its imprint: what it had, in another process, at other addresses. */
#include "imprint/imprint.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char note[] = "imprint test 1";
static char dir[64], path[128];

/* ---- the process that is saved ---- */

struct item {
	struct item *next;
	unsigned number;
	void (*check)(const struct item *i);
};

enum { ITEMS = 20000, BIG = 3 << 20 };

static struct item *list;
static unsigned checked, generation;
static uint8_t *big;

static void check_item(const struct item *i)
{
	checked += i->number < ITEMS;
}

static void fill(void)
{
	for (unsigned n = 0; n < ITEMS; n++) {
		struct item *i = xcalloc(1, sizeof(*i) + n % 100);

		*i = (struct item){.next = list, .number = n, .check = check_item};
		list = i;
	}
	big = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < BIG; i += 8192)
		big[i] = (uint8_t)(i >> 13);
}

static bool is_well(void)
{
	bool well = true;
	struct timespec ts;

	checked = 0;
	for (const struct item *i = list; i; i = i->next)
		i->check(i);
	for (size_t i = 0; i < BIG; i += 4096)
		well = well && big[i] == (i % 8192 ? 0 : (uint8_t)(i >> 13));
	/* The C library still works: its heap grows and shrinks, and it finds the kernel's clock.
	 */
	for (size_t n = 1; n < 8 << 20; n *= 3) {
		char *p = xmalloc(n);

		memset(p, 1, n);
		p = xrealloc(p, n * 2);
		free(p);
	}
	free(xasprintf("%g", sqrt(checked)));
	return well && checked == ITEMS && clock_gettime(CLOCK_MONOTONIC, &ts) == 0;
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);
static useconds_t parent_waits_us; /* so that the fork is ahead */

pid_t __wrap_fork(void)
{
	pid_t pid = __real_fork();

	if (pid > 0 && parent_waits_us)
		usleep(parent_waits_us);
	return pid;
}

/* Deep in the stack, with values on it; says at descriptor 1 how it fared in which generation. */
static int live(unsigned depth, volatile double *sum)
{
	volatile double mine = depth * 0.5;
	struct imprint_writer w;
	struct err e = {0};

	if (depth) {
		int rc = live(depth - 1, sum);

		*sum += mine;
		return rc;
	}
	enum imprint_result r = imprint_save(path, note, &w, &e);

	if (r == IMPRINT_SAVING) {
		if (imprint_writer_finish(&w, &e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		/* What happens behind the moment is not in the imprint. */
		generation += 100;
		big[0] = 77;
		return 0;
	}
	if (r == IMPRINT_FAILED) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	generation++;
	return is_well() ? 0 : 2;
}

static int save_and_tell(void)
{
	volatile double sum = 0;
	size_t len = 0;
	char line[128];

	fill();
	int rc = live(200, &sum);
	const char *argument = imprint_argument(&len);
	int n = snprintf(line, sizeof(line), "%d %u %g %zu %.*s\n", rc, generation, sum, len,
			 (int)len, argument ? argument : "");

	return write(1, line, (size_t)n) == n ? 0 : 1;
}

/* ---- the tests ---- */

/* What a child says at its descriptor 1, and how it ends. */
static int hear(char *text, size_t size, int fd, pid_t pid)
{
	size_t have = 0;
	ssize_t n;
	int status;

	while ((n = read(fd, text + have, size - 1 - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	close(fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int run_saver(char *text, size_t size)
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(p[1], 1);
		_exit(save_and_tell());
	}
	close(p[1]);
	return hear(text, size, p[0], pid);
}

/* A new process of the same program, at addresses of its own. */
static int run_restorer(const char *with_note, char *text, size_t size)
{
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(p[1], 1);
		dup2(p[1], 2);
		execl("/proc/self/exe", "restore", path, with_note, NULL);
		_exit(127);
	}
	close(p[1]);
	return hear(text, size, p[0], pid);
}

static void set_up(void)
{
	strcpy(dir, "/tmp/vbet-imprint-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/imprint", dir);
}

static void tear_down(void)
{
	char beside[sizeof(path) + 4];

	/* A writer that was killed when it gave it its name. */
	snprintf(beside, sizeof(beside), "%s.new", path);
	unlink(beside);
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(goes_on_in_another_process)
{
	char text[512];

	ck_assert_int_eq(run_saver(text, sizeof(text)), 0);
	ck_assert_str_eq(text, "0 100 10050 0 \n");
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(run_restorer(note, text, sizeof(text)), 0);
		ck_assert_str_eq(text, "0 1 10050 5 hello\n");
	}
}
END_TEST

static void damage(off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char c;

	ck_assert_int_eq(pread(fd, &c, 1, at), 1);
	c ^= 0x10;
	ck_assert_int_eq(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void refused(const char *with_note, const char *why)
{
	char text[512];

	ck_assert_int_eq(WEXITSTATUS(run_restorer(with_note, text, sizeof(text))), 3);
	ck_assert_msg(strstr(text, why) != NULL, "%s", text);
}

START_TEST(what_does_not_fit_is_refused)
{
	char text[512];

	refused(note, "No such file");
	ck_assert_int_eq(run_saver(text, sizeof(text)), 0);
	refused("imprint test 2", "was saved by 'imprint test 1', and this is 'imprint test 2'");
	off_t size = lseek(open(path, O_RDONLY | O_CLOEXEC), 0, SEEK_END);

	/* The magic, the version, the sum, a page, a table. */
	for (size_t i = 0; i < 6; i++) {
		const off_t at[] = {0, 8, 24, 5000, size / 2, size - 3};

		damage(at[i]);
		refused(note, i == 0   ? "is not an imprint"
			      : i == 1 ? "another version"
				       : "is damaged");
		damage(at[i]);
	}
	ck_assert_int_eq(run_restorer(note, text, sizeof(text)), 0);
	for (off_t to = size - 8; to > 1000; to = to * 2 / 3) {
		ck_assert_int_eq(truncate(path, to), 0);
		refused(note, "cut short");
	}
}
END_TEST

/* Whenever the writer is ended, the file is the old one or the new one, and there is no other. */
START_TEST(a_writer_that_is_killed_harms_nothing)
{
	char text[512];

	ck_assert_int_eq(run_saver(text, sizeof(text)), 0);
	fill();
	for (int us = 0; us < 20000; us = us * 2 + 50) {
		struct imprint_writer w;
		struct err e = {0};
		enum imprint_result r = imprint_save(path, note, &w, &e);

		/* Restored, this test would go on here: it says what a saver says. */
		if (r == IMPRINT_RESTORED) {
			size_t len;

			imprint_argument(&len);
			_exit(dprintf(1, "0 1 10050 %zu hello\n", len) < 0);
		}
		ck_assert_int_eq(r, IMPRINT_SAVING);
		usleep((useconds_t)us);
		kill(w.pid, SIGKILL);
		imprint_writer_finish(&w, &e);
		ck_assert_int_eq(run_restorer(note, text, sizeof(text)), 0);
		ck_assert_str_eq(text, "0 1 10050 5 hello\n");
	}
}
END_TEST

/* Whoever is faster, the process or its fork: none of its descriptors is taken for one of the
 * fork's. */
START_TEST(a_writer_closes_nothing_of_others)
{
	struct imprint_writer w;
	struct err e = {0};
	int before = dup(0);

	parent_waits_us = 100000;
	enum imprint_result r = imprint_save(path, note, &w, &e);

	parent_waits_us = 0;
	if (r == IMPRINT_RESTORED)
		_exit(0);
	ck_assert_int_eq(r, IMPRINT_SAVING);
	ck_assert_int_eq(imprint_writer_finish(&w, &e), 0);
	ck_assert_int_ge(fcntl(0, F_GETFD), 0);
	int after = dup(0);

	ck_assert_int_eq(after, before + 1);
	close(before);
	close(after);
}
END_TEST

int main(int argc, char **argv)
{
	struct err e = {0};

	if (argc == 3 && !strcmp(argv[0], "restore")) {
		imprint_restore(argv[1], argv[2], "hello", 5, &e);
		fprintf(stderr, "%s\n", e.text);
		return 3;
	}
	/* It has no imprints then. */
	if (suite_is_sanitized())
		return 0;
	Suite *s = suite_create("imprint");
	TCase *t = tcase_create("imprint");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, goes_on_in_another_process);
	tcase_add_test(t, what_does_not_fit_is_refused);
	tcase_add_test(t, a_writer_that_is_killed_harms_nothing);
	tcase_add_test(t, a_writer_closes_nothing_of_others);
	suite_add_tcase(s, t);
	return suite_run(s);
}
