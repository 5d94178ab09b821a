/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A job brings 15,000 octets, so a guest first puts everything into one file, and then gives it
 * away page by page. Behind each page stands a line that tells its end, for newlines at the end of
 * what a job prints are lost.
 */
#include "vbet-server/command/texts.h"

#include "lib/vec.h"
#include "lib/xalloc.h"
#include "topo/service.h"
#include "vbet-server/command/ask_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATHERED "/tmp/.vbet-files"

enum { PAGE = 14000, PAGES_MAX = 19 };

/* $@: paths. What is no text is no use here: octets of 0 go, the rest is shown as it is. */
static const char gather[] =
	"exec 2>/dev/null\n"
	"show() { printf '== %s\\n' \"$1\"; tail -c 65536 \"$1\"; echo; }\n"
	"{\n"
	"if [ -S /run/frr/zebra.vty ]; then\n"
	"printf '== show running-config\\n'; vtysh -c 'show running-config'; echo\n"
	"fi\n"
	"for f; do [ ! -f \"$f\" ] || show \"$f\"; done\n"
	"find /etc/frr /run/frr /var/log /tmp /root -xdev -type f -size +0 "
	"\\( -path '/etc/frr/*.conf' -o -path '/var/log/*' -o -name '*.log' \\) "
	"! -name 'support_bundle_*' ! -name wtmp ! -name btmp ! -name lastlog | LC_ALL=C sort |\n"
	"while IFS= read -r f; do\n"
	"for g; do [ \"$f\" != \"$g\" ] || continue 2; done; show \"$f\"\n"
	"done\n"
	"} | tr -d '\\000' | head -c 266000 >" GATHERED;

struct texts {
	const struct graph *graph;
	FILE **out;     /* of each node; NULL: no guest, or it has been read */
	unsigned page;  /* 0: it gathers */
	size_t n_asked; /* in this turn */
};

static void put_quoted(FILE *out, const char *word)
{
	fputs(" '", out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}

/* Files of the script, in its order. */
static char *gather_command(const struct graph_node *n)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	fputs("set --", f);
	for (size_t i = 0; i < n->n_configs; i++) {
		const struct service *s = service_find(n->configs[i].daemon);

		if (s && s->path)
			put_quoted(f, s->path);
	}
	for (size_t i = 0; i < n->n_files; i++)
		put_quoted(f, n->files[i].path);
	fprintf(f, "\n%s", gather);
	fclose(f);
	return text;
}

static char *command_of(void *ctx, size_t node)
{
	struct texts *t = ctx;

	if (!t->out[node])
		return NULL;
	t->n_asked++;
	if (!t->page)
		return gather_command(&t->graph->nodes[node]);
	return xasprintf("tail -c +%u " GATHERED " | head -c %u; echo; echo .",
			 (t->page - 1) * PAGE + 1, PAGE);
}

static void end(struct texts *t, size_t node)
{
	fclose(t->out[node]);
	t->out[node] = NULL;
}

static void take(void *ctx, size_t node, int status, const char *text)
{
	struct texts *t = ctx;
	size_t len = strlen(text);

	if (status < 0) {
		fprintf(t->out[node], "%s\n", text);
		end(t, node);
		return;
	}
	if (!t->page)
		return;
	if (len >= 2 && !strcmp(text + len - 2, "\n."))
		len -= 2;
	else if (!strcmp(text, "."))
		len = 0;
	fwrite(text, 1, len, t->out[node]);
	if (len < PAGE)
		end(t, node);
}

int texts_write(struct drive *d, const struct graph *g, const char *dir, struct err *e)
{
	struct texts t = {.graph = g, .out = xcalloc(g->n_nodes + 1, sizeof(FILE *)), .n_asked = 1};
	struct ask_all ask = {command_of, take, &t};
	int rc = ask_all_open(g, dir, "files", t.out, e);

	for (; rc == 0 && t.n_asked && t.page <= PAGES_MAX; t.page++) {
		t.n_asked = 0;
		rc = ask_all(d, g, &ask, e);
	}
	for (size_t i = 0; i < g->n_nodes; i++)
		if (t.out[i])
			end(&t, i);
	free(t.out);
	return rc;
}
