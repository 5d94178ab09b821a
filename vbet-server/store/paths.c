/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where things are: parts of the installation, labs that run, what is cached. No list of anything
 * is kept; the file system is asked.
 *
 * A run directory belongs to whoever holds its lock, and the lock goes with the process, however it
 * ends: a directory whose lock is free is a dead lab's. The lock is one of open file descriptions,
 * which others can ask for without taking it; with flock(2) the question would be a lock that a
 * server that starts at that moment could run into.
 *
 * The base directory is private to the user and is checked to be, each time: under /tmp anybody
 * could have made it first, and whoever owns it owns the sockets of all labs.
 */
#include "vbet-server/store/paths.h"

#include "lib/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 256 << 20 };

/* "build/linux, which is /root/.cache/vbet/.../linux": a link is readable where its end is not. */
static char *describe_forbidden(const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	return n > 0 ? xasprintf("%s, which is %.*s", path, (int)n, to) : xstrdup(path);
}

/* In this order a build tree never uses what happens to be installed. */
char *paths_find_part(const char *name, struct err *e)
{
	char exe[PATH_MAX] = "";
	char real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash = n > 0 ? strrchr(exe, '/') : NULL;
	const char *lib = getenv("VBET_LIB");
	char *candidates[4] = {NULL};

	if (slash)
		*slash = '\0';
	candidates[0] = lib ? xasprintf("%s/%s", lib, name) : NULL;
	candidates[1] = xasprintf("%s/build/%s", exe, name);
	candidates[2] = xasprintf("%s/../lib/vbet/%s", exe, name);
	candidates[3] = xasprintf("%s/lib/vbet/%s", VBET_PREFIX, name);
	char *found = NULL;
	char *forbidden = NULL; /* the first that is there and must not be read */

	for (size_t i = 0; i < ARRAY_LEN(candidates) && !found; i++) {
		if (!candidates[i])
			continue;
		if (realpath(candidates[i], real) && access(real, R_OK) == 0)
			found = xstrdup(real);
		else if (errno == EACCES && !forbidden)
			forbidden = describe_forbidden(candidates[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
		free(candidates[i]);
	if (!found && forbidden)
		err_set(e, ERR_ENV,
			"you may not read %s: its owner has to allow it, or run 'make' in a source "
			"tree of "
			"your own",
			forbidden);
	else if (!found)
		err_set(e, ERR_ENV,
			"%s is not built yet: run 'make' in the source tree (or set VBET_LIB)",
			name);
	free(forbidden);
	return found;
}

char *paths_search_path(void)
{
	char exe[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash = n > 0 ? strrchr(exe, '/') : NULL;
	const char *path = getenv("PATH");

	if (slash)
		*slash = '\0';
	/* Installed, our own programs are beside vbet; in the source tree, they are in build. */
	return xasprintf("PATH=%s:%s/build:%s", exe, exe,
			 path ? path : "/usr/local/bin:/usr/bin:/bin");
}

char *paths_user_dir(const char *own, const char *xdg, const char *usual, const char *name)
{
	const char *home = getenv("HOME");

	if (own && *own)
		return xstrdup(own);
	if (xdg && *xdg)
		return xasprintf("%s/%s", xdg, name);
	return home && *home ? xasprintf("%s/%s/%s", home, usual, name) : NULL;
}

int paths_make_dirs(const char *dir, unsigned mode, struct err *e)
{
	char *path = xstrdup(dir);
	int rc = 0;

	for (char *at = path; rc == 0 && at; at = strchr(at, '/')) {
		at += strspn(at, "/");
		at += strcspn(at, "/");
		char end = *at;

		*at = '\0';
		if (mkdir(path, mode) < 0 && errno != EEXIST)
			rc = err_sys(e, "make %s", path);
		*at = end;
		if (!end)
			break;
	}
	free(path);
	return rc;
}

/* Trees with packages are large, can be made again, and are shared by all labs. */
char *paths_sets_dir(const char *tree)
{
	char *id_file = xasprintf("%s/usr/share/vbet/id", tree);
	size_t len;
	char *id = paths_read_file(id_file, &len, NULL);
	char *cache = id ? paths_user_dir(getenv("VBET_CACHE"), getenv("XDG_CACHE_HOME"), ".cache",
					  "vbet")
			 : NULL;
	char *dir = NULL;

	if (cache) {
		id[strcspn(id, "\n")] = '\0';
		dir = xasprintf("%s/rootfs/sets/%s", cache, id);
	}
	free(cache);
	free(id);
	free(id_file);
	return dir;
}

/* Somebody else's directory of that name would let them into all labs. */
char *paths_base_dir(struct err *e)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	char *base = run && *run && access(run, W_OK) == 0
			     ? xasprintf("%s/vbet", run)
			     : xasprintf("/tmp/vbet-%u", (unsigned)geteuid());

	if (mkdir(base, 0700) < 0 && errno != EEXIST) {
		err_sys(e, "make %s", base);
	} else if (lstat(base, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
		   (st.st_mode & 077)) {
		err_set(e, ERR_ENV, "%s is not a private directory of ours: move it away", base);
	} else {
		return base;
	}
	free(base);
	return NULL;
}

/* Read until it ends rather than by its size: files in /proc have none. */
char *paths_read_file(const char *path, size_t *len, struct err *e)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char *buf = NULL;
	size_t cap = 0;

	*len = 0;
	if (!f) {
		err_sys(e, "%s", path);
		return NULL;
	}
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(f);
		err_set(e, ERR_USAGE, "%s is a directory", path);
		return NULL;
	}
	do {
		cap = cap ? cap * 2 : 65536;
		buf = xrealloc(buf, cap);
		*len += fread(buf + *len, 1, cap - 1 - *len, f);
	} while (*len == cap - 1 && cap < FILE_MAX);
	if (ferror(f) || *len == cap - 1) {
		if (ferror(f))
			err_sys(e, "read %s", path);
		else
			err_set(e, ERR_USAGE, "%s has %d MB or more: nothing that is read here has",
				path, FILE_MAX >> 20);
		fclose(f);
		free(buf);
		return NULL;
	}
	fclose(f);
	buf[*len] = '\0';
	return buf;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int paths_remove_tree(const char *path)
{
	int rc;

	/* A process that is about to end may be making its last file there. */
	do
		rc = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	while (rc < 0 && errno == ENOTEMPTY);
	return rc;
}

uint64_t paths_tree_bytes(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	uint64_t sum = 0;

	while (d && (entry = readdir(d))) {
		char *path = xasprintf("%s/%s", dir, entry->d_name);
		struct stat st;

		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_blocks * 512;
		else if (S_ISDIR(st.st_mode) && strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0)
			sum += paths_tree_bytes(path);
		free(path);
	}
	if (d)
		closedir(d);
	return sum;
}

/* Open-file-description locks: they can be asked for without being taken (fcntl(2)). */
static int lock_op(int fd, int op, struct flock *fl)
{
	*fl = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, op, fl);
}

static int open_lock(const char *dir, int flags)
{
	char *path = xasprintf("%s/lock", dir);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	free(path);
	return fd;
}

int paths_lock(const char *dir)
{
	int fd = open_lock(dir, O_CREAT);
	struct flock fl;

	if (fd >= 0 && lock_op(fd, F_OFD_SETLK, &fl) < 0) {
		int saved = errno == EACCES ? EAGAIN : errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

bool paths_is_locked(const char *dir)
{
	int fd = open_lock(dir, 0);
	struct flock fl;

	if (fd < 0)
		return false;
	bool held = lock_op(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;

	close(fd);
	return held;
}

bool paths_is_locked_lab(const char *base, const char *lab)
{
	char *dir = xasprintf("%s/%s", base, lab);
	bool held = paths_is_locked(dir);

	free(dir);
	return held;
}

static int compare_labs(const void *a, const void *b)
{
	return strcmp(((const struct lab_entry *)a)->name, ((const struct lab_entry *)b)->name);
}

size_t paths_list_labs(const char *base, struct lab_entry **labs)
{
	VEC(struct lab_entry) v = {0};
	DIR *d = opendir(base);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		struct lab_entry entry = {0};

		if (de->d_name[0] == '.' || strlen(de->d_name) >= sizeof(entry.name))
			continue;
		memcpy(entry.name, de->d_name, strlen(de->d_name) + 1);
		char *dir = xasprintf("%s/%s", base, de->d_name);

		entry.running = paths_is_locked(dir);
		free(dir);
		vec_push(&v, entry);
	}
	if (d)
		closedir(d);
	if (v.n)
		qsort(v.at, v.n, sizeof(*v.at), compare_labs);
	*labs = v.at;
	return v.n;
}
