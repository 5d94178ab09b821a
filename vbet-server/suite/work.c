/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One loop, no threads: for each case that runs it watches three pipes. Through the first comes
 * what the process says in lines of JSON, through the second what it says to people.
 *
 * Nothing is ever said through the third. The process has its other end, and so has the server that
 * it forks off, but no process of the lab (lib/spawn.c closes it there). So it comes to its end
 * when process and server are both gone, however they ended: only then is the lab down, and its
 * directory may be removed.
 */
#include "vbet-server/suite/work.h"

#include "lib/container_of.h"
#include "lib/loop.h"
#include "lib/sock.h"
#include "lib/spawn.h"
#include "lib/visible.h"
#include "vbet-server/store/load.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/suite/archive.h"
#include "vbet-server/suite/left.h"
#include "vbet-server/suite/news.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 4 << 20, /* of JSON: a check's output is far less */
	WORDS_MAX_BYTES = 16384,  /* of what is said to people: the last of it */
};
static const int64_t second_ns = 1000000000;
static const int64_t down_ns = 60 * INT64_C(1000000000); /* in which a lab goes down */

/* Bytes that came through a pipe and are not used yet. */
struct stream {
	struct loop_watch watch; /* fd -1: it has ended */
	char *text;
	size_t len, cap;
};

struct job {
	struct work *work;
	struct suite_case *c; /* NULL: it is free */
	struct child child;
	struct stream events, words;
	struct loop_watch life;
	struct loop_timer limit;
	int64_t began_ns;
	char *dir;                 /* owned: its run directory */
	char *archive;             /* owned, or NULL */
	enum err_kind ended_by_us; /* ERR_TIMEOUT: its limit; ERR_ENV: all are to end */
	bool says_end;
};

struct work {
	struct suite *suite;
	const struct work_wish *wish;
	const struct work_listener *listener;
	struct loop *loop;
	struct loop_watch signals;
	struct loop_timer tick;
	struct job *jobs;
	size_t running;
	size_t next; /* no case before it waits */
	int64_t memory_bytes;
	char *dir; /* owned: for the run directories */
	int lock;
	int signal;
	bool stop;  /* no more are begun */
	bool stuck; /* a lab did not go down: its directory stays */
};

static void tick(struct work *w)
{
	w->listener->tick(w->listener->ctx);
}

/* ---- what a process says ---- */

static void stream_close(struct job *j, struct stream *s)
{
	if (s->watch.fd < 0)
		return;
	loop_remove(j->work->loop, &s->watch);
	close(s->watch.fd);
	s->watch.fd = -1;
}

static void take_lines(struct job *j)
{
	const struct work_listener *l = j->work->listener;
	struct stream *s = &j->events;
	size_t used = 0;

	for (char *end; (end = memchr(s->text + used, '\n', s->len - used));) {
		*end = '\0';
		switch (news_read(j->c, s->text + used)) {
		case NEWS_CHECK:
			l->checked(l->ctx, j->c, &j->c->checks.at[j->c->checks.n - 1]);
			break;
		case NEWS_END:
			j->says_end = true;
			break;
		case NEWS_NONE:
			break;
		}
		used = (size_t)(end + 1 - s->text);
	}
	s->len -= used;
	memmove(s->text, s->text + used, s->len);
	/* What never becomes a line is no event. */
	if (s->len > LINE_MAX_BYTES)
		s->len = 0;
}

/* All that is there. */
static void stream_read(struct job *j, struct stream *s)
{
	ssize_t n;

	while (s->watch.fd >= 0) {
		if (s->cap - s->len < 4096) {
			s->cap = s->cap ? s->cap * 2 : 16384;
			s->text = xrealloc(s->text, s->cap);
		}
		n = read(s->watch.fd, s->text + s->len, s->cap - s->len - 1);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			stream_close(j, s);
			return;
		}
		s->len += (size_t)n;
		if (s == &j->events) {
			take_lines(j);
		} else if (s->len > WORDS_MAX_BYTES) {
			memmove(s->text, s->text + s->len - WORDS_MAX_BYTES, WORDS_MAX_BYTES);
			s->len = WORDS_MAX_BYTES;
		}
	}
}

static void on_events(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct job *j = container_of(w, struct job, events.watch);

	stream_read(j, &j->events);
}

static void on_words(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct job *j = container_of(w, struct job, words.watch);

	stream_read(j, &j->words);
}

/* ---- the end of one ---- */

