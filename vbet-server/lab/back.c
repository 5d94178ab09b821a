/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * At multiples of a time the clock stands, and the record says so ("stand"): that is all that a
 * run knows of it, and a replay stands at the same times. Whether a snapshot is taken then depends
 * on what it costs and on the room there is, and changes nothing.
 *
 * A guest that has not moved since the last one is not written again: its file gets another name.
 *
 * Two bounds. Snapshots may take a tenth of the time that passes on the wall: what the next one
 * will take is known by what the last one took and how many guests each has to write. And they may
 * take so much room: the more time has passed since, the fewer are kept (store/back_dir.h), and the
 * oldest go first when there is no room.
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

enum {
	SHARE = 10,   /* of the time on the wall: one in so many */
	FAILURES = 3, /* in a row: then no more are tried */
};

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
	lab->back.limit_bytes = opt->back_bytes ? opt->back_bytes
						: usual_limit(opt->base ? opt->base : lab->dir) /
							  (1 + opt->back_unasked);
}

void back_plan(struct lab *lab)
{
	int64_t every = lab->back.every_ns;

	if (every && lab->clock.is_virtual) {
		char *words[] = {"stand"};

		input_plan(lab, (lab->clock.now_ns / every + 1) * every, words, 1);
	}
}

void back_wake(struct lab *lab)
{
	if (lab->back.rests)
		back_plan(lab);
	lab->back.rests = false;
}

static bool is_any_up(const struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && lab->guests[i]->state != GUEST_DOWN)
			return true;
	return false;
}

int back_stand(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	lab->back.due = lab->back.every_ns != 0;
	if (lab->change.origin != CHANGE_OF_LAB)
		return 0;
	lab->back.rests = !is_any_up(lab);
	if (!lab->back.rests)
		back_plan(lab);
	return 0;
}

static void drop(struct lab *lab, size_t i)
{
	struct back *b = &lab->back;
	char *dir = back_dir_path(lab->dir, b->kept.at.at[i].time_ns);

	snapshot_dir_remove(dir);
	vec_remove(&b->kept.at, i);
	back_dir_weigh(lab->dir, &b->kept);
	free(dir);
}

/* The oldest go, until there is room for so much more. */
static bool make_room(struct lab *lab, int64_t more)
{
	struct back *b = &lab->back;
	struct back_points *k = &b->kept;

	while (k->at.n > 1 && back_points_bytes(k) + more > b->limit_bytes)
		drop(lab, 0);
	return back_points_bytes(k) + more <= b->limit_bytes;
}

/* Captures are cut off when a lab goes on from a snapshot: those of `--keep` are the user's. */
static bool may_save(const struct lab *lab)
{
	return snapshot_is_over(lab) && !lab->captures.dir &&
	       !(lab->back.follows && input_is_replaying(lab)) && lab->back.failures < FAILURES;
}

/* One for all else than guests: it takes about as long as one of them. */
static bool is_worth_it(struct lab *lab)
{
	const struct back *b = &lab->back;
	int64_t since_ns = loop_now_ns(lab->loop) - b->ended_ns;
	int64_t one_ns = b->took_ns / (b->written + 1);
	int64_t one_bytes = b->written_bytes / (b->written + 1);

	return (!b->ended_ns || since_ns / (b->moved + 1) >= (SHARE - 1) * one_ns) &&
	       make_room(lab, one_bytes * (b->moved + 1));
}

static void begin(struct lab *lab)
{
	struct back *b = &lab->back;
	char *all = xasprintf("%s/%s", lab->dir, BACK_DIR);
	char *dir = back_dir_path(lab->dir, lab->clock.now_ns);

	b->saving = true;
	b->written = b->moved;
	b->began_ns = clock_monotonic_ns();
	if (mkdir(all, 0700) < 0 && errno != EEXIST)
		fprintf(stderr, "make %s: %s\n", all, strerror(errno));
	snapshot_begin(lab, dir, false);
	free(all);
	free(dir);
}

static void on_moved(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;
	struct back *b = &lab->back;

	b->asked = false;
	b->moved = ok ? (unsigned)strtoul(text, NULL, 10) : 0;
	if (ok && !lab->progress.failed && may_save(lab) && is_worth_it(lab))
		begin(lab);
	input_pump(lab);
}

bool back_save(struct lab *lab)
{
	struct back *b = &lab->back;

	if (!b->due)
		return false;
	b->due = false;
	b->asked = may_save(lab);
	if (b->asked)
		lab_send_clock(lab, "moved", on_moved, lab);
	return b->asked;
}

bool back_is_settled(const struct lab *lab)
{
	return !lab->back.asked;
}

char *back_last_file(const struct guest *gu)
{
	const struct back *b = &gu->lab->back;
	long last =
		b->saving && gu->kept.is_set ? back_points_find(&b->kept, gu->kept.time_ns) : -1;

	if (last < 0 || b->kept.at.at[last].time_ns != gu->kept.time_ns)
		return NULL;
	char *dir = back_dir_path(gu->lab->dir, gu->kept.time_ns);
	char *file = snapshot_guest_file(dir, gu);

	free(dir);
	return file;
}

void back_note_guest(struct guest *gu, const char *moves)
{
	struct back_kept *k = &gu->kept;

	if (!gu->lab->back.saving)
		return;
	k->is_set = true;
	k->time_ns = gu->lab->clock.now_ns;
	if (moves)
		snprintf(k->moves, sizeof(k->moves), "%s", moves);
}

static void keep(struct lab *lab)
{
	struct back *b = &lab->back;
	int64_t before = back_points_bytes(&b->kept);
	long spare;

	vec_push(&b->kept.at, ((struct back_point){.time_ns = lab->clock.now_ns}));
	back_dir_weigh(lab->dir, &b->kept);
	b->written_bytes = back_points_bytes(&b->kept) - before;
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
		b->failures = 0;
		keep(lab);
		return;
	}
	b->failures++;
	fprintf(stderr, "at %.9f s, no snapshot to go back to: %s%s\n",
		(double)lab->clock.now_ns / 1e9, lab->snapshot.failed.text,
		b->failures == FAILURES ? "; no more are tried" : "");
	if (b->kept.at.n)
		drop(lab, 0);
}

void back_thaw(struct lab *lab)
{
	struct back *b = &lab->back;

	b->saving = b->due = b->asked = b->follows = false;
	b->ended_ns = 0;
	back_points_finish(&b->kept);
	back_dir_list(lab->dir, &b->kept);
	back_dir_weigh(lab->dir, &b->kept);
}

int back_follow(struct lab *lab, const char *text, int64_t to_ns, struct err *e)
{
	size_t behind = (size_t)lab->snapshot.recorded;

	if (lab->snapshot.recorded == SNAPSHOT_NO_RECORD || strlen(text) < behind)
		return err_set(e, ERR_ENV, "the record is shorter than when it was saved");
	lab->back.follows = true;
	job_forget(lab);
	/* The record of this life stays with the lab. */
	if (record_go_on(lab, lab->dir, text, behind, e) < 0)
		return -1;
	return input_follow(lab, text + behind, to_ns, e);
}

void back_finish(struct lab *lab)
{
	back_points_finish(&lab->back.kept);
}
