/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/core/thaw.h"

#include "lib/xalloc.h"
#include "substrate/core/linger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void thaw_path(const struct thaw *t, char **path)
{
	const char *end = t->paths + t->len;

	for (const char *from = t->paths, *to; from < end; from = to + strlen(to) + 1) {
		size_t from_len = strlen(from);

		to = from + from_len + 1;
		if (strncmp(*path, from, from_len) != 0)
			continue;
		char *now = *to ? xasprintf("%s%s", to, *path + from_len) : xstrdup("");

		free(*path);
		*path = now;
		return;
	}
}

int object_freeze_none(struct object *o, struct err *e)
{
	return err_set(e, ERR_ENV, "a %s cannot be kept in a snapshot yet", o->kind->name);
}

int substrate_freeze(struct substrate *s, struct err *e)
{
	if (s->awaited)
		return err_set(e, ERR_ENV, "what was restored is not whole yet");
	if (s->time->freeze && s->time->freeze(s, e) < 0)
		return -1;
	for (size_t i = 0; i < s->objects.n; i++) {
		struct object *o = s->objects.at[i];

		if (o->kind->freeze && o->kind->freeze(o, e) < 0)
			return err_wrap(e, "%s", o->name);
	}
	return 0;
}

int substrate_thaw(struct substrate *s, const struct thaw *t, struct err *e)
{
	linger_forget(&s->lingers);
	for (size_t i = 0; i < s->objects.n;) {
		struct object *o = s->objects.at[i];

		if (o->kind->thaw && o->kind->thaw(o, t, e) < 0)
			return err_wrap(e, "%s", o->name);
		/* It may have gone. */
		i += i < s->objects.n && s->objects.at[i] == o;
	}
	if (s->awaited)
		substrate_event(s, "event awaiting %u", s->awaited);
	else
		substrate_event(s, "event thawed");
	return 0;
}

void substrate_await(struct substrate *s)
{
	s->awaited++;
}

void substrate_came(struct substrate *s)
{
	assert(s->awaited);
	if (!--s->awaited)
		substrate_event(s, "event thawed");
}
