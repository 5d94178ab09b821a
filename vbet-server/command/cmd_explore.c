/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet explore: what becomes of a network if this, or that, is done to it (docs/explore.md).
 *
 * The lab boots once, in virtual time, and goes on to the moment that is asked for. There it is
 * saved, and taken down. Each case is a fork from there on (explore_fork.c), several side by side
 * (explore_work.c). All labs run where nobody else's do: in a directory of ours, in memory if that
 * can be had, which goes with us.
 */
#include "lib/cpus.h"
#include "lib/loop.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/command/explore_work.h"
#include "vbet-server/command/keep.h"
#include "vbet-server/store/load.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"
#include "vbet-server/suite/left.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 1000, MOST_SHOWN = 20 };

/* Without --from: none of the usual timers of a protocol is longer, but BGP's. */
static const char usual_moment[] = "converges() stays 60s";
static const int64_t moment_limit_ns = 600 * INT64_C(1000000000);

struct explore {
	const struct cmd_options *o;
	const char *file;
	char *dir; /* owned: of all our labs; NULL: not made yet */
	int lock;
	char *snapshot; /* owned */
	char *keep;     /* owned, or NULL */
	char *again;    /* owned */
	struct loaded loaded;
	struct explore_cases cases;
	struct explore_setting setting;
	struct explore_results results;
	int64_t moment_ns; /* -1: when from_check holds */
	const char *from_check;
	size_t side_by_side;
	size_t worse;
	bool shows;
};

/* ---- what is wanted ---- */

static int read_moment(struct explore *x, struct err *e)
{
	const char *from = x->o->from;
	struct err why;

	x->moment_ns = -1;
	x->from_check = usual_moment;
	if (!from || unit_parse(UNIT_TIME, from, &x->moment_ns, &why) == 0)
		return 0;
	x->from_check = from;
	return strchr(from, '(') ? 0
				 : err_set(e, ERR_USAGE,
					   "--from is a time of the lab's clock, such as 60s, or a "
					   "check, such as 'ospf_full()', not '%s'",
					   from);
}

static int read_times(struct explore *x, struct err *e)
{
	const struct cmd_options *o = x->o;
	int64_t rest_ns = GRAPH_REST_NS;

	x->setting.within_ns = 120 * INT64_C(1000000000);
	if (o->within && unit_parse(UNIT_TIME, o->within, &x->setting.within_ns, e) < 0)
		return err_wrap(e, "--within");
	if (o->rest && unit_parse(UNIT_TIME, o->rest, &rest_ns, e) < 0)
		return err_wrap(e, "--rest");
	if (rest_ns <= 0 || x->setting.within_ns <= 0)
		return err_set(e, ERR_USAGE, "--within and --rest are more than no time");
	x->setting.quiet = xasprintf("converges(every = 50ms) stays %lldns", (long long)rest_ns);
	return 0;
}

static int read_count(struct explore *x, struct err *e)
{
	const char *text = x->o->side_by_side;
	int64_t n = cpus_online();

	if (text && unit_parse(UNIT_COUNT, text, &n, e) < 0)
		return err_wrap(e, "--side-by-side");
	if (n < 1 || n > MOST_AT_ONCE)
		return err_set(e, ERR_USAGE, "--side-by-side is from 1 to %d", MOST_AT_ONCE);
	x->side_by_side = (size_t)n;
	return 0;
}

/* Whether the script would understand it, as one of two beginnings at the least. */
static int check_statement(struct explore *x, const char *name, const char *text,
			   const char *const *before, struct err *e)
{
	char *message = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&message, &len);
	struct graph *g = NULL;

	for (size_t i = 0; before[i] && !g; i++) {
		struct topo_place place = {.name = name, .before = before[i]};

		g = topo_add_statement(x->loaded.script, &place, text, strlen(text));
		if (!g && i == 0)
			topo_print_errors(f, x->loaded.script);
	}
	fclose(f);
	if (g) {
		graph_destroy(g);
		graph_destroy(topo_drop_statement(x->loaded.script));
	} else {
		while (len && message[len - 1] == '\n')
			message[--len] = '\0';
		err_set(e, ERR_USAGE, "%s", message);
	}
	free(message);
	return g ? 0 : -1;
}

