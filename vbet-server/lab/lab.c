/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lab is a graph that has been carried out. lab_create() makes its plan and takes all steps
 * of it (step.c); from then on events drive it: answers of the substrate (change.c) and what it
 * says by itself (hear.c), guests that come up or end (guest.c), and whatever is asked for from
 * outside (input.c). All of them run in turns of one loop, and none may wait for another: what
 * takes longer than a system call is asked for, and its answer is an event again.
 *
 * A change is a new graph and the difference of two plans, whoever wants it: a statement, a
 * cable that is cut by hand, the taking back of either. So the graph says at any time what the
 * lab should be, and the plan what has been asked for.
 *
 * The lab lives in a directory of its own, which is locked as long as the server lives. Every
 * process that is started is noted in its file `pids` at once: should the server be killed,
 * `vbet clean` finds them there.
 */
#include "vbet-server/lab/lab.h"

#include "lib/cpus.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/hosts.h"
#include "vbet-server/lab/step.h"
#include "vbet-server/plan/descriptors.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void lab_send_about(struct lab *lab, const char *object, const char *line, carrier_answer_fn answer,
		    void *ctx)
{
	unsigned process = plan_process_of(lab->plan, object);

	/* If nobody knows the name, any process can say so. */
	carriers_send(&lab->carriers, process ? process : 1, line, answer, ctx);
}

void lab_send_clock(struct lab *lab, const char *line, carrier_answer_fn answer, void *ctx)
{
	carriers_send(&lab->carriers, 1, line, answer, ctx);
}

/*
 * Guests that are in both graphs stay as they are, with their processes; only their index
 * changes.
 */
static void make_guests(struct lab *lab)
{
	struct guest **old = lab->guests;
	size_t n_old = lab->n_guests;

	lab->n_guests = lab->graph->n_nodes;
	lab->guests = xcalloc(lab->n_guests, sizeof(*lab->guests));
	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct graph_node *n = &lab->graph->nodes[i];

		if (!node_kind_is_guest(n->kind))
			continue;
		for (size_t j = 0; j < n_old && !lab->guests[i]; j++) {
			if (old[j] && !strcmp(old[j]->name, n->name)) {
				lab->guests[i] = old[j];
				old[j] = NULL;
			}
		}
		if (!lab->guests[i])
			lab->guests[i] = guest_create(lab, n->name);
	}
	for (size_t j = 0; j < n_old; j++)
		guest_destroy(old[j]);
	free(old);
}

/* Real-clock labs: a random key. */
static int draw_key(uint8_t key[16], struct err *e)
{
	if (getrandom(key, 16, 0) != 16)
		return err_sys(e, "draw the key of the substrate");
	return 0;
}

static char *read_script_file(void *ctx, const char *path, size_t *len, struct err *e)
{
	return ctx ? sources_read(ctx, path, len, e) : paths_read_file(path, len, e);
}

/*
 * The lock comes first: what is there may belong to a lab that runs. What is left of a dead one
 * goes.
 */
