/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet replay, vbet up --whatif: a run in virtual time once more, as it was or otherwise.
 *
 * A replay is a lab that is booted with the record of a run: its server does everything that
 * the record says, at the times that it says, and stands at the one that was asked for. From
 * there on it is a lab like any other.
 *
 * What-if is a replay with captures of all cables, to the end of the run, in which the lab is kept
 * at the moment in question (lab/moment.h). When it is down, the other lab goes on from there, with
 * captures and a record of its own, and the statement is said; then both are compared as `vbet
 * diff` does. The second lab stays. If the first cannot be kept, the run is repeated up to there
 * once more, which comes to the same.
 */
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/go_back.h"
#include "vbet-server/command/keep.h"
#include "vbet-server/command/run.h"
#include "vbet-server/server/start.h"
#include "vbet-server/shelf/stage.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one replay ---- */

static int ask(const char *lab, const char *verb, const char *argument, FILE *out, struct err *e)
{
	char *words[] = {(char *)verb, (char *)argument};

	return client_ask(lab, words, argument ? 2 : 1, out, e);
}

/* The replay may have come to its end without having done everything. */
static int tell_refused(const char *lab, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	int rc = ask(lab, "refused", NULL, f, e);

	fclose(f);
	if (rc == 0 && len)
		fprintf(stderr, "vbet: not as in the record: %s", text);
	free(text);
	return rc;
}

/* The lab stands where it was to be replayed to. */
static int await_replayed(const char *lab, struct err *e)
{
	return ask(lab, "replayed", NULL, NULL, e) < 0 ? -1 : tell_refused(lab, e);
}

/* Boots the lab of a run, and leads it through the record up to a time, where it stands then. */
static int lead(const struct cmd_options *o, struct boot_wish wish, const struct run *r,
		struct loaded *l, int64_t to_ns, struct err *e)
{
	wish.inputs = r->inputs;
	wish.replay_ns = to_ns;
	int rc = boot_loaded(o, &wish, l, e);

	if (strstr(r->inputs, " charged "))
		fputs("a guest was charged for computing without end: how much depends on the "
		      "machine, so this may not be the same run\n",
		      stderr);
	return rc == 0 ? await_replayed(l->graph->lab, e) : rc;
}

static int check_time(const struct run *r, int64_t ns, struct err *e)
{
	if (ns < r->ready_ns)
		return err_set(e, ERR_USAGE,
			       "the lab was ready at %.9f s: no sooner can it stand anywhere",
			       (double)r->ready_ns / 1e9);
	if (ns > r->end_ns)
		return err_set(e, ERR_USAGE, "the run went to %.9f s, no further",
			       (double)r->end_ns / 1e9);
	return 0;
}

/* --until and --back; else the end of the run. */
static int choose_time(const struct cmd_options *o, const struct run *r, int64_t *ns, struct err *e)
{
	*ns = r->end_ns;
	if (o->until && o->back)
		return err_set(e, ERR_USAGE, "--until or --back, not both");
	if (o->until && unit_parse(UNIT_TIME, o->until, ns, e) < 0)
		return err_wrap(e, "--until");
	if (o->back) {
		if (unit_parse(UNIT_TIME, o->back, ns, e) < 0)
			return err_wrap(e, "--back");
		*ns = r->end_ns - *ns;
	}
	return check_time(r, *ns, e);
}

/* A running lab may be repeated under its own name: then it is taken down first. */
static int make_room(const struct run *r, const struct loaded *l, struct err *e)
{
	return r->running && !strcmp(r->running, l->graph->lab) ? boot_take_down(r->running, e) : 0;
}

static int say_where(const struct cmd_options *o, const struct run *r, const char *lab, int64_t ns,
		     struct err *e)
{
	char *nodes = NULL;
	size_t len = 0;

	if (o->quiet)
		return 0;
	fprintf(stderr,
		"lab %s stands at %.9f s (the run went to %.9f s): 'vbet clock run' goes on from "
		"here\n",
		lab, (double)ns / 1e9, (double)r->end_ns / 1e9);
	FILE *f = xmemstream(&nodes, &len);
	int rc = ask(lab, "held", NULL, f, e);

