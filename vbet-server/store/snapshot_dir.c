/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/store/snapshot_dir.h"

#include "lib/xalloc.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char mark[] = "snapshot";

bool snapshot_dir_is(const char *dir)
{
	char *path = xasprintf("%s/%s", dir, mark);
	bool is = access(path, F_OK) == 0;

	free(path);
	return is;
}

static void remove_all_but_mark(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, mark))
			continue;
		char *path = xasprintf("%s/%s", dir, name);

		paths_remove_tree(path);
		free(path);
	}
	if (d)
		closedir(d);
}

void snapshot_dir_remove(const char *dir)
{
	if (snapshot_dir_is(dir)) {
		remove_all_but_mark(dir);
		paths_remove_tree(dir);
	}
	rmdir(dir);
}
