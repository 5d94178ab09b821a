/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a lab comes up: the script is read and understood here, in the process of the command, where
 * what is wrong with it can be shown; then the server is forked off (server/start.c) and tells of
 * its progress over a socket, until the lab is ready or why it is not. The command that asked for
 * the lab is a client like any other from then on.
 */
#include "vbet-server/command/boot.h"

#include "lib/cpus.h"
#include "lib/loop.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/packages.h"
#include "vbet-server/command/warm_start.h"
#include "vbet-server/plan/plan.h"
#include "vbet-server/plan/spread.h"
#include "vbet-server/server/start.h"
#include "vbet-server/store/load.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* One for four processors: guests need most of them. */
static unsigned automatic_processes(void)
{
	unsigned cpus = cpus_online();

	return cpus < 8 ? 1 : cpus < 4 * SPREAD_MAX ? cpus / 4 : SPREAD_MAX;
}

/* How many open files a process may have; 0: no bound. */
static size_t descriptors_max(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_max == RLIM_INFINITY)
		return 0;
	return (size_t)r.rlim_max;
}

int boot_parse_processes(const struct cmd_options *o, const struct graph *g, struct plan_wish *wish,
			 struct err *e)
{
	bool is_virtual = g->clock == CLOCK_VIRTUAL;
	int64_t v;

	wish->descriptors_max = descriptors_max();
	wish->processes = spread_processes(g, wish->descriptors_max);
	if (!o->processes)
		return 0;
	if (!strcmp(o->processes, "auto")) {
		if (!is_virtual && wish->processes < automatic_processes())
			wish->processes = automatic_processes();
		return 0;
	}
	if (unit_parse(UNIT_COUNT, o->processes, &v, e) < 0)
		return err_wrap(e, "--substrate-processes");
	if (v < 1 || v > SPREAD_MAX)
		return err_set(e, ERR_USAGE, "--substrate-processes is from 1 to %d", SPREAD_MAX);
	if (v > 1 && is_virtual)
		return err_set(e, ERR_USAGE,
			       "--substrate-processes: in virtual time there is one process, which "
			       "keeps the calendar (--clock real for more)");
	wish->processes = (unsigned)v;
	return 0;
}

static int parse_at_once(const struct cmd_options *o, const struct graph *g, unsigned *n,
			 struct err *e)
{
	static const int64_t most = 1000000;
	int64_t v;

	*n = 0;
	if (!o->at_once)
		return 0;
	if (g->clock != CLOCK_VIRTUAL)
		return err_set(e, ERR_USAGE,
			       "--guests-at-once: only the virtual clock says who runs when "
			       "(--clock virtual)");
	if (unit_parse(UNIT_COUNT, o->at_once, &v, e) < 0)
		return err_wrap(e, "--guests-at-once");
	if (v < 1 || v > most)
		return err_set(e, ERR_USAGE, "--guests-at-once is from 1 to %lld", (long long)most);
	*n = (unsigned)v;
	return 0;
}

/*
 * A stage is the first word of what the server says. What begins with the same word as the line
 * before is news of the same stage, and takes its place on the terminal.
 */
struct progress {
	bool tty, quiet, open_line;
	char last_stage[32];
	char last_text[512]; /* without a terminal: not printed yet */
};

/* One line per stage: on a terminal it is written over while the stage lasts, else printed at its
 * end. */
static void show_progress(void *ctx, const char *text)
{
	struct progress *p = ctx;
	char stage[32];

	if (p->quiet)
		return;
	snprintf(stage, sizeof(stage), "%.*s", (int)strcspn(text, ": "), text);
	bool same = !strcmp(stage, p->last_stage);

	memcpy(p->last_stage, stage, sizeof(stage));
	if (!p->tty) {
		/* In a file or a pipe a stage is one line, too: what it came to. */
		if (!same && *p->last_text)
			fprintf(stderr, "%s\n", p->last_text);
		snprintf(p->last_text, sizeof(p->last_text), "%s", text);
		return;
	}
	if (p->open_line)
		fputs(same ? "\r\x1b[K" : "\n", stderr);
	fputs(text, stderr);
	fflush(stderr);
	p->open_line = true;
}

static void end_progress(struct progress *p)
{
	if (p->open_line)
		fputc('\n', stderr);
	p->open_line = false;
	if (*p->last_text)
		fprintf(stderr, "%s\n", p->last_text);
	*p->last_text = '\0';
}

/* Makes the directory of a record; *out gets its absolute path, if there is to be one. */
static int make_record(const char *dir, char **out, struct err *e)
{
	if (!dir)
		return 0;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", dir);
	*out = realpath(dir, NULL);
	if (!*out)
		return err_sys(e, "%s", dir);
	char *manifest = xasprintf("%s/manifest", *out);
	int rc = access(manifest, F_OK) == 0
			 ? err_set(e, ERR_USAGE, "there is a run in %s already", dir)
			 : 0;

	free(manifest);
	return rc;
}