	fclose(f);
	for (char *node = strtok(nodes, "\n"); node; node = strtok(NULL, "\n"))
		fprintf(stderr, "a console of %s was open: 'vbet console %s' takes it over\n", node,
			node);
	free(nodes);
	return rc;
}

static int replay_all(const struct cmd_options *o, struct run *r, struct loaded *l, int64_t to_ns,
		      struct err *e)
{
	struct keep k = {0};
	int rc = make_room(r, l, e) < 0 || keep_open(&k, o->keep, e) < 0 ? -1 : 0;

	struct boot_wish wish = {.captures = k.cables, .record = k.dir, .goes_back = true};

	if (rc == 0)
		rc = lead(o, wish, r, l, to_ns, e);
	if (rc == 0)
		rc = keep_lab(&k, l->graph->lab, l->graph, e);
	if (rc == 0)
		rc = say_where(o, r, l->graph->lab, to_ns, e);
	keep_close(&k);
	return rc;
}

/* From a snapshot, if the lab has one: then there are no captures of what came before it. */
static int replay(const struct cmd_options *o, struct run *r, struct loaded *l, int64_t to_ns,
		  struct err *e)
{
	const char *lab = l->graph->lab;
	int rc = o->keep ? 0 : go_back(r, lab, to_ns, e);

	if (rc == 0)
		return replay_all(o, r, l, to_ns, e);
	return rc < 0 || await_replayed(lab, e) < 0 ? -1 : say_where(o, r, lab, to_ns, e);
}

int cmd_replay(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct run r;
	struct loaded l = {0};
	int64_t to_ns;
	int rc = run_open(&r, argv[0], e);

	if (rc == 0)
		rc = choose_time(o, &r, &to_ns, e);
	if (rc == 0)
		rc = run_load(&r, &l, o->lab, stderr, e);
	if (rc == 0)
		rc = replay(o, &r, &l, to_ns, e);
	load_finish(&l);
	run_close(&r);
	return rc;
}

/* A moment that is over is come to again by doing all of it once more. */
int cmd_fork_at(const struct cmd_options *o, const char *run, struct err *e)
{
	struct cmd_options replayed = *o;
	char *name = NULL;
	int64_t at_ns;
	int rc = run_parse(run, &name, &at_ns, e);

	if (rc == 0) {
		replayed.until = strrchr(run, '@') + 1;
		rc = cmd_replay(&replayed, 1, &name, e);
	}
	free(name);
	return rc;
}

/* ---- what if ---- */

/* The run as it was, and as it would have been: each with captures, in a directory of its own. */
struct what_if {
	const struct cmd_options *o;
	const char *run, *statement;
	int64_t at_ns, end_ns;
	char *dir; /* owned: of both, ours if temporary */
	bool temporary;
	int lock; /* of dir, if it is temporary: nobody cleans it away */
	struct stage stage;
	char *snapshot; /* owned: in the stage, the lab at at_ns; NULL: it is not kept */
};

static char *part(const struct what_if *w, const char *name)
{
	return xasprintf("%s/%s", w->dir, name);
}

/* The run once more, with captures in dir/NAME. */
static int begin(const struct what_if *w, struct run *r, struct loaded *l, struct keep *k,
		 const char *name, struct boot_wish wish, int64_t to_ns, struct err *e)
{
	char *dir = part(w, name);
	int rc = keep_open(k, dir, e);

	free(dir);
	wish.captures = k->cables;
	wish.record = k->dir;
	return rc < 0 ? rc : lead(w->o, wish, r, l, to_ns, e);
}

static void drop_moment(struct what_if *w, const char *what, const struct err *why)
{
	fprintf(stderr, "%s: %s; the run is repeated\n", what, why->text);
	stage_end(&w->stage);
	free(w->snapshot);
	w->snapshot = NULL;
}

static const char not_kept[] = "the lab as it was at that moment cannot be kept";

/* A place for the lab at the moment, where run directories are: in memory as a rule. */
static void plan_moment(struct what_if *w)
{
	struct err why = {0};
	char *base = paths_base_dir(&why);

	if (base && stage_make(&w->stage, base, STAGE_RESTORE, &why) == 0)
		w->snapshot = xasprintf("%s/s", w->stage.dir);
	else
		drop_moment(w, not_kept, &why);
	free(base);
}

