/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/lab.h"

#include "lib/container_of.h"
#include "lib/vec.h"
#include "vbet-server/lab/clock.h"
#include "vbet-server/lab/guest.h"
#include "vbet-server/lab/held.h"
#include "vbet-server/lab/hosts.h"
#include "vbet-server/lab/hotplug.h"
#include "vbet-server/lab/input.h"
#include "vbet-server/lab/job.h"
#include "vbet-server/lab/link.h"
#include "vbet-server/lab/mtu.h"
#include "vbet-server/lab/spin.h"
#include "vbet-server/plan/describe.h"
#include "vbet-server/store/manifest.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static void progress(struct lab *lab, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (lab->setting_up && lab->listener.progress)
		lab->listener.progress(lab->listener.ctx, text);
}

void lab_fail(struct lab *lab, const struct err *e)
{
	if (lab->failed || !lab->setting_up)
		return;
	lab->failed = true;
	lab->setting_up = false;
	if (lab->listener.failed)
		lab->listener.failed(lab->listener.ctx, e);
}

bool lab_is_ready(const struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && lab->guests[i]->wanted &&
		    lab->guests[i]->state != GUEST_READY)
			return false;
	return lab->outstanding == 0;
}

static void report_counts(struct lab *lab)
{
	size_t total = 0;
	size_t up = 0;
	size_t ready = 0;

	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		total += gu && gu->wanted;
		up += gu && gu->wanted && (gu->state == GUEST_UP || gu->state == GUEST_READY);
		ready += gu && gu->wanted && gu->state == GUEST_READY;
	}
	progress(lab, "guests: %zu of %zu booted, %zu ready", up, total, ready);
}

static void stop_waiting_for_vlinks(struct loop_timer *t, int64_t now_ns)
{
	struct lab *lab = container_of(t, struct lab, vlinks_deadline);
	const struct vlink_state *down = vlinks_down(&lab->vlinks);

	lab->vlinks_waited = true;
	if (down)
		progress(lab, "the virtual link %s is down: %s", down->name,
			 down->reason ? down->reason : "nothing was heard of it");
	lab_check_progress(lab);
}

/*
 * A lab is ready with its virtual links. One that cannot be set up (its wire is cut) does not keep
 * it from being so.
 */
static bool vlinks_are_ready(struct lab *lab)
{
	const int64_t patience_ns = 5000000000;

	if (!vlinks_down(&lab->vlinks) || lab->vlinks_waited) {
		loop_cancel_timer(lab->loop, &lab->vlinks_deadline);
		return true;
	}
	if (!lab->vlinks_deadline.heap_index) {
		lab->vlinks_deadline.fire = stop_waiting_for_vlinks;
		loop_set_timer(lab->loop, &lab->vlinks_deadline,
			       loop_now_ns(lab->loop) + patience_ns);
	}
	return false;
}

