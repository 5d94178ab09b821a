/* SPDX-License-Identifier: GPL-3.0-or-later */
/* save, restore, fork, move: docs/snapshots.md. */
#include "lib/xalloc.h"
#include "topo/topo.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/shelf/bundle.h"
#include "vbet-server/shelf/shelf.h"
#include "vbet-server/store/manifest.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *absolute(const char *path)
{
	char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
	char *all = here ? xasprintf("%s/%s", here, path) : xstrdup(path);
	size_t len = strlen(all);

	while (len > 1 && all[len - 1] == '/')
		all[--len] = '\0';
	free(here);
	return all;
}

/* Not if it has only refused: what is there may be somebody else's then. */
static bool has_ended(const struct session *s, int server)
{
	enum { SOON_MS = 10000 };
	struct pollfd closed = {.fd = s->fd, .events = POLLIN};
	struct pollfd ended = {.fd = server, .events = POLLIN};

	return server >= 0 && poll(&closed, 1, 0) > 0 && poll(&ended, 1, SOON_MS) > 0;
}

/* What a server that was killed has begun, or would have removed. */
static void remove_unfinished(const char *dir)
{
	char *made = xasprintf("%s.new", dir);

	snapshot_dir_remove(made);
	free(made);
}

/* shares: the lab may have memory that is in the files, which nobody changes. */
static int save(const char *lab, char *dir, bool shares, struct err *e)
{
	char *words[] = {"save", dir, "share"};
	struct session s;

	if (client_connect(&s, lab, e) < 0)
		return -1;
	int server = client_server_fd(&s);
	int rc = client_send(&s, words, shares ? 3 : 2, e);

	if (rc == 0)
		rc = client_answer(&s, NULL, client_show_note, NULL, e);
	if (rc < 0 && has_ended(&s, server))
		remove_unfinished(dir);
	client_close(&s);
	if (server >= 0)
		close(server);
	return rc;
}

/* It counts as soon as the lab has written it; it is made small when nobody waits for it. */
static int save_name(const char *lab, const char *name, struct err *e)
{
	struct shelf shelf;
	struct stage stage;

	if (!shelf_is_name(name))
		return err_set(e, ERR_USAGE,
			       "'%s' is no name of a snapshot: that is at most 63 letters, digits, "
			       "'-', '_' and '.'",
			       name);
	if (shelf_open(&shelf, NULL, e) < 0)
		return -1;
	int rc = shelf_begin(&shelf, &stage, e);

	if (rc == 0) {
		char *dir = xasprintf("%s/s", stage.dir);

		rc = save(lab, dir, false, e);
		free(dir);
		if (rc == 0)
			rc = shelf_put(&shelf, &stage, name, e);
		else
			stage_end(&stage);
	}
	if (rc == 0)
		shelf_tidy_behind(&shelf, 0);
	shelf_close(&shelf);
	return rc;
}

/* All of it is in the directory when this returns: what is copied then is a snapshot. */
static int save_dir(const char *lab, const char *path, struct err *e)
{
	char *dir = absolute(path);
	char *parent = xstrndup(dir, (size_t)(strrchr(dir, '/') - dir) + 1);
	struct stage stage = {.dir = NULL};
	int rc = snapshot_dir_check_place(dir, e) < 0
			 ? -1
			 : stage_make(&stage, parent, ".vbet-save-", e);
	char *made = rc == 0 ? xasprintf("%s/s", stage.dir) : NULL;

	if (rc == 0)
		rc = save(lab, made, false, e);
	if (rc == 0)
		rc = bundle_make(made, &stage, dir, e);
	stage_end(&stage);
	free(made);
	free(parent);
	free(dir);
	return rc;
}

int cmd_save(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	int rc = -1;

	if (lab)
		rc = strchr(argv[0], '/') ? save_dir(lab, argv[0], e) : save_name(lab, argv[0], e);
	if (rc == 0 && o->stop)
		rc = boot_take_down(lab, e);
	free(lab);
	return rc;
}

static int check_name(const char *name, struct err *e)
{
	return topo_is_lab_name(name) ? 0 : err_set(e, ERR_USAGE, "'%s' is no name of a lab", name);
}

/* Its run directory: where it was, or beside other labs under another name. malloc'ed. */
static char *run_dir(const char *snapshot, const char *name, struct err *e)
{
	struct snapshot_mark mark;
	char *base = NULL;
	char *dir = NULL;

	if (snapshot_dir_read_mark(snapshot, &mark, e) == 0) {
		base = name ? paths_base_dir(e) : NULL;
		dir = !name ? xstrdup(mark.run) : base ? xasprintf("%s/%s", base, name) : NULL;
	}
	free(base);
	snapshot_mark_finish(&mark);
	return dir;
}

/* dir: of the run. */
static int restore(const char *dir, const char *snapshot, struct err *e)
{
	struct session s;

	if (boot_restore(dir, snapshot, NULL, &s, e) < 0)
		return -1;
	client_close(&s);
	return 0;
}

/* The files of a guest's tree are not in a snapshot. */
static int check_tree(const char *stage, struct err *e)
{
	char *path = xasprintf("%s/run/manifest", stage);
	struct manifest then;
	struct arena a = {0};
	size_t len;
	char *text = paths_read_file(path, &len, e);
	int rc = text ? manifest_read(&then, &a, text, e) : -1;

	if (rc == 0 && then.parts[MANIFEST_TREE].where) {
		struct manifest now = {.lab = NULL};
		char *why = NULL;
		FILE *f = xmemstream(&why, &len);

		now.parts[MANIFEST_TREE] = then.parts[MANIFEST_TREE];
		manifest_look_at_tree(&now, &a);
		manifest_compare(f, &then, &now);
		fclose(f);
		if (*why)
			rc = err_set(e, ERR_ENV, "%.*s", (int)strcspn(why, "\n"), why);
		free(why);
	}
	arena_finish(&a);
	free(text);
	free(path);
	return rc;
}