static void check_moment(struct what_if *w, const char *lab)
{
	struct err why = {0};

	if (w->snapshot && (ask(lab, "kept", NULL, NULL, &why) < 0 ||
			    snapshot_dir_set_use(w->snapshot, SNAPSHOT_ADOPT, &why) < 0))
		drop_moment(w, not_kept, &why);
}

static int run_as_it_was(struct what_if *w, struct run *r, struct loaded *l, struct err *e)
{
	struct keep k = {0};
	const char *lab = l->graph->lab;

	plan_moment(w);

	struct boot_wish wish = {.moment_ns = w->at_ns, .moment_dir = w->snapshot};
	int rc = begin(w, r, l, &k, "was", wish, w->end_ns, e);

	if (rc == 0)
		check_moment(w, lab);
	if (rc == 0)
		rc = keep_lab(&k, lab, l->graph, e);
	keep_close(&k);
	return rc < 0 ? rc : boot_take_down(lab, e);
}

static bool is_action(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	for (enum graph_action a = ACTION_CUT; a < ACTIONS; a++)
		if (strlen(graph_action_name(a)) == len &&
		    !strncmp(text, graph_action_name(a), len))
			return true;
	return false;
}

/*
 * It may be an action ("cut(a, b)"), which only stands after 'at TIME', or any statement. What is
 * wrong with it is said of what it looks like.
 */
static int say_statement(const struct what_if *w, const char *lab, struct err *e)
{
	char *statement = (char *)w->statement;
	char *before = xasprintf("before=at %lldns ", (long long)w->at_ns);
	char *words[] = {"statement", statement, "name=--whatif", before};
	struct err as_statement = {0};
	int rc = client_ask(lab, words, 4, NULL, e);

	free(before);
	if (rc == 0)
		return 0;
	if (client_ask(lab, words, 3, NULL, &as_statement) == 0) {
		e->kind = ERR_NONE;
		return 0;
	}
	if (!is_action(statement))
		*e = as_statement;
	return -1;
}

static int take_manifest(const struct what_if *w, const struct keep *k, struct err *e)
{
	char *from = xasprintf("%s/was/manifest", w->dir);
	size_t len;
	char *text = paths_read_file(from, &len, e);
	int rc = text ? keep_text(k, "manifest", text, e) : -1;

	free(text);
	free(from);
	return rc;
}

static int restore(const struct what_if *w, const char *lab, struct keep *k, struct err *e)
{
	char *base = paths_base_dir(e);
	char *dir = part(w, "would");
	int rc = base && keep_open(k, dir, e) == 0 ? 0 : -1;

	free(dir);
	if (rc == 0)
		rc = take_manifest(w, k, e);
	if (rc == 0) {
		const struct server_follow follow = {.captures = k->cables, .record = k->dir};
		char *run = xasprintf("%s/%s", base, lab);
		struct session s;

		rc = boot_restore(run, w->snapshot, &follow, &s, e);
		if (rc == 0)
			client_close(&s);
		free(run);
	}
	free(base);
	return rc;
}

/* The lab stands there, with captures in dir/would. */
static int come_to_moment(struct what_if *w, struct run *r, struct loaded *l, struct keep *k,
			  struct err *e)
{
	const struct boot_wish wish = {.replay_rest = true};
	struct err why = {0};

	if (w->snapshot && restore(w, l->graph->lab, k, &why) == 0) {
		stage_end(&w->stage);
		return await_replayed(l->graph->lab, e);
	}
	if (w->snapshot) {
		char *dir = part(w, "would");

		drop_moment(w, "what was kept cannot be restored", &why);
		keep_close(k);
		*k = (struct keep){0};
		paths_remove_tree(dir);
		free(dir);
	}
	return begin(w, r, l, k, "would", wish, w->at_ns, e);
}