/* One that cannot be started is no reason for the lab to fail: it is said, and in its log. */
static void start_programs(struct lab *lab)
{
	struct err e;

	if (programs_start(&lab->programs, lab, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
}

void lab_check_progress(struct lab *lab)
{
	if (lab->failed)
		return;
	/* Boot the next ones as others come up. */
	for (size_t i = 0; i < lab->n_guests && lab->booting < lab->jobs; i++) {
		struct guest *gu = lab->guests[i];
		struct err e = {0};

		if (!gu || !gu->queued || lab->outstanding || !input_may_boot(lab, gu))
			continue;
		if (guest_boot(gu, &e) < 0) {
			err_wrap(&e, "%s", gu->name);
			lab_fail(lab, &e);
			return;
		}
	}
	report_counts(lab);
	if (lab->setting_up && lab_is_ready(lab) && vlinks_are_ready(lab) &&
	    clock_allows_ready(lab)) {
		double wall_s = (double)(loop_now_ns(lab->loop) - lab->began_ns) / 1e9;

		if (lab->clock.is_virtual)
			progress(lab, "ready after %.2f s, at %.2f s of the lab's clock", wall_s,
				 (double)lab->clock.now_ns / 1e9);
		else
			progress(lab, "ready after %.2f s", wall_s);
		lab->setting_up = false;
		start_programs(lab);
		input_begin(lab);
		if (lab->listener.ready)
			lab->listener.ready(lab->listener.ctx);
	}
	if (!lab->setting_up)
		start_programs(lab); /* those that a statement has added */
	input_pump(lab);
	if (lab->listener.changed)
		lab->listener.changed(lab->listener.ctx);
}

struct step_answer {
	struct lab *lab;
	char *line;
	char *cable; /* that it changes, or NULL */
};

void lab_refuse(struct lab *lab, const struct err *e)
{
	if (lab->rolling_back) /* what was not done cannot be undone */
		return;
	if (!lab->setting_up && !lab->refused.kind)
		lab->refused = *e;
	lab_fail(lab, e);
}

/* A statement that could not be carried out was never said. */
static void drop_if_refused(struct lab *lab)
{
	struct err e;

	lab->added_statement = false;
	if (!lab->refused.kind)
		return;
	struct graph *g = topo_drop_statement(lab->script);

	lab->rolling_back = true;
	if (!g || link_change_graph(lab, g, &e) < 0)
		fprintf(stderr, "a refused statement stays\n");
}

static void on_step_answer(void *ctx, bool ok, const char *text)
{
	struct step_answer *a = ctx;
	struct lab *lab = a->lab;

	lab->outstanding--;
	if (!ok) {
		struct err e;

		bool is_first = !lab->setting_up && !lab->rolling_back && !lab->refused.kind;

		err_set(&e, ERR_ENV, "substrate: %s (for '%s')", text, a->line);
		lab_refuse(lab, &e);
		if (is_first)
			input_note_refused(lab);
	}
	if (a->cable)
		link_answered(lab, a->cable, ok);
	free(a->cable);
	free(a->line);
	free(a);
	lab_settle(lab);
}

void lab_settle(struct lab *lab)
{
	if (!lab->failed && !lab->outstanding && outside_pump(lab))
		return; /* their answers settle it */
	if (!lab->failed && !lab->outstanding && lab->added_statement)
		drop_if_refused(lab);
	if (!lab->failed && !lab->outstanding) {
		lab->rolling_back = false;
		hotplug_tell(lab, false);
		mtu_update(lab);
		lab_check_progress(lab);
	}
}

static void send_step(struct lab *lab, unsigned process, const char *line, const char *cable)
{
	struct step_answer *a = xcalloc(1, sizeof(*a));

	a->lab = lab;
	a->cable = cable ? xstrdup(cable) : NULL;
	a->line = xstrdup(line);
	lab->outstanding++;
	carriers_send(&lab->substrates, process, line, on_step_answer, a);
}

void lab_send_about(struct lab *lab, const char *object, const char *line, carrier_answer_fn answer,
		    void *ctx)
{
	unsigned process = plan_process_of(lab->plan, object);

	/* Any of them says best what is wrong with a name that nobody knows. */
	carriers_send(&lab->substrates, process ? process : 1, line, answer, ctx);
}

void lab_send_clock(struct lab *lab, const char *line, carrier_answer_fn answer, void *ctx)
{
	carriers_send(&lab->substrates, 1, line, answer, ctx);
}

/* "joined NAME", "gone NAME WHY" */
static void note_joined(struct lab *lab, const char *line)
{
	bool joined = !strncmp(line, "joined ", 7);
	char *name;

	if (!joined && strncmp(line, "gone ", 5) != 0)
		return;
	line = strchr(line, ' ') + 1;
	name = xstrndup(line, strcspn(line, " "));
	int i = graph_find_node(lab->graph, name);

	if (i >= 0 && lab->guests[i])
		guest_note_joined(lab->guests[i], joined);
	free(name);
}

static void on_substrate_event(struct carrier *s, const char *line)
{
	struct lab *lab = s->ctx;

	if (clock_handle_event(lab, line))
		return;
	fprintf(stderr, "%s: %s\n", s->name, line);
	if (!spin_handle_event(lab, line))
		note_joined(lab, line);
	enum vlinks_news about = vlinks_hear(&lab->vlinks, line);

	if (about == VLINKS_MTU)
		mtu_update(lab);
	if (about != VLINKS_NONE && lab->setting_up)
		lab_check_progress(lab);
	input_pump(lab);
	if (lab->listener.changed)
		lab->listener.changed(lab->listener.ctx);
}

/* What it carried is lost; what others carry goes on. */
static void on_substrate_lost(struct carrier *s)
{
	struct lab *lab = s->ctx;
	struct err e;

	err_set(&e, ERR_ENV, "the process %s (%d) has ended; see %s.log", s->name,
		(int)s->child.pid, s->name);
	fprintf(stderr, "%s\n", e.text);
	lab_fail(lab, &e);
	if (lab->listener.changed)
		lab->listener.changed(lab->listener.ctx);
}

static int write_file(const char *path, const char *text, struct err *e)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return err_sys(e, "%s", path);
	fputs(text, f);
	if (fclose(f) != 0)
		return err_sys(e, "write %s", path);
	return 0;
}

static int start_substrate(struct lab *lab, const struct plan_step *step, struct err *e)
{
	char *path = xasprintf("%s/%s.log", lab->dir, step->name);
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	free(path);
	if (log < 0)
		return err_sys(e, "make %s.log", step->name);
	struct carrier *s = carriers_add(&lab->substrates, step->process, step->name);

	s->on_event = on_substrate_event;
	s->on_lost = on_substrate_lost;
	s->ctx = lab;
	int rc = carrier_start(s, lab->loop, lab->env.substrate, log, e);

	close(log);
	if (rc == 0)
		lab_note_pid(lab, &s->child, step->name);
	return rc;
}

static int do_step(struct lab *lab, const struct plan_step *s, struct err *e)
{
	char *path = xasprintf("%s/%s", lab->dir, s->name);
	int rc = 0;

	switch (s->op) {
	case PLAN_PROCESS:
		rc = start_substrate(lab, s, e);
		break;
	case PLAN_DIR:
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			rc = err_sys(e, "make %s", path);
		break;
	case PLAN_FILE:
		rc = write_file(path, s->text, e);
		break;
	case PLAN_SUBSTRATE:
		vlinks_begin(&lab->vlinks, s->text);
		send_step(lab, s->process, s->text, NULL);
		break;
	case PLAN_OUTSIDE:
		outside_tell(lab, s->text);
		break;
	case PLAN_GUEST:
		lab->guests[s->node]->wanted = true;
		lab->guests[s->node]->queued = true;
		break;
	case PLAN_PROGRAM:
		programs_stop(&lab->programs, s->name);
		programs_add(&lab->programs, s->name, lab->graph->nodes[s->node].name, s->text);
		break;
	case PLAN_OPS:
		break;
	}
	free(path);
	return rc;
}

static void undo_step(struct lab *lab, const struct plan_step *s)
{
	if (s->op == PLAN_SUBSTRATE && s->undo) {
		vlinks_end(&lab->vlinks, s->name);
		send_step(lab, s->process, s->undo, NULL);
	} else if (s->op == PLAN_OUTSIDE) {
		outside_tell(lab, s->undo);
	} else if (s->op == PLAN_PROCESS) {
		carriers_stop(&lab->substrates, s->process);
	} else if (s->op == PLAN_PROGRAM) {
		programs_stop(&lab->programs, s->name);
	} else if (s->op == PLAN_GUEST) {
		for (size_t i = 0; i < lab->n_guests; i++)
			if (lab->guests[i] && !strcmp(lab->guests[i]->name, s->name))
				lab_stop_guest(lab, lab->guests[i], true);
	}
}

static void set_step(struct lab *lab, const struct plan_step *s)
{
	link_asked(lab, s->name);
	send_step(lab, s->process, s->set, s->name);
}

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

static int apply(struct lab *lab, const struct plan *from, const struct plan *to, struct err *e)
{
	struct plan_diff_item *items;
	size_t n = plan_diff(from, to, &items);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (items[i].change == PLAN_REMOVE)
			undo_step(lab, items[i].step);
		else if (items[i].change == PLAN_SET && items[i].step->op == PLAN_SUBSTRATE)
			set_step(lab, items[i].step);
		else
			rc = do_step(lab, items[i].step, e);
	}
	free(items);
	if (rc == 0 && !lab->outstanding)
		outside_pump(lab);
	return rc;
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

	if (stale)
		paths_remove_tree(nodes);
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

void lab_note_pid(struct lab *lab, const struct child *c, const char *name)
{
	fprintf(lab->pids, "%d %llu %s\n", (int)c->pid, c->start_time, name);
	fflush(lab->pids);
}

static int write_manifest(const char *dir, const struct manifest *m, struct err *e)
{
	char *path = xasprintf("%s/manifest", dir);
	FILE *f = fopen(path, "we");
	int rc = f ? 0 : err_sys(e, "write %s", path);

	if (f)
		manifest_write(f, m);
	if (f && fclose(f) != 0)
		rc = err_sys(e, "write %s", path);
	free(path);
	return rc;
}

/* The lab's own directory says where the rest is kept. */
static int point_to_record(const struct lab *lab, struct err *e)
{
	char *path = xasprintf("%s/record", lab->dir);
	int rc = write_file(path, lab->record_dir, e);

	free(path);
	return rc;
}

/* What it takes to do the same again: docs/protocols.md, "A run on disk". */
static int begin_record(struct lab *lab, const char *script, struct err *e)
{
	struct arena a = {0};
	char *graph = manifest_graph_text(lab->graph);
	struct manifest m = {
		.lab = lab->graph->lab,
		.clock = lab->graph->clock == CLOCK_VIRTUAL ? "virtual" : "real",
		.seed = lab->graph->seed,
		.spin = graph_spin_name(lab->graph->spin),
		.script = script ? script : "",
		.dir = lab->base_dir,
		.graph = graph,
	};

	if (lab->graph->clock == CLOCK_VIRTUAL)
		plan_env_look(&lab->env, &m, &a, !strcmp(lab->record_dir, lab->dir));
	int rc = write_manifest(lab->dir, &m, e);

	if (rc == 0 && strcmp(lab->record_dir, lab->dir) != 0)
		rc = write_manifest(lab->record_dir, &m, e) < 0 ? -1 : point_to_record(lab, e);
	free(graph);
	arena_finish(&a);
	return rc < 0 ? rc : lab_keep_sources(lab, e);
}

int lab_keep_sources(struct lab *lab, struct err *e)
{
	if (!lab->sources || lab->graph->clock != CLOCK_VIRTUAL)
		return 0;
	char *dir = xasprintf("%s/files", lab->record_dir);
	int rc = sources_write(lab->sources, dir, e);

	free(dir);
	return rc;
}

/* From the first frame on: one file per cable, as its first end sees it. */
static void capture_all(struct lab *lab, const char *dir)
{
	for (size_t i = 0; i < lab->graph->n_cables; i++) {
		const struct graph_cable *c = &lab->graph->cables[i];
		const struct graph_node *n = &lab->graph->nodes[c->end[0].node];
		struct arena a = {0};
		char *nic = arena_printf(&a, "%s:%s", n->name, n->nics[c->end[0].nic].name);
		char *file = arena_printf(&a, "file=%s/%s.pcapng", dir, c->name);
		char *about = arena_printf(&a, "description=%s", describe_nic(lab->graph, nic, &a));
		char *line = arena_printf(&a, "capture keep.%zu %s %s %s", i, nic,
					  words_quote(&a, file), words_quote(&a, about));

		lab_send_about(lab, nic, line, NULL, NULL);
		arena_finish(&a);
	}
}

struct lab *lab_create(struct loop *l, struct topo_script *script, struct graph *g,
		       const struct lab_options *opt, const struct lab_listener *listener,
		       struct err *e)
{
	static const struct plan nothing;
	struct lab *lab = xcalloc(1, sizeof(*lab));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	lab->loop = l;
	lab->script = script;
	lab->graph = g;
	lab->listener = *listener;
	lab->lock_fd = -1;
	lab->dir = xasprintf("%s/%s", opt->base, g->lab);
	lab->base_dir = xstrdup(opt->plan.base_dir);
	lab->jobs = opt->jobs ? opt->jobs : (size_t)(cpus > 0 ? cpus * 2 : 2);
	lab->boot_timeout_ns = opt->boot_timeout_ns;
	lab->began_ns = loop_now_ns(l);
	lab->setting_up = true;
	lab->record_dir = xstrdup(opt->record ? opt->record : lab->dir);
	lab->sources = opt->sources;
	lab->replay_ns = opt->replay_ns;
	lab->replay_rest = opt->replay_rest;
	if (make_run_dir(lab, e) < 0 || plan_env_make(&lab->env, g, &opt->plan, lab->dir, e) < 0)
		goto fail;
	if (g->clock == CLOCK_REAL && draw_key(lab->env.key, e) < 0)
		goto fail;
	lab->env.base_dir = lab->base_dir;
	lab->env.read_file = read_script_file;
	lab->env.ctx = lab->sources;
	lab->plan = plan_make(g, &lab->env, e);
	if (!lab->plan)
		goto fail;
	lab->env.running = lab->plan;
	if (begin_record(lab, opt->script, e) < 0)
		goto fail;
	if (opt->inputs && input_load(lab, opt->inputs, e) < 0)
		goto fail;
	make_guests(lab);
	clock_init(lab);
	lab->clock.stays = opt->stopped;
	progress(lab, "lab %s: %zu nodes, %zu cables", g->lab, g->n_nodes, g->n_cables);
	if (apply(lab, &nothing, lab->plan, e) < 0)
		goto fail;
	if (opt->captures)
		capture_all(lab, opt->captures);
	clock_begin(lab);
	return lab;
fail:
	lab_destroy(lab);
	return NULL;
}

int lab_replace_plan(struct lab *lab, struct plan *plan, struct err *e)
{
	int rc = apply(lab, lab->plan, plan, e);

	plan_destroy(lab->plan);
	lab->plan = plan;
	lab->env.running = plan;
	lab_check_progress(lab);
	return rc;
}

int lab_change(struct lab *lab, struct graph *g, struct err *e)
{
	struct plan *plan = plan_make(g, &lab->env, e);

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

void lab_destroy(struct lab *lab)
{
	if (!lab)
		return;
	lab->setting_up = false;
	lab->failed = true;
	for (size_t i = 0; i < lab->n_guests; i++)
		guest_kill(lab->guests[i]);
	for (size_t i = 0; i < lab->n_guests; i++)
		guest_destroy(lab->guests[i]);
	free(lab->guests);
	hotplug_finish(lab);
	mtu_finish(lab);
	programs_finish(&lab->programs);
	loop_cancel_timer(lab->loop, &lab->vlinks_deadline);
	vlinks_finish(&lab->vlinks);
	link_finish(lab);
	job_finish(lab);
	held_finish(lab);
	input_finish(lab);
	outside_stop(lab);
	carriers_stop_all(&lab->substrates);
	if (lab->pids)
		fclose(lab->pids);
	if (lab->lock_fd >= 0) {
		paths_remove_tree(lab->dir);
		close(lab->lock_fd);
	}
	plan_destroy(lab->plan);
	graph_destroy(lab->graph);
	topo_destroy(lab->script);
	plan_env_finish(&lab->env);
	free(lab->record_dir);
	free(lab->base_dir);
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

int lab_start_guest(struct lab *lab, struct guest *gu, struct err *e)
{
	if (gu->state != GUEST_DOWN)
		return err_set(e, ERR_USAGE, "%s is %s", gu->name, guest_state_name(gu->state));
	gu->wanted = true;
	gu->queued = true;
	lab_check_progress(lab);
	return 0;
}
