/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands for whole labs: check, up, run, down, ls, status, wait, clean. */
#include "lib/json.h"
#include "lib/sock.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/plan/spread.h"
#include "vbet-server/server/server.h"
#include "vbet-server/store/load.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* One for four processors: guests need most of them. */
static unsigned automatic_processes(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 8 ? 1 : cpus < 4 * SPREAD_MAX ? (unsigned)cpus / 4 : SPREAD_MAX;
}

static int parse_processes(const struct cmd_options *o, const struct graph *g, unsigned *n,
			   struct err *e)
{
	bool is_virtual = g->clock == CLOCK_VIRTUAL;
	int64_t v;

	*n = 1;
	if (!o->processes)
		return 0;
	if (!strcmp(o->processes, "auto")) {
		*n = is_virtual ? 1 : automatic_processes();
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
	*n = (unsigned)v;
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

static int dump(const struct cmd_options *o, struct loaded *l, struct err *e)
{
	if (!strcmp(o->dump, "graph")) {
		graph_print(stdout, l->graph);
		return 0;
	}
	struct plan_wish wish = {.kernel = o->kernel, .base_dir = l->dir};
	struct plan_env env;

	if (parse_processes(o, l->graph, &wish.processes, e) < 0)
		return -1;
	char *base = paths_base_dir(e);

	if (!base)
		return -1;
	char *dir = xasprintf("%s/%s", base, l->graph->lab);
	struct plan *plan = NULL;

	if (plan_env_make(&env, l->graph, &wish, dir, e) == 0) {
		env.read_file = load_read_file;
		plan = plan_make(l->graph, &env, e);
		plan_env_finish(&env);
	}
	if (plan)
		plan_print(stdout, plan);
	int rc = plan ? 0 : -1;

	plan_destroy(plan);
	free(dir);
	free(base);
	return rc;
}

int cmd_check(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	static const char *const dumps[] = {"tree", "graph", "plan"};
	bool known = !o->dump;
	struct loaded l;
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(dumps) && !known; i++)
		known = !strcmp(o->dump, dumps[i]);
	if (!known)
		return err_set(e, ERR_USAGE, "--dump takes tree, graph or plan, not '%s'", o->dump);
	if (load_script(&l, argv[0], o->lab, e) < 0)
		return -1;
	if (o->dump && !strcmp(o->dump, "tree"))
		topo_print_tree(stdout, l.script);
	if (topo_n_errors(l.script)) {
		topo_print_errors(stderr, l.script);
		rc = ERR_USAGE;
	} else if (o->dump && strcmp(o->dump, "tree") != 0) {
		rc = dump(o, &l, e);
	} else if (!o->dump) {
		printf("%s: lab %s, %zu nodes, %zu cables: nothing wrong\n", argv[0], l.graph->lab,
		       l.graph->n_nodes, l.graph->n_cables);
	}
	load_finish(&l);
	return rc;
}

struct progress {
	bool tty, quiet, open_line;
	char last_stage[32];
};

/* One line per stage: on a terminal it is written over while the stage lasts. */
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
		if (!same)
			fprintf(stderr, "%s\n", text);
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
}

/* The server's own log takes the place of its standard output and error. */
static void redirect_log(const char *base, const char *lab)
{
	char *dir = xasprintf("%s/%s", base, lab);
	char *path = xasprintf("%s/server.log", dir);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	mkdir(dir, 0700);
	int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	dup2(null, 0);
	dup2(log >= 0 ? log : null, 1);
	dup2(log >= 0 ? log : null, 2);
	setvbuf(stderr, NULL, _IOLBF, 0);
	free(path);
	free(dir);
}

static int start_server(struct loaded *l, const struct lab_options *opt, int *fd, struct err *e)
{
	int pair[2];

	if (paths_is_locked_lab(opt->base, l->graph->lab))
		return err_set(
			e, ERR_ENV,
			"lab '%s' is running already: take it down with 'vbet down -n %s', or "
			"start this one under another name with -n",
			l->graph->lab, l->graph->lab);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	fflush(NULL);
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		close(pair[0]);
		setsid();
		if (fork() != 0)
			_exit(0);
		redirect_log(opt->base, l->graph->lab);
		_exit(server_run(l->script, l->graph, opt, pair[1]));
	}
	waitpid(pid, NULL, 0);
	close(pair[1]);
	*fd = pair[0];
	return 0;
}