static int run_otherwise(struct what_if *w, struct run *r, struct loaded *l, struct err *e)
{
	struct keep k = {0};
	const char *lab = l->graph->lab;
	char *end = xasprintf("%lldns", (long long)w->end_ns);
	char *until[] = {"clock", "until", end};
	char *pace[] = {"clock", "pace", "max"};
	struct err other = {0};
	int rc = come_to_moment(w, r, l, &k, e);
	bool stands = rc == 0;

	if (rc == 0)
		rc = say_statement(w, lab, e);
	if (rc == 0)
		rc = client_ask(lab, pace, 3, NULL, e);
	if (rc == 0)
		rc = client_ask(lab, until, 3, NULL, e);
	pace[2] = "1";
	if (rc == 0)
		rc = client_ask(lab, pace, 3, NULL, e);
	if (rc == 0)
		rc = keep_lab(&k, lab, l->graph, e);
	keep_close(&k);
	free(end);
	/* Nobody asked for a lab in which the statement did not happen. */
	if (rc < 0 && stands)
		boot_take_down(lab, &other);
	return rc;
}

static int one_of_two(struct what_if *w, struct run *r, bool otherwise, struct err *e)
{
	struct loaded l = {0};
	/* Report differences of this machine once. */
	FILE *null = fopen("/dev/null", "we");
	int rc = run_load(r, &l, w->o->lab, otherwise ? null : stderr, e);

	if (rc == 0 && !otherwise)
		rc = make_room(r, &l, e);
	if (rc == 0)
		rc = otherwise ? run_otherwise(w, r, &l, e) : run_as_it_was(w, r, &l, e);
	fclose(null);
	load_finish(&l);
	return rc;
}

/* One after the other; the second one stays. */
static int run_both(struct what_if *w, struct run *r, struct err *e)
{
	w->end_ns = r->end_ns;
	if (check_time(r, w->at_ns, e) < 0)
		return -1;
	if (w->o->until && unit_parse(UNIT_TIME, w->o->until, &w->end_ns, e) < 0)
		return err_wrap(e, "--until");
	if (w->end_ns < w->at_ns)
		return err_set(e, ERR_USAGE, "--until is before %s", w->run);
	return one_of_two(w, r, false, e) < 0 ? -1 : one_of_two(w, r, true, e);
}

static int show_difference(const struct what_if *w, struct err *e)
{
	char *was = part(w, "was");
	char *would = part(w, "would");
	char *argv[] = {was, would};

	printf("what differs with %s at %.9f s, until %.9f s:\n", w->statement,
	       (double)w->at_ns / 1e9, (double)w->end_ns / 1e9);
	int rc = cmd_diff(w->o, 2, argv, e);

	free(was);
	free(would);
	return rc < 0 ? rc : 0;
}

/* Where the captures go: --keep, or where labs are. */
static int choose_directory(struct what_if *w, struct err *e)
{
	char *base = w->o->keep ? NULL : paths_base_dir(e);

	if (!w->o->keep && !base)
		return -1;
	w->dir = base ? xasprintf("%s/.whatif-XXXXXX", base) : xstrdup(w->o->keep);
	w->temporary = base != NULL;
	free(base);
	if (w->temporary && (!mkdtemp(w->dir) || (w->lock = paths_lock(w->dir)) < 0))
		return err_sys(e, "make %s", w->dir);
	if (w->temporary)
		return 0;
	return mkdir(w->dir, 0777) < 0 ? err_sys(e, "make %s", w->dir) : 0;
}

int cmd_what_if(const struct cmd_options *o, const char *run, struct err *e)
{
	struct what_if w = {.o = o,
			    .run = run,
			    .statement = o->whatif,
			    .lock = -1,
			    .stage = {.dir = NULL, .lock_fd = -1}};
	struct run r = {0};
	char *name = NULL;
	int rc = run_parse(run, &name, &w.at_ns, e);

	if (rc == 0 && w.at_ns < 0)
		rc = err_set(e, ERR_USAGE, "--whatif wants RUN@TIME: %s@60s", run);
	if (rc == 0)
		rc = run_open(&r, name, e);
	if (rc == 0)
		rc = choose_directory(&w, e);
	if (rc == 0)
		rc = run_both(&w, &r, e);
	if (rc == 0)
		rc = show_difference(&w, e);
	stage_end(&w.stage);
	free(w.snapshot);
	if (w.temporary)
		paths_remove_tree(w.dir);
	if (w.lock >= 0)
		close(w.lock);
	free(w.dir);
	free(name);
	run_close(&r);
	return rc;
}
