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

#include <stdio.h>
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

/* Of each line of text that is another one in `before`, the first word. */
static char *find_changes(const char *before, const char *text)
{
	char *names = NULL;
	size_t size = 0;
	FILE *f = xmemstream(&names, &size);
	const char *comma = "";

	while (*text) {
		size_t len = strcspn(text, "\n");
		size_t old = strcspn(before, "\n");

		if (len != old || memcmp(text, before, len) != 0) {
			fprintf(f, "%s%.*s", comma, (int)strcspn(text, " \n"), text);
			comma = ", ";
		}
		text += len + (text[len] == '\n');
		before += old + (before[old] == '\n');
	}
	fclose(f);
	return names;
}

static void note(struct trial *t, bool held, const char *text, int64_t began_ns)
{
	bool is_new = held && !t->holds;

	if (t->is_settling && (!t->seen || strcmp(t->seen, text) != 0)) {
		/* The first answer is no change: it may be as old as the lab. */
		is_new = true;
		began_ns = t->seen ? began_ns : t->start_ns;
		free(t->changed);
		t->changed = t->seen ? find_changes(t->seen, text) : NULL;
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

char *trial_settled_text(const struct trial *t, bool held)
{
	if (!t->is_settling)
		return NULL;
	if (held)
		return xasprintf("converged after %.3f s",
				 (double)(t->since_ns - t->start_ns) / 1e9);
	return xasprintf("%s changed at %.3f s", t->changed ? t->changed : "nothing",
			 (double)t->since_ns / 1e9);
}

void trial_finish(struct trial *t)
{
	free(t->changed);
	t->changed = NULL;
	free(t->seen);
	t->seen = NULL;
}
