/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/suite/left.h"

#include "lib/vec.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <unistd.h>

char *left_path(const char *base, pid_t pid)
{
	return xasprintf("%s-t.%d", base, (int)pid);
}

char *left_memory_base(void)
{
	static const char dir[] = "/dev/shm";

	return access(dir, W_OK) == 0 ? xasprintf("%s/vbet-%u", dir, (unsigned)geteuid()) : NULL;
}

/* A lab that still runs there is about to go down: its turn comes the next time. */
static bool has_running_lab(const char *dir)
{
	DIR *d = opendir(dir);
	bool running = false;

	for (struct dirent *entry; d && !running && (entry = readdir(d));) {
		struct lab_entry *labs = NULL;

		if (entry->d_name[0] == '.')
			continue;
		char *base = xasprintf("%s/%s/vbet", dir, entry->d_name);
		size_t n = paths_list_labs(base, &labs);

		for (size_t i = 0; i < n; i++)
			running |= labs[i].running;
		free(labs);
		free(base);
	}
	if (d)
		closedir(d);
	return running;
}

static bool clean_one(const char *dir)
{
	int lock = paths_is_locked(dir) || has_running_lab(dir) ? -1 : paths_lock(dir);

	if (lock < 0)
		return false;
	paths_remove_tree(dir);
	close(lock);
	return true;
}

size_t left_clean(const char *base)
{
	const char *slash = strrchr(base, '/');
	char *parent = slash > base ? xstrndup(base, (size_t)(slash - base)) : xstrdup("/");
	char *prefix = xasprintf("%s-t.", slash ? slash + 1 : base);
	DIR *d = opendir(parent);
	size_t n = 0;

	for (struct dirent *entry; d && (entry = readdir(d));) {
		char *dir = xasprintf("%s/%s", parent, entry->d_name);

		if (!strncmp(entry->d_name, prefix, strlen(prefix)))
			n += clean_one(dir);
		free(dir);
	}
	if (d)
		closedir(d);
	free(prefix);
	free(parent);
	return n;
}
