/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An instance talks through the descriptors that it was given and by no other way. The parent reads
 * what the program needs (needs.c), and makes the filter of system calls and the Landlock ruleset
 * of it, where memory may be allocated. The child goes into its namespaces, drops what rights it
 * has, puts both in force, and asks to execute the program: the filter asks its listener, which the
 * parent was sent, and the parent says yes once and closes it. So the first execve() is ours, and
 * there is no second.
 *
 * Namespaces are tried in a process of its own first: who fails half way, in a user namespace
 * without rights in it, is of no use any more.
 */
#include "vnet/mux/sandbox.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "vnet/mux/calls.h"
#include "vnet/mux/emptyroot.h"
#include "vnet/mux/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	DESCRIPTORS = 256,
	MAPPED_SLACK = 256 << 20, /* of addresses: program, libraries, tables */
	TELL_FD = SANDBOX_FDS,    /* in the child */
	LANDLOCK_FD = SANDBOX_FDS + 1,
};

struct sandbox {
	const struct limits *limits;
	bool open_files;
	struct needs needs;
	struct sock_fprog calls;
	int landlock; /* a ruleset, or -1 */
	int told[2];  /* the parent's end, the child's: layers, and the filter's listener */
	unsigned layers;
	bool lacks_layers;
};

struct sandbox *sandbox_create(const char *program, const struct limits *limits, bool open_files,
			       struct err *e)
{
	struct sandbox *s = xcalloc(1, sizeof(*s));
	int version = landlock_version();

	*s = (struct sandbox){
		.limits = limits, .open_files = open_files, .landlock = -1, .told = {-1, -1}};
	if (needs_find(&s->needs, program, e) < 0 || calls_compile(&s->calls, e) < 0)
		goto fail;
	if (version && (s->landlock = landlock_make(&s->needs, version, e)) < 0)
		goto fail;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->told) < 0) {
		err_sys(e, "socketpair");
		goto fail;
	}
	return s;
fail:
	sandbox_destroy(s);
	return NULL;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void sandbox_destroy(struct sandbox *s)
{
	if (!s)
		return;
	close_if_open(&s->told[0]);
	close_if_open(&s->told[1]);
	close_if_open(&s->landlock);
	needs_finish(&s->needs);
	free(s->calls.filter);
	free(s);
}

void sandbox_fds(const struct sandbox *s, int fds[SANDBOX_N_FDS])
{
	fds[0] = s->told[1];
	fds[1] = s->landlock;
}

static int set_limit(__rlimit_resource_t what, int64_t value)
{
	struct rlimit r = {.rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value};

	return setrlimit(what, &r);
}

/*
 * The addresses need slack beyond the memory: program, libraries and tables are mapped, too, and
 * most of that is never touched.
 */
static int set_limits(const struct limits *l)
{
	if (set_limit(RLIMIT_CORE, 0) < 0 || set_limit(RLIMIT_MEMLOCK, 0) < 0 ||
	    set_limit(RLIMIT_NOFILE, DESCRIPTORS) < 0 ||
	    set_limit(RLIMIT_STACK, l->stack_bytes) < 0 ||
	    set_limit(RLIMIT_DATA, l->memory_bytes) < 0)
		return -1;
	return set_limit(RLIMIT_AS, l->memory_bytes + MAPPED_SLACK);
}

/* Whether namespaces can be had shows half way: who fails there is of no use any more. */
static bool try_namespaces(const struct sandbox *s)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(emptyroot_enter(&s->needs) < 0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0;
}

/* Also root's: of no use with an empty root directory, but there may be none. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	return (int)syscall(SYS_capset, &head, none);
}

/* -1 with errno: something that must be had cannot. */
static int confine_files(struct sandbox *s)
{
	if (try_namespaces(s)) {
		if (emptyroot_enter(&s->needs) < 0)
			return -1;
		s->layers |= SANDBOX_NAMESPACES;
	} else if (chdir("/") < 0) {
		return -1;
	}
	if (drop_capabilities() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	if (s->landlock >= 0) {
		if (landlock_enter(LANDLOCK_FD) < 0)
			return -1;
		s->layers |= SANDBOX_LANDLOCK;
	}
	return 0;
}

int sandbox_enter(void *ctx)
{
	struct sandbox *s = ctx;
	pid_t parent = getppid();

	fcntl(TELL_FD, F_SETFD, FD_CLOEXEC);
	if (s->landlock >= 0)
		fcntl(LANDLOCK_FD, F_SETFD, FD_CLOEXEC);
	/* The bounds of memory hold for what is to come: this is still the parent's. */
	if (confine_files(s) < 0 || set_limits(s->limits) < 0)
		return -1;
	/* Capabilities went: the kernel forgets the death signal then. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return -1;
	if (!s->layers && !s->open_files) {
		sock_send_fd(TELL_FD, &s->layers, sizeof(s->layers), -1);
		errno = EPERM;
		return -1;
	}
	s->layers |= SANDBOX_CALLS;
	int listener = calls_install(&s->calls);

	if (listener < 0 || sock_send_fd(TELL_FD, &s->layers, sizeof(s->layers), listener) < 0)
		return -1;
	close(listener);
	return 0;
}

void sandbox_attend(void *ctx)
{
	struct sandbox *s = ctx;
	unsigned layers;
	size_t n_fds = 0;
	int listener = -1;

	/* So that the child's end of it is the end. */
	close_if_open(&s->told[1]);
	ssize_t n = sock_recv_fds(s->told[0], &layers, sizeof(layers), &listener, 1, &n_fds, 0);

	s->lacks_layers = n == sizeof(layers) && !n_fds;
	if (n == sizeof(layers) && n_fds && calls_permit_exec(listener))
		s->layers = layers;
	/* Whoever asks later asks nobody: ENOSYS. */
	if (n_fds)
		close(listener);
}

unsigned sandbox_layers(const struct sandbox *s)
{
	return s->layers;
}

bool sandbox_lacks_layers(const struct sandbox *s)
{
	return s->lacks_layers;
}

const char *sandbox_describe(unsigned layers, char *text, size_t size)
{
	char landlock[32] = "";

	if (layers & SANDBOX_LANDLOCK)
		snprintf(landlock, sizeof(landlock), ", Landlock %d", landlock_version());
	snprintf(text, size, "%s%s%s", layers & SANDBOX_CALLS ? "seccomp" : "nothing", landlock,
		 layers & SANDBOX_NAMESPACES ? ", namespaces" : "");
	return text;
}