static int make_run_dir(struct lab *lab, struct err *e)
{
	if (mkdir(lab->dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", lab->dir);
	lab->lock_fd = paths_lock(lab->dir);
	if (lab->lock_fd < 0 && errno == EAGAIN)
		return err_set(
			e, ERR_ENV,
			"lab '%s' is running already; take it down with 'vbet down -n %s', or "
			"start this one with another name (-n NAME)",
			lab->graph->lab, lab->graph->lab);
	if (lab->lock_fd < 0)
		return err_sys(e, "lock %s", lab->dir);
	char *nodes = xasprintf("%s/n", lab->dir);
	bool stale = access(nodes, F_OK) == 0;
	char *record = xasprintf("%s/record", lab->dir);

	if (stale) {
		bounds_clean(lab->dir);
		paths_remove_tree(nodes);
	}
	unlink(record);
	free(record);
	free(nodes);
	char *pids = xasprintf("%s/pids", lab->dir);

	lab->pids = fopen(pids, "we");
	free(pids);
	if (!lab->pids)
		return err_sys(e, "make the file of process ids");
	return 0;
}

int lab_open_log(const struct lab *lab, const char *name, struct err *e)
{
	char *path = xasprintf("%s/%s", lab->dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		err_sys(e, "open %s", path);
	free(path);
	return fd;
}

int lab_write_file(const struct lab *lab, const char *name, const char *text, struct err *e)
{
	char *path = xasprintf("%s/%s", lab->dir, name);
	FILE *f = fopen(path, "we");
	int rc = f ? 0 : err_sys(e, "%s", path);

	if (f)
		fputs(text, f);
	if (f && fclose(f) != 0)
		rc = err_sys(e, "write %s", path);
	free(path);
	return rc;
}

void lab_note_pid(struct lab *lab, const struct child *c, const char *name)
{
	fprintf(lab->pids, "%d %llu %s\n", (int)c->pid, c->start_time, name);
	fflush(lab->pids);
}

/* From the graph to the plan, for this machine. */
static int make_plan(struct lab *lab, const struct lab_options *opt, struct err *e)
{
	if (plan_env_make(&lab->env, lab->graph, &opt->plan, lab->dir, e) < 0)
		return -1;
	if (lab->graph->clock == CLOCK_REAL && draw_key(lab->env.key, e) < 0)
		return -1;
	lab->env.base_dir = lab->base_dir;
	lab->env.keep_disks = lab->keep_disks;
	lab->env.read_file = read_script_file;
	lab->env.ctx = lab->record.sources;
	if (plan_env_check_trees(&lab->env, lab->graph, e) < 0)
		return -1;
	lab->plan = plan_make(lab->graph, &lab->env, e);
	lab->env.running = lab->plan;
	return lab->plan ? 0 : -1;
}

static void set_options(struct lab *lab, const struct lab_options *opt)
{
	lab->dir = xasprintf("%s/%s", opt->base, lab->graph->lab);
	lab->base_dir = xstrdup(opt->plan.base_dir);
	lab->captures.dir = opt->captures ? xstrdup(opt->captures) : NULL;
	lab->keep_disks = opt->plan.keep_disks ? xstrdup(opt->plan.keep_disks) : NULL;
	lab->progress = (struct progress){
		.setting_up = true,
		.keep_going = opt->keep_going,
		.began_ns = loop_now_ns(lab->loop),
		.jobs = opt->jobs ? opt->jobs : (size_t)cpus_online() * 2,
		.boot_timeout_ns = opt->boot_timeout_ns,
	};
	lab->record.dir = xstrdup(opt->record ? opt->record : lab->dir);
	lab->record.sources = opt->sources;
	lab->inputs.replay_ns = opt->replay_ns;
	lab->inputs.replay_rest = opt->replay_rest;
	back_set(lab, opt);
	moment_init(lab, opt);
	warm_init(lab, opt);
}

void lab_raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int check_descriptors(const struct lab *lab, struct err *e)
{
	const struct plan *p = lab->plan;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_max == RLIM_INFINITY)
		return 0;
	unsigned *process = xcalloc(p->n_places + 1, sizeof(*process));
	unsigned n = lab->env.processes ? lab->env.processes : 1;

	for (size_t i = 0; i < p->n_places; i++)
		process[i] = p->places[i].process;
	size_t carried = descriptors_most(lab->graph, process, n);
	size_t ours = descriptors_of_server(lab->graph);
	size_t need = carried > ours ? carried : ours;
	bool more_help = need == carried && !lab->clock.is_virtual;

	free(process);
	if (r.rlim_max < need)
		return err_set(
			e, ERR_ENV,
			"this lab needs %zu descriptors in one process, and may have %llu: raise "
			"the hard limit (ulimit -Hn)%s",
			need, (unsigned long long)r.rlim_max,
			more_help ? ", or use more --substrate-processes" : "");
	lab_raise_limit();
	return 0;
}

struct lab *lab_create(struct loop *l, struct topo_script *script, struct graph *g,
		       const struct lab_options *opt, const struct lab_listener *listener,
		       struct err *e)
{
	static const struct plan nothing;
	struct lab *lab = xcalloc(1, sizeof(*lab));

	lab->loop = l;
	lab->script = script;
	lab->graph = g;
	lab->listener = *listener;
	lab->lock_fd = -1;
	set_options(lab, opt);
	clock_init(lab);
	if (make_run_dir(lab, e) < 0 || make_plan(lab, opt, e) < 0 ||
	    check_descriptors(lab, e) < 0 || bounds_open(lab, e) < 0 ||
	    record_begin(lab, opt->script, e) < 0)
		goto fail;
	if (opt->inputs && input_load(lab, opt->inputs, e) < 0)
		goto fail;
	make_guests(lab);
	lab->clock.stays = opt->stopped;
	progress_say_size(lab);
	if (step_apply(lab, &nothing, lab->plan, e) < 0)
		goto fail;
	/* Asked for before the clock starts, so that not a frame is missing. */
	captures_update(lab);
	clock_begin(lab);
	if (opt->boot_is_bounded)
		progress_limit(lab, opt->boot_timeout_ns);
	return lab;
fail:
	lab_destroy(lab);
	return NULL;
}

int lab_replace_plan(struct lab *lab, struct plan *plan, struct err *e)
{
	int rc = step_apply(lab, lab->plan, plan, e);

	plan_destroy(lab->plan);
	lab->plan = plan;
	lab->env.running = plan;
	captures_update(lab);
	return rc;
}

/* Whatever compares the two graphs does it before the old one goes. */
int lab_change(struct lab *lab, struct graph *g, struct err *e)
{
	struct plan *plan =
		plan_env_check_trees(&lab->env, g, e) < 0 ? NULL : plan_make(g, &lab->env, e);

	if (!plan) {
		graph_destroy(g);
		return -1;
	}
	hotplug_collect(lab, lab->graph, g);
	graph_destroy(lab->graph);
	lab->graph = g;
	make_guests(lab);
	hosts_collect(lab, lab->plan, plan);
	return lab_replace_plan(lab, plan, e);
}

static void remove_place(struct lab *lab)
{
	if (lab->pids)
		fclose(lab->pids);
	lab->pids = NULL;
	if (lab->lock_fd < 0)
		return;
	paths_remove_tree(lab->dir);
	close(lab->lock_fd);
	lab->lock_fd = -1;
}

bool lab_give_up_place(struct lab *lab, const char *back)
{
	char *mine = xasprintf("%s/" BACK_DIR, lab->dir);

	snapshot_drop(lab);
	if (rename(mine, back) < 0 && errno != ENOENT)
		fprintf(stderr, "%s: %s\n", back, strerror(errno));
	free(mine);
	if (lab->bounds.group)
		return false;
	lab->progress.setting_up = false;
	lab->progress.failed = true;
	outside_stop(lab);
	remove_place(lab);
	return true;
}

void lab_destroy(struct lab *lab)
{
	if (!lab)
		return;
	lab->progress.setting_up = false;
	lab->progress.failed = true;
	/* All at once; or one after the other, if somebody else has need of the processors. */
	for (size_t i = 0; i < lab->n_guests && lab->lock_fd >= 0; i++)
		guest_kill(lab->guests[i]);
	for (size_t i = 0; i < lab->n_guests; i++)
		guest_destroy(lab->guests[i]);
	free(lab->guests);
	hotplug_finish(lab);
	mtu_finish(lab);
	programs_finish(&lab->programs);
	progress_finish(lab);
	vlinks_finish(&lab->vlinks);
	link_finish(lab);
	captures_finish(lab);
	job_finish(lab);
	held_finish(lab);
	input_finish(lab);
	snapshot_finish(lab);
	back_finish(lab);
	moment_finish(lab);
	warm_finish(lab);
	outside_stop(lab);
	carriers_stop_all(&lab->carriers);
	bounds_finish(&lab->bounds);
	remove_place(lab);
	plan_destroy(lab->plan);
	graph_destroy(lab->graph);
	topo_destroy(lab->script);
	plan_env_finish(&lab->env);
	free(lab->record.dir);
	free(lab->base_dir);
	free(lab->keep_disks);
	free(lab->dir);
	free(lab);
}

struct guest *lab_find_guest(struct lab *lab, const char *name, struct err *e)
{
	int i = graph_find_node(lab->graph, name);

	if (i < 0)
		err_set(e, ERR_USAGE, "no node '%s' in lab %s", name, lab->graph->lab);
	else if (!lab->guests[i])
		err_set(e, ERR_USAGE, "%s is a %s: it has no kernel to run anything in", name,
			node_kind_name(lab->graph->nodes[i].kind));
	return i < 0 ? NULL : lab->guests[i];
}

void lab_say_lost(const struct lab *lab, const struct carrier *c, struct err *e)
{
	const char *what = "what it carried is lost";
	const char *then = "'vbet start NODE' brings a node of it back, and 'vbet down'";

	if (lab->clock.is_virtual) {
		what = "with it the lab's clock";
		then = "'vbet down'";
	}
	err_set(e, ERR_ENV,
		"the process %s (%d) of lab %s has ended, and %s: see %s/%s.log; %s takes the rest "
		"down",
		c->name, (int)c->child.pid, lab->graph->lab, what, lab->dir, c->name, then);
}

bool lab_is_lost(const struct lab *lab, int node, struct err *e)
{
	bool any = node < 0 || lab->clock.is_virtual;
	unsigned only = any ? 0 : lab->plan->places[node].process;

	for (unsigned p = any ? 1 : only; p <= (any ? lab->carriers.at.n : only); p++) {
		const struct carrier *c = carriers_at(&lab->carriers, p);

		if (!c || !c->lost)
			continue;
		if (e)
			lab_say_lost(lab, c, e);
		return true;
	}
	return false;
}

bool lab_is_stuck(const struct lab *lab, struct err *e)
{
	return lab->clock.is_virtual && lab_is_lost(lab, -1, e);
}
