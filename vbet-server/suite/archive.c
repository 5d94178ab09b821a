/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/suite/archive.h"

#include "lib/console_log.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>

/* Flat, so that one look shows what did not pass. */
char *archive_path(const char *dir, const struct suite_case *c)
{
	const char *file = c->file;
	const char *dot = strrchr(file, '.');
	size_t len = dot && !strcmp(dot, ".vbet") ? (size_t)(dot - file) : strlen(file);

	while (len && (*file == '/' || *file == '.')) {
		file++;
		len--;
	}
	char *name = xstrndup(file, len);

	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-.", *p))
			*p = '_';
	char *seed = c->has_seed ? xasprintf("-seed%" PRIu64, c->seed)
		     : c->round  ? xasprintf("-run%zu", c->round + 1)
				 : xstrdup("");
	char *path = xasprintf("%s/%s%s", dir, *name ? name : "lab", seed);

	free(seed);
	free(name);
	return path;
}

void archive_consoles(const char *archive, const char *run_dir, const char *lab)
{
	char *dir = xasprintf("%s/vbet/%s/n", run_dir, lab);
	char *log = xasprintf("%s/vbet/%s/server.log", run_dir, lab);
	char *log_to = xasprintf("%s/server.log", archive);
	DIR *d = opendir(dir);

	for (struct dirent *entry; d && (entry = readdir(d));) {
		if (entry->d_name[0] == '.')
			continue;
		char *from = xasprintf("%s/%s/console.log", dir, entry->d_name);
		char *to = xasprintf("%s/nodes/%s.log", archive, entry->d_name);

		console_log_copy(from, to, NULL);
		free(from);
		free(to);
	}
	if (d)
		closedir(d);
	console_log_copy(log, log_to, NULL);
	free(log_to);
	free(log);
	free(dir);
}