static char *words_said(const struct job *j)
{
	char *text = xstrndup(j->words.text ? j->words.text : "", j->words.len);
	char *shown = visible_text(text);
	size_t len = strlen(shown);

	while (len && shown[len - 1] == '\n')
		shown[--len] = '\0';
	free(text);
	return shown;
}

static int exit_status(const struct job *j, int status, char **why)
{
	if (j->ended_by_us == ERR_TIMEOUT)
		*why = xasprintf("ended after its limit of %.3g s",
				 (double)j->work->wish->limit_ns / 1e9);
	else if (WIFSIGNALED(status))
		*why = xasprintf("its process was ended by signal %d", WTERMSIG(status));
	else if (!j->says_end && WEXITSTATUS(status) <= ERR_EXPECT)
		*why = xstrdup("its process ended without saying what came of it");
	if (j->ended_by_us)
		return j->ended_by_us;
	if (*why || WEXITSTATUS(status) > ERR_TIMEOUT)
		return ERR_ENV;
	return WEXITSTATUS(status);
}

static void decide(struct job *j, int wait_status)
{
	struct suite_case *c = j->c;
	char *why = NULL;
	char *said = words_said(j);

	c->status = exit_status(j, wait_status, &why);
	c->outcome = suite_outcome_of(c->status);
	c->wall_ns = loop_now_ns(j->work->loop) - j->began_ns;
	if (j->work->signal && j->ended_by_us == ERR_ENV) {
		c->outcome = SUITE_SKIPPED;
		c->status = 0;
	}
	/* What it said to people has more to it than the one line that it gave us. */
	if (why || (*said && c->status > ERR_EXPECT)) {
		free(c->trouble);
		c->trouble =
			why && *said ? xasprintf("%s\n%s", why, said) : xstrdup(why ? why : said);
	}
	free(why);
	free(said);
}

static void finish(struct job *j)
{
	struct work *w = j->work;

	stream_close(j, &j->events);
	stream_close(j, &j->words);
	free(j->events.text);
	free(j->words.text);
	loop_remove(w->loop, &j->life);
	if (j->life.fd >= 0)
		close(j->life.fd);
	loop_cancel_timer(w->loop, &j->limit);
	if (j->child.pidfd > 0)
		close(j->child.pidfd);
	free(j->dir);
	free(j->archive);
	*j = (struct job){.work = w};
	w->running--;
}

static void ended(struct job *j)
{
	struct work *w = j->work;
	struct suite_case *c = j->c;

	if (j->archive && c->outcome == SUITE_PASSED && !w->wish->archives_all) {
		paths_remove_tree(j->archive);
	} else if (j->archive && access(j->archive, F_OK) == 0) {
		c->archive = xstrdup(j->archive);
	}
	if (w->wish->until_fail && c->outcome != SUITE_PASSED)
		w->stop = true;
	finish(j);
	w->listener->ended(w->listener->ctx, c);
	tick(w);
}

static void on_life(struct loop_watch *watch, uint32_t events, int64_t now_ns)
{
	struct job *j = container_of(watch, struct job, life);
	int status = 0;

	stream_read(j, &j->events);
	stream_read(j, &j->words);
	while (waitpid(j->child.pid, &status, 0) < 0 && errno == EINTR)
		;
	decide(j, status);
	paths_remove_tree(j->dir);
	ended(j);
}

static void end_job(struct job *j, enum err_kind why)
{
	if (j->ended_by_us)
		return;
	j->ended_by_us = why;
	if (j->archive)
		archive_consoles(j->archive, j->dir, j->c->lab);
	kill(j->child.pid, SIGTERM);
	loop_set_timer(j->work->loop, &j->limit, loop_now_ns(j->work->loop) + down_ns);
}

/* Its limit; and if it has been ended for that already, its lab does not go down. */
static void on_limit(struct loop_timer *t, int64_t now_ns)
{
	struct job *j = container_of(t, struct job, limit);

	if (!j->ended_by_us) {
		end_job(j, ERR_TIMEOUT);
		return;
	}
	j->work->stuck = true;
	kill(j->child.pid, SIGKILL);
	waitpid(j->child.pid, NULL, 0);
	j->c->status = ERR_ENV;
	j->c->outcome = SUITE_BROKEN;
	j->c->wall_ns = now_ns - j->began_ns;
	free(j->c->trouble);
	j->c->trouble = xasprintf("its lab does not go down; its directory is %s", j->dir);
	ended(j);
}

/* ---- the begin of one ---- */