/* from: of the shelf, or NULL: the snapshot is a directory of its own. */
static int restore_from(struct shelf *shelf, const char *name, const char *snapshot,
			const char *run, struct err *e)
{
	char *base = paths_base_dir(e);
	struct stage stage = {.dir = NULL};
	struct unpacked files = {.fds = {0}};
	int rc = base ? stage_make(&stage, base, STAGE_RESTORE, e) : -1;

	if (rc == 0)
		rc = shelf ? shelf_unpack(shelf, name, &files, stage.dir, e)
			   : bundle_unpack(snapshot, &files, stage.dir, e);
	if (rc == 0 && check_tree(stage.dir, e) < 0)
		rc = err_wrap(e, "%s", name);
	if (rc == 0 && files.are_ours)
		rc = snapshot_dir_set_use(stage.dir, SNAPSHOT_ADOPT, e);
	if (rc == 0)
		rc = restore(run, stage.dir, e);
	unpack_close(&files);
	stage_end(&stage);
	free(base);
	return rc;
}

/* Whether something was saved by that name; the shelf is open then. */
static bool find_saved(struct shelf *shelf, const char *name)
{
	return !strchr(name, '/') && shelf_open(shelf, NULL, NULL) == 0 && shelf_has(shelf, name);
}

/* A name is looked for among those that were saved by name, and then here. */
int cmd_restore(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct shelf shelf = {.dir = NULL};
	const char *name = argv[0];
	bool named = find_saved(&shelf, name);
	char *snapshot = named ? shelf_path(&shelf, name) : absolute(name);
	int rc = o->lab ? check_name(o->lab, e) : 0;
	char *run = rc == 0 ? run_dir(snapshot, o->lab, e) : NULL;

	rc = run ? restore_from(named ? &shelf : NULL, name, snapshot, run, e) : -1;
	free(run);
	free(snapshot);
	shelf_close(&shelf);
	return rc;
}

/* A snapshot that nobody keeps, in memory as a rule: where run directories are. */
static int fork_now(const char *of, const char *name, struct err *e)
{
	char *lab = client_find_lab(of, e);
	char *base = lab ? paths_base_dir(e) : NULL;
	struct stage stage = {.dir = NULL};
	int rc = base ? stage_make(&stage, base, STAGE_RESTORE, e) : -1;

	if (rc == 0) {
		char *snapshot = xasprintf("%s/s", stage.dir);
		char *dir = xasprintf("%s/%s", base, name);

		rc = save(lab, snapshot, true, e);
		if (rc == 0)
			rc = snapshot_dir_set_use(snapshot, SNAPSHOT_SHARE, e);
		if (rc == 0)
			rc = restore(dir, snapshot, e);
		free(dir);
		free(snapshot);
	}
	stage_end(&stage);
	free(base);
	free(lab);
	return rc;
}

/* LAB-2, LAB-3...: the first name that no lab has. malloc'ed; NULL: what is forked has none. */
static char *other_name(const char *what, struct err *e)
{
	char *base = paths_base_dir(e);
	char *name = NULL;
	bool taken = true;

	for (unsigned i = 2; base && taken; i++) {
		free(name);
		name = xasprintf("%.*s-%u", (int)strcspn(what, "@"), what, i);
		char *dir = xasprintf("%s/%s", base, name);

		taken = access(dir, F_OK) == 0;
		free(dir);
	}
	if (name && !topo_is_lab_name(name)) {
		free(name);
		name = NULL;
		err_set(e, ERR_USAGE, "the other lab needs a name: -n NAME");
	}
	free(base);
	return name;
}

static bool is_snapshot(const char *name)
{
	struct shelf shelf = {.dir = NULL};
	char *lab = client_find_lab(name, NULL);
	bool is = !lab && find_saved(&shelf, name);

	free(lab);
	shelf_close(&shelf);
	return is;
}

int cmd_fork(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct cmd_options named = *o;
	char *name = o->lab ? xstrdup(o->lab) : other_name(argv[0], e);
	int rc = name ? check_name(name, e) : -1;

	named.lab = name;
	if (rc == 0)
		rc = strchr(argv[0], '@')   ? cmd_fork_at(&named, argv[0], e)
		     : is_snapshot(argv[0]) ? cmd_restore(&named, argc, argv, e)
					    : fork_now(argv[0], name, e);
	if (rc == 0 && !o->lab)
		printf("lab %s\n", name);
	free(name);
	return rc;
}

static int move(const char *lab, const char *node, const char *to, struct err *e)
{
	char *words[] = {"move", (char *)(uintptr_t)node, (char *)(uintptr_t)to};
	char *then[] = {"moved"};
	struct session s;

	if (client_connect(&s, lab, e) < 0)
		return -1;
	int rc = client_send(&s, words, to ? 3 : 2, e);

	if (rc == 0)
		rc = client_answer(&s, NULL, client_show_note, NULL, e);
	if (rc == 0)
		rc = client_send(&s, then, 1, e);
	if (rc == 0)
		rc = client_answer(&s, stdout, client_show_note, NULL, e);
	client_close(&s);
	return rc;
}

int cmd_move(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	char *lab = client_find_lab(o->lab, e);
	int rc = lab ? move(lab, argv[0], o->to, e) : -1;

	free(lab);
	return rc;
}
