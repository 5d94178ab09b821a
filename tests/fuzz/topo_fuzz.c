/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as a script: parsed, printed as a tree, made into a graph, the graph printed, what was
 * printed parsed again, which must give the same graph. What follows a line "#>" is added as at a
 * console.
 */
#include "topo/topo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *read_file(void *ctx, const char *from, const char *path, size_t *len, struct err *e)
{
	static const char text[] = "def inc(n) { x = alloc(host) return [x, n] }\nincluded = 1\n";

	if (strlen(path) % 3 == 0) {
		err_set(e, ERR_USAGE, "no such file");
		return NULL;
	}
	*len = sizeof(text) - 1;
	return strdup(text);
}

static bool file_exists(void *ctx, const char *path)
{
	return strlen(path) % 3 != 0;
}

static const struct topo_options options = {
	.memory_limit = INT64_C(1) << 30,
	.socket_room = 60,
	.read_file = read_file,
	.file_exists = file_exists,
	.max_steps = 20000,
};

static char *print(void (*with)(FILE *out, const void *what), const void *what)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	with(f, what);
	fclose(f);
	return text;
}

static void with_errors(FILE *out, const void *script)
{
	topo_print_errors(out, script);
}

static void with_tree(FILE *out, const void *script)
{
	topo_print_tree(out, script);
}

static void with_graph(FILE *out, const void *graph)
{
	graph_print(out, graph);
}

/* The graph must survive being printed and parsed. */
static void check_again(const char *text)
{
	struct topo_options again = options;

	again.max_steps = 0;
	struct topo_script *s = topo_parse("fuzz.vbet", text, strlen(text), &again);
	struct graph *g = topo_make_graph(s);
	char *printed = g ? print(with_graph, g) : print(with_errors, s);

	if (strcmp(text, printed) != 0) {
		fprintf(stderr, "printed:\n%s\nand again:\n%s\n", text, printed);
		abort();
	}
	free(printed);
	graph_destroy(g);
	topo_destroy(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark = memmem(data, size, "#>", 2);
	size_t len = mark ? (size_t)(mark - data) : size;
	struct topo_script *s = topo_parse("fuzz.vbet", (const char *)data, len, &options);
	struct graph *g = topo_make_graph(s);

	if (!g != (topo_n_errors(s) > 0))
		abort();
	free(print(with_tree, s));
	free(print(with_errors, s));
	if (g && mark) {
		struct graph *next =
			topo_add_statement(s, NULL, (const char *)mark + 2, size - len - 2);

		free(print(with_errors, s));
		if (next) {
			graph_destroy(g);
			g = next;
		}
	}
	if (g) {
		char *text = print(with_graph, g);

		check_again(text);
		free(text);
	}
	graph_destroy(g);
	topo_destroy(s);
	return 0;
}