/* Our environment, but for where labs are. */
static char **make_environment(const char *dir)
{
	size_t n = 0;
	size_t kept = 0;

	while (environ[n])
		n++;
	char **env = xcalloc(n + 2, sizeof(*env));

	env[kept++] = xasprintf("XDG_RUNTIME_DIR=%s", dir);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "XDG_RUNTIME_DIR=", strlen("XDG_RUNTIME_DIR=")) != 0)
			env[kept++] = environ[i];
	return env;
}

/* Words of its command; what was made for it is in owned. */
static void make_command(const struct job *j, struct strvec *v, struct strvec *owned, char **boot)
{
	const struct work_wish *wish = j->work->wish;

	vec_push(v, wish->program);
	vec_push(v, "test");
	vec_push(v, "-q");
	vec_push(v, "--json");
	/*
	 * How long a guest takes to boot is the machine's doing, which has other labs at the same
	 * time; one that hangs is found well before the lab's own limit. A word of the user's comes
	 * later, and counts.
	 */
	if (wish->limit_ns) {
		*boot = xasprintf("--timeout=%" PRId64 "ns", wish->limit_ns / 2);
		vec_push(v, *boot);
	}
	for (size_t i = 0; i < wish->words->n; i++)
		vec_push(v, wish->words->at[i]);
	if (j->c->has_seed)
		vec_push(owned, xasprintf("--seed=%" PRIu64, j->c->seed));
	if (j->archive)
		vec_push(owned, xasprintf("--keep=%s", j->archive));
	for (size_t i = 0; i < owned->n; i++)
		vec_push(v, owned->at[i]);
	vec_push(v, "--");
	vec_push(v, j->c->file);
	vec_push(v, NULL);
}

static int spawn(struct job *j, const int *theirs, struct err *e)
{
	struct strvec words = {0};
	struct strvec owned = {0};
	char *boot = NULL;
	char **env = make_environment(j->dir);

	make_command(j, &words, &owned, &boot);
	struct spawn s = {
		.argv = (char *const *)words.at,
		.envp = env,
		.fds = {open("/dev/null", O_RDONLY | O_CLOEXEC), theirs[0], theirs[1], theirs[2]},
		.n_fds = 4,
	};
	int rc = s.fds[0] < 0 ? err_sys(e, "open /dev/null") : spawn_child(&s, &j->child, e);

	if (s.fds[0] >= 0)
		close(s.fds[0]);
	for (size_t i = 0; i < owned.n; i++)
		free((char *)owned.at[i]);
	vec_free(&owned);
	vec_free(&words);
	free(boot);
	free(env[0]);
	free(env);
	return rc;
}

/* Three pipes: ours are in the watches, theirs in the array. */
static int open_pipes(struct job *j, int *theirs, struct err *e)
{
	struct loop_watch *ours[] = {&j->events.watch, &j->words.watch, &j->life};

	j->events.watch.ready = on_events;
	j->words.watch.ready = on_words;
	j->life.ready = on_life;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		ours[i]->fd = theirs[i] = -1;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0)
			return err_sys(e, "pipe");
		ours[i]->fd = pair[0];
		theirs[i] = pair[1];
		sock_set_nonblock(pair[0]);
		if (loop_add(j->work->loop, ours[i], EPOLLIN, e) < 0)
			return -1;
	}
	return 0;
}

static int start(struct job *j, struct err *e)
{
	int theirs[3];
	int rc = open_pipes(j, theirs, e);

	if (rc == 0 && mkdir(j->dir, 0700) < 0)
		rc = err_sys(e, "make %s", j->dir);
	if (rc == 0)
		rc = spawn(j, theirs, e);
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
		if (theirs[i] >= 0)
			close(theirs[i]);
	return rc;
}

static void begin(struct work *w, struct job *j, struct suite_case *c)
{
	struct err e = {0};

	j->c = c;
	j->began_ns = loop_now_ns(w->loop);
	j->dir = xasprintf("%s/%zu", w->dir, (size_t)(j - w->jobs));
	j->archive = w->wish->archives ? archive_path(w->wish->archives, c) : NULL;
	c->outcome = SUITE_RUNS;
	w->running++;
	w->listener->started(w->listener->ctx, c);
	if (start(j, &e) < 0) {
		c->outcome = SUITE_BROKEN;
		c->status = ERR_ENV;
		free(c->trouble);
		c->trouble = visible_text(e.text);
		ended(j);
		return;
	}
	j->limit.fire = on_limit;
	if (w->wish->limit_ns)
		loop_set_timer(w->loop, &j->limit, j->began_ns + w->wish->limit_ns);
	tick(w);
}