static int make_cases(struct explore *x, struct err *e)
{
	static const char *const as_statement[] = {"at 0s ", "", NULL};
	static const char *const as_check[] = {"expect ", NULL};
	static const char *usual[] = {"cut(LINK)"};
	const struct cmd_options *o = x->o;
	struct strvec each = o->each.n ? o->each : (struct strvec){usual, 1, 1};
	struct explore_wish wish = {&each, o->pairs, o->only};

	if (explore_cases_make(&x->cases, x->loaded.graph, &wish, e) < 0)
		return -1;
	for (size_t i = 0; i < x->cases.steps.n; i++)
		if (check_statement(x, "--each", x->cases.steps.at[i].statement, as_statement, e) <
		    0)
			return -1;
	for (size_t i = 0; i < o->expects.n; i++)
		if (check_statement(x, "--expect", o->expects.at[i], as_check, e) < 0)
			return -1;
	return x->moment_ns < 0 ? check_statement(x, "--from", x->from_check, as_check, e) : 0;
}

static int read_script(struct explore *x, struct err *e)
{
	if (load_script(&x->loaded, x->file, x->o->lab, e) < 0)
		return -1;
	if (topo_n_errors(x->loaded.script)) {
		topo_print_errors(stderr, x->loaded.script);
		return err_set(e, ERR_USAGE, "%s has mistakes", x->file);
	}
	x->setting.lab = x->loaded.graph->lab;
	return 0;
}

/* ---- where it runs ---- */

static int make_directory(struct explore *x, struct err *e)
{
	char *base = left_memory_base();

	if (!base)
		base = paths_base_dir(e);
	if (!base)
		return -1;
	left_clean(base);
	x->dir = left_path(base, getpid());
	x->snapshot = xasprintf("%s/s", x->dir);
	x->setting.snapshot = x->snapshot;
	free(base);
	if (mkdir(x->dir, 0700) < 0)
		return err_sys(e, "make %s", x->dir);
	x->lock = paths_lock(x->dir);
	return x->lock < 0 ? err_sys(e, "lock %s", x->dir) : 0;
}

static int make_keep(struct explore *x, struct err *e)
{
	if (!x->o->keep)
		return 0;
	if (keep_make_empty(x->o->keep, e) < 0)
		return -1;
	x->keep = realpath(x->o->keep, NULL);
	x->setting.keep = x->keep;
	return x->keep ? 0 : err_sys(e, "%s", x->o->keep);
}

/* ---- the lab from which all begin ---- */

/* What the script does at times until then. */
static int go_to_time(struct explore *x, struct err *e)
{
	struct graph *g = x->loaded.graph;
	struct expect_result r = {0};
	struct drive d = drive_begin(x->setting.lab, true);
	FILE *null = fopen("/dev/null", "we");
	size_t n = 0;

	for (size_t i = 0; i < g->n_events; i++)
		if (g->events[i].time_ns <= x->moment_ns)
			g->events[n++] = g->events[i];
	g->n_events = n;
	g->n_expects = 0;
	g->clock = CLOCK_VIRTUAL;
	int rc = expect_run(x->setting.lab, g, null, &r, e);

	fclose(null);
	if (rc == 0)
		rc = drive_read_clock(&d, e);
	if (rc == 0 && d.now_ns > x->moment_ns)
		return err_set(e, ERR_USAGE, "--from: the lab was ready at %.3f s, not before",
			       (double)d.now_ns / 1e9);
	return rc == 0 ? drive_go_to(&d, x->moment_ns, e) : rc;
}

