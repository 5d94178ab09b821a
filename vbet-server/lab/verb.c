/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that changes a running lab, in one table, by the words that ask for it. Requests of
 * clients, events of the script and lines of a record all come here, and that is what makes a
 * record repeatable: there is no second way to change a lab.
 *
 * The last column but one is for verbs that see to their own line in the record. A job is written
 * when it starts with the number that it got; "ready", "clock", "charged" and "end" are notes in a
 * record of what happened, and there is nothing to do when they are read. The last says for whom
 * all guests are to be awake (sleep.h): what else is done reaches guests by messages, or by the
 * real clock wakes by itself whom it touches.
 */
#include "vbet-server/lab/verb.h"

#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/message.h"
#include "vbet-server/lab/power.h"
#include "vbet-server/lab/statement.h"

#include <string.h>

static int do_start(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return power_on(lab, w->at[1], e);
}

static int do_stop(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return power_off(lab, w->at[1], !strcmp(w->at[0], "kill"), e);
}

static int do_restart(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return power_cycle(lab, w->at[1], e);
}

static int do_statement(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct topo_place place = statement_place(w);

	return statement_add(lab, w->at[1], &place, e);
}

/* plug NODE:NIC NODE:NIC: a cable between two free NICs. plug NODE:NIC: mends the one there. */
static int do_plug(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct arena a = {0};
	char *statement = w->n == 3 ? link_statement(lab, &a, w->at[1], w->at[2], e) : NULL;
	int rc = -1;

	if (w->n == 2)
		rc = link_command(lab, w, out, e);
	else if (statement)
		rc = statement_add(lab, statement, NULL, e);
	arena_finish(&a);
	return rc;
}

static int do_nothing(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return 0;
}

static const struct verb verbs[] = {
	{"start", 2, 2, do_start, false, WAKES_VIRTUAL},
	{"stop", 2, 2, do_stop, false, WAKES_VIRTUAL},
	{"kill", 2, 2, do_stop, false, WAKES_VIRTUAL},
	{"restart", 2, 2, do_restart, false, WAKES_VIRTUAL},
	{"link", 2, SIZE_MAX, link_command, false, WAKES_VIRTUAL},
	{"plug", 2, 3, do_plug, false, WAKES_ALL},
	{"unplug", 2, 2, link_command, false, WAKES_VIRTUAL},
	{"statement", 2, 5, do_statement, false, WAKES_ALL},
	{"stand", 1, 1, back_stand, false, WAKES_NOBODY},
	{"agent", 4, 5, message_repeat, true, WAKES_NOBODY},
	{"job", 4, SIZE_MAX, job_command, true, WAKES_NOBODY},
	{"look", 2, SIZE_MAX, job_command, true, WAKES_NOBODY},
	/* Only said in records. */
	{"ready", 1, 1, do_nothing, true, WAKES_NOBODY},
	{"clock", 1, SIZE_MAX, do_nothing, true, WAKES_NOBODY},
	{"charged", 2, 2, do_nothing, true, WAKES_NOBODY},
	{"end", 1, 1, do_nothing, true, WAKES_NOBODY},
	/* Nothing of it can be seen: it is enough to stand where the run did. */
	{"move", 2, 2, do_nothing, false, WAKES_NOBODY},
};

const struct verb *verb_find(const struct words *w, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		const struct verb *v = &verbs[i];

		if (strcmp(v->name, w->at[0]) != 0)
			continue;
		if (w->n >= v->min_words && w->n <= v->max_words)
			return v;
		err_set(e, ERR_USAGE, "wrong number of words for %s", v->name);
		return NULL;
	}
	err_set(e, ERR_USAGE, "'%s' changes nothing", w->at[0]);
	return NULL;
}

bool verb_wakes(const struct lab *lab, const struct words *w)
{
	const struct verb *v = verb_find(w, NULL);

	return v && (v->wakes == WAKES_ALL || (v->wakes == WAKES_VIRTUAL && lab->clock.is_virtual));
}
