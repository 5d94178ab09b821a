/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services start when what they come after is ready, and are ready when they have ended well (a
 * daemon that goes to the background) or, if they run on, when the path that they name exists; a
 * daemon of FRR, when it answers.
 * Paths are not polled: inotify tells of the directory of such a path, or of the first one above it
 * that exists, so that a guest that waits costs nothing.
 *
 * go_on() is the only place that moves things: whatever happens (an end, a path, a timer) calls it,
 * and it looks at every service until none changes any more. After the last one the start-up
 * commands run, one by one, and then "ready-all" is told, once. A service that never becomes ready
 * fails after READY_TIMEOUT_S, so that the lab hears of it instead of waiting for ever.
 */
#include "vkernel/init/service.h"

#include "lib/container_of.h"
#include "vkernel/init/files.h"
#include "vkernel/init/frr.h"
#include "vkernel/init/proc.h"
#include "vkernel/init/vty.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_DIR "/run/vbet"

enum {
	READY_TIMEOUT_S = 120,
	LISTEN_MS = 20,
	RESTART_S = 1,
};

enum state { WAITING, STARTING, READY, FAILED };

struct service {
	const struct conf_service *c;
	enum state state;
	bool exited;                  /* or has answered: only its path may still be missing */
	bool may_fail;                /* it says so, or what it comes after did, and has failed */
	struct loop_timer timer;      /* STARTING: it takes too long; READY: to be started again */
	struct loop_timer again;      /* a daemon of FRR whose socket is there may listen by now */
	struct vty_question question; /* to a daemon of FRR */
	bool asked;
};

static struct loop *loop;
static struct conf *conf;
static service_event *tell;
static VEC(struct service *) services;
static struct loop_watch paths; /* inotify, while a path is waited for */
static size_t next_run;
static bool running; /* a start-up command */
static bool stopped;

static void go_on(void);

static void set_failed(struct service *s, const char *why)
{
	s->state = FAILED;
	loop_cancel_timer(loop, &s->timer);
	loop_cancel_timer(loop, &s->again);
	tell(s->may_fail ? "tolerated" : "failed", s->c->name, why);
}

static void set_ready(struct service *s)
{
	s->state = READY;
	loop_cancel_timer(loop, &s->timer);
	loop_cancel_timer(loop, &s->again);
	tell("ready", s->c->name, NULL);
}

/* The last line that is not empty, cut to fit. */
static const char *last_line(char *text, size_t len)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	char *nl = strrchr(text, '\n');
	char *line = nl ? nl + 1 : text;

	return strlen(line) > 200 ? line + strlen(line) - 200 : line;
}

/* The log goes to the console as well: who looks for the reason looks there first. */
static void fail_with_log(struct service *s, const char *how)
{
	char path[128];
	char why[512];
	size_t len = 0;

	snprintf(path, sizeof(path), LOG_DIR "/%s.log", s->c->name);
	char *log = files_read(path, &len);
	const char *line = log ? last_line(log, len) : "";

	if (log && write(1, log, len) < 0)
		line = "";
	snprintf(why, sizeof(why), "%s%s%s", how, *line ? ": " : "", line);
	free(log);
	set_failed(s, why);
}

/* It has read its configuration when it answers, and its log is complete. */
static void frr_answered(struct vty_question *q, char *text, size_t len, int status)
{
	struct service *s = container_of(q, struct service, question);
	char why[512];

	free(text);
	if (s->state != STARTING)
		return;
	if (frr_find_refused(s->c->name, why, sizeof(why)))
		set_failed(s, why);
	else
		s->exited = true;
	go_on();
}

static void frr_failed(struct vty_question *q, const char *why)
{
	struct service *s = container_of(q, struct service, question);

	if (s->state != STARTING)
		return;
	fail_with_log(s, why);
	go_on();
}

static bool ask_frr(struct service *s)
{
	static char enable[] = "enable";
	struct err e;

	s->question = (struct vty_question){
		.answered = frr_answered, .failed = frr_failed, .command = enable};
	s->asked = vty_ask(loop, s->c->name, &s->question, &e) == 0;
	return s->asked;
}

static void again_fired(struct loop_timer *t, int64_t now_ns)
{
	go_on();
}

static bool is_direct(const struct service *s)
{
	return s->c->is_frr && frr_find_way(s->c->name) == FRR_DIRECT;
}

