/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet test: one script is tested in this process (cmd_expect.c), and talks as it always did.
 * Several, directories, or any option that only makes sense with several, make a suite: which
 * scripts, how often, and to whom it is told how they fared. Running them is suite/work.c's.
 */
#include "lib/cpus.h"
#include "lib/units.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/keep.h"
#include "vbet-server/suite/find.h"
#include "vbet-server/suite/junit.h"
#include "vbet-server/suite/news.h"
#include "vbet-server/suite/table.h"
#include "vbet-server/suite/tap.h"
#include "vbet-server/suite/work.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 1000, MOST_ROUNDS = 1000000 };

struct test {
	const struct cmd_options *o;
	struct found found; /* the scripts, once each */
	struct suite suite;
	size_t rounds, next_round; /* rounds 0: for ever */
	bool has_seed;
	uint64_t seed;              /* of the first round */
	FILE *events, *tap, *junit; /* NULL: not wanted */
	FILE *people;               /* standard output, or error if that is taken */
	size_t told;                /* cases that have ended */
	bool shows, is_shown;       /* the line of progress */
};

/* ---- what is wanted ---- */

static int parse_count(const char *text, const char *option, int64_t most, size_t *n, struct err *e)
{
	int64_t v;

	if (!text)
		return 0;
	if (unit_parse(UNIT_COUNT, text, &v, e) < 0)
		return err_wrap(e, "--%s", option);
	if (v < 1 || v > most)
		return err_set(e, ERR_USAGE, "--%s is from 1 to %lld", option, (long long)most);
	*n = (size_t)v;
	return 0;
}

static int parse_wish(struct test *t, struct work_wish *wish, struct err *e)
{
	const struct cmd_options *o = t->o;
	int64_t seed = 0;

	t->suite.side_by_side = cpus_online();
	t->rounds = o->until_fail ? 0 : 1;
	wish->limit_ns = 600 * INT64_C(1000000000);
	wish->until_fail = o->until_fail;
	wish->archives = o->artifacts;
	wish->archives_all = o->artifacts_all;
	wish->words = &o->of_boot;
	if (o->artifacts_all && !o->artifacts)
		return err_set(e, ERR_USAGE,
			       "--artifacts-all needs --artifacts DIR: where to keep them");
	if (o->lab)
		return err_set(e, ERR_USAGE, "-n (or $VBET_LAB) names one lab: several are tested");
	if (o->keep)
		return err_set(e, ERR_USAGE,
			       "--keep is for one lab: --artifacts DIR keeps what is left of those "
			       "that do not pass");
	if (o->console_on_fail)
		return err_set(e, ERR_USAGE,
			       "--console-on-fail is for one lab: several are tested");
	if (o->snapshots_at || o->stands_at)
		return err_set(
			e, ERR_USAGE,
			"--snapshots-at and --stands-at are for one lab: several are tested");
	if (o->keep_disks)
		return err_set(e, ERR_USAGE, "--keep-disks is for one lab: several are tested");
	if (parse_count(o->side_by_side, "side-by-side", MOST_AT_ONCE, &t->suite.side_by_side, e) <
		    0 ||
	    parse_count(o->repeat, "repeat", MOST_ROUNDS, &t->rounds, e) < 0)
		return -1;
	if (o->limit && unit_parse(UNIT_TIME, o->limit, &wish->limit_ns, e) < 0)
		return err_wrap(e, "--limit");
	if (o->seed && unit_parse(UNIT_COUNT, o->seed, &seed, e) < 0)
		return err_wrap(e, "--seed");
	if (graph_read_levels(o->level, &t->found.levels, e) < 0)
		return -1;
	t->has_seed = o->seed != NULL;
	t->seed = (uint64_t)seed;
	return 0;
}

static int find_scripts(struct test *t, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++)
		if (find_path(&t->found, argv[i], t->o->filter, e) < 0)
			return -1;
	if (t->found.scripts.cases.n)
		return 0;
	return err_set(e, ERR_USAGE, "%s%s%s: no script there expects anything%s", argv[0],
		       argc > 1 ? ", ..." : "",
		       t->o->filter  ? " (with this --filter)"
		       : t->o->level ? " (of this --level)"
				     : "",
		       t->found.silent ? " (name those that shall only come up)" : "");
}

static void add_round(struct test *t)
{
	for (size_t i = 0; i < t->found.scripts.cases.n; i++) {
		struct suite_case like = *t->found.scripts.cases.at[i];

		like.round = t->next_round;
		like.has_seed = t->has_seed;
		like.seed = t->seed + t->next_round;
		suite_add(&t->suite, &like);
	}
	t->next_round++;
}

/* ---- to whom it is told ---- */

static int open_output(const char *path, FILE **out, struct err *e)
{
	if (!path)
		return 0;
	*out = !strcmp(path, "-") ? stdout : fopen(path, "we");
	return *out ? 0 : err_sys(e, "write %s", path);
}

