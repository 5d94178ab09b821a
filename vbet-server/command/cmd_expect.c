/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vbet test of one script: its events and expectations, from up to down. */
#include "lib/loop.h"
#include "lib/visible.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/command/keep.h"
#include "vbet-server/command/through.h"
#include "vbet-server/store/load.h"
#include "vbet-server/suite/news.h"

#include <stdlib.h>
#include <string.h>

/* One test, to people or, with --json, as events (docs/testing.md). */
struct test_run {
	const struct cmd_options *o;
	const struct graph *graph;
	struct through through;
	struct keep keep;
	struct suite suite; /* with this one case */
	struct suite_case *c;
	FILE *events; /* NULL: what is found out goes to people */
};

/* Whoever reads the report later sees what we see now. */
static ssize_t tee_write(void *cookie, const char *data, size_t len)
{
	struct test_run *t = cookie;

	if (!t->events) {
		fwrite(data, 1, len, stdout);
		fflush(stdout);
	}
	if (t->keep.report)
		fwrite(data, 1, len, t->keep.report);
	return (ssize_t)len;
}

/* Lines that stand indented below another, by themselves; malloc'ed. */
static char *unindented(const char *text)
{
	char *shown = visible_text(text);
	char *to = shown;

	for (const char *p = shown; *p;) {
		size_t blanks = strspn(p, " ");

		p += blanks < 4 ? blanks : 4;
		size_t n = strcspn(p, "\n");

		n += p[n] == '\n';
		memmove(to, p, n);
		to += n;
		p += n;
	}
	*to = '\0';
	return shown;
}

static void on_report(void *ctx, const struct expect_report *r)
{
	static const enum suite_check_kind kinds[] = {
		[EXPECT_DECIDED] = SUITE_EXPECT,
		[EXPECT_REFUSED] = SUITE_ACTION,
		[EXPECT_NOTE] = SUITE_NOTE,
	};
	struct test_run *t = ctx;
	struct suite_check k = {
		.kind = kinds[r->kind],
		.held = r->held,
		.script = visible_text(r->pos.file),
		.line = r->pos.line,
		.text = visible_text(r->text),
		.name = visible_text(r->name ? r->name : ""),
		.hint = visible_text(r->hint ? r->hint : ""),
		.points = r->points,
		.level = r->level,
		.number = r->number,
		.message = visible_text(r->message),
		.detail = unindented(r->detail),
		.time_ns = r->time_ns,
	};

	suite_case_add_check(t->c, &k);
	news_check(t->events, t->c, &k);
}

/* All that the script says of times. */
static int drive(const char *lab, struct test_run *t, struct err *e)
{
	static const cookie_io_functions_t io = {.write = tee_write};
	struct expect_result r = {
		.report = on_report,
		.ctx = t,
		.stops_at_fail = t->o->console_on_fail,
		.stops = t->through.at.n ? &t->through.stops : NULL,
	};
	FILE *out = fopencookie(t, "w", io);

	if (!out)
		return err_sys(e, "open the report");
	setvbuf(out, NULL, _IOLBF, 0);
	int rc = expect_run(lab, t->graph, out, &r, e);

	t->c->lab_ns = r.end_ns;
	if (rc == 0)
		expect_put_summary(out, t->graph, &r);
	fclose(out);
	if (rc == 0)
		rc = keep_lab(&t->keep, lab, t->graph, e);
	/* At last: they move the clock, and all else is to end with the last check. */
	if (rc == 0 && t->keep.dir)
		rc = keep_knowledge(&t->keep, lab, t->graph, e);
	if (rc == 0 && t->o->console_on_fail && (r.missed || r.refused)) {
		fprintf(stderr, "here the test stops: the lab goes down when its console ends\n");
		rc = console_run(lab, e) < 0 && e->kind ? -1 : 0;
	}
	return rc < 0 ? rc : r.missed || r.refused ? ERR_EXPECT : 0;
}

static int test_lab(struct test_run *t, struct err *e)
{
	struct session held = {.fd = -1};
	struct boot_wish wish = {
		.stopped = true, .hold = &held, .captures = t->keep.cables, .record = t->keep.dir};
	char *lab = NULL;
	int rc = boot_file(t->o, &wish, t->c->file, &lab, e);

	if (rc == 0) {
		rc = drive(lab, t, e);
		boot_release(&held, lab, e);
	}
	free(lab);
	return rc;
}

