/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Boots are kept on a shelf of their own in the cache, by their key, and made small behind
 * everybody's back. Nobody pays for what he does not need: a lab is kept when somebody says so, or
 * by itself when it is booted a second time from the same, if that takes long enough to be worth
 * it.
 *
 * Whatever goes wrong with it, the lab boots.
 */
#include "vbet-server/command/warm_start.h"

#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/server/start.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t usual_bytes = INT64_C(1) << 30;
static const int64_t usual_pays_ns = INT64_C(1000000000);
/* Keys of boots that were seen once. */
enum { SEEN_MAX = 100 };

/* $VBET_WARM: "off", or how much room there is, and that labs are kept by themselves. 0 or -1. */
static int parse_room(struct warm_start *w, struct err *e)
{
	const char *text = getenv("VBET_WARM");
	int64_t v = usual_bytes;

	if (text && !strcmp(text, "off"))
		return err_set(e, ERR_USAGE, "VBET_WARM is off");
	w->by_itself = text && *text;
	if (w->by_itself && unit_parse(UNIT_SIZE, text, &v, e) < 0)
		return err_wrap(e, "VBET_WARM");
	w->bytes_max = (uint64_t)v;
	return 0;
}

static int open_shelf(struct shelf *s, struct err *e)
{
	char *cache =
		paths_user_dir(getenv("VBET_CACHE"), getenv("XDG_CACHE_HOME"), ".cache", "vbet");
	char *dir = cache ? xasprintf("%s/warm", cache) : NULL;
	int rc = dir ? shelf_open(s, dir, e)
		     : err_set(e, ERR_ENV, "there is no cache: set HOME, or VBET_CACHE");

	free(dir);
	free(cache);
	return rc;
}

/* Was such a lab booted before? From now on it was. Two that note it at once lose one of them. */
static bool was_seen(const struct warm_start *w)
{
	char *path = xasprintf("%s/seen", w->shelf.dir);
	char *made = xasprintf("%s/seen.%d", w->shelf.dir, (int)getpid());
	size_t len = 0;
	char *text = paths_read_file(path, &len, NULL);
	bool seen = text && strstr(text, w->key);
	static const size_t most = SEEN_MAX * (WARM_KEY + 1);
	const char *rest = len > most ? text + (len - most) : text;
	FILE *f = seen ? NULL : fopen(made, "we");

	if (f) {
		fprintf(f, "%s%s\n", rest ? rest : "", w->key);
		if (fclose(f) != 0 || rename(made, path) < 0)
			unlink(made);
	}
	free(text);
	free(made);
	free(path);
	return seen;
}

/* Options by which a boot differs in what is not in its key. */
static int check_options(const struct cmd_options *o, struct err *e)
{
	if (o->keep_disks)
		return err_set(e, ERR_USAGE, "--keep-disks: what is on them is another each time");
	return 0;
}

static int open_all(struct warm_start *w, const struct cmd_options *o, struct loaded *l,
		    struct lab_options *opt, struct err *e)
{
	if (check_options(o, e) < 0 || parse_room(w, e) < 0)
		return -1;
	w->run = xasprintf("%s/%s", opt->base, l->graph->lab);
	if (warm_key(w->key, l, opt, w->run, e) < 0 || open_shelf(&w->shelf, e) < 0)
		return -1;
	w->known = true;
	return 0;
}

static void keep(struct warm_start *w, const struct cmd_options *o, struct lab_options *opt)
{
	bool wanted = o->warm || (w->by_itself && was_seen(w));

	if (!wanted || shelf_begin(&w->shelf, &w->stage, NULL) < 0)
		return;
	w->dir = xasprintf("%s/s", w->stage.dir);
	opt->warm_dir = w->dir;
	opt->warm_pays_ns = o->warm ? 0 : usual_pays_ns;
}

void warm_start_open(struct warm_start *w, const struct cmd_options *o, struct loaded *l,
		     struct lab_options *opt)
{
	struct err e = {0};

	*w = (struct warm_start){.stage.lock_fd = -1, .from.lock_fd = -1, .asked = o->warm};
	if (o->cold)
		return;
	if (open_all(w, o, l, opt, &e) < 0) {
		if (o->warm)
			fprintf(stderr, "vbet: warning: this boot cannot be kept: %s\n", e.text);
		return;
	}
	if (!shelf_has(&w->shelf, w->key))
		keep(w, o, opt);
}

/* What a lab that was killed has left there is for a boot to remove. */
static bool is_free(const struct warm_start *w)
{
	char *nodes = xasprintf("%s/n", w->run);
	bool free_now = access(nodes, F_OK) < 0 && !paths_is_locked(w->run);

	free(nodes);
	return free_now;
}

static void drop(struct warm_start *w)
{
	if (shelf_remove(&w->shelf, w->key, NULL) == 0)
		shelf_tidy_behind(&w->shelf, w->bytes_max);
}

static int read_age(const struct warm_start *w, int64_t *booted_s, struct err *e)
{
	struct snapshot_mark mark = {.lab = NULL};
	char *path = shelf_path(&w->shelf, w->key);
	int rc = snapshot_dir_read_mark(path, &mark, e);

	*booted_s = mark.saved_ns / 1000000000;
	snapshot_mark_finish(&mark);
	free(path);
	return rc;
}

bool warm_start_restore(struct warm_start *w, struct lab_options *opt, struct server_link *link)
{
	struct err e = {0};

	if (!w->known || w->dir || !shelf_has(&w->shelf, w->key) || !is_free(w) ||
	    stage_make(&w->from, opt->base, STAGE_RESTORE, NULL) < 0)
		return false;
	int rc = read_age(w, &opt->warm_booted_s, &e);

	if (rc == 0)
		rc = shelf_unpack(&w->shelf, w->key, &w->files, w->from.dir, &e);
	if (rc == 0)
		rc = snapshot_dir_set_use(w->from.dir, SNAPSHOT_ADOPT, &e);
	if (rc == 0)
		rc = server_start_warm(w->run, w->from.dir, opt, link, &e);
	if (rc == 0)
		shelf_touch(&w->shelf, w->key);
	else
		warm_start_restored(w, &e);
	return rc == 0;
}

void warm_start_restored(struct warm_start *w, const struct err *failed)
{
	unpack_close(&w->files);
	stage_end(&w->from);
	w->from = (struct stage){.lock_fd = -1};
	if (!failed)
		return;
	if (w->asked)
		fprintf(stderr, "vbet: warning: the boot that was kept is removed: %s\n",
			failed->text);
	drop(w);
}

void warm_start_booted(struct warm_start *w)
{
	if (!w->dir || !snapshot_dir_is(w->dir))
		return;
	if (shelf_put(&w->shelf, &w->stage, w->key, NULL) == 0)
		shelf_tidy_behind(&w->shelf, w->bytes_max);
	w->stage = (struct stage){.lock_fd = -1};
}

void warm_start_close(struct warm_start *w)
{
	stage_end(&w->stage);
	shelf_close(&w->shelf);
	free(w->dir);
	free(w->run);
}

int warm_start_clean(struct err *e)
{
	struct shelf s = {.dir = NULL};

	if (open_shelf(&s, e) < 0)
		return -1;
	char *seen = xasprintf("%s/seen", s.dir);
	int rc = shelf_bound(&s, 0, e);

	unlink(seen);
	free(seen);
	shelf_close(&s);
	return rc;
}
