/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/overlay/overlay_words.h"

#include "lib/nearest.h"
#include "lib/units.h"

struct object *overlay_find(struct substrate *s, const char *name, const struct object_kind *kind,
			    struct err *e)
{
	struct object *o = object_find(s, name);
	struct nearest near;

	if (o && o->kind == kind)
		return o;
	if (o) {
		err_set(e, ERR_USAGE, "'%s' is a %s, not a %s", name, o->kind->name, kind->name);
		return NULL;
	}
	nearest_init(&near, name);
	for (size_t i = 0; i < s->objects.n; i++)
		if (s->objects.at[i]->kind == kind)
			nearest_offer(&near, s->objects.at[i]->name);
	err_set(e, ERR_USAGE, "there is no %s '%s'%s", kind->name, name, nearest_hint(&near));
	return NULL;
}

int overlay_read_rate(const struct words *w, const char *key, int64_t *rate_bps, struct err *e)
{
	const char *text = words_get(w, key);

	*rate_bps = 0;
	if (text && unit_parse(UNIT_RATE, text, rate_bps, e) < 0)
		return err_wrap(e, "%s", key);
	return 0;
}
