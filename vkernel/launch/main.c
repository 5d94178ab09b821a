/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet-launch: starts one guest in its jail (docs/protocols.md, "Launcher").
 *
 * Three processes. The outer one is the server's child: when it is killed, everything ends. It
 * makes process 1 of the jail in new namespaces, which builds the jail's root directory and
 * afterwards reaps what the guest's kernel leaves. The third becomes the kernel: it takes limits
 * upon itself, drops all capabilities and refuses system calls, in this order, as each step needs
 * what the next takes away.
 *
 * Process 1 of the jail tells the outer one through a pipe what went wrong; when the jail stands,
 * it closes the pipe.
 *
 * Each process asks to die with its parent. That alone leaves a gap, as the parent may be dead
 * already. Across a pid namespace getppid() is 0 in both cases; there the pipe shows it: nobody has
 * its other end any more.
 *
 * Who kills the outer one does not know when the rest has gone: a guest's memory takes a while to
 * be given back. SIGTERM ends the guest, and the outer one with it, as the last.
 *
 * The best way to confine that the host allows is taken (`ways`), and what could not be had is told
 * to the server on descriptor 3.
 */
#include "lib/slice.h"
#include "lib/userns.h"
#include "lib/xalloc.h"
#include "vkernel/launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_FD = 3 };

static const struct {
	unsigned bit;
	const char *name;
} missing_names[] = {
	{MISSING_USERNS, "userns"},       {MISSING_CGROUPNS, "cgroupns"},
	{MISSING_ASLR, "aslr-off"},       {MISSING_CPU, "cpu"},
	{MISSING_SECCOMP, "seccomp"},     {MISSING_STATIC, "static"},
	{MISSING_PROCESSES, "processes"},
};

enum { NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS };

/* Ways to confine, best first. */
static const struct {
	unsigned long flags;
	unsigned missing;
} ways[] = {
	{CLONE_NEWUSER | CLONE_NEWCGROUP | NAMESPACES, 0},
	{CLONE_NEWUSER | NAMESPACES, MISSING_CGROUPNS},
	{CLONE_NEWCGROUP | NAMESPACES, MISSING_USERNS},
	{NAMESPACES, MISSING_USERNS | MISSING_CGROUPNS},
};

enum { NOT_YET = 0, HAS_ENDED = -1 };

/* Its end is that of all others: process 1 of the jail, or the kernel if there is none. */
static volatile sig_atomic_t inner = NOT_YET;

static void end_guest(int signal)
{
	if (inner == NOT_YET)
		_exit(128 + signal);
	if (inner != HAS_ENDED)
		kill((pid_t)inner, SIGKILL);
}

static void obey_sigterm(void)
{
	struct sigaction action = {.sa_handler = end_guest};

	sigaction(SIGTERM, &action, NULL);
}

/* Between the making of a process and the note of it, nobody may ask for its end. */
static void hold_sigterm(bool held)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(held ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* In the child as well. */
static pid_t note_inner(pid_t pid)
{
	inner = pid > 0 ? pid : NOT_YET;
	if (pid == 0)
		signal(SIGTERM, SIG_DFL);
	hold_sigterm(false);
	return pid;
}

static void report(const char *level, unsigned missing)
{
	char line[256];
	size_t len = (size_t)snprintf(line, sizeof(line), "jail level=%s", level);
	const char *sep = " missing=";

	for (size_t i = 0; i < ARRAY_LEN(missing_names); i++) {
		if (!(missing & missing_names[i].bit))
			continue;
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s", sep,
					missing_names[i].name);
		sep = ",";
	}
	line[len++] = '\n';
	if (write(REPORT_FD, line, len) < 0)
		_exit(3); /* nobody is there to know of this guest */
	close(REPORT_FD);
}

static _Noreturn void die(const struct err *e)
{
	dprintf(REPORT_FD, "error %s\n", e->text);
	dprintf(2, "vbet-launch: %s\n", e->text);
	_exit(3);
}

/* From now on this process dies with the one that made it. */
static void die_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(3);
}

static _Noreturn void become_kernel(const struct launch *l, bool confined, unsigned missing)
{
	static char *const empty[] = {NULL};
	static char home[] = "HOME=/tmp"; /* Debian's kernel does not start without one */
	static char *const with_home[] = {home, NULL};
	char **argv = launch_make_argv(l, confined);
	struct err e;

	if (limits_apply(l, &missing, &e) < 0 || limits_drop_caps(&e) < 0)
		die(&e);
	if (filter_calls() < 0)
		missing |= MISSING_SECCOMP;
	if (l->kernel_dynamic)
		missing |= MISSING_STATIC;
	report(confined ? "full" : "none", missing);
	if (l->kernel_dynamic && confined)
		execve("/linux", argv, with_home);
	else
		fexecve(l->kernel_fd, argv, l->kernel_dynamic ? with_home : empty);
	dprintf(2, "vbet-launch: cannot run %s: %s\n", l->kernel, strerror(errno));
	_exit(3);
}

