/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet expect, vbet check-lab: expectations of a lab that is up.
 *
 * They are tried from now on, for as long as they say ("within"), and all of a file side by side.
 * Its events stay undone, and what it says of absolute times means nothing here. A virtual clock
 * that ran goes on after that.
 */
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/clock_view.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/store/load.h"

#include <stdlib.h>
#include <string.h>

/* --within, or as the check says. */
static int read_within(const struct cmd_options *o, int64_t *ns, struct err *e)
{
	*ns = EXPECT_AS_SAID;
	if (!o->within)
		return 0;
	if (unit_parse(UNIT_TIME, o->within, ns, e) < 0)
		return -1;
	/* 0 would be for ever. */
	*ns += !*ns;
	return 0;
}

/* A test that did not hold is no error of ours. */
static int as_test(int rc, struct err *e)
{
	if (rc < 0 && e->kind == ERR_TIMEOUT)
		e->kind = ERR_EXPECT;
	return rc;
}

int cmd_expect_one(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	const char *name = argc > 1 ? argv[0] : o->lab;
	struct expect_wish wish = {.check = argv[argc - 1], .place = expect_place_argument};

	if (name && !topo_is_lab_name(name))
		return err_set(e, ERR_USAGE, "'%s' is no name of a lab", name);
	char *lab = client_find_lab(name, e);
	int rc = lab ? read_within(o, &wish.limit_ns, e) : -1;

	if (rc == 0)
		rc = as_test(expect_now(lab, &wish, stdout, e), e);
	free(lab);
	return rc;
}

/* From now on, and nothing but what is expected. */
static void begin_now(struct graph *g, int64_t within_ns)
{
	g->n_events = 0;
	for (size_t i = 0; i < g->n_expects; i++) {
		struct graph_expect *x = &g->expects[i];
		int64_t as_said_ns = x->deadline_ns - x->start_ns;

		x->start_ns = 0;
		x->deadline_ns = within_ns == EXPECT_AS_SAID ? as_said_ns : within_ns;
	}
}

static int check_lab(const char *lab, struct graph *g, int64_t within_ns, struct err *e)
{
	struct expect_result r = {0};
	struct clock_view v;
	bool is_virtual = clock_view_get(lab, &v);
	struct drive d = drive_begin(lab, is_virtual);

	if (drive_stand(&d, e) < 0)
		return -1;
	g->clock = is_virtual ? CLOCK_VIRTUAL : CLOCK_REAL;
	r.from_ns = is_virtual ? d.now_ns : 0;
	begin_now(g, within_ns);
	int rc = expect_run(lab, g, stdout, &r, e);

	if (is_virtual)
		clock_view_restore(lab, &v);
	if (rc == 0)
		expect_put_summary(stdout, g, &r);
	return rc < 0 ? rc : r.missed ? ERR_EXPECT : 0;
}

int cmd_check_lab(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct loaded l = {0};
	int64_t within_ns;
	unsigned levels;
	char *lab = NULL;

	if (graph_read_levels(o->level, &levels, e) < 0 || read_within(o, &within_ns, e) < 0 ||
	    load_script(&l, argv[0], NULL, e) < 0)
		return -1;
	int rc = 0;

	if (topo_n_errors(l.script)) {
		topo_print_errors(stderr, l.script);
		rc = ERR_USAGE;
	} else {
		graph_keep_levels(l.graph, levels);
		if (!l.graph->n_expects)
			rc = err_set(e, ERR_USAGE, "%s expects nothing%s", argv[0],
				     o->level ? " of this level" : "");
	}
	if (rc == 0) {
		lab = client_find_lab(o->lab ? o->lab : l.graph->lab, e);
		rc = lab ? check_lab(lab, l.graph, within_ns, e) : -1;
	}
	free(lab);
	load_finish(&l);
	return rc;
}
