/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan says which groups there should be, and what is written to their files; here it is done,
 * as far as the machine has a delegated group with these controllers. What is not held is said,
 * once when the lab is up, and in its status and manifest: it is no error, since most of what
 * people bound is for the sake of others, and the lab is the same without.
 *
 * Memory is the exception: guests have all of theirs by the plan, so whoever bounds the lab without
 * a group for it can be told before it starts if that cannot be held.
 *
 * The group's name has the server's pid in it, for two labs of one name may run, each in a run
 * directory of its own. The run directory names the group in its file `cgroup`, for `vbet clean`.
 */
#include "vbet-server/lab/bounds.h"

#include "lib/cgroup.h"
#include "lib/spawn.h"
#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { END_MS = 5000 }; /* the processes of a group are killed, and waited for so long */

static const char group_prefix[] = "vbet.";

/* ---- the lab's group ---- */

/* False: there is none to divide, and b->why says so. */
static bool find_group(struct bounds *b, char **delegated)
{
	struct err e;
	unsigned all = CGROUP_CPU | CGROUP_MEMORY | CGROUP_PIDS;

	*delegated = cgroup_find(&e);
	int can = *delegated ? cgroup_enable(*delegated, all, &e) : -1;

	if (can > 0) {
		b->controllers = (unsigned)can;
		return true;
	}
	b->why = can < 0 ? xstrdup(e.text)
			 : xstrdup("the cgroup that is delegated to vbet has no controllers");
	free(*delegated);
	return false;
}

/* Nobody but the groups holds the guests to less than what they are promised. */
static int check_memory(const struct lab *lab, struct err *e)
{
	int64_t guests = plan_guests_memory(lab->graph);
	int64_t carriers = 0;
	char asked[32];
	char needed[32];

	if (!lab->env.memory_bytes || (lab->bounds.controllers & CGROUP_MEMORY))
		return 0;
	for (size_t i = 0; i < lab->plan->n_steps; i++)
		carriers += lab->plan->steps[i].op == PLAN_PROCESS ? PLAN_CARRIER_MIN : 0;
	if (guests + carriers <= lab->env.memory_bytes)
		return 0;
	return err_set(e, ERR_ENV,
		       "--memory %s: guests and frames may need %s, and without a delegated cgroup "
		       "nothing holds them to less; %s",
		       unit_format(UNIT_SIZE, lab->env.memory_bytes, asked, sizeof(asked)),
		       unit_format(UNIT_SIZE, guests + carriers, needed, sizeof(needed)),
		       "start it with 'systemd-run --user --scope -p Delegate=yes vbet ...'");
}

static int make_group(struct lab *lab, const char *delegated, struct err *e)
{
	struct bounds *b = &lab->bounds;

	b->rest = xasprintf("%s/" CGROUP_REST, delegated);
	b->group = xasprintf("%s/%s%s.%d", delegated, group_prefix, lab->graph->lab, (int)getpid());
	if (cgroup_make(b->rest, e) < 0 || lab_write_file(lab, BOUNDS_FILE, b->group, e) < 0 ||
	    cgroup_make(b->group, e) < 0 || cgroup_enable(b->group, b->controllers, e) < 0)
		return err_wrap(e, "the lab's cgroup");
	return 0;
}

int bounds_open(struct lab *lab, struct err *e)
{
	struct bounds *b = &lab->bounds;
	char *delegated;
	int rc = 0;

	if (b->is_open || !plan_is_bounded(lab->graph, &lab->env))
		return 0;
	b->is_open = true;
	if (find_group(b, &delegated)) {
		rc = make_group(lab, delegated, e);
		free(delegated);
	}
	return rc < 0 ? rc : check_memory(lab, e);
}

void bounds_finish(struct bounds *b)
{
	if (b->group) {
		cgroup_write(b->rest, "cgroup.procs", "0", NULL);
		cgroup_end(b->group, END_MS);
	}
	free(b->group);
	free(b->rest);
	free(b->why);
	*b = (struct bounds){0};
}

bool bounds_clean(const char *dir)
{
	char *path = xasprintf("%s/" BOUNDS_FILE, dir);
	size_t len;
	char *group = paths_read_file(path, &len, NULL);
	const char *last = group ? strrchr(group, '/') : NULL;
	bool is_ours = last && !strncmp(last + 1, group_prefix, strlen(group_prefix)) &&
		       access(group, F_OK) == 0;

	if (is_ours)
		cgroup_end(group, END_MS);
	free(group);
	free(path);
	return is_ours;
}

/* ---- what is in it ---- */

static unsigned controller_of(const char *file)
{
	char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(file, "."), file);
	return cgroup_controllers(name);
}