static int go_to_check(struct explore *x, struct err *e)
{
	static const char *const place[] = {"name=--from", NULL};
	struct expect_wish wish = {
		.check = x->from_check, .place = place, .limit_ns = moment_limit_ns};
	struct expect_found found;
	int rc = expect_try(x->setting.lab, true, &wish, &found, e);

	if (rc == 0 && !found.held)
		rc = err_set(e, ERR_TIMEOUT, "--from: '%s' did not hold until %.3f s",
			     x->from_check, (double)found.end_ns / 1e9);
	expect_found_finish(&found);
	return rc;
}

/* What does not hold before anything is done says nothing of what is done. */
static int try_before(struct explore *x, const char *check, bool is_ours, struct err *e)
{
	static const char *const place[] = {"name=--expect", NULL};
	struct expect_wish wish = {.check = check, .place = place, .limit_ns = EXPECT_AS_SAID};
	struct expect_found found;
	int rc = expect_try(x->setting.lab, true, &wish, &found, e);

	if (rc == 0 && found.held)
		vec_push(&x->setting.checks, check);
	else if (rc == 0 && is_ours)
		fprintf(stderr, "vbet: warning: %s does not hold before anything is done: %s\n",
			check, drive_last_line(found.seen));
	else if (rc == 0)
		rc = err_set(e, ERR_USAGE, "%s does not hold before anything is done: %s", check,
			     drive_last_line(found.seen));
	expect_found_finish(&found);
	return rc;
}

static int look_before(struct explore *x, struct err *e)
{
	const struct strvec *expects = &x->o->expects;
	int rc = explore_fork_unreached(x->setting.lab, &x->setting.unreached, e);

	if (rc == 0)
		rc = try_before(x, "no_loop()", true, e);
	if (rc == 0)
		rc = try_before(x, "no_blackhole()", true, e);
	for (size_t i = 0; i < expects->n && rc == 0; i++)
		rc = try_before(x, expects->at[i], false, e);
	return rc;
}

static int save(struct explore *x, struct err *e)
{
	char *words[] = {"save", x->snapshot};
	struct drive d = drive_begin(x->setting.lab, true);

	if (drive_read_clock(&d, e) < 0)
		return -1;
	x->setting.at_ns = d.now_ns;
	return client_ask(x->setting.lab, words, 2, NULL, e);
}

static int prepare(struct explore *x, struct err *e)
{
	struct session held = {.fd = -1};
	struct boot_wish wish = {.stopped = true, .hold = &held};
	struct cmd_options o = *x->o;
	char *lab = NULL;

	o.clock = "virtual";
	o.record = NULL;
	int rc = boot_file(&o, &wish, x->file, &lab, e);

	free(lab);
	if (rc)
		return rc;
	rc = x->moment_ns < 0 ? go_to_check(x, e) : go_to_time(x, e);
	if (rc == 0)
		rc = save(x, e);
	if (rc == 0)
		rc = snapshot_dir_set_use(x->snapshot, SNAPSHOT_SHARE, e);
	/* That takes time of the lab, which the forks shall not miss. */
	if (rc == 0)
		rc = look_before(x, e);
	boot_release(&held, x->setting.lab, e);
	return rc < 0 || e->kind ? -1 : 0;
}

/* ---- what comes of it ---- */

/* As many as memory has room for: a fork is about as large as the snapshot. */
static size_t fitting(const struct explore *x)
{
	int64_t room = load_available_memory();
	int64_t size = (int64_t)paths_tree_bytes(x->snapshot);

	if (!room || !size || room / size >= (int64_t)x->side_by_side)
		return x->side_by_side;
	return room > size ? (size_t)(room / size) : 1;
}

static void show_progress(const struct explore *x)
{
	if (!x->shows)
		return;
	fprintf(stderr, "\r%zu of %zu tried, %zu did not hold\x1b[K", x->results.list.n,
		x->cases.list.n, x->worse);
	fflush(stderr);
}

static void on_ended(void *ctx, struct explore_result *r)
{
	struct explore *x = ctx;

	x->worse += r->outcome > EXPLORE_HELD;
	vec_push(&x->results.list, *r);
	if (x->o->json)
		explore_json(stdout, r);
	show_progress(x);
}

