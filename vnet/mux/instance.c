/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An instance is a child process in a sandbox (sandbox.c), looked at every CHECK_NS. Limits that
 * the kernel enforces (addresses, stack, descriptors) are set before exec; CPU time is metered
 * here, as the kernel has no limit for a share of a processor: an instance that has used its share
 * is stopped by SIGSTOP and goes on when there is some again (limits.c says when).
 *
 * It is killed by its process group, and reaped at once, so that its last use of memory and time is
 * in the reason that is reported.
 */
#include "vnet/mux/instance.h"

#include "lib/container_of.h"
#include "lib/xalloc.h"
#include "vnet/mux/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHECK_NS = 50000000 };

struct instance *instance_create(struct loop *l, const char *name, const struct limits *limits,
				 char *const *argv)
{
	struct instance *i = xcalloc(1, sizeof(*i));
	size_t n = 0;

	while (argv[n])
		n++;
	i->loop = l;
	i->name = xstrdup(name);
	i->limits = *limits;
	i->argv = xcalloc(n + 1, sizeof(char *));
	for (size_t k = 0; k < n; k++)
		i->argv[k] = xstrdup(argv[k]);
	snprintf(i->reason, sizeof(i->reason), "not started");
	return i;
}

bool instance_runs(const struct instance *i)
{
	return i->child.pid != 0;
}

const char *instance_state(const struct instance *i)
{
	if (!instance_runs(i))
		return "ended";
	return i->state.stopped ? "stopped" : "running";
}