/* "cpu.max=20000 100000" */
static int write_bounds(const struct bounds *b, const char *group, const char *text, struct err *e)
{
	struct arena a = {0};
	struct words w;
	int rc = words_split(text, strlen(text), &a, &w, e);

	for (size_t i = 0; rc == 0 && i < w.n; i++) {
		char *value = strchr(w.at[i], '=');

		*value++ = '\0';
		if (b->controllers & controller_of(w.at[i]))
			rc = cgroup_write(group, w.at[i], value, e);
	}
	arena_finish(&a);
	return rc;
}

static char *group_of(const struct bounds *b, const char *name)
{
	return strcmp(name, PLAN_BOUND_LAB) ? xasprintf("%s/%s", b->group, name)
					    : xstrdup(b->group);
}

int bounds_make(struct lab *lab, const struct plan_step *s, struct err *e)
{
	struct bounds *b = &lab->bounds;

	if (bounds_open(lab, e) < 0)
		return -1;
	if (!b->group)
		return 0;
	char *group = group_of(b, s->name);
	int rc = cgroup_make(group, e);

	if (rc == 0)
		rc = write_bounds(b, group, s->text, e);
	if (rc == 0 && !strcmp(s->name, PLAN_BOUND_SERVER))
		rc = cgroup_write(group, "cgroup.procs", "0", e);
	free(group);
	return rc;
}

char *bounds_place(const struct lab *lab, const char *node)
{
	return lab->bounds.group ? xasprintf("%s/" PLAN_BOUND_GUEST "%s/cgroup.procs",
					     lab->bounds.group, node)
				 : NULL;
}

int bounds_thaw(struct lab *lab, struct err *e)
{
	struct bounds *b = &lab->bounds;
	char *file = xasprintf("%s/" BOUNDS_FILE, lab->dir);
	bool was_open = b->is_open;
	int rc = 0;

	/* It names the group of the lab that was saved, which may run. */
	unlink(file);
	free(file);
	free(b->group);
	free(b->rest);
	free(b->why);
	*b = (struct bounds){0};
	if (was_open)
		rc = bounds_open(lab, e);
	for (size_t i = 0; was_open && rc == 0 && i < lab->plan->n_steps; i++)
		if (lab->plan->steps[i].op == PLAN_BOUND)
			rc = bounds_make(lab, &lab->plan->steps[i], e);
	return rc;
}

/* Memory that it shares with the guests does not count (getrlimit(2), RLIMIT_DATA). */
void bounds_hold_carrier(const struct child *c, const char *text)
{
#ifdef __SANITIZE_ADDRESS__
	/* Its shadow, terabytes of which next to nothing is ever touched, would count. */
	return;
#endif
	struct rlimit r;

	if (prlimit(c->pid, RLIMIT_DATA, NULL, &r) < 0)
		return;
	r.rlim_cur = strtoull(text + strlen("memory="), NULL, 10);
	if (r.rlim_cur > r.rlim_max)
		r.rlim_cur = r.rlim_max;
	prlimit(c->pid, RLIMIT_DATA, &r, NULL);
}

bool bounds_ran_out(struct bounds *b)
{
	unsigned long n = b->group ? cgroup_oom_kills(b->group) : 0;
	bool more = n > b->oom_kills;

	b->oom_kills = n;
	return more;
}

/* ---- what is not held ---- */

/* Sessions have shares of their own then, and nice(2) is for those within one (sched(7)). */
static bool is_nice_vain(void)
{
	size_t len;
	char *text = paths_read_file("/proc/sys/kernel/sched_autogroup_enabled", &len, NULL);
	bool on = text && *text == '1';

	free(text);
	return on;
}

/* The launcher's limit is for each user namespace, and not for root (vkernel/launch/limits.c). */
static bool is_count_vain(const struct lab *lab)
{
	return geteuid() == 0 || lab->env.insecure;
}

static void add_name(FILE *out, bool *any, const char *name)
{
	fprintf(out, "%s%s", *any ? ", " : "", name);
	*any = true;
}

void bounds_tell(const struct lab *lab, FILE *out)
{
	const struct bounds *b = &lab->bounds;
	bool cpu = false;
	bool weight = false;
	bool processes = false;
	bool any = false;

	for (size_t i = 0; i < lab->graph->n_nodes; i++) {
		const struct graph_node *n = &lab->graph->nodes[i];

		cpu = cpu || n->cpu_ppm;
		weight = weight || n->cpu_weight;
		processes = processes || n->processes;
	}
	if (!(b->controllers & CGROUP_CPU)) {
		if (lab->env.cpu_ppm)
			add_name(out, &any, "--cpu");
		if (cpu)
			add_name(out, &any, "cpu");
		if (weight && is_nice_vain())
			add_name(out, &any, "cpu_weight");
	}
	if (processes && !(b->controllers & CGROUP_PIDS) && is_count_vain(lab))
		add_name(out, &any, "processes");
	if (!any)
		return;
	fprintf(out,
		": not held here, as %s ('systemd-run --user --scope -p Delegate=yes "
		"vbet ...' helps)\n",
		b->why ? b->why : "the cgroup that is delegated to vbet has no such controller");
}
