/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands for whole labs: check, up, run, down, ls, status, wait, clean.
 *
 * Which labs there are is not kept anywhere: a lab is a directory under the base, and it runs as
 * long as its server holds the lock in it (store/paths.c). So a lab whose server was killed is
 * known at once for what it is, "dead", and needs no more than `vbet clean`.
 */
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "lib/xalloc.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/clock_view.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/command/warm_start.h"
#include "vbet-server/lab/bounds.h"
#include "vbet-server/plan/plan.h"
#include "vbet-server/shelf/stage.h"
#include "vbet-server/store/back_dir.h"
#include "vbet-server/store/load.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/suite/left.h"

#include <dirent.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * --dump plan makes the plan that `up` would carry out, with the paths of this machine and for the
 * directory that the lab would have, and starts nothing: the plan is a text for golden tests and
 * for readers.
 */
static int dump(const struct cmd_options *o, struct loaded *l, struct err *e)
{
	if (!strcmp(o->dump, "graph")) {
		graph_print(stdout, l->graph);
		return 0;
	}
	struct plan_wish wish = {.kernel = o->kernel, .base_dir = l->dir};
	struct plan_env env;

	if (boot_parse_processes(o, l->graph, &wish, e) < 0)
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

static void print_checked(const char *file, const struct graph *g, size_t n_warnings)
{
	printf("%s: lab %s, %zu node%s, %zu cable%s: ", file, g->lab, g->n_nodes,
	       g->n_nodes == 1 ? "" : "s", g->n_cables, g->n_cables == 1 ? "" : "s");
	if (n_warnings)
		printf("%zu warning%s\n", n_warnings, n_warnings == 1 ? "" : "s");
	else
		puts("nothing wrong");
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
		size_t n_warnings;

		rc = boot_warn(o, &l, &n_warnings, e);
		if (rc == 0)
			print_checked(argv[0], l.graph, n_warnings);
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
	const struct boot_wish wish = {.goes_back = true};
	int rc = boot_file(o, &wish, argv[0], &lab, e);

	free(lab);
	return rc;
}

/*
 * `vbet run` is up, console, down. The lab is held by a connection while the console is open: if
 * this process is killed, the server sees it close and takes the lab down.
 */
int cmd_run_lab(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = NULL;
	struct session held = {.fd = -1};
	struct boot_wish wish = {.hold = &held, .goes_back = true};
	int rc = boot_file(o, &wish, argv[0], &lab, e);

	if (rc == 0) {
		rc = console_run(lab, e);
		boot_release(&held, lab, e);
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

		rc = lab ? boot_take_down(lab, e) : -1;
		free(lab);
		return rc;
	}
	char *base = paths_base_dir(e);

	if (!base)
		return -1;
	size_t n = paths_list_labs(base, &labs);

	/* One that cannot be taken down keeps none of the others up. */
	for (size_t i = 0; i < n; i++)
		if (labs[i].running && boot_take_down(labs[i].name, rc < 0 ? NULL : e) < 0)
			rc = -1;
	free(labs);
	free(base);
	return rc;
}

/* What a running lab says of itself; of one whose server does not answer, nothing. */
struct lab_view {
	struct clock_view clock;
	bool is_virtual;
	size_t nodes, ready;
	char user[64];
	struct back_points back; /* to which it can go back at once; back_points_finish() */
};

static void look_at_lab(const char *base, const char *lab, struct lab_view *v)
{
	char *words[] = {"nodes"};
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	char *dir = xasprintf("%s/%s", base, lab);
	struct stat st;
	const struct passwd *user = stat(dir, &st) == 0 ? getpwuid(st.st_uid) : NULL;

	*v = (struct lab_view){0};
	v->is_virtual = clock_view_get(lab, &v->clock);
	client_ask(lab, words, 1, f, NULL);
	fclose(f);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char state[32] = "";

		v->nodes++;
		v->ready += sscanf(line, "%*s %*s %31s", state) == 1 && !strcmp(state, "ready");
	}
	snprintf(v->user, sizeof(v->user), "%s", user ? user->pw_name : "?");
	back_dir_list(dir, &v->back);
	back_dir_weigh(dir, &v->back);
	free(dir);
	free(text);
}

static void print_back(const struct back_points *b)
{
	char size[32];

	printf("%-20s goes back at once to", "");
	for (size_t i = 0; i < b->at.n; i++)
		printf("%s %.9g s", i ? "," : "", (double)b->at.at[i].time_ns / 1e9);
	printf(" and little later times (%s)\n",
	       unit_format(UNIT_SIZE, back_points_bytes(b) >> 20 << 20, size, sizeof(size)));
}

