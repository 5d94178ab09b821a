/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/shelf.h"

#include "lib/xalloc.h"
#include "vbet-server/shelf/lanes.h"
#include "vbet-server/shelf/shelf_priv.h"
#include "vbet-server/shelf/squeeze.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAME_MAX_LEN = 63 };

/* Whoever writes there decides what we run: memory of our own processes is made of it. */
static int check_dir(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return err_sys(e, "%s", dir);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(e, ERR_ENV, "%s is not a directory of ours alone: move it away",
			       dir);
	return 0;
}

int shelf_open(struct shelf *s, const char *dir, struct err *e)
{
	static const char *const parts[] = {"names", "packs", "stage"};
	int rc;

	s->dir = dir ? xstrdup(dir)
		     : paths_user_dir(getenv("VBET_SNAPSHOT_DIR"), getenv("XDG_DATA_HOME"),
				      ".local/share", "vbet/snapshots");
	if (!s->dir)
		return err_set(e, ERR_ENV,
			       "there is no place for snapshots: set VBET_SNAPSHOT_DIR");
	rc = paths_make_dirs(s->dir, 0700, e) < 0 ? -1 : check_dir(s->dir, e);
	for (size_t i = 0; i < ARRAY_LEN(parts) && rc == 0; i++) {
		char *path = xasprintf("%s/%s", s->dir, parts[i]);

		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			rc = err_sys(e, "make %s", path);
		free(path);
	}
	if (rc < 0)
		shelf_close(s);
	return rc;
}

void shelf_close(struct shelf *s)
{
	free(s->dir);
	s->dir = NULL;
}

bool shelf_is_name(const char *name)
{
	static const char all[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return *name && *name != '.' && *name != '-' && strlen(name) <= NAME_MAX_LEN &&
	       !name[strspn(name, all)];
}

char *shelf_path(const struct shelf *s, const char *name)
{
	return xasprintf("%s/names/%s", s->dir, name);
}

bool shelf_has(const struct shelf *s, const char *name)
{
	char *path = shelf_path(s, name);
	bool has = shelf_is_name(name) && snapshot_dir_is(path);

	free(path);
	return has;
}

int shelf_lock(const struct shelf *s, const char *which, int how, struct err *e)
{
	char *path = xasprintf("%s/%s", s->dir, which);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	while (fd >= 0 && flock(fd, how) < 0) {
		if (errno == EINTR)
			continue;
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		err_sys(e, "lock %s", path);
	free(path);
	return fd;
}

int shelf_begin(struct shelf *s, struct stage *stage, struct err *e)
{
	char *parent = xasprintf("%s/stage", s->dir);
	int rc = stage_make(stage, parent, "", e);

	free(parent);
	return rc;
}

int shelf_put(struct shelf *s, struct stage *stage, const char *name, struct err *e)
{
	char *from = xasprintf("%s/s", stage->dir);
	char *to = shelf_path(s, name);
	int turn = shelf_lock(s, "turn", LOCK_EX, e);
	int rc = turn < 0 ? -1 : snapshot_dir_swap(from, to, e);

	if (turn >= 0)
		close(turn);
	free(from);
	free(to);
	stage_end(stage);
	return rc;
}

int shelf_remove(struct shelf *s, const char *name, struct err *e)
{
	struct stage stage;

	if (!shelf_has(s, name))
		return err_set(e, ERR_USAGE, "there is no snapshot '%s' (vbet snapshots)", name);
	if (shelf_begin(s, &stage, e) < 0)
		return -1;
	char *from = shelf_path(s, name);
	char *to = xasprintf("%s/s", stage.dir);
	int turn = shelf_lock(s, "turn", LOCK_EX, e);
	int rc = turn < 0 ? -1 : rename(from, to) < 0 ? err_sys(e, "%s", from) : 0;

	if (turn >= 0)
		close(turn);
	free(from);
	free(to);
	stage_end(&stage);
	return rc;
}

/* The same directory as before? */
static bool is_still(const char *path, const struct stat *then)
{
	struct stat now;

	return stat(path, &now) == 0 && now.st_ino == then->st_ino && now.st_dev == then->st_dev;
}

/*
 * The lab's own files go when those of the index have their place. A newer snapshot may have got
 * the name meanwhile: then that one stays.
 */
static int pack_one(struct shelf *s, const char *name, struct err *e)
{
	struct stage stage;
	struct stat raw = {.st_ino = 0};

	if (shelf_begin(s, &stage, e) < 0)
		return -1;
	char *path = shelf_path(s, name);
	char *made = xasprintf("%s/s", stage.dir);
	char *packs = xasprintf("%s/packs", s->dir);
	struct squeeze q = {
		.from = path, .to = made, .packs = packs, .share = true, .threads = lanes_usual()};
	int rc = mkdir(made, 0700) < 0 || stat(path, &raw) < 0 ? err_sys(e, "%s", path)
							       : squeeze(&q, e);
	int turn = rc < 0 ? -1 : shelf_lock(s, "turn", LOCK_EX, e);

	if (turn >= 0) {
		rc = is_still(path, &raw) ? snapshot_dir_swap(made, path, e) : 0;
		close(turn);
	}
	free(path);
	free(made);
	free(packs);
	stage_end(&stage);
	return rc;
}

bool shelf_is_raw(const struct shelf *s, const char *name)
{
	char *server = xasprintf("%s/names/%s/server", s->dir, name);
	bool raw = access(server, F_OK) == 0;

	free(server);
	return raw;
}

/* One that cannot be packed stays as it is; the others are none the worse for it. */
static int pack_raw(struct shelf *s, struct err *e)
{
	struct shelf_names names;
	int rc = 0;

	shelf_names(s, &names);
	for (int i = 0; i < names.n; i++)
		if (shelf_is_raw(s, names.at[i]->d_name) && pack_one(s, names.at[i]->d_name, e) < 0)
			rc = -1;
	shelf_names_free(&names);
	return rc;
}

int shelf_tidy(struct shelf *s, struct err *e)
{
	int lock = shelf_lock(s, "lock", LOCK_EX, e);

	if (lock < 0)
		return -1;
	int rc = pack_raw(s, e);

	if (shelf_collect(s, rc < 0 ? NULL : e) < 0)
		rc = -1;
	close(lock);
	return rc;
}

/* Forked twice: nobody has to wait for it. */
void shelf_tidy_behind(struct shelf *s, uint64_t bytes_max)
{
	fflush(NULL);
	pid_t pid = fork();

	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (pid != 0)
		return;
	setsid();
	if (fork() != 0)
		_exit(0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close_range(3, ~0U, 0);
	setpriority(PRIO_PROCESS, 0, 19);
	int rc = shelf_tidy(s, NULL);

	if (bytes_max && shelf_bound(s, bytes_max, NULL) < 0)
		rc = -1;
	_exit(rc < 0);
}

int shelf_unpack(struct shelf *s, const char *name, struct unpacked *u, const char *to,
		 struct err *e)
{
	char *path = shelf_path(s, name);
	char *packs = xasprintf("%s/packs", s->dir);
	int lock = shelf_lock(s, "lock", LOCK_SH, e);
	int turn = lock < 0 ? -1 : shelf_lock(s, "turn", LOCK_SH, e);
	int rc = turn < 0 ? -1 : unpack(u, path, packs, to, lanes_usual(), e);

	if (turn >= 0)
		close(turn);
	if (lock >= 0)
		close(lock);
	free(packs);
	free(path);
	return rc;
}