/* Makes the directory of disks that outlive the lab; *out gets its absolute path. */
static int make_disks(const struct cmd_options *o, char **out, struct err *e)
{
	const char *dir = o->keep_disks;

	if (!dir)
		return 0;
	if (o->record || o->whatif)
		return err_set(e, ERR_USAGE,
			       "--keep-disks: a run that begins with what an earlier one wrote "
			       "cannot be repeated from its record");
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", dir);
	*out = realpath(dir, NULL);
	return *out ? 0 : err_sys(e, "%s", dir);
}

/* The script was checked for the clock that it asks for, which may be the other one. */
static int check_outside(const struct graph *g, struct err *e)
{
	for (size_t i = 0; i < g->n_nodes; i++)
		if (node_kind_is_outside(g->nodes[i].kind))
			return err_set(
				e, ERR_USAGE,
				"%s leads outside of the lab, where time does not stand still: "
				"it needs --clock real",
				g->nodes[i].name);
	return 0;
}

static int parse_clock(const struct cmd_options *o, struct graph *g, struct err *e)
{
	if (!o->clock)
		return 0;
	if (strcmp(o->clock, "real") != 0 && strcmp(o->clock, "virtual") != 0)
		return err_set(e, ERR_USAGE, "--clock takes real or virtual, not '%s'", o->clock);
	g->clock = *o->clock == 'v' ? CLOCK_VIRTUAL : CLOCK_REAL;
	return g->clock == CLOCK_VIRTUAL ? check_outside(g, e) : 0;
}

static int parse_number(const char *text, const char *option, int64_t *v, struct err *e)
{
	if (text && unit_parse(UNIT_COUNT, text, v, e) < 0)
		return err_wrap(e, "%s", option);
	return 0;
}

/* "150%": shares of a whole, as elsewhere, end with 100%; processors do not. */
static int parse_cpu(const char *text, int64_t *ppm, struct err *e)
{
	static const int64_t most = 1000000;
	size_t n = text ? strlen(text) : 0;
	int64_t percent = 0;

	if (!text)
		return 0;
	char *number = xstrndup(text, n ? n - 1 : 0);
	bool ok = n && text[n - 1] == '%' && unit_parse(UNIT_COUNT, number, &percent, NULL) == 0;

	free(number);
	if (!ok || percent < 1 || percent > most)
		return err_set(e, ERR_USAGE,
			       "--cpu is a share of a processor, such as 50%% or 150%%");
	*ppm = percent * 10000;
	return 0;
}

/* What the lab may take of the machine. */
static int parse_bounds(const struct cmd_options *o, struct plan_wish *wish, struct err *e)
{
	if (o->memory && unit_parse(UNIT_SIZE, o->memory, &wish->memory_bytes, e) < 0)
		return err_wrap(e, "--memory");
	if (o->memory && wish->memory_bytes < PLAN_CARRIER_MIN)
		return err_set(e, ERR_USAGE,
			       "--memory: a lab needs %d MB beside that of its guests",
			       (int)(PLAN_CARRIER_MIN >> 20));
	return parse_cpu(o->cpu, &wish->cpu_ppm, e);
}

static const int64_t back_every_min_ns = 100000000;
static const int64_t back_every_usual_ns = INT64_C(10000000000);

/* --back-every off|TIME[,SIZE], else VBET_BACK_EVERY. */
static int parse_back(const struct cmd_options *o, const struct graph *g, struct lab_options *opt,
		      struct err *e)
{
	const char *said = o->back_every ? o->back_every : getenv("VBET_BACK_EVERY");
	const char *size = said ? strchr(said, ',') : NULL;

	if (!said || !*said) {
		opt->back_unasked = opt->back_every_ns != 0;
		return 0;
	}
	opt->back_every_ns = 0;
	if (!strcmp(said, "off"))
		return 0;
	if (g->clock == CLOCK_REAL)
		return o->back_every
			       ? err_set(e, ERR_USAGE,
					 "only a lab in virtual time can go back: --back-every "
					 "wants --clock virtual")
			       : 0;
	char *time = xstrndup(said, strcspn(said, ","));
	int rc = unit_parse(UNIT_TIME, time, &opt->back_every_ns, e);

	if (rc == 0 && size)
		rc = unit_parse(UNIT_SIZE, size + 1, &opt->back_bytes, e);
	if (rc == 0 && opt->back_every_ns < back_every_min_ns)
		rc = err_set(e, ERR_USAGE, "at least 100ms");
	free(time);
	return rc < 0 ? err_wrap(e, "--back-every") : 0;
}

