/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nobody but the node itself knows its tables, so it is asked, by commands. They are jobs, as the
 * tries of checks are: in virtual time each begins at an exact time, and what it prints is the same
 * in every run.
 */
#include "vbet-server/command/tables.h"

#include "vbet-server/command/drive.h"
#include "vbet-server/plan/event.h"

#include <stdio.h>

static const int64_t most_ns = 10 * INT64_C(1000000000); /* for one table, in all nodes */

static const struct {
	const char *title, *command;
} asked[] = {
	{"addresses", "ip address"},
	{"routes", "ip -4 route show table all; ip -6 route show table all"},
	{"neighbours", "ip neighbour"},
	{"FRR", "test ! -S /run/frr/zebra.vty ||"
		" for t in 'ip route' 'ipv6 route' 'ip ospf neighbor' 'ip ospf route' 'bgp summary'"
		" 'isis neighbor' 'ip rip' 'bfd peers brief'; do"
		" echo \"-- show $t\"; vtysh -c \"show $t\"; done"},
	{"nftables", "! command -v nft >/dev/null || nft list ruleset"},
};

struct table {
	FILE *out;
	char *job; /* owned; NULL: none runs */
};

static int begin(const struct drive *d, const char *node, const char *command, char **job,
		 struct err *e)
{
	struct strvec v = {0};
	struct strvec more = {0};

	vec_push(&more, "text_max=15000");
	event_job_words(&v, node, "timeout_ms=8000", &more, command);
	vec_free(&more);
	return drive_ask(d, &v, job, e);
}

/* How many still run, or -1. */
static int look(const struct drive *d, struct table *t, size_t n, struct err *e)
{
	int running = 0;

	for (size_t i = 0; i < n; i++) {
		int status = 0;
		char *text = NULL;
		int rc = t[i].job ? drive_job_result(d, t[i].job, &status, &text, e) : 1;

		if (rc < 0)
			return -1;
		running += rc == 0;
		if (rc == 0 || !text)
			continue;
		fprintf(t[i].out, "%s\n\n", text);
		free(text);
		free(t[i].job);
		t[i].job = NULL;
	}
	return running;
}

static int write_one(struct drive *d, const struct graph *g, struct table *t, size_t what,
		     struct err *e)
{
	int64_t begin_ns = d->now_ns;
	int running = 0;

	for (size_t i = 0; i < g->n_nodes; i++) {
		struct err why = {0};

		if (!t[i].out)
			continue;
		fprintf(t[i].out, "== %s\n", asked[what].title);
		if (begin(d, g->nodes[i].name, asked[what].command, &t[i].job, &why) < 0)
			fprintf(t[i].out, "%s\n\n", why.text);
		else
			running++;
	}
	while (running > 0 && d->now_ns < begin_ns + most_ns) {
		if (drive_go_to(d, d->now_ns + drive_step_ns(d), e) < 0)
			return -1;
		running = look(d, t, g->n_nodes, e);
	}
	return running < 0 ? -1 : 0;
}

static int open_files(const struct graph *g, const char *dir, struct table *t, struct err *e)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		if (!node_kind_is_guest(g->nodes[i].kind))
			continue;
		char *path = xasprintf("%s/%s.tables", dir, g->nodes[i].name);

		t[i].out = fopen(path, "we");
		int rc = t[i].out ? 0 : err_sys(e, "write %s", path);

		free(path);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int tables_write(const char *lab, const struct graph *g, const char *dir, struct err *e)
{
	struct drive d = drive_begin(lab, g->clock == CLOCK_VIRTUAL);
	struct table *t = xcalloc(g->n_nodes + 1, sizeof(*t));
	int rc = drive_read_clock(&d, e) < 0 ? -1 : open_files(g, dir, t, e);

	for (size_t i = 0; i < ARRAY_LEN(asked) && rc == 0; i++)
		rc = write_one(&d, g, t, i, e);
	for (size_t i = 0; i < g->n_nodes; i++) {
		if (t[i].out && fclose(t[i].out) != 0 && rc == 0)
			rc = err_sys(e, "write into %s", dir);
		free(t[i].job);
	}
	free(t);
	return rc;
}
