/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lab says its graph as a script (graph_print()), which gives the same graph again: cables that
 * are cut now are cut in it, and nodes that came later are there.
 */
#include "vbet-server/command/lab_graph.h"

#include "vbet-server/command/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int load_running(struct lab_graph *l, const char *lab, struct err *e)
{
	static const struct topo_options opt = {0};
	char *words[] = {"graph"};
	char *text;
	int rc = client_ask_text(lab, words, 1, &text, e);

	if (rc == 0) {
		l->script = topo_parse(lab, text, strlen(text), &opt);
		l->running = topo_make_graph(l->script);
		l->graph = l->running;
		l->lab = lab;
		if (!l->graph)
			topo_print_errors(stderr, l->script);
	}
	free(text);
	return rc < 0 ? -1 : 0;
}

int lab_graph_load(struct lab_graph *l, const char *name, struct err *e)
{
	memset(l, 0, sizeof(*l));
	if (access(name, F_OK) < 0 && topo_is_lab_name(name)) {
		char *lab = client_find_lab(name, e);

		free(lab);
		if (!lab)
			return err_wrap(e, "there is no file %s, and", name);
		return load_running(l, name, e);
	}
	if (load_script(&l->loaded, name, NULL, e) < 0)
		return -1;
	if (topo_n_errors(l->loaded.script))
		topo_print_errors(stderr, l->loaded.script);
	else
		l->graph = l->loaded.graph;
	return 0;
}

void lab_graph_finish(struct lab_graph *l)
{
	if (l->loaded.script)
		load_finish(&l->loaded);
	graph_destroy(l->running);
	topo_destroy(l->script);
}