/* The process has gone, or must go: it is reaped, and nobody watches it any more. */
static int reap(struct instance *i, bool by_force)
{
	struct rusage usage = {0};
	int status = 0;

	loop_cancel_timer(i->loop, &i->check_timer);
	loop_remove(i->loop, &i->exit_watch);
	if (by_force)
		kill(-i->child.pid, SIGKILL);
	while (wait4(i->child.pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	close(i->child.pidfd);
	i->child.pid = 0;
	if (usage.ru_maxrss * 1024L > i->memory_peak_bytes)
		i->memory_peak_bytes = usage.ru_maxrss * 1024L;
	i->cpu_ns = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
		    (int64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
	return status;
}

void instance_destroy(struct instance *i)
{
	if (!i)
		return;
	if (instance_runs(i))
		reap(i, true);
	for (size_t k = 0; i->argv[k]; k++)
		free(i->argv[k]);
	free(i->argv);
	free(i->name);
	free(i);
}

void instance_stop(struct instance *i, const char *reason)
{
	if (instance_runs(i))
		reap(i, true);
	i->clean = i->killed = false;
	snprintf(i->reason, sizeof(i->reason), "%s", reason);
}

/* The reason names the limit and what was used of it: whoever reads it must know which to raise. */
static void unload(struct instance *i, enum limits_verdict why)
{
	if (why == LIMITS_CPU)
		snprintf(i->reason, sizeof(i->reason),
			 "cpu: took all of its %g %% of a CPU for %g s, and wanted more",
			 i->limits.cpu_ppm / 1e4, (double)i->limits.patience_ns / 1e9);
	else
		snprintf(i->reason, sizeof(i->reason), "memory: %lld KiB of the %lld KiB allowed",
			 (long long)i->memory_bytes >> 10, (long long)i->limits.memory_bytes >> 10);
	reap(i, true);
	i->clean = i->killed = false;
	i->on_end(i);
}

/* Sent by hand, or by a kernel that is short of memory; what a program brings on itself is not. */
static bool is_from_outside(int signal)
{
	return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP ||
	       signal == SIGQUIT;
}

/*
 * Why it ended by itself. Memory that ran out shows in many ways, as a signal or as an exit with an
 * error: what was used at the peak says more than how it ended.
 */
static void explain(struct instance *i, int status)
{
	bool full = i->memory_peak_bytes >= i->limits.memory_bytes / 10 * 9;
	char how[128];

	i->clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	i->killed = WIFSIGNALED(status) && is_from_outside(WTERMSIG(status)) && !full;
	if (WIFEXITED(status))
		snprintf(how, sizeof(how), "exit status %d", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGSEGV)
		snprintf(how, sizeof(how),
			 "memory access outside of its segments, or its stack of %lld KiB is full",
			 (long long)i->limits.stack_bytes >> 10);
	else
		snprintf(how, sizeof(how), "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	if (full && !i->clean)
		snprintf(i->reason, sizeof(i->reason),
			 "memory: %s at %lld KiB of the %lld KiB allowed", how,
			 (long long)i->memory_peak_bytes >> 10,
			 (long long)i->limits.memory_bytes >> 10);
	else
		snprintf(i->reason, sizeof(i->reason), "%s", how);
}

static void has_ended(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct instance *i = container_of(w, struct instance, exit_watch);

	explain(i, reap(i, false));
	i->on_end(i);
}

/* CPU time of all of its threads, and what is resident. False: it is about to end. */
static bool look(struct instance *i)
{
	clockid_t clock;
	struct timespec ts;
	char path[64];
	long long resident = 0;

	if (clock_getcpuclockid(i->child.pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return false;
	i->cpu_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)i->child.pid);
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	bool ok = fscanf(f, "%*s %lld", &resident) == 1;

	fclose(f);
	i->memory_bytes = resident * sysconf(_SC_PAGESIZE);
	if (i->memory_bytes > i->memory_peak_bytes)
		i->memory_peak_bytes = i->memory_bytes;
	return ok;
}

/*
 * SIGSTOP goes to the process alone, SIGKILL to its group: an instance has no other processes (the
 * filter of system calls sees to it), but what is killed must be gone for certain.
 */
static void check(struct loop_timer *t, int64_t now_ns)
{
	struct instance *i = container_of(t, struct instance, check_timer);

	loop_set_timer(i->loop, t, now_ns + CHECK_NS);
	if (!look(i))
		return;
	enum limits_verdict v =
		limits_check(&i->state, &i->limits, now_ns, i->cpu_ns, i->memory_bytes);

	switch (v) {
	case LIMITS_LEAVE:
		break;
	case LIMITS_STOP:
		i->times_stopped++;
		kill(i->child.pid, SIGSTOP);
		break;
	case LIMITS_CONTINUE:
		kill(i->child.pid, SIGCONT);
		break;
	case LIMITS_CPU:
	case LIMITS_MEMORY:
		unload(i, v);
		break;
	}
}

/*
 * A program beside this one, or in $PATH; malloc'ed. NULL: there is none. Beside this one first: a
 * vnet-mux that was not installed starts the daemons it was built with.
 */
static char *find_program(const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return xstrdup(name);
	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');

	if (slash)
		*slash = '\0';
	char *list = xasprintf("%s:%s", self, path ? path : "/usr/local/bin:/usr/bin:/bin");
	char *found = NULL;
	char *save = NULL;

	for (char *dir = strtok_r(list, ":", &save); dir && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		found = xasprintf("%s/%s", dir, name);
		if (access(found, X_OK) < 0) {
			free(found);
			found = NULL;
		}
	}
	free(list);
	return found;
}

/* By its real path, as the sandbox looks at files and not at links. */
static int use_program(struct instance *i, struct err *e)
{
	char *found = find_program(i->argv[0]);
	char *program = found ? realpath(found, NULL) : NULL;

	free(found);
	if (!program)
		return err_set(e, ERR_USAGE, "%s: no such program", i->argv[0]);
	free(i->argv[0]);
	i->argv[0] = program;
	return 0;
}

static int spawn(struct instance *i, const int fds[SANDBOX_FDS], char *const *environment,
		 struct err *e)
{
	struct spawn s = {
		.argv = i->argv,
		.envp = environment,
		.n_fds = SANDBOX_FDS + SANDBOX_N_FDS,
		.prepare = sandbox_enter,
		.attend = sandbox_attend,
	};
	struct sandbox *sandbox = sandbox_create(i->argv[0], &i->limits, i->open_files, e);

	if (!sandbox)
		return -1;
	memcpy(s.fds, fds, SANDBOX_FDS * sizeof(int));
	sandbox_fds(sandbox, s.fds + SANDBOX_FDS);
	s.prepare_ctx = sandbox;
	int rc = spawn_child(&s, &i->child, e);

	i->layers = sandbox_layers(sandbox);
	if (rc < 0 && sandbox_lacks_layers(sandbox))
		err_set(e, ERR_ENV,
			"neither Landlock nor user namespaces are to be had here: it could read "
			"all "
			"that you may read (--insecure starts it all the same)");
	sandbox_destroy(sandbox);
	return rc;
}

int instance_start(struct instance *i, int channel, int listener, char *const *environment,
		   struct err *e)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fds[SANDBOX_FDS] = {null, 1, 2, channel, listener};

	if (null < 0)
		return err_sys(e, "/dev/null");
	int rc = use_program(i, e) < 0 ? -1 : spawn(i, fds, environment, e);

	close(null);
	if (rc < 0)
		return -1;
	i->reason[0] = '\0';
	i->clean = i->killed = false;
	i->cpu_ns = i->memory_bytes = i->memory_peak_bytes = 0;
	i->exit_watch = (struct loop_watch){.fd = i->child.pidfd, .ready = has_ended};
	i->check_timer.fire = check;
	limits_begin(&i->state, &i->limits, loop_now_ns(i->loop));
	loop_set_timer(i->loop, &i->check_timer, loop_now_ns(i->loop) + CHECK_NS);
	return loop_add(i->loop, &i->exit_watch, EPOLLIN, e);
}