/* What failed first, on the lab's clock; -1: nothing. */
static int64_t first_failure(const struct suite_case *c)
{
	int64_t first_ns = -1;
	const struct suite_check *k;

	VEC_FOREACH (k, &c->checks)
		if (suite_check_fails(k) && (first_ns < 0 || k->time_ns < first_ns))
			first_ns = k->time_ns;
	return first_ns;
}

/* How to come to a second before what failed: from the record, or by the same run once more. */
static int find_again(struct test_run *t, struct err *e)
{
	int64_t at_ns = first_failure(t->c);
	int64_t until_ns = at_ns - 1000000000;
	char *options;

	if (!t->keep.dir || at_ns < 0)
		return 0;
	if (t->graph->clock != CLOCK_VIRTUAL) {
		t->c->again = xasprintf("vbet test %s", t->c->file);
		return 0;
	}
	if (keep_earliest(&t->keep, &until_ns, e) < 0)
		return -1;
	options = xasprintf("--until %lld.%09llds", (long long)(until_ns / 1000000000),
			    (long long)(until_ns % 1000000000));
	t->c->again = xasprintf("vbet replay %s %s", t->o->keep, options);
	/* In the directory, which may be carried elsewhere, without its name. */
	char *text = xasprintf("vbet replay . %s\n", options);
	int rc = keep_text(&t->keep, "again", text, e);

	free(text);
	free(options);
	return rc;
}

static int run(struct test_run *t, struct err *e)
{
	int rc = keep_open(&t->keep, t->o->keep, e);

	if (rc == 0)
		rc = test_lab(t, e);
	if (rc >= 0 && find_again(t, e) < 0)
		rc = -1;
	keep_close(&t->keep);
	return rc;
}

static void tell_end(struct test_run *t, int rc, const struct err *e, int64_t began_ns)
{
	struct suite_case *c = t->c;

	c->status = e->kind ? (int)e->kind : rc < 0 ? ERR_ENV : rc;
	c->outcome = suite_outcome_of(c->status);
	c->wall_ns = t->suite.wall_ns = clock_monotonic_ns() - began_ns;
	if (e->kind) {
		free(c->trouble);
		c->trouble = visible_text(e->text);
	}
	c->archive = t->o->keep ? xstrdup(t->o->keep) : NULL;
	news_end(t->events, c);
	news_summary(t->events, &t->suite);
}

static int test_script(struct test_run *t, struct loaded *l, struct err *e)
{
	const struct cmd_options *o = t->o;
	unsigned levels;

	if (topo_n_errors(l->script)) {
		topo_print_errors(stderr, l->script);
		return ERR_USAGE;
	}
	if (graph_read_levels(o->level, &levels, e) < 0)
		return -1;
	graph_keep_levels(l->graph, levels);
	t->graph = l->graph;
	if (!l->graph->n_expects)
		fprintf(stderr, "%s expects nothing but that its lab comes up\n", t->c->file);
	if (o->clock)
		l->graph->clock = *o->clock == 'v' ? CLOCK_VIRTUAL : CLOCK_REAL;
	free(t->c->lab);
	t->c->lab = xstrdup(l->graph->lab);
	t->c->is_virtual = l->graph->clock == CLOCK_VIRTUAL;
	t->c->n_nodes = l->graph->n_nodes;
	t->c->n_expects = l->graph->n_expects;
	t->c->n_points = graph_points(l->graph);
	if (through_parse(&t->through, o->snapshots_at, o->stands_at, e) < 0)
		return -1;
	if (t->through.at.n && !t->c->is_virtual)
		return err_set(e, ERR_USAGE,
			       "--snapshots-at and --stands-at need the virtual clock");
	news_start(t->events, t->c);
	return run(t, e);
}

/*
 * The script is read twice, here for what it expects and once more by the boot: the graph that
 * the server has is not ours.
 */
int cmd_expect(const struct cmd_options *o, const char *file, struct err *e)
{
	struct test_run t = {.o = o, .events = o->events ? stdout : NULL};
	struct suite_case like = {.file = (char *)file, .lab = ""};
	int64_t began_ns = clock_monotonic_ns();
	struct loaded l = {0};

	t.suite.side_by_side = 1;
	t.c = suite_add(&t.suite, &like);
	news_begin(t.events, &t.suite, false);
	int rc = load_script(&l, file, o->lab, e);

	if (rc == 0)
		rc = test_script(&t, &l, e);
	load_finish(&l);
	through_finish(&t.through);
	tell_end(&t, rc, e, began_ns);
	suite_finish(&t.suite);
	return rc;
}