/* Those that were not begun, or not brought to an end. */
static void add_skipped(struct explore *x)
{
	bool *seen = xcalloc(x->cases.list.n + 1, sizeof(*seen));

	for (size_t i = 0; i < x->results.list.n; i++)
		seen[x->results.list.at[i].number] = true;
	for (size_t i = 0; i < x->cases.list.n; i++) {
		struct explore_result r = {.number = i, .settled_ns = -1};

		if (seen[i])
			continue;
		r.text = explore_case_text(&x->cases, &x->cases.list.at[i]);
		vec_push(&x->results.list, r);
	}
	free(seen);
}

static int run_cases(struct explore *x, struct err *e)
{
	struct explore_work w = {.setting = &x->setting,
				 .cases = &x->cases,
				 .side_by_side = fitting(x),
				 .dir = x->dir,
				 .ended = on_ended,
				 .ctx = x};
	int64_t began_ns = clock_monotonic_ns();
	int signal = 0;

	if (!x->o->quiet)
		fprintf(stderr, "%zu to be tried, each in a fork of %s at %.3f s, %zu at once\n",
			x->cases.list.n, x->setting.lab, (double)x->setting.at_ns / 1e9,
			w.side_by_side);
	show_progress(x);
	int rc = explore_work_run(&w, &signal, e);

	if (x->shows)
		fputs("\r\x1b[K", stderr);
	add_skipped(x);
	x->results.wall_ns = clock_monotonic_ns() - began_ns;
	x->results.again = x->again;
	explore_results_sort(&x->results);
	if (x->o->json)
		explore_json_summary(stdout, &x->results);
	else
		explore_table(stdout, &x->results, MOST_SHOWN);
	if (signal)
		return 128 + signal;
	return rc < 0 ? rc : explore_results_status(&x->results);
}

/* The command that repeats one case, but for --only. malloc'ed. */
static char *command_again(const struct explore *x)
{
	const struct cmd_options *o = x->o;
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	fprintf(f, "vbet explore %s", x->file);
	if (o->from)
		fprintf(f, " --from '%s'", o->from);
	for (size_t i = 0; i < o->each.n; i++)
		fprintf(f, " --each '%s'", o->each.at[i]);
	for (size_t i = 0; i < o->expects.n; i++)
		fprintf(f, " --expect '%s'", o->expects.at[i]);
	if (o->pairs)
		fputs(" --pairs", f);
	if (o->within)
		fprintf(f, " --within %s", o->within);
	if (o->rest)
		fprintf(f, " --rest %s", o->rest);
	if (o->seed)
		fprintf(f, " --seed %s", o->seed);
	fclose(f);
	return text;
}

static int explore(struct explore *x, struct err *e)
{
	if (read_moment(x, e) < 0 || read_times(x, e) < 0 || read_count(x, e) < 0 ||
	    read_script(x, e) < 0 || make_cases(x, e) < 0 || make_keep(x, e) < 0 ||
	    make_directory(x, e) < 0)
		return -1;
	x->shows = isatty(2) && !x->o->quiet;
	x->again = command_again(x);
	setenv("XDG_RUNTIME_DIR", x->dir, 1);
	int rc = prepare(x, e);

	return rc == 0 ? run_cases(x, e) : rc;
}

int cmd_explore(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct explore x = {.o = o, .file = argv[0], .lock = -1};
	int rc = explore(&x, e);

	if (x.lock >= 0) {
		paths_remove_tree(x.dir);
		close(x.lock);
	}
	explore_results_finish(&x.results);
	explore_cases_finish(&x.cases);
	vec_free(&x.setting.checks);
	free(x.setting.unreached);
	free(x.setting.quiet);
	load_finish(&x.loaded);
	free(x.again);
	free(x.keep);
	free(x.snapshot);
	free(x.dir);
	return rc;
}