/* Clock, seed and spin are of the network, as if the script had said them. */
static int parse_up_options(const struct cmd_options *o, struct graph *g, struct lab_options *opt,
			    struct err *e)
{
	int64_t jobs = 0;
	int64_t seed = (int64_t)g->seed;

	if (cmd_timeout_ns(o, 60, &opt->boot_timeout_ns, e) < 0 ||
	    parse_number(o->jobs, "--jobs", &jobs, e) < 0 ||
	    parse_number(o->seed, "--seed", &seed, e) < 0 || parse_clock(o, g, e) < 0)
		return -1;
	opt->boot_is_bounded = o->timeout != NULL;
	opt->jobs = (size_t)jobs;
	g->seed = (uint64_t)seed;
	if (o->spin && !graph_find_spin(o->spin, &g->spin))
		return err_set(e, ERR_USAGE, "--spin takes report, stop or charge, not '%s'",
			       o->spin);
	if (o->record && g->clock == CLOCK_REAL)
		return err_set(e, ERR_USAGE,
			       "only a run in virtual time can be repeated: --record wants --clock "
			       "virtual");
	if (parse_at_once(o, g, &opt->plan.guests_at_once, e) < 0 ||
	    parse_bounds(o, &opt->plan, e) < 0 || parse_back(o, g, opt, e) < 0)
		return -1;
	return boot_parse_processes(o, g, &opt->plan, e);
}

/* What the lab is ready without is said last, also to those who want no progress. */
static int await_boot(struct session *s, struct progress *p, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&text, &len);
	int rc = client_answer(s, out, show_progress, p, e);

	fclose(out);
	end_progress(p);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		fprintf(stderr, "vbet: warning: %s\n", line);
	free(text);
	return rc;
}

static void take_link(struct session *s, struct server_link link)
{
	s->fd = link.fd;
	s->ended_fd = link.ended_fd;
}

/* A lab that cannot be restored is booted as if there had been nothing to restore. */
static bool restore_warm(struct warm_start *warm, struct lab_options *opt, struct session *s,
			 struct progress *p)
{
	struct err why = {0};
	struct server_link link;

	if (!warm_start_restore(warm, opt, &link))
		return false;
	take_link(s, link);
	int rc = await_boot(s, p, &why);

	warm_start_restored(warm, rc == 0 ? NULL : &why);
	if (rc == 0)
		return true;
	client_await_end(s);
	*s = (struct session){.fd = -1};
	return false;
}

static int start_cold(struct loaded *l, const struct lab_options *opt, struct session *s,
		      struct progress *p, struct err *e)
{
	struct server_link link;

	if (server_start(l->script, l->graph, opt, &link, e) < 0)
		return -1;
	take_link(s, link);
	int rc = await_boot(s, p, e);

	/* Who is told that it failed must find nothing of it. */
	if (rc < 0)
		client_await_end(s);
	return rc;
}

static int start(const struct cmd_options *o, struct loaded *l, struct lab_options *opt,
		 struct session *s, struct progress *p, struct err *e)
{
	struct warm_start warm;

	opt->began_ns = clock_monotonic_ns();
	warm_start_open(&warm, o, l, opt);
	int rc = restore_warm(&warm, opt, s, p) ? 0 : start_cold(l, opt, s, p, e);

	if (rc == 0)
		warm_start_booted(&warm);
	warm_start_close(&warm);
	return rc;
}

int boot_loaded(const struct cmd_options *o, const struct boot_wish *wish, struct loaded *l,
		struct err *e)
{
	static const struct boot_wish usual;
	const struct boot_wish *w = wish ? wish : &usual;
	struct progress p = {.tty = isatty(2), .quiet = o->quiet};
	struct session s = {0};
	char *base = paths_base_dir(e);
	char *record = NULL;
	char *disks = NULL;
	int rc = base ? make_disks(o, &disks, e) : -1;
	if (rc == 0)
		rc = make_record(w->record ? w->record : o->record, &record, e);
	struct lab_options opt = {
		.base = base,
		.plan = {.kernel = o->kernel,
			 .base_dir = l->dir,
			 .keep_disks = disks,
			 .insecure = o->insecure},
		/* A run that is repeated was ready, whatever failed in it. */
		.keep_going = o->keep_going || w->inputs,
		.stopped = w->stopped,
		.back_every_ns = w->goes_back ? back_every_usual_ns : 0,
		.held = w->hold != NULL,
		.captures = w->captures,
		.record = record,
		.script = l->file,
		.sources = &l->sources,
		.inputs = w->inputs,
		.replay_ns = w->replay_ns,
		.replay_rest = w->replay_rest,
		.moment_ns = w->moment_ns,
		.moment_dir = w->moment_dir,
	};

