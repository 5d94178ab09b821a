/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vbet test: the events and expectations of a script, from up to down. */
#include "lib/xalloc.h"
#include "vbet-server/client.h"
#include "vbet-server/cmd.h"
#include "vbet-server/expect.h"
#include "vbet-server/load.h"
#include "vbet-server/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a run is kept. */
struct keep {
	char *dir;    /* owned: absolute; NULL: nothing is kept */
	char *cables; /* owned: for captures */
	FILE *report;
};

static bool is_empty_directory(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	if (!d)
		return false;
	while (readdir(d))
		n++;
	closedir(d);
	return n == 2;
}

static int keep_open(struct keep *k, const char *dir, struct err *e)
{
	if (!dir)
		return 0;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", dir);
	if (!is_empty_directory(dir))
		return err_set(e, ERR_USAGE, "%s is no empty directory", dir);
	k->dir = realpath(dir, NULL);
	if (!k->dir)
		return err_sys(e, "%s", dir);
	char *nodes = xasprintf("%s/nodes", k->dir);
	char *report = xasprintf("%s/report", k->dir);
	int rc = 0;

	k->cables = xasprintf("%s/cables", k->dir);
	k->report = fopen(report, "we");
	if (mkdir(nodes, 0777) < 0 || mkdir(k->cables, 0777) < 0 || !k->report)
		rc = err_sys(e, "write into %s", dir);
	free(nodes);
	free(report);
	return rc;
}

static void keep_close(struct keep *k)
{
	if (k->report)
		fclose(k->report);
	free(k->dir);
	free(k->cables);
}

static int copy_file(const char *from, const char *to, struct err *e)
{
	size_t len;
	char *text = paths_read_file(from, &len, e);
	FILE *f = text ? fopen(to, "we") : NULL;
	int rc = f ? 0 : -1;

	if (text && !f)
		err_sys(e, "make %s", to);
	if (f && (fwrite(text, 1, len, f) != len || fflush(f)))
		rc = err_sys(e, "write %s", to);
	if (f)
		fclose(f);
	free(text);
	return rc;
}

/* What is still to be written into the captures is written, and no more comes. */
static int end_captures(const char *lab, const struct graph *g, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < g->n_cables && rc == 0; i++) {
		char *name = xasprintf("keep.%zu", i);
		char *words[] = {"capture-end", name};

		rc = client_ask(lab, words, 2, NULL, e);
		free(name);
	}
	return rc;
}

/* The captures, the manifest and what the consoles printed. */
static int keep_lab(const struct keep *k, const char *lab, const struct graph *g, struct err *e)
{
	char *base = k->dir ? paths_base_dir(e) : NULL;

	if (!base)
		return k->dir ? -1 : 0;
	if (end_captures(lab, g, e) < 0) {
		free(base);
		return -1;
	}
	char *from = xasprintf("%s/%s/manifest", base, lab);
	char *to = xasprintf("%s/manifest", k->dir);
	int rc = copy_file(from, to, e);

	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		if (!node_kind_is_guest(g->nodes[i].kind))
			continue;
		free(from);
		free(to);
		from = xasprintf("%s/%s/n/%s/console.log", base, lab, g->nodes[i].name);
		to = xasprintf("%s/nodes/%s.log", k->dir, g->nodes[i].name);
		rc = copy_file(from, to, e);
	}
	free(from);
	free(to);
	free(base);
	return rc;
}

/* What is printed goes into the report, too. */
static ssize_t tee_write(void *cookie, const char *data, size_t len)
{
	struct keep *k = cookie;

	fwrite(data, 1, len, stdout);
	fflush(stdout);
	if (k->report)
		fwrite(data, 1, len, k->report);
	return (ssize_t)len;
}

static void summary(FILE *out, const struct graph *g, const struct expect_result *r)
{
	fprintf(out, "%zu expectations: %zu held, %zu did not", g->n_expects, r->held,
		g->n_expects - r->held);
	if (r->refused)
		fprintf(out, "; %zu events not done", r->refused);
	fprintf(out, "; until %.3f s\n", (double)r->end_ns / 1e9);
}

/* The lab is up: all that the script says of times. */
static int drive(const char *lab, const struct graph *g, struct keep *k, struct err *e)
{
	static const cookie_io_functions_t io = {.write = tee_write};
	struct expect_result r = {0};
	FILE *out = fopencookie(k, "w", io);

	if (!out)
		return err_sys(e, "open the report");
	setvbuf(out, NULL, _IOLBF, 0);
	int rc = expect_run(lab, g, out, &r, e);

	if (rc == 0)
		summary(out, g, &r);
	fclose(out);
	if (rc == 0)
		rc = keep_lab(k, lab, g, e);
	return rc < 0 ? rc : r.missed || r.refused ? ERR_EXPECT : 0;
}

static int test_lab(const struct cmd_options *o, const char *file, const struct graph *g,
		    struct keep *k, struct err *e)
{
	struct cmd_options boot = *o;
	struct session held = {.fd = -1};
	struct err late = {0};
	char *lab = NULL;

	boot.stopped = true;
	boot.captures = k->cables;
	int rc = cmd_boot(&boot, file, &lab, e);

	if (rc == 0) {
		rc = cmd_hold(&held, lab, e) < 0 ? -1 : drive(lab, g, k, e);
		char *still = client_find_lab(lab, NULL);
		char *down[] = {"down"};

		if (still && client_ask(lab, down, 1, NULL, &late) < 0 && !e->kind)
			*e = late;
		free(still);
		client_close(&held);
	}
	free(lab);
	return rc;
}

int cmd_test(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct keep k = {0};
	struct loaded l;
	int rc = 0;

	if (load_script(&l, argv[0], o->lab, e) < 0)
		return -1;
	if (topo_n_errors(l.script)) {
		topo_print_errors(stderr, l.script);
		rc = ERR_USAGE;
	} else if (!l.graph->n_expects) {
		rc = err_set(e, ERR_USAGE, "%s expects nothing: there is no 'expect' in it",
			     argv[0]);
	} else {
		if (o->clock)
			l.graph->clock = *o->clock == 'v' ? CLOCK_VIRTUAL : CLOCK_REAL;
		rc = keep_open(&k, o->keep, e);
		if (rc == 0)
			rc = test_lab(o, argv[0], l.graph, &k, e);
		keep_close(&k);
	}
	load_finish(&l);
	return rc;
}