/* The absolute path of a directory for the record, made if it is missing; out stays NULL without.
 */
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

/* The script was checked with the clock that it asks for. */
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

static int parse_up_options(const struct cmd_options *o, struct loaded *l, struct lab_options *opt,
			    struct err *e)
{
	int64_t v;

	opt->plan.kernel = o->kernel;
	opt->plan.insecure = o->insecure;
	opt->plan.base_dir = l->dir;
	opt->stopped = o->stopped;
	opt->captures = o->captures;
	opt->script = l->file;
	opt->sources = &l->sources;
	opt->inputs = o->inputs;
	opt->replay_ns = o->replay_ns;
	opt->replay_rest = o->replay_rest;
	if (cmd_timeout_ns(o, 60, &opt->boot_timeout_ns, e) < 0)
		return -1;
	if (o->jobs) {
		if (unit_parse(UNIT_COUNT, o->jobs, &v, e) < 0)
			return err_wrap(e, "--jobs");
		opt->jobs = (size_t)v;
	}
	if (o->seed) {
		if (unit_parse(UNIT_COUNT, o->seed, &v, e) < 0)
			return err_wrap(e, "--seed");
		l->graph->seed = (uint64_t)v;
	}
	if (o->clock) {
		if (strcmp(o->clock, "real") != 0 && strcmp(o->clock, "virtual") != 0)
			return err_set(e, ERR_USAGE, "--clock takes real or virtual, not '%s'",
				       o->clock);
		l->graph->clock = *o->clock == 'v' ? CLOCK_VIRTUAL : CLOCK_REAL;
		if (l->graph->clock == CLOCK_VIRTUAL && check_outside(l->graph, e) < 0)
			return -1;
	}
	if (o->spin && !graph_find_spin(o->spin, &l->graph->spin))
		return err_set(e, ERR_USAGE, "--spin takes report, stop or charge, not '%s'",
			       o->spin);
	if (o->record && !o->captures && l->graph->clock == CLOCK_REAL)
		return err_set(e, ERR_USAGE,
			       "only a run in virtual time can be repeated: --record wants --clock "
			       "virtual");
	if (parse_at_once(o, l->graph, &opt->plan.guests_at_once, e) < 0)
		return -1;
	return parse_processes(o, l->graph, &opt->plan.processes, e);
}

int cmd_boot_loaded(const struct cmd_options *o, struct loaded *l, struct err *e)
{
	struct progress p = {.tty = isatty(2), .quiet = o->quiet};
	struct lab_options opt = {0};
	struct session s = {0};
	char *base = paths_base_dir(e);
	char *record = NULL;
	int rc = base && make_record(o->record, &record, e) == 0 ? 0 : -1;

	opt.base = base;
	opt.record = record;
	if (rc == 0)
		rc = parse_up_options(o, l, &opt, e);
	if (rc == 0)
		rc = start_server(l, &opt, &s.fd, e);
	if (rc == 0) {
		rc = client_answer(&s, NULL, show_progress, &p, e);
		end_progress(&p);
		client_close(&s);
	}
	free(record);
	free(base);
	return rc;
}

int cmd_boot(const struct cmd_options *o, const char *file, char **lab, struct err *e)
{
	struct loaded l;

	if (load_script(&l, file, o->lab, e) < 0)
		return -1;
	int rc = ERR_USAGE;

	if (topo_n_errors(l.script)) {
		topo_print_errors(stderr, l.script);
	} else {
		rc = cmd_boot_loaded(o, &l, e);
		*lab = xstrdup(l.graph->lab);
	}
	load_finish(&l);
	return rc;
}

int cmd_up(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = NULL;

	if (o->whatif && (o->clock || o->seed || o->record))
		return err_set(e, ERR_USAGE, "the run says which clock and seed it has");
	if (o->whatif)
		return cmd_what_if(o, argv[0], e);
	if (o->until || o->keep)
		return err_set(e, ERR_USAGE,
			       "--until and --keep go with --whatif (or vbet replay)");
	int rc = cmd_boot(o, argv[0], &lab, e);

	free(lab);
	return rc;
}

int cmd_take_down(const char *lab, struct err *e)
{
	char *words[] = {"down"};

	return client_ask(lab, words, 1, NULL, e);
}

/* As long as this connection is open: also when we are killed, or our terminal goes away. */
int cmd_hold(struct session *s, const char *lab, struct err *e)
{
	char *words[] = {"hold"};

	return client_connect(s, lab, e) < 0 || client_send(s, words, 1, e) < 0
		       ? -1
		       : client_answer(s, NULL, NULL, NULL, e);
}

