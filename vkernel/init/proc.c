/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs are started by vfork(): to copy an address space costs a millisecond in a guest. Until
 * its exec the child runs on the parent's memory and stack, so all that it needs is made ready
 * before (struct handover), and it only makes system calls.
 *
 * Process 1 inherits every orphan and reaps all of them; proc_watch() says whose end somebody wants
 * to know.
 */
#include "vkernel/init/proc.h"

#include "lib/vec.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- users: /etc/passwd and /etc/group only, a static program has no name service modules --- */

/* Splits "a:b:c" at colons in place. */
static size_t split_colons(char *line, char **field, size_t max)
{
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < max) {
		field[n++] = line;
		line = strchr(line, ':');
		if (!line)
			break;
		*line++ = '\0';
	}
	return n;
}

static void find_groups(struct proc_user *u)
{
	FILE *f = fopen("/etc/group", "re");
	char *line = NULL;
	size_t cap = 0;
	char *field[4];

	u->groups[0] = u->gid;
	u->n_groups = 1;
	while (f && getline(&line, &cap, f) > 0 && u->n_groups < PROC_GROUPS_MAX) {
		if (split_colons(line, field, 4) < 4)
			continue;
		char *save = NULL;

		for (char *m = strtok_r(field[3], ",", &save); m; m = strtok_r(NULL, ",", &save))
			if (!strcmp(m, u->name) && u->n_groups < PROC_GROUPS_MAX)
				u->groups[u->n_groups++] = (gid_t)strtoul(field[2], NULL, 10);
	}
	free(line);
	if (f)
		fclose(f);
}

int proc_find_user(const char *name, struct proc_user *u, struct err *e)
{
	FILE *f = fopen("/etc/passwd", "re");
	char *line = NULL;
	size_t cap = 0;
	bool found = false;
	char *field[7];

	memset(u, 0, sizeof(*u));
	while (f && !found && getline(&line, &cap, f) > 0) {
		if (split_colons(line, field, 7) < 7 || strcmp(field[0], name) != 0)
			continue;
		snprintf(u->name, sizeof(u->name), "%s", name);
		snprintf(u->home, sizeof(u->home), "%s", field[5]);
		snprintf(u->shell, sizeof(u->shell), "%s", field[6]);
		u->uid = (uid_t)strtoul(field[2], NULL, 10);
		u->gid = (gid_t)strtoul(field[3], NULL, 10);
		found = true;
	}
	free(line);
	if (f)
		fclose(f);
	if (found) {
		find_groups(u);
		return 0;
	}
	if (strcmp(name, "root") != 0)
		return err_set(e, ERR_USAGE, "no user '%.100s' in /etc/passwd", name);
	strcpy(u->name, "root");
	strcpy(u->home, "/root");
	u->n_groups = 1;
	return 0;
}

/* --- starting --- */

