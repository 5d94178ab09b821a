/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/load.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "vbet-server/paths.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *load_read_file(void *ctx, const char *path, size_t *len, struct err *e)
{
	return paths_read_file(path, len, e);
}

/* Names in a script are relative to the directory of the file they stand in. */
static char *beside(const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');

	if (path[0] == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - from), from, path);
}

static char *read_included(void *ctx, const char *from, const char *path, size_t *len,
			   struct err *e)
{
	char *full = beside(from, path);
	char *text = paths_read_file(full, len, e);

	free(full);
	return text;
}

static bool file_exists(void *ctx, const char *path)
{
	char *full = beside(ctx, path);
	bool there = access(full, R_OK) == 0;

	free(full);
	return there;
}

/* What guests may have together: what is available now. A guest's memory is used only as touched.
 */
static int64_t available_memory(void)
{
	size_t len;
	char *text = paths_read_file("/proc/meminfo", &len, NULL);
	const char *p = text ? strstr(text, "MemAvailable:") : NULL;
	int64_t bytes = p ? strtoll(p + strlen("MemAvailable:"), NULL, 10) * 1024 : 0;

	free(text);
	return bytes;
}

int load_script(struct loaded *l, const char *file, const char *lab, struct err *e)
{
	size_t len;
	char *text = paths_read_file(file, &len, e);
	char *base = paths_base_dir(NULL);
	char real[PATH_MAX];

	memset(l, 0, sizeof(*l));
	if (!text) {
		free(base);
		if (e->kind == ERR_ENV)
			e->kind = ERR_USAGE;
		return -1;
	}
	/* Longest socket path: BASE/LAB/n/NODE/j/NIC; a lab's name has at most 32 bytes. */
	size_t fixed = (base ? strlen(base) : 32) + 32 + strlen("//n//j/");
	struct topo_options opt = {
		.lab = lab,
		.memory_limit = available_memory(),
		.socket_room = fixed < SOCK_PATH_MAX ? SOCK_PATH_MAX - fixed : 1,
		.read_file = read_included,
		.file_exists = file_exists,
		.ctx = (void *)file,
	};

	l->script = topo_parse(file, text, len, &opt);
	if (!topo_n_errors(l->script))
		l->graph = topo_make_graph(l->script);
	if (realpath(file, real) && strrchr(real, '/')) {
		*strrchr(real, '/') = '\0';
		l->dir = xstrdup(*real ? real : "/");
	} else {
		l->dir = xstrdup(".");
	}
	free(text);
	free(base);
	return 0;
}

void load_finish(struct loaded *l)
{
	graph_destroy(l->graph);
	topo_destroy(l->script);
	free(l->dir);
	memset(l, 0, sizeof(*l));
}