int cmd_run_lab(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = NULL;
	struct session held = {.fd = -1};
	struct err late = {0};
	int rc = cmd_boot(o, argv[0], &lab, e);

	if (rc == 0) {
		rc = cmd_hold(&held, lab, e) < 0 ? -1 : console_run(lab, e);
		/* Somebody may have taken it down already. */
		char *still = client_find_lab(lab, NULL);

		if (still && cmd_take_down(lab, &late) < 0 && !e->kind)
			*e = late;
		free(still);
		client_close(&held);
	}
	free(lab);
	return rc;
}

int cmd_down(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct lab_entry *labs;
	int rc = 0;

	if (!o->all) {
		char *lab = client_find_lab(o->lab, e);

		rc = lab ? cmd_take_down(lab, e) : -1;
		free(lab);
		return rc;
	}
	char *base = paths_base_dir(e);

	if (!base)
		return -1;
	size_t n = paths_list_labs(base, &labs);

	for (size_t i = 0; i < n && rc == 0; i++)
		if (labs[i].running)
			rc = cmd_take_down(labs[i].name, e);
	free(labs);
	free(base);
	return rc;
}

int cmd_ls(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *base = paths_base_dir(e);
	struct lab_entry *labs;
	struct json j;

	if (!base)
		return -1;
	size_t n = paths_list_labs(base, &labs);

	json_init(&j, stdout);
	if (o->json)
		json_open(&j, NULL, '[');
	for (size_t i = 0; i < n; i++) {
		const char *state = labs[i].running ? "running" : "dead";

		if (o->json) {
			json_open(&j, NULL, '{');
			json_string(&j, "name", labs[i].name);
			json_string(&j, "state", state);
			json_close(&j, '}');
		} else {
			printf("%-20s %s\n", labs[i].name,
			       labs[i].running ? state
					       : "dead: its server was killed (vbet clean)");
		}
	}
	if (o->json) {
		json_close(&j, ']');
		putchar('\n');
	}
	free(labs);
	free(base);
	return 0;
}

/* What the server prints of its lab in answer to that word. */
static int ask_report(const struct cmd_options *o, char *word, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char *words[] = {word, o->json ? "json=1" : "json=0"};

	if (!lab)
		return -1;
	int rc = client_ask(lab, words, 2, stdout, e);

	free(lab);
	return rc;
}

int cmd_status(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return ask_report(o, "status", e);
}

int cmd_substrate(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	return ask_report(o, "substrate", e);
}

int cmd_wait(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	char *timeout = xasprintf("timeout=%s", o->timeout ? o->timeout : "60s");
	char *words[] = {"wait", timeout, timeout};

	if (argc)
		words[1] = argv[0];
	int rc = lab ? client_ask(lab, words, argc ? 3 : 2, NULL, e) : -1;

	free(timeout);
	free(lab);
	return rc;
}

/* Ends the processes that a dead lab's file names, if they are still the same ones. */
static size_t end_processes(const char *dir)
{
	char *path = xasprintf("%s/pids", dir);
	FILE *f = fopen(path, "re");
	unsigned long long start;
	char name[128];
	int pid;
	size_t n = 0;

	free(path);
	while (f && fscanf(f, "%d %llu %127s", &pid, &start, name) == 3) {
		if (!start || process_start_time(pid) != start)
			continue;
		kill(-pid, SIGKILL);
		n += kill(pid, SIGKILL) == 0;
		fprintf(stderr, "ended %s (process %d)\n", name, pid);
	}
	if (f)
		fclose(f);
	return n;
}

int cmd_clean(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *base = paths_base_dir(e);
	struct lab_entry *labs;

	if (!base)
		return -1;
	size_t n = paths_list_labs(base, &labs);

	for (size_t i = 0; i < n; i++) {
		char *dir = xasprintf("%s/%s", base, labs[i].name);
		/* Held while we clean: nobody starts a lab of that name meanwhile. */
		int lock = labs[i].running ? -1 : paths_lock(dir);

		if (lock >= 0) {
			end_processes(dir);
			paths_remove_tree(dir);
			close(lock);
			fprintf(stderr, "cleaned %s\n", labs[i].name);
		}
		free(dir);
	}
	free(labs);
	free(base);
	return 0;
}
