/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A try that began before the deadline counts, however long it took; whatever the pace, it is tried
 * once more when time is up. While a check holds that shall stay so, it is tried at its least
 * pause.
 *
 * What settles is a check that always holds, and begins to hold anew with every change.
 */
#include "vbet-server/command/trial.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

struct trial trial_begin(int64_t start_ns, int64_t deadline_ns)
{
	return (struct trial){.start_ns = start_ns, .deadline_ns = deadline_ns};
}

/*
 * What has not come for a minute need not be known to a quarter of a second; and each try is work
 * that others in the lab can notice.
 */
static int64_t pause_ns(const struct trial *t, int64_t began_ns)
{
	int64_t waited_ns = began_ns - t->start_ns;

	if (!t->backs_off || t->holds)
		return t->pause_ns;
	return waited_ns / 16 > t->pause_ns ? waited_ns / 16 : t->pause_ns;
}

static void note(struct trial *t, bool held, const char *text, int64_t began_ns)
{
	bool is_new = held && !t->holds;

	if (t->is_settling && (!t->seen || strcmp(t->seen, text) != 0)) {
		/* The first answer is no change: it may be as old as the lab. */
		is_new = true;
		began_ns = t->seen ? began_ns : t->start_ns;
		free(t->seen);
		t->seen = xstrdup(text);
	}
	if (is_new)
		t->since_ns = began_ns;
	t->holds = held;
}

enum trial_verdict trial_end_try(struct trial *t, bool held, const char *text, int64_t began_ns,
				 int64_t now_ns, int64_t *next_ns)
{
	note(t, held, text, began_ns);
	int64_t next = began_ns + pause_ns(t, began_ns);
	int64_t last = t->holds ? t->since_ns + t->stays_ns : t->deadline_ns;

	/* The first try of what is due before the lab is ready comes late: that is no miss. */
	if (t->is_settling && t->since_ns > t->deadline_ns)
		return TRIAL_MISSED;
	if (t->holds && began_ns >= last)
		return TRIAL_HELD;
	if (!t->holds && began_ns >= last)
		return TRIAL_MISSED;
	if (next > last)
		next = last;
	*next_ns = next < now_ns ? now_ns : next;
	return !t->holds && *next_ns > last ? TRIAL_MISSED : TRIAL_AGAIN;
}

void trial_finish(struct trial *t)
{
	free(t->seen);
	t->seen = NULL;
}