static const char *get_env(char *const *envp, const char *key)
{
	size_t len = strlen(key);

	for (; envp && *envp; envp++)
		if (!strncmp(*envp, key, len) && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

/* The path of a program, malloc'ed, or NULL with errno set. */
static char *find_program(const char *name, char *const *envp)
{
	if (strchr(name, '/'))
		return xstrdup(name);
	const char *path = get_env(envp, "PATH");
	int best = ENOENT;

	for (path = path ? path : ""; *path && *name;) {
		size_t len = strcspn(path, ":");
		char *full = xasprintf("%.*s/%s", (int)len, path, name);

		if (access(full, X_OK) == 0)
			return full;
		if (errno != ENOENT && errno != ENOTDIR)
			best = errno;
		free(full);
		path += len + (path[len] == ':');
	}
	errno = best;
	return NULL;
}

/* What the child and the parent share while the parent waits for the exec (vfork). */
struct handover {
	const char *path;
	char *const *argv;
	char *const *shell_argv; /* for a script without a first line "#!" */
	const struct proc_spec *spec;
	const char *step;
	int error;
};

/* The mask is cleared as well: process 1 has blocked what it reads by signalfd. */
static void reset_signals(void)
{
	/* Ignored by us, or by whoever started us ("nohup"): a command must be ended by these. */
	static const int ours[] = {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Groups first, then the user: afterwards there is no right to. Root stays as it is, unless it has
 * more groups.
 */
static int become_user(const struct proc_user *u)
{
	if (!u || (!u->uid && getuid() == 0 && u->n_groups <= 1))
		return 0;
	if (setgroups(u->n_groups, u->groups) < 0 || setgid(u->gid) < 0 || setuid(u->uid) < 0)
		return -1;
	return 0;
}

/*
 * The names of the vNet lie over /etc/hosts in a mount namespace of the program's own, which goes
 * on to see what is mounted outside of it.
 */
static int enter_vnet(const struct vnet_entry *v)
{
	int fd = open(v->procs, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || write(fd, "0", 1) != 1 ? -1 : 0;

	if (fd >= 0)
		close(fd);
	if (rc < 0 || !v->hosts[0])
		return rc;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -1;
	return mount(v->hosts, "/etc/hosts", NULL, MS_BIND, NULL);
}

/* In the child: only system calls, and no memory of the parent but *h is written. */
static void exec_child(struct handover *h)
{
	const struct proc_spec *s = h->spec;

	h->step = "start";
	setsid();
	for (int i = 0; i < 3; i++) {
		if (s->fds[i] == i)
			fcntl(i, F_SETFD, 0);
		else if (dup2(s->fds[i], i) < 0)
			return;
	}
	if (s->ctty && ioctl(0, TIOCSCTTY, 0) < 0)
		return;
	close_range(3, ~0U, 0);
	h->step = "enter the vNet of";
	if (s->vnet && s->vnet->procs[0] && enter_vnet(s->vnet) < 0)
		return;
	h->step = "become the user";
	if (become_user(s->user) < 0)
		return;
	if ((!s->cwd || chdir(s->cwd) < 0) && chdir("/") < 0)
		return;
	reset_signals();
	h->step = "run";
	execve(h->path, h->argv, s->envp);
	if (errno == ENOEXEC)
		execve("/bin/sh", h->shell_argv, s->envp);
}

static __attribute__((noinline)) pid_t fork_child(struct handover *h)
{
	/* Not fork(): in a guest, to copy an address space costs a millisecond. */
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

	if (pid == 0) {
		exec_child(h); /* NOLINT(clang-analyzer-unix.Vfork) */
		h->error = errno ? errno : EINVAL;
		_exit(127);
	}
	return pid;
}

/*
 * All signals are blocked around vfork(): a handler that ran in the child would run in the parent's
 * memory. The child unblocks them when it no longer matters.
 */
pid_t proc_start(const struct proc_spec *s, struct err *e)
{
	char *path = s->argv[0] ? find_program(s->argv[0], s->envp) : NULL;
	VEC(char *) shell_argv = {0};

	if (!path)
		return err_sys(e, "%.200s", s->argv[0] ? s->argv[0] : "no command");
	vec_push(&shell_argv, (char *)"sh");
	vec_push(&shell_argv, path);
	for (char *const *arg = s->argv + 1; *arg; arg++)
		vec_push(&shell_argv, *arg);
	vec_push(&shell_argv, NULL);

	struct handover h = {.path = path, .argv = s->argv, .shell_argv = shell_argv.at, .spec = s};
	sigset_t all;
	sigset_t old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t pid = fork_child(&h);

	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		err_sys(e, "fork");
	} else if (h.error) {
		waitpid(pid, NULL, 0);
		errno = h.error;
		err_sys(e, "%s %.200s", h.step, s->argv[0]);
		pid = -1;
	}
	vec_free(&shell_argv);
	free(path);
	return pid;
}

/* --- reaping --- */

struct watched {
	pid_t pid;
	proc_ended *ended;
	void *ctx;
};

static VEC(struct watched) watched;

void proc_watch(pid_t pid, proc_ended *ended, void *ctx)
{
	struct watched w = {.pid = pid, .ended = ended, .ctx = ctx};

	vec_push(&watched, w);
}

/* The entry is removed before the call, which may start another process and watch it. */
static void tell(pid_t pid, int status)
{
	for (size_t i = 0; i < watched.n; i++) {
		struct watched w = watched.at[i];

		if (w.pid != pid)
			continue;
		vec_remove(&watched, i);
		w.ended(w.ctx, status);
		return;
	}
}

void proc_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		tell(pid, status);
}

/* Field 6 of /proc/PID/stat. */
static pid_t session_of(pid_t pid)
{
	char path[32];
	char buf[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	const char *p = strrchr(buf, ')'); /* the name may hold anything */
	int ppid;
	int pgrp;
	int sid;

	if (!p || sscanf(p + 1, " %*c %d %d %d", &ppid, &pgrp, &sid) != 3)
		return -1;
	return sid;
}

void proc_signal_session(pid_t sid, int sig)
{
	DIR *d = opendir("/proc");
	struct dirent *de;

	while (d && (de = readdir(d))) {
		pid_t pid = isdigit((unsigned char)de->d_name[0]) ? atoi(de->d_name) : 0;

		if (pid > 1 && session_of(pid) == sid)
			kill(pid, sig);
	}
	if (d)
		closedir(d);
}

void proc_describe(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "signal %d", WTERMSIG(status));
	else
		snprintf(buf, size, "status %d", WEXITSTATUS(status));
}
