/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * topo-dump [-m BYTES] [-r ROOM] tree|graph|twice|warn FILE [LINE ...]: prints what the language
 * makes of a script; each LINE is a statement added to it as at a console. For the golden tests:
 * links only topo and lib. Exits 0, or 2 with the messages on standard error. "twice" prints the
 * graph, parses what was printed, and fails if that prints differently. "warn" prints the warnings.
 */
#include "lib/xalloc.h"
#include "topo/topo.h"
#include "topo/warn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *main_file;

static char *slurp(const char *path, size_t *len, struct err *e)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t n;

	*len = 0;
	if (!f) {
		err_set(e, ERR_USAGE, "%s", strerror(errno));
		return NULL;
	}
	do {
		text = xrealloc(text, *len + 65536);
		n = fread(text + *len, 1, 65536, f);
		*len += n;
	} while (n);
	fclose(f);
	return text;
}

/* `path` as seen from the directory of `from`. */
static char *beside(const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');

	if (*path == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - from), from, path);
}

static char *read_file(void *ctx, const char *from, const char *path, size_t *len, struct err *e)
{
	char *full = beside(from, path);
	char *text = slurp(full, len, e);

	free(full);
	return text;
}

static bool file_exists(void *ctx, const char *path)
{
	char *full = beside(main_file, path);
	bool exists = access(full, F_OK) == 0;

	free(full);
	return exists;
}

static char *print(const struct graph *g)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	graph_print(f, g);
	fclose(f);
	return text;
}

/* Prints the graph, and the graph of what was printed: they must be the same. */
static int check_twice(const struct graph *g, const struct topo_options *opt)
{
	char *first = print(g);
	struct topo_script *s = topo_parse(main_file, first, strlen(first), opt);
	struct graph *again = topo_make_graph(s);
	char *second = again ? print(again) : NULL;
	int rc = second && !strcmp(first, second) ? 0 : 1;

	if (rc) {
		fprintf(stderr, "what was printed does not mean the same:\n%s", first);
		if (second)
			fprintf(stderr, "---- again:\n%s", second);
		topo_print_errors(stderr, s);
	}
	graph_destroy(again);
	topo_destroy(s);
	free(first);
	free(second);
	return rc;
}

static struct graph *make(struct topo_script *s, char **lines)
{
	struct graph *g = topo_make_graph(s);

	for (; g && *lines; lines++) {
		struct graph *next = topo_add_statement(s, NULL, *lines, strlen(*lines));

		if (!next)
			topo_print_errors(stderr, s);
		else
			graph_destroy(g);
		g = next ? next : g;
	}
	return g;
}

static int run(const char *what, char **lines, struct topo_options *opt)
{
	struct err e;
	size_t len;
	char *text = slurp(main_file, &len, &e);
	int rc = 0;

	if (!text) {
		fprintf(stderr, "%s: %s\n", main_file, e.text);
		return 3;
	}
	struct topo_script *s = topo_parse(main_file, text, len, opt);

	if (!strcmp(what, "tree")) {
		topo_print_tree(stdout, s);
	} else {
		struct graph *g = make(s, lines);

		if (g && !strcmp(what, "graph"))
			graph_print(stdout, g);
		else if (g && !strcmp(what, "warn"))
			topo_print_warnings(stdout, s, g, &(struct warn_choice){0});
		else if (g)
			rc = check_twice(g, opt);
		graph_destroy(g);
		rc = g ? rc : 2;
	}
	if (topo_n_errors(s)) {
		topo_print_errors(stderr, s);
		rc = 2;
	}
	topo_destroy(s);
	free(text);
	return rc;
}

int main(int argc, char **argv)
{
	struct topo_options opt = {.read_file = read_file, .file_exists = file_exists};
	int c;

	while ((c = getopt(argc, argv, "+m:r:l:")) != -1) {
		if (c == 'm')
			opt.memory_limit = strtoll(optarg, NULL, 10);
		else if (c == 'r')
			opt.socket_room = (size_t)strtoul(optarg, NULL, 10);
		else if (c == 'l')
			opt.lab = optarg;
		else
			return 2;
	}
	if (argc - optind < 2) {
		fprintf(stderr,
			"usage: topo-dump [-m BYTES] [-r ROOM] tree|graph|twice|warn FILE\n");
		return 2;
	}
	main_file = argv[optind + 1];
	return run(argv[optind], argv + optind + 2, &opt);
}