/*
 * Three ways to end. One that is to run on fails if it ends before it was ready; if it ends later,
 * it is started again after RESTART_S (restart) or not at all (a daemon of FRR, as if it had gone
 * to the background). A daemon that goes to the background ends with 0 and is ready when its path
 * is there; everything else is a failure, with the last line of its log.
 */
static void ended(void *ctx, int status)
{
	struct service *s = ctx;
	char how[64];

	proc_describe(status, how, sizeof(how));
	if (s->c->restart) {
		if (s->state == STARTING)
			fail_with_log(s, how);
		else if (!stopped)
			loop_set_timer(loop, &s->timer,
				       loop_now_ns(loop) + RESTART_S * 1000000000LL);
	} else if (is_direct(s)) {
		if (s->state == STARTING)
			fail_with_log(s, how);
	} else if (status) {
		fail_with_log(s, how);
	} else {
		s->exited = true;
	}
	go_on();
}

static int open_log(const char *name)
{
	char path[128];

	mkdir(LOG_DIR, 0755);
	snprintf(path, sizeof(path), LOG_DIR "/%s.log", name);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/*
 * A service has an environment of its own and nothing of process 1's, which holds the kernel's
 * arguments. TZ says what would be so without it, but libc does not look for the file at each
 * message that it dates.
 */
static pid_t start_process(char *const *argv, char *const *env, const char *vnet, int log,
			   struct err *e)
{
	static const char *const base[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
		"LANG=C.UTF-8", "TZ=:/etc/localtime"};
	struct vnet_entry entry;
	VEC(char *) envp = {0};

	if (vnet_find_entry(vnet, &entry, e) < 0)
		return -1;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_LEN(base); i++)
		vec_push(&envp, (char *)base[i]);
	for (; env && *env; env++)
		vec_push(&envp, *env);
	vec_push(&envp, NULL);

	struct proc_spec spec = {
		.argv = argv, .envp = envp.at, .cwd = "/", .vnet = &entry, .fds = {null, log, log}};
	pid_t pid = proc_start(&spec, e);

	close(null);
	vec_free(&envp);
	return pid;
}

static void launch(struct service *s)
{
	enum frr_way way = s->c->is_frr ? frr_find_way(s->c->name) : FRR_BY_COMMAND;
	char **argv = s->c->argv;
	struct err e;

	if (way == FRR_NOT_THERE) {
		s->exited = true;
		return;
	}
	if (way == FRR_DIRECT)
		argv = frr_make_argv(&conf->arena, s->c->name);
	s->asked = false;
	int log = open_log(s->c->name);
	pid_t pid = start_process(argv, s->c->env, s->c->vnet, log < 0 ? 1 : log, &e);

	if (log >= 0)
		close(log);
	if (pid < 0) {
		set_failed(s, e.text);
		return;
	}
	proc_watch(pid, ended, s);
}

static void timer_fired(struct loop_timer *t, int64_t now_ns)
{
	for (size_t i = 0; i < services.n; i++) {
		struct service *s = services.at[i];

		if (t != &s->timer)
			continue;
		if (s->state == STARTING) {
			fail_with_log(s, "not ready in time");
			go_on();
		} else if (s->state == READY && !stopped) {
			launch(s);
		}
	}
}

static struct service *find(const char *name, size_t len)
{
	for (size_t i = 0; i < services.n; i++)
		if (!strncmp(services.at[i]->c->name, name, len) && !services.at[i]->c->name[len])
			return services.at[i];
	return NULL;
}

/* READY: all that it comes after is ready; FAILED: some of it never will be, and why says which. */
static enum state state_of_needs(struct service *s, char *why, size_t size)
{
	enum state all = READY;

	for (const char *p = s->c->after; p && *p;) {
		size_t len = strcspn(p, ",");
		const struct service *need = find(p, len);

		if (!need || need->state == FAILED) {
			s->may_fail |= need && need->may_fail;
			snprintf(why, size, "it comes after %.*s, which %s", (int)len, p,
				 need ? "has failed" : "does not run here");
			return FAILED;
		}
		if (need->state != READY)
			all = WAITING;
		p += len + (p[len] == ',');
	}
	return all;
}

/*
 * Looks at the directory of a path that is waited for, or the first above it that exists. If it is
 * the directory that comes, the next look finds a nearer one to watch. Watches on the same
 * directory are one to the kernel, so nothing piles up.
 */