static struct suite_case *next_case(struct work *w)
{
	struct suite *s = w->suite;

	while (w->next < s->cases.n && s->cases.at[w->next]->outcome != SUITE_WAITS)
		w->next++;
	if (w->next == s->cases.n)
		w->listener->refill(w->listener->ctx, s);
	return w->next < s->cases.n ? s->cases.at[w->next] : NULL;
}

/* One by itself always fits: whether it does is found out when it boots. */
static bool has_room(const struct work *w, const struct suite_case *c)
{
	int64_t used = c->memory_bytes;

	for (size_t i = 0; i < w->suite->side_by_side; i++)
		if (w->jobs[i].c)
			used += w->jobs[i].c->memory_bytes;
	return !w->running || !w->memory_bytes || used <= w->memory_bytes;
}

static void begin_some(struct work *w)
{
	for (size_t i = 0; i < w->suite->side_by_side && !w->stop; i++) {
		struct job *j = &w->jobs[i];
		struct suite_case *c;

		/* One that cannot be started has ended at once. */
		while (!j->c && !w->stop && (c = next_case(w)) && has_room(w, c))
			begin(w, j, c);
	}
}

/* ---- all of it ---- */

static void on_signal(struct loop_watch *watch, uint32_t events, int64_t now_ns)
{
	struct work *w = container_of(watch, struct work, signals);
	struct signalfd_siginfo info;

	if (read(watch->fd, &info, sizeof(info)) != sizeof(info))
		return;
	w->signal = (int)info.ssi_signo;
	w->stop = true;
	for (size_t i = 0; i < w->suite->side_by_side; i++)
		if (w->jobs[i].c)
			end_job(&w->jobs[i], ERR_ENV);
}

static void on_tick(struct loop_timer *t, int64_t now_ns)
{
	struct work *w = container_of(t, struct work, tick);

	tick(w);
	loop_set_timer(w->loop, t, now_ns + second_ns);
}

/* Short, since the sockets of labs are in it. */
static int make_directory(struct work *w, struct err *e)
{
	char *base = paths_base_dir(e);

	if (!base)
		return -1;
	left_clean(base);
	w->dir = left_path(base, getpid());
	free(base);
	if (mkdir(w->dir, 0700) < 0)
		return err_sys(e, "make %s", w->dir);
	w->lock = paths_lock(w->dir);
	return w->lock < 0 ? err_sys(e, "lock %s", w->dir) : 0;
}

static int set_up(struct work *w, struct err *e)
{
	w->loop = loop_create(e);
	if (!w->loop || loop_add_signals(w->loop, &w->signals, 0, e) < 0 ||
	    make_directory(w, e) < 0)
		return -1;
	w->memory_bytes = load_available_memory();
	w->jobs = xcalloc(w->suite->side_by_side, sizeof(*w->jobs));
	for (size_t i = 0; i < w->suite->side_by_side; i++)
		w->jobs[i].work = w;
	w->tick.fire = on_tick;
	loop_set_timer(w->loop, &w->tick, loop_now_ns(w->loop) + second_ns);
	return 0;
}

int work_run(struct suite *s, const struct work_wish *wish, const struct work_listener *listener,
	     int *signal, struct err *e)
{
	struct work w = {.suite = s,
			 .wish = wish,
			 .listener = listener,
			 .signals = {.fd = -1, .ready = on_signal},
			 .lock = -1};
	sigset_t before;

	sigprocmask(SIG_BLOCK, NULL, &before);
	int64_t began_ns = clock_monotonic_ns();
	int rc = set_up(&w, e);

	if (rc == 0)
		begin_some(&w);
	while (rc == 0 && w.running) {
		rc = loop_turn(w.loop, INT64_MAX, e);
		if (rc == 0)
			begin_some(&w);
	}
	for (size_t i = 0; i < s->cases.n; i++)
		if (s->cases.at[i]->outcome == SUITE_WAITS)
			s->cases.at[i]->outcome = SUITE_SKIPPED;
	s->wall_ns = clock_monotonic_ns() - began_ns;
	if (w.loop)
		loop_remove(w.loop, &w.signals);
	if (w.signals.fd >= 0)
		close(w.signals.fd);
	if (w.lock >= 0)
		close(w.lock);
	if (w.dir && !w.stuck)
		paths_remove_tree(w.dir);
	loop_destroy(w.loop);
	free(w.jobs);
	free(w.dir);
	sigprocmask(SIG_SETMASK, &before, NULL);
	*signal = w.signal;
	return rc;
}