static void print_lab(const char *name, const struct lab_view *v)
{
	char clock[80] = "real clock";

	if (v->is_virtual)
		snprintf(clock, sizeof(clock), "virtual clock at %.3f s%s", v->clock.now_s,
			 v->clock.stands ? ", stands" : "");
	printf("%-20s running, %s, %zu of %zu nodes ready, by %s\n", name, clock, v->ready,
	       v->nodes, v->user);
	if (v->back.at.n)
		print_back(&v->back);
}

static void json_lab(struct json *j, const struct lab_view *v)
{
	json_string(j, "clock", v->is_virtual ? "virtual" : "real");
	if (v->is_virtual) {
		json_int(j, "now_ns", (int64_t)(v->clock.now_s * 1e9 + 0.5));
		json_bool(j, "stands", v->clock.stands);
	}
	json_uint(j, "nodes", v->nodes);
	json_uint(j, "ready", v->ready);
	json_string(j, "user", v->user);
	json_open(j, "back", '[');
	for (size_t i = 0; i < v->back.at.n; i++) {
		json_open(j, NULL, '{');
		json_int(j, "time_ns", v->back.at.at[i].time_ns);
		json_int(j, "bytes", v->back.at.at[i].bytes);
		json_close(j, '}');
	}
	json_close(j, ']');
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
		struct lab_view v = {0};

		if (labs[i].running)
			look_at_lab(base, labs[i].name, &v);
		if (o->json) {
			json_open(&j, NULL, '{');
			json_string(&j, "name", labs[i].name);
			json_string(&j, "state", state);
			if (labs[i].running)
				json_lab(&j, &v);
			json_close(&j, '}');
		} else if (labs[i].running) {
			print_lab(labs[i].name, &v);
		} else {
			printf("%-20s dead: its server was killed (vbet clean)\n", labs[i].name);
		}
		back_points_finish(&v.back);
	}
	if (o->json) {
		json_close(&j, ']');
		putchar('\n');
	}
	free(labs);
	free(base);
	return 0;
}

/* "status" and "substrate" differ in what the server prints. */
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

/* "wait 'ping(a, b)'": in time of the lab. */
static int wait_for_check(const struct cmd_options *o, const char *check, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	struct expect_wish wish = {.check = check, .place = expect_place_argument};
	int rc = lab ? cmd_timeout_ns(o, 60, &wish.limit_ns, e) : -1;

	if (rc == 0)
		rc = expect_now(lab, &wish, stdout, e);
	free(lab);
	return rc;
}

int cmd_wait(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	/* No name of a node has a bracket. */
	if (argc && strchr(argv[0], '('))
		return wait_for_check(o, argv[0], e);
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

/*
 * A number in the file may be that of another process by now; its start time tells. What the server
 * starts leads a session of its own (lib/spawn.c), hence the signal to the group as well.
 */
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

/* What --whatif has left behind that was killed: its lock is free then. */
static void clean_what_ifs(const char *base)
{
	DIR *d = opendir(base);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		if (strncmp(de->d_name, ".whatif-", 8) != 0)
			continue;
		char *dir = xasprintf("%s/%s", base, de->d_name);
		int lock = paths_lock(dir);

		if (lock >= 0) {
			paths_remove_tree(dir);
			close(lock);
			fprintf(stderr, "cleaned %s\n", de->d_name);
		}
		free(dir);
	}
	if (d)
		closedir(d);
}

/* Only labs whose lock is free: their server has ended without taking them down. */
int cmd_clean(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *base = paths_base_dir(e);
	struct lab_entry *labs;

	if (!base)
		return -1;
	size_t n = paths_list_labs(base, &labs);

	for (size_t i = 0; i < n; i++) {
		char *dir = xasprintf("%s/%s", base, labs[i].name);
		/* Nobody can start a lab of that name while we hold the lock. */
		int lock = labs[i].running ? -1 : paths_lock(dir);

		if (lock >= 0) {
			end_processes(dir);
			if (bounds_clean(dir))
				fprintf(stderr, "removed the cgroup of %s\n", labs[i].name);
			paths_remove_tree(dir);
			close(lock);
			fprintf(stderr, "cleaned %s\n", labs[i].name);
		}
		free(dir);
	}
	clean_what_ifs(base);
	stage_sweep(base, STAGE_RESTORE);
	char *memory = left_memory_base();
	size_t left = left_clean(base);
	size_t explored = memory ? left_clean(memory) : 0;

	if (left)
		fprintf(stderr, "cleaned what %zu killed 'vbet test' left\n", left);
	if (explored)
		fprintf(stderr, "cleaned what %zu killed 'vbet explore' left\n", explored);
	free(memory);
	free(labs);
	free(base);
	return o->warm ? warm_start_clean(e) : 0;
}
