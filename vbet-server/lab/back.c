/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * At multiples of a time the clock stands, and the record says so ("stand"): that is all that a
 * run knows of it, and a replay stands at the same times. Whether a snapshot is taken then depends
 * on what it costs and on the room there is, and changes nothing.
 *
 * Two bounds. Snapshots may take a tenth of the time that passes on the wall. And they may take so
 * much room: the more time has passed since, the fewer are kept (store/back_dir.h), and the oldest
 * go first when there is no room.
 *
 * Back: the newest one before the moment in question is restored, and the server follows the record
 * from there (input.h), as it does from the beginning in a replay. Whoever spoke to the guests when
 * it was taken is in the record with all that came later; so their channels are left as they are,
 * and consoles are held, as in any replay (held.h).
 */
#include "vbet-server/lab/back.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/load.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"
#include "vbet-server/store/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { SHARE = 10 }; /* of the time on the wall: one in so many */

/* A quarter of what is free where run directories are. */
static int64_t usual_limit(const char *dir)
{
	enum { TMPFS = 0x01021994 };
	struct statfs fs;
	int64_t memory = load_available_memory();

	if (statfs(dir, &fs) < 0)
		return 0;
	int64_t room = (int64_t)fs.f_bavail * (int64_t)fs.f_bsize;

	if (fs.f_type == TMPFS && memory && memory < room)
		room = memory;
	return room / 4;
}

void back_set(struct lab *lab, const struct lab_options *opt)
{
	lab->back.every_ns = opt->back_every_ns;
	lab->back.limit_bytes =
		opt->back_bytes ? opt->back_bytes : usual_limit(opt->base ? opt->base : lab->dir);
}

void back_plan(struct lab *lab)
{
	int64_t every = lab->back.every_ns;

	if (every && lab->clock.is_virtual) {
		char *words[] = {"stand"};

		input_plan(lab, (lab->clock.now_ns / every + 1) * every, words, 1);
	}
}

int back_stand(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	lab->back.due = lab->back.every_ns != 0;
	if (lab->change.origin == CHANGE_OF_LAB)
		back_plan(lab);
	return 0;
}

static void drop(struct lab *lab, size_t i)
{
	struct back *b = &lab->back;
	char *dir = back_dir_path(lab->dir, b->kept.at.at[i].time_ns);

	snapshot_dir_remove(dir);
	vec_remove(&b->kept.at, i);
	free(dir);
}

/* For one that takes as much as the last. */
static bool make_room(struct lab *lab)
{
	struct back *b = &lab->back;
	struct back_points *k = &b->kept;
	int64_t next = k->at.n ? k->at.at[k->at.n - 1].bytes : 0;

	while (k->at.n > 1 && back_points_bytes(k) + next > b->limit_bytes)
		drop(lab, 0);
	return back_points_bytes(k) + next <= b->limit_bytes;
}

/* Captures are cut off when a lab goes on from a snapshot: those of `--keep` are the user's. */
static bool is_worth_it(struct lab *lab)
{
	const struct back *b = &lab->back;
	int64_t since_ns = loop_now_ns(lab->loop) - b->ended_ns;

	if (!snapshot_is_over(lab) || lab->captures.dir)
		return false;
	return (!b->ended_ns || since_ns >= (SHARE - 1) * b->took_ns) && make_room(lab);
}

bool back_save(struct lab *lab)
{
	struct back *b = &lab->back;

	if (!b->due)
		return false;
	b->due = false;
	if (!is_worth_it(lab))
		return false;
	char *all = xasprintf("%s/%s", lab->dir, BACK_DIR);
	char *dir = back_dir_path(lab->dir, lab->clock.now_ns);

	b->saving = true;
	b->began_ns = clock_monotonic_ns();
	if (mkdir(all, 0700) < 0 && errno != EEXIST)
		fprintf(stderr, "make %s: %s\n", all, strerror(errno));
	snapshot_begin(lab, dir);
	free(all);
	free(dir);
	return true;
}

static void keep(struct lab *lab)
{
	struct back *b = &lab->back;
	char *dir = back_dir_path(lab->dir, lab->clock.now_ns);
	long spare;

	vec_push(&b->kept.at,
		 ((struct back_point){lab->clock.now_ns, (int64_t)paths_tree_bytes(dir)}));
	free(dir);
	while ((spare = back_points_spare(&b->kept, lab->clock.now_ns)) >= 0)
		drop(lab, (size_t)spare);
	while (b->kept.at.n && back_points_bytes(&b->kept) > b->limit_bytes)
		drop(lab, 0);
}

/* One that failed may have had no room. */
void back_ended(struct lab *lab)
{
	struct back *b = &lab->back;

	if (!b->saving)
		return;
	b->saving = false;
	b->ended_ns = clock_monotonic_ns();
	b->took_ns = b->ended_ns - b->began_ns;
	if (!lab->snapshot.failed.kind) {
		keep(lab);
		return;
	}
	fprintf(stderr, "at %.9f s, no snapshot to go back to: %s\n",
		(double)lab->clock.now_ns / 1e9, lab->snapshot.failed.text);
	if (b->kept.at.n)
		drop(lab, 0);
}

void back_thaw(struct lab *lab)
{
	struct back *b = &lab->back;

	b->saving = b->due = false;
	b->ended_ns = 0;
	back_points_finish(&b->kept);
	back_dir_list(lab->dir, &b->kept);
}

/* The record of this life: what was done until now. It stays with the lab. */
static int begin_record(struct lab *lab, const char *text, struct err *e)
{
	char *path = xasprintf("%s/inputs", lab->dir);
	char *elsewhere = xasprintf("%s/record", lab->dir);
	FILE *f = fopen(path, "we");
	int rc = 0;

	if (!f ||
	    fwrite(text, 1, (size_t)lab->snapshot.recorded, f) != (size_t)lab->snapshot.recorded ||
	    fflush(f) != 0)
		rc = err_sys(e, "write %s", path);
	unlink(elsewhere);
	free(lab->record.dir);
	lab->record.dir = xstrdup(lab->dir);
	lab->inputs.record = f;
	if (lab->record.sources)
		lab->record.sources->written = 0;
	free(path);
	free(elsewhere);
	return rc < 0 ? rc : record_keep_sources(lab, e);
}

int back_follow(struct lab *lab, const char *text, int64_t to_ns, struct err *e)
{
	size_t behind = (size_t)lab->snapshot.recorded;

	if (strlen(text) < behind)
		return err_set(e, ERR_ENV, "the record is shorter than when it was saved");
	job_forget(lab);
	if (begin_record(lab, text, e) < 0)
		return -1;
	return input_follow(lab, text + behind, to_ns, e);
}

void back_finish(struct lab *lab)
{
	back_points_finish(&lab->back.kept);
}
