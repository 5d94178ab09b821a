/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet graph: a lab as a picture, drawn by Graphviz's dot. It is a program and no library here,
 * since its licence does not go with ours.
 */
#include "lib/xalloc.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/lab_graph.h"
#include "vbet-server/command/neighbors.h"
#include "vbet-server/export/dot.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* The format that a file's name asks for; NULL: none that is known. */
static const char *format_of(const char *file)
{
	static const char *const formats[] = {"svg", "png", "pdf", "dot"};
	const char *dot = strrchr(file, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(formats); i++)
		if (!strcmp(dot + 1, formats[i]))
			return formats[i];
	return NULL;
}

static int write_text(const char *file, const struct graph *g, const struct neighbors *n,
		      struct err *e)
{
	FILE *out = fopen(file, "we");

	if (!out)
		return err_sys(e, "write %s", file);
	dot_write_living(out, g, n->at.at, n->at.n);
	return fclose(out) == 0 ? 0 : err_sys(e, "write %s", file);
}

/* The name goes through the environment: no shell reads it. */
static int draw(const char *file, const char *format, const struct graph *g,
		const struct neighbors *n, struct err *e)
{
	char *command = xasprintf(
		"command -v dot >/dev/null || exit 127; exec dot -T%s -o \"$VBET_PICTURE\"",
		format);

	setenv("VBET_PICTURE", file, 1);
	/* A dot that ends early is known from its status. */
	signal(SIGPIPE, SIG_IGN);
	FILE *p = popen(command, "we");

	free(command);
	if (!p)
		return err_sys(e, "dot");
	dot_write_living(p, g, n->at.at, n->at.n);
	int status = pclose(p);

	/* What the shell says if there is none. */
	if (status == 127 << 8)
		return err_set(
			e, ERR_ENV,
			"pictures are drawn by dot, which is not installed (on Debian: package "
			"graphviz); -o X.dot writes what it would draw");
	return status == 0 ? 0 : err_set(e, ERR_ENV, "dot could not draw %s", file);
}

int cmd_graph(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	const char *format = o->output ? format_of(o->output) : "dot";
	struct neighbors n = {0};
	struct lab_graph l;

	if (!format)
		return err_set(e, ERR_USAGE, "-o takes X.svg, X.png, X.pdf or X.dot, not '%s'",
			       o->output);
	int rc = lab_graph_load(&l, argv[0], e);

	if (rc == 0 && !l.graph)
		rc = ERR_USAGE;
	if (rc == 0 && l.lab)
		rc = neighbors_ask(l.lab, l.graph, &n, e);
	if (rc == 0 && !o->output)
		dot_write_living(stdout, l.graph, n.at.at, n.at.n);
	else if (rc == 0 && !strcmp(format, "dot"))
		rc = write_text(o->output, l.graph, &n, e);
	else if (rc == 0)
		rc = draw(o->output, format, l.graph, &n, e);
	neighbors_finish(&n);
	lab_graph_finish(&l);
	return rc;
}