static int open_outputs(struct test *t, struct err *e)
{
	const struct cmd_options *o = t->o;
	const char *const paths[] = {o->events, o->tap, o->junit};
	size_t to_stdout = 0;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		to_stdout += paths[i] && !strcmp(paths[i], "-");
	if (to_stdout > 1)
		return err_set(e, ERR_USAGE,
			       "--json, --tap and --junit: only one of them can have standard "
			       "output, the others need files (--tap=FILE)");
	t->people = to_stdout ? stderr : stdout;
	t->shows = isatty(2) && !o->quiet;
	return open_output(o->events, &t->events, e) < 0 || open_output(o->tap, &t->tap, e) < 0
		       ? -1
		       : open_output(o->junit, &t->junit, e);
}

static int close_output(FILE *f, const char *path, struct err *e)
{
	if (!f)
		return 0;
	bool ok = !ferror(f) && fflush(f) == 0;

	if (f != stdout)
		ok = fclose(f) == 0 && ok;
	return ok || e->kind ? 0 : err_sys(e, "write %s", path);
}

static int close_outputs(struct test *t, struct err *e)
{
	const struct cmd_options *o = t->o;
	int rc = close_output(t->events, o->events, e);

	rc = close_output(t->tap, o->tap, e) < 0 ? -1 : rc;
	return close_output(t->junit, o->junit, e) < 0 ? -1 : rc;
}

static size_t terminal_columns(void)
{
	struct winsize w;

	return ioctl(2, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1u : 79;
}

static void hide_progress(struct test *t)
{
	if (t->is_shown)
		fputs("\r\x1b[K", stderr);
	t->is_shown = false;
}

static void show_progress(void *ctx)
{
	struct test *t = ctx;

	if (!t->shows)
		return;
	char *line = table_progress(&t->suite, !t->rounds, terminal_columns());

	fprintf(stderr, "\r%s\x1b[K", line);
	fflush(stderr);
	t->is_shown = true;
	free(line);
}

static void on_started(void *ctx, const struct suite_case *c)
{
	struct test *t = ctx;

	news_start(t->events, c);
}

static void on_checked(void *ctx, const struct suite_case *c, const struct suite_check *k)
{
	struct test *t = ctx;

	news_check(t->events, c, k);
}

static void on_ended(void *ctx, const struct suite_case *c)
{
	struct test *t = ctx;

	hide_progress(t);
	news_end(t->events, c);
	tap_case(t->tap, c, ++t->told);
	table_case(t->people, c);
}

static void on_refill(void *ctx, struct suite *s)
{
	struct test *t = ctx;

	if (!t->rounds)
		add_round(t);
}

/* ---- all of it ---- */

static char *find_program(struct err *e)
{
	char *path = realpath("/proc/self/exe", NULL);

	if (!path)
		err_sys(e, "find vbet itself");
	return path;
}

/* Cases that were not begun have ended, too, for those who count them. */
static void tell_rest(struct test *t)
{
	for (size_t i = 0; i < t->suite.cases.n; i++) {
		const struct suite_case *c = t->suite.cases.at[i];

		/* One that was begun has been told of. */
		if (c->outcome == SUITE_SKIPPED && !c->wall_ns) {
			news_end(t->events, c);
			tap_case(t->tap, c, ++t->told);
		}
	}
	hide_progress(t);
	news_summary(t->events, &t->suite);
	tap_end(t->tap, t->told);
	if (t->junit)
		junit_write(t->junit, &t->suite);
	table_all(t->people, &t->suite);
}

static int run_suite(struct test *t, struct work_wish *wish, struct err *e)
{
	struct work_listener listener = {on_started,    on_checked, on_ended,
					 show_progress, on_refill,  t};
	char *program = find_program(e);
	int signal = 0;

	wish->program = program;
	if (!program || (wish->archives && keep_make_empty(wish->archives, e) < 0) ||
	    open_outputs(t, e) < 0) {
		free(program);
		return -1;
	}
	do
		add_round(t);
	while (t->next_round < t->rounds);
	news_begin(t->events, &t->suite, !t->rounds);
	tap_begin(t->tap);
	int rc = work_run(&t->suite, wish, &listener, &signal, e);

	if (rc == 0)
		tell_rest(t);
	rc = close_outputs(t, e) < 0 ? -1 : rc;
	free(program);
	/* To whoever started us it shall look like what it is. */
	if (signal) {
		fflush(NULL);
		raise(signal);
		return 128 + signal; /* it is ignored: what a shell would say */
	}
	return rc < 0 ? rc : suite_status(&t->suite);
}

static bool is_of_one(const struct cmd_options *o, int argc, char **argv)
{
	struct stat st;

	return argc == 1 && !(stat(argv[0], &st) == 0 && S_ISDIR(st.st_mode)) && !o->side_by_side &&
	       !o->limit && !o->filter && !o->repeat && !o->until_fail && !o->list && !o->junit &&
	       !o->tap && !o->artifacts && !o->artifacts_all &&
	       (!o->events || !strcmp(o->events, "-"));
}

int cmd_test(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct test t = {.o = o, .people = stdout};
	struct work_wish wish = {0};

	if (is_of_one(o, argc, argv))
		return cmd_expect(o, argv[0], e);
	int rc = parse_wish(&t, &wish, e);

	if (rc == 0)
		rc = find_scripts(&t, argc, argv, e);
	if (rc == 0 && o->list)
		table_list(stdout, &t.found.scripts);
	else if (rc == 0)
		rc = run_suite(&t, &wish, e);
	find_finish(&t.found);
	suite_finish(&t.suite);
	return rc;
}