	if (rc == 0)
		rc = parse_up_options(o, l->graph, &opt, e);
	if (rc == 0)
		rc = packages_build(l->graph, o->quiet, e);
	if (rc == 0)
		rc = start(o, l, &opt, &s, &p, e);
	if (rc == 0 && w->hold)
		*w->hold = s;
	else if (rc == 0)
		client_close(&s);
	free(disks);
	free(record);
	free(base);
	return rc;
}

int boot_warn(const struct cmd_options *o, const struct loaded *l, size_t *n_warnings,
	      struct err *e)
{
	size_t n = topo_print_warnings(stderr, l->script, l->graph, &o->warn);

	if (n_warnings)
		*n_warnings = n;
	if (!n || !o->warn.is_error)
		return 0;
	return err_set(e, ERR_USAGE, "%zu warning%s, and -Werror", n, n == 1 ? "" : "s");
}

/*
 * The clock is set before the warnings, so that they are about the graph that will run, and an
 * option that is wrong comes before them. It is parsed again with the other options in
 * boot_loaded(), which has callers that come with a graph of their own.
 */
int boot_file(const struct cmd_options *o, const struct boot_wish *wish, const char *file,
	      char **lab, struct err *e)
{
	struct loaded l;

	if (load_script(&l, file, o->lab, e) < 0)
		return -1;
	int rc = ERR_USAGE;

	if (topo_n_errors(l.script)) {
		topo_print_errors(stderr, l.script);
	} else {
		rc = parse_clock(o, l.graph, e);
		if (rc == 0)
			rc = boot_warn(o, &l, NULL, e);
		if (rc == 0)
			rc = boot_loaded(o, wish, &l, e);
		*lab = xstrdup(l.graph->lab);
	}
	load_finish(&l);
	return rc;
}

static bool runs(const char *lab)
{
	char *base = paths_base_dir(NULL);
	bool locked = base && paths_is_locked_lab(base, lab);

	free(base);
	return locked;
}

/* A lab runs from its lock on; its server listens a little later, and for a little less. 0, 1: it
 * does not run any more, or -1. */
static int connect_while_it_runs(struct session *s, const char *lab, struct err *e)
{
	enum { TRIES = 500, PAUSE_MS = 20 };

	for (int i = 0; i < TRIES; i++) {
		if (client_connect(s, lab, e) == 0)
			return 0;
		if (!runs(lab))
			return 1;
		poll(NULL, 0, PAUSE_MS);
	}
	return -1;
}

int boot_restore(const char *run, const char *snapshot, const struct server_follow *follow,
		 struct session *s, struct err *e)
{
	struct server_link link;

	*s = (struct session){.fd = -1};
	if (server_restore(run, snapshot, follow, &link, e) < 0)
		return -1;
	take_link(s, link);
	if (client_answer(s, NULL, client_show_note, NULL, e) == 0)
		return 0;
	client_await_end(s);
	return -1;
}

/*
 * The server's answer says that all its processes have ended; it itself is the last. Whoever looks
 * after that must find nothing, so its end is waited for, too.
 */
static int take_down(const char *lab, const char *heir, struct err *e)
{
	char *words[] = {"down", (char *)(uintptr_t)heir};
	struct session s;
	struct err why;
	int rc = connect_while_it_runs(&s, lab, &why);

	if (rc == 0) {
		struct pollfd server = {.fd = heir ? -1 : client_server_fd(&s), .events = POLLIN};

		rc = client_send(&s, words, heir ? 2 : 1, &why);
		if (rc == 0)
			rc = client_answer(&s, NULL, client_show_note, NULL, &why);
		client_close(&s);
		while (rc == 0 && server.fd >= 0 && poll(&server, 1, -1) < 0 && errno == EINTR)
			;
		if (server.fd >= 0)
			close(server.fd);
	}
	/* Somebody else may have done it. */
	if (rc >= 0 || !runs(lab))
		return 0;
	if (e)
		*e = why;
	return -1;
}

int boot_take_down(const char *lab, struct err *e)
{
	return take_down(lab, NULL, e);
}

int boot_take_place(const char *lab, const char *back, struct err *e)
{
	return take_down(lab, back, e);
}

void boot_release(struct session *held, const char *lab, struct err *e)
{
	struct err late = {0};
	/* Somebody may have taken it down already: then its server has said so on this connection.
	 */
	char *still = client_find_lab(lab, NULL);
	char *end = still ? NULL : client_read_line(held);

	if (still)
		boot_take_down(lab, &late);
	else if (!end)
		err_set(&late, ERR_ENV,
			"the server of lab %s has ended without taking it down ('vbet clean' "
			"removes what it left)",
			lab);
	free(end);
	free(still);
	client_close(held);
	if (late.kind && !e->kind)
		*e = late;
}