static void watch_path(const char *path)
{
	char *copy = xstrdup(path);

	for (char *dir = dirname(copy);; dir = dirname(dir)) {
		int rc = inotify_add_watch(paths.fd, dir,
					   IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |
						   IN_MOVE_SELF);

		if (rc >= 0 || !strcmp(dir, "/") || !strcmp(dir, "."))
			break;
	}
	free(copy);
}

/*
 * Its socket is there a moment before it listens. Where it has a group of users (vty-group), it
 * changes the owner then, of which inotify tells.
 */
static void try_frr(struct service *s)
{
	char path[128];

	vty_path(s->c->name, path, sizeof(path));
	if (access(path, F_OK) == 0 && ask_frr(s))
		return;
	watch_path(path);
	if (access(path, F_OK) != 0 || ask_frr(s))
		return;
	s->again.fire = again_fired;
	loop_set_timer(loop, &s->again, loop_now_ns(loop) + LISTEN_MS * 1000000LL);
}

static bool is_ready(const struct service *s)
{
	if (!s->exited && !s->c->restart)
		return false;
	if (!s->c->ready || access(s->c->ready, F_OK) == 0)
		return true;
	watch_path(s->c->ready);
	return access(s->c->ready, F_OK) == 0; /* it may have come just before the watch */
}

/*
 * One transition, if there is one. It is called until none is left, so a service whose needs fail
 * fails in the same round, and so do all that need it.
 */
static bool step(struct service *s)
{
	enum state before = s->state;

	if (s->state == WAITING) {
		char why[128];
		enum state needs = state_of_needs(s, why, sizeof(why));

		if (needs == FAILED) {
			set_failed(s, why);
		} else if (needs == READY) {
			s->state = STARTING;
			s->timer.fire = timer_fired;
			loop_set_timer(loop, &s->timer,
				       loop_now_ns(loop) + READY_TIMEOUT_S * 1000000000LL);
			launch(s);
		}
	}
	if (s->state == STARTING && is_direct(s) && !s->exited) {
		if (!s->asked)
			try_frr(s);
	} else if (s->state == STARTING && is_ready(s)) {
		set_ready(s);
	}
	return s->state != before;
}

static void paths_changed(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	_Alignas(8) char buf[4096];

	while (read(w->fd, buf, sizeof(buf)) > 0)
		;
	go_on();
}

static void run_ended(void *ctx, int status)
{
	const struct conf_run *run = ctx;
	char how[64];

	running = false;
	if (status) {
		proc_describe(status, how, sizeof(how));
		char *why = xasprintf("%s: %s", run->command, how);

		tell(run->may_fail ? "tolerated" : "failed", "run", why);
		free(why);
	}
	go_on();
}

/* Nobody waits for a path any more; the inotify descriptor goes. */
static void finish(void)
{
	if (paths.slot) {
		loop_remove(loop, &paths);
		close(paths.fd);
	}
	tell("ready-all", NULL, NULL);
}

/* After the services: the start-up commands, one after the other. */
static void run_next(void)
{
	while (next_run < conf->runs.n) {
		struct conf_run *run = &conf->runs.at[next_run++];
		char *const argv[] = {(char *)"/bin/sh", (char *)"-c", run->command, NULL};
		struct err e;
		pid_t pid = start_process(argv, NULL, run->vnet, 1, &e);

		if (pid > 0) {
			running = true;
			proc_watch(pid, run_ended, run);
			return;
		}
		tell(run->may_fail ? "tolerated" : "failed", "run", e.text);
	}
	next_run++; /* finished, once */
	finish();
}

static void go_on(void)
{
	bool changed = true;
	bool all = true;

	while (changed) {
		changed = false;
		all = true;
		for (size_t i = 0; i < services.n; i++) {
			changed |= step(services.at[i]);
			all &= services.at[i]->state >= READY;
		}
	}
	if (all && !running && next_run <= conf->runs.n)
		run_next();
}

void service_start_all(struct loop *l, struct conf *c, service_event *event)
{
	struct conf_service *s;

	loop = l;
	conf = c;
	tell = event;
	VEC_FOREACH (s, &conf->services) {
		struct service *n = xcalloc(1, sizeof(*n));

		n->c = s;
		n->may_fail = s->may_fail;
		vec_push(&services, n);
	}
	if (services.n) {
		paths.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		paths.ready = paths_changed;
		if (paths.fd >= 0)
			loop_add(loop, &paths, EPOLLIN, NULL);
	}
	go_on();
}

void service_stop_all(void)
{
	stopped = true;
}
