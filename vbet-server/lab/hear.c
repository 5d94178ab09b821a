/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events of the substrate: lines that it says without being asked, by their first word. What no
 * line of the table has (a NIC's "up", say) is for people, in the log.
 */
#include "vbet-server/lab/hear.h"

#include "lib/words.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/snapshot.h"
#include "vbet-server/lab/spin.h"

#include <stdio.h>
#include <string.h>

/* vlink NAME up|down|mtu ... */
static void hear_vlink(struct lab *lab, const struct words *w)
{
	enum vlinks_news news = vlinks_hear(&lab->vlinks, w);

	if (news == VLINKS_MTU)
		mtu_update(lab);
	if (news != VLINKS_NONE && lab->progress.setting_up)
		progress_check(lab);
}

/* Whose it is: "evil" of "evil:eth0"; NULL: no guest's. */
static struct guest *owner_of(struct lab *lab, const struct words *w)
{
	char name[256];

	if (w->n < 2)
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(w->at[1], ":"), w->at[1]);
	return lab_find_guest(lab, name, NULL);
}

/* unable NAME REASON: a device of a guest cannot be carried. */
static void hear_unable(struct lab *lab, const struct words *w)
{
	struct guest *gu = owner_of(lab, w);

	if (gu)
		guest_lacks(gu, w->at[1], w->at[2]);
}

enum { LINES_MAX = 1000 }; /* of one guest's, in so much time */
static const int64_t lines_per_ns = 60 * INT64_C(1000000000);

struct heard {
	const char *word;
	size_t min_words;
	void (*hear)(struct lab *lab, const struct words *w);
	bool is_quiet; /* many a second: neither logged, nor of interest to who waits */
};

static const struct heard events[] = {
	{"time", 3, clock_hear_time, true},
	{"idle-forever", 1, clock_hear_idle, false},
	{"spin", 2, spin_hear, false},
	{"spun", 2, spin_hear, false},
	{"joined", 2, guest_hear, false},
	{"gone", 2, guest_hear, false},
	{"wake", 2, sleep_hear, false},
	{"awake", 2, sleep_hear, false},
	{"asked", 3, sleep_hear_asked, true},
	{"vlink", 3, hear_vlink, false},
	{"unable", 3, hear_unable, false},
	{"frozen", 3, snapshot_hear, false},
	{"same", 2, snapshot_hear, false},
	{"freeze-failed", 3, snapshot_hear, false},
	{"held", 1, snapshot_hear, false},
	{"hold-failed", 2, snapshot_hear, false},
	{"saved", 2, snapshot_hear, false},
	{"save-failed", 2, snapshot_hear, false},
	{"thaw-failed", 2, snapshot_hear, false},
	{"thawed", 1, snapshot_hear, false},
};

static const struct heard *find(const struct words *w)
{
	for (size_t i = 0; i < ARRAY_LEN(events) && w->n; i++)
		if (!strcmp(events[i].word, w->at[0]) && w->n >= events[i].min_words)
			return &events[i];
	return NULL;
}

/* A guest may come and go as often as it likes; the disk of the host is not its to fill. */
static void write_down(struct lab *lab, const char *from, const char *line, const struct words *w)
{
	struct guest *gu = owner_of(lab, w);
	enum quota_answer may = QUOTA_YES;

	if (gu)
		may = quota_take(&gu->lines, LINES_MAX, lines_per_ns, loop_now_ns(lab->loop));
	if (may == QUOTA_YES)
		fprintf(stderr, "%s: %s\n", from, line);
	else if (may == QUOTA_LAST)
		fprintf(stderr,
			"%s: its devices come and go all the time: no more of it for a "
			"minute\n",
			gu->name);
}

void hear_event(struct carrier *s, const char *line)
{
	struct lab *lab = s->ctx;
	struct arena a = {0};
	struct words w = {0};
	const struct heard *h = words_split(line, strlen(line), &a, &w, NULL) < 0 ? NULL : find(&w);
	bool is_quiet = h && h->is_quiet;

	if (!is_quiet)
		write_down(lab, s->name, line, &w);
	if (h)
		h->hear(lab, &w);
	arena_finish(&a);
	if (is_quiet)
		return;
	input_pump(lab);
	progress_tell(lab);
}

void hear_lost(struct carrier *s)
{
	struct lab *lab = s->ctx;
	struct err e;

	/* Whoever was told before us may have started it anew. */
	if (carriers_at(&lab->carriers, s->number) != s)
		return;
	lab_say_lost(lab, s, &e);
	fprintf(stderr, "%s\n", e.text);
	snapshot_spoil(lab, s->name, true);
	/* By the real clock a lab that is up goes on without what it carried. */
	progress_fail(lab, &e);
	progress_tell(lab);
}
