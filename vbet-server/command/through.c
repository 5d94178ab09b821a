/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lab goes on for a little before it goes down: what it does meanwhile (frames that are
 * captured, commands that end, lines on consoles) must not be seen in the other life.
 */
#include "vbet-server/command/through.h"

#include "lib/container_of.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/shelf/stage.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <stdlib.h>
#include <string.h>

static const int64_t other_life_ns = 150000000;

static int add_time(struct through *t, const char *word, bool saves, struct err *e)
{
	int64_t ns;

	if (unit_parse(UNIT_TIME, word, &ns, e) < 0)
		return -1;
	vec_push(&t->at, ((struct through_stop){ns, saves}));
	return 0;
}

static int parse_times(struct through *t, const char *text, bool saves, struct err *e)
{
	int rc = 0;

	while (text && *text && rc == 0) {
		size_t len = strcspn(text, ",");
		char *word = xstrndup(text, len);

		rc = add_time(t, word, saves, e);
		free(word);
		text += len;
		text += *text == ',';
	}
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const struct through_stop *x = a;
	const struct through_stop *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

void through_finish(struct through *t)
{
	vec_free(&t->at);
}

static int64_t next_ns(struct drive_stops *s, int64_t now_ns, int64_t until_ns)
{
	struct through *t = container_of(s, struct through, stops);

	while (t->next < t->at.n && t->at.at[t->next].ns < now_ns)
		t->next++;
	if (t->next == t->at.n || t->at.at[t->next].ns > until_ns)
		return -1;
	return t->at.at[t->next].ns;
}

static int ask(const struct drive *d, const char *verb, const char *word, const char *argument,
	       struct err *e)
{
	struct strvec v = {0};

	vec_push(&v, verb);
	vec_push(&v, word);
	if (argument)
		vec_push(&v, argument);
	return drive_ask(d, &v, NULL, e);
}

static int live_on(const struct drive *d, int64_t ns, struct err *e)
{
	char *time = xasprintf("%lldns", (long long)ns);
	int rc = ask(d, "clock", "until", time, e);

	free(time);
	return rc;
}

/* By turns as a fork does it, and as a snapshot that is read once. */
static int save_and_restore(const struct drive *d, int64_t ns, const char *run,
			    const char *snapshot, bool shares, struct err *e)
{
	enum snapshot_use use = shares ? SNAPSHOT_SHARE : SNAPSHOT_ADOPT;
	struct session s;

	if (ask(d, "save", snapshot, shares ? "share" : NULL, e) < 0 ||
	    live_on(d, ns + other_life_ns, e) < 0 || boot_take_down(d->lab, e) < 0 ||
	    snapshot_dir_set_use(snapshot, use, e) < 0 ||
	    boot_restore(run, snapshot, NULL, &s, e) < 0)
		return -1;
	client_close(&s);
	return 0;
}

static int snapshot(const struct drive *d, int64_t ns, bool shares, struct err *e)
{
	char *base = paths_base_dir(e);
	struct stage stage = {.dir = NULL};
	int rc = base ? stage_make(&stage, base, STAGE_RESTORE, e) : -1;

	if (rc == 0) {
		char *snapshot = xasprintf("%s/s", stage.dir);
		char *run = xasprintf("%s/%s", base, d->lab);

		rc = save_and_restore(d, ns, run, snapshot, shares, e);
		if (rc < 0)
			err_wrap(e, "a snapshot at %.9f s", (double)ns / 1e9);
		free(run);
		free(snapshot);
	}
	stage_end(&stage);
	free(base);
	return rc;
}

static int stop(struct drive_stops *s, const struct drive *d, struct err *e)
{
	struct through *t = container_of(s, struct through, stops);
	const struct through_stop *at = &t->at.at[t->next++];

	if (!at->saves)
		return 0;
	t->shares = !t->shares;
	return snapshot(d, at->ns, t->shares, e);
}

int through_parse(struct through *t, const char *snapshots, const char *stands, struct err *e)
{
	t->stops = (struct drive_stops){.next_ns = next_ns, .stop = stop};
	if (parse_times(t, snapshots, true, e) < 0)
		return err_wrap(e, "--snapshots-at");
	if (parse_times(t, stands, false, e) < 0)
		return err_wrap(e, "--stands-at");
	if (t->at.n)
		qsort(t->at.at, t->at.n, sizeof(*t->at.at), by_time);
	return 0;
}
