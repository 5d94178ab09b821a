/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vbet test: the events and expectations of a script, from up to down. */
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/command/keep.h"
#include "vbet-server/store/load.h"

#include <stdlib.h>
#include <string.h>

/* Whoever reads the report later sees what we see now. */
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
	fprintf(out, "%zu expectation%s: %zu held, %zu did not", g->n_expects,
		g->n_expects == 1 ? "" : "s", r->held, g->n_expects - r->held);
	if (r->refused)
		fprintf(out, "; %zu event%s not done", r->refused, r->refused == 1 ? "" : "s");
	fprintf(out, "; until %.3f s\n", (double)r->end_ns / 1e9);
}

/* All that the script says of times. */
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
	struct boot_wish wish = {.stopped = true, .captures = k->cables, .record = k->dir};
	struct session held = {.fd = -1};
	char *lab = NULL;
	int rc = boot_file(o, &wish, file, &lab, e);

	if (rc == 0) {
		rc = boot_hold(&held, lab, e) < 0 ? -1 : drive(lab, g, k, e);
		boot_release(&held, lab, e);
	}
	free(lab);
	return rc;
}

/*
 * The script is read twice, here for what it expects and once more by the boot: the graph that
 * the server has is not ours.
 */
int cmd_expect(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct keep k = {0};
	struct loaded l;
	int rc = 0;

	if (load_script(&l, argv[0], o->lab, e) < 0)
		return -1;
	if (topo_n_errors(l.script)) {
		topo_print_errors(stderr, l.script);
		rc = ERR_USAGE;
	} else {
		if (!l.graph->n_expects)
			fprintf(stderr, "%s expects nothing but that its lab comes up\n", argv[0]);
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
