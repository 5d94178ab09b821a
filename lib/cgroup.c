/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two rules of the kernel shape this. A group whose children have controllers may hold no process
 * itself, so what is in the delegated one (we, and perhaps the shell that we were started from)
 * must move to a child before the first controller is switched on. And a process needs write access
 * to the group that is above both its old and its new one, which is why everything of ours lies
 * below one delegated group.
 *
 * Moving the shell is harmless, and done once: who is started from it later is in CGROUP_REST, and
 * finds the delegated group above.
 */
#include "lib/cgroup.h"

#include "lib/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static const struct {
	unsigned bit;
	const char *name;
} controllers[] = {{CGROUP_CPU, "cpu"}, {CGROUP_MEMORY, "memory"}, {CGROUP_PIDS, "pids"}};

/* ---- where we are ---- */

/* The line "0::/user.slice/...", of version 2 alone. In the caller's copy, or NULL. */
static char *own_path(const char *self)
{
	for (const char *p = self; *p; p += *p == '\n') {
		size_t n = strcspn(p, "\n");

		if (n > 3 && !strncmp(p, "0::/", 4))
			return xstrndup(p + 3, n - 3);
		p += n;
	}
	return NULL;
}

/*
 * A mount of cgroup2: field 4 is which group is its root, field 5 where it is, and behind the "-"
 * is its kind (proc(5)). Both point into the line, which is cut to pieces. False: something else.
 */
static bool read_mount(char *line, char **root, char **where)
{
	enum { ROOT = 3, WHERE = 4 };
	char *kind = strstr(line, " - ");
	char *save;
	char *word = strtok_r(line, " ", &save);

	if (!kind || strncmp(kind + 3, "cgroup2 ", 8) != 0)
		return false;
	for (int i = 0; word && i <= WHERE; i++, word = strtok_r(NULL, " ", &save)) {
		if (i == ROOT)
			*root = word;
		if (i == WHERE)
			*where = word;
	}
	return word != NULL;
}

/* What is left of path below root; NULL: it is not below it. */
static const char *below(const char *path, const char *root)
{
	size_t n = strlen(root);

	if (n == 1)
		return path;
	return !strncmp(path, root, n) && (path[n] == '/' || !path[n]) ? path + n : NULL;
}

char *cgroup_path(const char *self, const char *mounts, struct err *e)
{
	char *own = own_path(self);
	char *copy = xstrdup(mounts);
	char *found = NULL;
	char *root;
	char *where;
	char *save;

	for (char *line = strtok_r(copy, "\n", &save); own && !found && line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *rest = read_mount(line, &root, &where) ? below(own, root) : NULL;

		if (rest)
			found = xasprintf("%s%s", where, strcmp(rest, "/") ? rest : "");
	}
	free(copy);
	free(own);
	if (!found)
		err_set(e, ERR_ENV, "there is no cgroup of version 2");
	return found;
}

/* Files of /proc have no size. */
static char *read_text(const char *path)
{
	char *text = NULL;
	size_t len = 0;
	FILE *in = fopen(path, "re");
	char part[4096];
	size_t n;

	if (!in)
		return NULL;
	FILE *out = xmemstream(&text, &len);

	while ((n = fread(part, 1, sizeof(part), in)) > 0)
		fwrite(part, 1, n, out);
	fclose(out);
	fclose(in);
	return text;
}

static char *read_file(const char *path, const char *file)
{
	char *name = xasprintf("%s/%s", path, file);
	char *text = read_text(name);

	free(name);
	return text;
}

/* ---- is it ours? ---- */

static bool is_of_systemd(const char *path)
{
	static const char *const ends[] = {".scope", ".service", ".slice"};
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t n = strlen(ends[i]);

		if (len > n && !strcmp(path + len - n, ends[i]))
			return true;
	}
	return false;
}

/* systemd.resource-control(5), Delegate=; before version 251 only privileged processes see it. */
static bool says_delegated(const char *path)
{
	static const char *const names[] = {"user.delegate", "trusted.delegate"};
	char value[8];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (getxattr(path, names[i], value, sizeof(value)) == 1 && *value == '1')
			return true;
	return false;
}

static bool may_write(const char *path, const char *file)
{
	char *name = xasprintf("%s/%s", path, file);
	bool ok = access(name, W_OK) == 0;

	free(name);
	return ok;
}

char *cgroup_find_delegated(const char *path, struct err *e)
{
	const char *last = strrchr(path, '/');
	char *group = last && !strcmp(last + 1, CGROUP_REST) ? xstrndup(path, (size_t)(last - path))
							     : xstrdup(path);

	if (access(group, W_OK) == 0 && may_write(group, "cgroup.procs") &&
	    may_write(group, "cgroup.subtree_control") &&
	    (!is_of_systemd(group) || says_delegated(group)))
		return group;
	err_set(e, ERR_ENV, "no cgroup is delegated to vbet");
	free(group);
	return NULL;
}

