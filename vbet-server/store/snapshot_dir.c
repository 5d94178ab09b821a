/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/store/snapshot_dir.h"

#include "lib/xalloc.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char mark[] = "snapshot";
static const char *const uses[] = {
	[SNAPSHOT_ADOPT] = "once",
	[SNAPSHOT_SHARE] = "shared",
};

static bool has(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct stat st;
	bool is = stat(path, &st) == 0 && S_ISREG(st.st_mode);

	free(path);
	return is;
}

bool snapshot_dir_is(const char *dir)
{
	return has(dir, mark);
}

int snapshot_dir_set_use(const char *dir, enum snapshot_use use, struct err *e)
{
	char *path = xasprintf("%s/%s", dir, uses[use]);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int rc = fd < 0 ? err_sys(e, "make %s", path) : 0;

	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

enum snapshot_use snapshot_dir_use(const char *dir)
{
	return has(dir, uses[SNAPSHOT_ADOPT])   ? SNAPSHOT_ADOPT
	       : has(dir, uses[SNAPSHOT_SHARE]) ? SNAPSHOT_SHARE
						: SNAPSHOT_READ;
}

int snapshot_use_flags(enum snapshot_use use)
{
	return (use == SNAPSHOT_ADOPT ? O_RDWR : O_RDONLY) | O_CLOEXEC;
}

int snapshot_dir_write_mark(const char *dir, const struct snapshot_mark *m, struct err *e)
{
	char *path = xasprintf("%s/%s", dir, mark);
	FILE *f = fopen(path, "we");
	int rc = f ? 0 : err_sys(e, "%s", path);

	if (f) {
		fprintf(f, "%s\n%s\n", m->lab, m->run);
		if (fclose(f) != 0)
			rc = err_sys(e, "write %s", path);
	}
	free(path);
	return rc;
}

/* Two lines. */
static int parse_mark(const char *dir, const char *text, struct snapshot_mark *m, struct err *e)
{
	const char *second = strchr(text, '\n');

	if (!second)
		return err_set(e, ERR_USAGE, "%s is no snapshot", dir);
	m->lab = xstrndup(text, (size_t)(second - text));
	m->run = xstrndup(second + 1, strcspn(second + 1, "\n"));
	return 0;
}

int snapshot_dir_read_mark(const char *dir, struct snapshot_mark *m, struct err *e)
{
	char *path = xasprintf("%s/%s", dir, mark);
	size_t len;
	struct stat st;
	/* Not from a pipe, or a device: nobody may ever write there, or they never end. */
	bool is_file = stat(path, &st) < 0 || S_ISREG(st.st_mode);
	char *text = is_file ? paths_read_file(path, &len, e) : NULL;
	int rc = is_file ? -1 : err_set(e, ERR_USAGE, "%s is no snapshot", dir);

	*m = (struct snapshot_mark){0};
	if (text && stat(path, &st) < 0)
		err_sys(e, "%s", path);
	else if (text)
		rc = parse_mark(dir, text, m, e);
	if (rc == 0)
		m->saved_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	free(text);
	free(path);
	return rc;
}

void snapshot_mark_finish(struct snapshot_mark *m)
{
	free(m->lab);
	free(m->run);
}

int snapshot_dir_check_place(const char *dir, struct err *e)
{
	return access(dir, F_OK) < 0 || snapshot_dir_is(dir)
		       ? 0
		       : err_set(e, ERR_USAGE, "%s is there already, and is no snapshot", dir);
}

int snapshot_dir_swap(const char *made, const char *place, struct err *e)
{
	if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_EXCHANGE) == 0 ||
	    (errno == ENOENT && rename(made, place) == 0))
		return 0;
	return err_sys(e, "%s", place);
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