/* Waits for one process, and reaps others meanwhile. Returns its exit status. */
static int reap_until(pid_t pid)
{
	int status;

	for (;;) {
		siginfo_t info;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0) {
			if (errno == EINTR)
				continue;
			return 3;
		}
		/* When it has been waited for, its number may be another's. */
		if (info.si_pid == inner)
			inner = HAS_ENDED;
		if (waitpid(info.si_pid, &status, 0) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

/* Process 1 of the jail. `ready`: takes an error; is closed when the jail stands. */
static _Noreturn void run_inside(const struct launch *l, unsigned long flags, unsigned missing,
				 int ready)
{
	struct pollfd outer = {.fd = ready};
	struct err e;

	/* Its pid is 0 from here, as it would be if it were dead: the pipe tells the difference. */
	die_with_parent(0);
	if (poll(&outer, 1, 0) > 0)
		_exit(3);
	if (((flags & CLONE_NEWUSER) && userns_map(l->uid, l->gid, &e) < 0) ||
	    jail_enter(l, &e) < 0) {
		if (write(ready, e.text, strlen(e.text)) < 0)
			_exit(3);
		_exit(3);
	}
	close(ready);
	pid_t self = getpid();
	pid_t kernel = fork();

	if (kernel == 0) {
		die_with_parent(self);
		become_kernel(l, true, missing);
	}
	close(REPORT_FD);
	if (kernel < 0 || limits_drop_caps(&e) < 0)
		_exit(3);
	/* Once more: with the capabilities the kernel dropped the death signal, too. */
	die_with_parent(0);
	_exit(reap_until(kernel));
}

/* One way to confine. The pid of process 1 of the jail, or -1. */
static pid_t try_way(const struct launch *l, size_t way, struct err *e)
{
	struct clone_args args = {.flags = ways[way].flags, .exit_signal = SIGCHLD};
	int ready[2];
	char text[512];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	hold_sigterm(true);
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	/* Filters that cannot look at its flags say that it is not there. */
	if (pid < 0 && errno == ENOSYS)
		pid = (pid_t)syscall(SYS_clone, args.flags | SIGCHLD, NULL, NULL, NULL, NULL);
	if (note_inner(pid) == 0)
		run_inside(l, ways[way].flags, ways[way].missing, ready[1]);
	close(ready[1]);
	if (pid < 0) {
		close(ready[0]);
		return err_sys(e, ways[way].flags & CLONE_NEWUSER
					  ? "user namespaces (CLONE_NEWUSER)"
					  : "new namespaces");
	}
	ssize_t n = read(ready[0], text, sizeof(text) - 1);

	close(ready[0]);
	if (n <= 0)
		return pid;
	inner = NOT_YET;
	waitpid(pid, NULL, 0);
	text[n] = '\0';
	return err_set(e, ERR_ENV, "%s", text);
}

/* With insecure=1, where nothing confines: the guest's kernel sees all that we see. */
static pid_t start_unconfined(const struct launch *l)
{
	pid_t self = getpid();

	hold_sigterm(true);
	pid_t pid = note_inner(fork());

	if (pid == 0) {
		die_with_parent(self);
		become_kernel(l, false, MISSING_USERNS | MISSING_CGROUPNS);
	}
	return pid;
}

/* A kernel that fails leaves children behind, stopped and in sessions of their own; in a jail the
 * end of process 1 is theirs. They are ours now: we are their reaper. */
static void end_children(void)
{
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	for (;;) {
		FILE *f = fopen(path, "re");
		bool found = f && fscanf(f, "%d", &pid) == 1;

		if (f)
			fclose(f);
		if (!found || kill(pid, SIGKILL) < 0)
			return;
		waitpid(pid, NULL, 0);
	}
}

/* Where memory runs out, a guest goes and not what all guests need. Raising it is for everybody. */
static void go_first(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "we");

	if (!f)
		return;
	fputs("500", f);
	fclose(f);
}

/* All but the kernel and, if there is one, what it goes on from, which has a lower number. */
static void close_others(const struct launch *l)
{
	unsigned first = l->state_fd < 0 ? REPORT_FD + 1 : (unsigned)l->state_fd + 1;

	if ((unsigned)l->kernel_fd > first)
		close_range(first, (unsigned)l->kernel_fd - 1, 0);
	close_range((unsigned)l->kernel_fd + 1, ~0U, 0);
}

int main(int argc, char **argv)
{
	struct launch l;
	struct err e;
	struct err first = {0}; /* of the best way: what keeps others from working says less */
	pid_t pid = -1;

	die_with_parent(getppid());
	setsid();
	obey_sigterm();
	slice_want_short();
	go_first();
	if (launch_parse(&l, argc, argv, &e) < 0)
		die(&e);
	close_others(&l);
	for (size_t i = 0; i < ARRAY_LEN(ways) && pid < 0; i++) {
		pid = try_way(&l, i, &e);
		if (pid < 0 && !first.kind)
			first = e;
	}
	if (pid < 0 && l.insecure) {
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
		pid = start_unconfined(&l);
	}
	if (pid < 0) {
		err_wrap(&first,
			 "this guest cannot be confined (--insecure starts it all the same)");
		die(&first);
	}
	close(REPORT_FD);
	close(l.kernel_fd);
	if (l.state_fd >= 0)
		close(l.state_fd);
	prctl(PR_SET_NAME, l.name, 0, 0, 0);
	console_watch(pid);
	int status = reap_until(pid);

	end_children();
	return status;
}