char *cgroup_find(struct err *e)
{
	char *self = read_text("/proc/self/cgroup");
	char *mounts = read_text("/proc/self/mountinfo");
	char *path = cgroup_path(self ? self : "", mounts ? mounts : "", e);
	char *group = path ? cgroup_find_delegated(path, e) : NULL;

	free(path);
	free(mounts);
	free(self);
	return group;
}

/* ---- groups of ours ---- */

int cgroup_make(const char *path, struct err *e)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? err_sys(e, "make %s", path) : 0;
}

int cgroup_write(const char *path, const char *file, const char *value, struct err *e)
{
	char *name = xasprintf("%s/%s", path, file);
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		rc = err_sys(e, "%s", name);
	if (fd >= 0)
		close(fd);
	free(name);
	return rc;
}

unsigned cgroup_controllers(const char *text)
{
	unsigned bits = 0;

	while (*text) {
		size_t n = strcspn(text, " \n");

		for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
			if (strlen(controllers[i].name) == n &&
			    !memcmp(controllers[i].name, text, n))
				bits |= controllers[i].bit;
		text += n;
		text += strspn(text, " \n");
	}
	return bits;
}

/* How many of these processes moved. One that has ended by now is none that did not. */
static size_t move_all(char *pids, int procs)
{
	size_t n = 0;
	char *save;

	for (char *pid = strtok_r(pids, "\n", &save); pid; pid = strtok_r(NULL, "\n", &save))
		n += write(procs, pid, strlen(pid)) >= 0 || errno == ESRCH;
	return n;
}

/* A process that forks meanwhile leaves a child behind, so this goes on until nobody is there. */
static int move_rest(const char *path, struct err *e)
{
	char *rest = xasprintf("%s/" CGROUP_REST, path);
	char *name = xasprintf("%s/cgroup.procs", rest);
	int procs = cgroup_make(rest, e) < 0 ? -1 : open(name, O_WRONLY | O_CLOEXEC);
	int rc = procs < 0 ? err_sys(e, "%s", name) : 0;

	for (bool any = true; rc == 0 && any;) {
		char *pids = read_file(path, "cgroup.procs");

		any = pids && *pids;
		if (any && !move_all(pids, procs))
			rc = err_sys(e, "move the processes of %s", path);
		free(pids);
	}
	if (procs >= 0)
		close(procs);
	free(name);
	free(rest);
	return rc;
}

/* The first group of the machine may have processes beside its children, and this file not. */
static bool may_stay(const char *path)
{
	char *name = xasprintf("%s/cgroup.type", path);
	bool is_first = access(name, F_OK) < 0;

	free(name);
	return is_first;
}

static bool is_empty(const char *path)
{
	char *pids = read_file(path, "cgroup.procs");
	bool empty = !pids || !*pids;

	free(pids);
	return empty;
}

static unsigned read_controllers(const char *path, const char *file)
{
	char *text = read_file(path, file);
	unsigned bits = text ? cgroup_controllers(text) : 0;

	free(text);
	return bits;
}

int cgroup_enable(const char *path, unsigned wanted, struct err *e)
{
	unsigned can = wanted & read_controllers(path, "cgroup.controllers");
	unsigned missing = can & ~read_controllers(path, "cgroup.subtree_control");

	if (missing && !is_empty(path) && !may_stay(path) && move_rest(path, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		char word[16];

		if (!(missing & controllers[i].bit))
			continue;
		snprintf(word, sizeof(word), "+%s", controllers[i].name);
		if (cgroup_write(path, "cgroup.subtree_control", word, e) < 0)
			return -1;
	}
	return (int)can;
}

static bool remove_all(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		char *child = xasprintf("%s/%s", path, de->d_name);

		remove_all(child);
		free(child);
	}
	if (d)
		closedir(d);
	return rmdir(path) == 0 || errno == ENOENT;
}

/* cgroup.events wakes whoever polls it when the last process has ended. */
bool cgroup_end(const char *path, int timeout_ms)
{
	char *name = xasprintf("%s/cgroup.events", path);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct pollfd p = {.fd = fd, .events = POLLPRI};
	char text[256];
	ssize_t n = 0;

	cgroup_write(path, "cgroup.kill", "1", NULL);
	while (fd >= 0 && (n = pread(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		if (strstr(text, "populated 0") || poll(&p, 1, timeout_ms) <= 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	free(name);
	return remove_all(path);
}

unsigned long cgroup_oom_kills(const char *path)
{
	char *text = read_file(path, "memory.events");
	char *at = text ? strstr(text, "oom_kill ") : NULL;
	unsigned long n = at ? strtoul(at + 9, NULL, 10) : 0;

	free(text);
	return n;
}
