/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/outside.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/guest.h"
#include "vbet-server/store/paths.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void outside_tell(struct lab *lab, const char *line)
{
	vec_push(&lab->outside.waiting, xstrdup(line));
}

static void on_event(struct carrier *s, const char *line)
{
	fprintf(stderr, "%s: %s\n", s->name, line);
}

static void on_lost(struct carrier *s)
{
	struct err e;

	err_set(&e, ERR_ENV, "the process %s (%d) has ended; see outside.log", s->name,
		(int)s->child.pid);
	fprintf(stderr, "%s\n", e.text);
	lab_fail(s->ctx, &e);
}

static int start(struct lab *lab, struct err *e)
{
	struct outside *o = &lab->outside;
	char *program = paths_find_part("vbet-outside", e);
	char *path = xasprintf("%s/outside.log", lab->dir);
	int log = program ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	int rc = -1;

	if (program && log < 0)
		err_sys(e, "make outside.log");
	o->link = (struct carrier){
		.name = "outside", .on_event = on_event, .on_lost = on_lost, .ctx = lab};
	if (log >= 0)
		rc = carrier_start(&o->link, lab->loop, program, log, e);
	if (rc == 0) {
		o->started = true;
		lab_note_pid(lab, &o->link.child, "vbet-outside");
	}
	if (log >= 0)
		close(log);
	free(path);
	free(program);
	return rc;
}

static void on_answer(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;
	struct err e;

	lab->outstanding--;
	if (!ok) {
		err_set(&e, ERR_ENV, "%s", text);
		lab_refuse(lab, &e);
	} else if (*text) {
		snprintf(lab->outside.place, sizeof(lab->outside.place), "%s", text);
	}
	lab_settle(lab);
}

bool outside_pump(struct lab *lab)
{
	struct outside *o = &lab->outside;
	bool any = o->waiting.n > 0;
	struct err e;

	if (any && !o->started && start(lab, &e) < 0) {
		while (o->waiting.n)
			free(o->waiting.at[--o->waiting.n]);
		lab_refuse(lab, &e);
		return false;
	}
	lab->outstanding += (unsigned)o->waiting.n;
	for (size_t i = 0; i < o->waiting.n; i++) {
		carrier_send(&o->link, o->waiting.at[i], on_answer, lab);
		free(o->waiting.at[i]);
	}
	o->waiting.n = 0;
	return any;
}

void outside_stop(struct lab *lab)
{
	struct outside *o = &lab->outside;

	if (o->started)
		carrier_stop(&o->link);
	o->started = false;
	while (o->waiting.n)
		free(o->waiting.at[--o->waiting.n]);
	vec_free(&o->waiting);
}
