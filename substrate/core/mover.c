/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/core/mover.h"

enum { NAME_SIZE = 256 };

int mover_pass(struct mover *m, void *data, size_t len, struct err *e)
{
	if (!len)
		return 0;
	if (m->leaves)
		return fwrite(data, len, 1, m->file) == 1 ? 0 : err_sys(e, "write");
	return fread(data, len, 1, m->file) == 1 ? 0 : err_set(e, ERR_ENV, "the file is cut short");
}

static int leave(struct substrate *s, const char *guest, struct mover *m, struct err *e)
{
	for (size_t i = 0; i < s->objects.n; i++) {
		struct object *o = s->objects.at[i];
		char name[NAME_SIZE] = "";

		if (!object_is_part_of(o, guest))
			continue;
		snprintf(name, sizeof(name), "%s", o->name);
		if (mover_pass(m, name, sizeof(name), e) < 0 || o->kind->move(o, m, e) < 0)
			return -1;
	}
	return 0;
}

static int arrive(struct substrate *s, struct mover *m, struct err *e)
{
	char name[NAME_SIZE];

	while (fread(name, sizeof(name), 1, m->file) == 1) {
		struct object *o = object_find(s, name);

		if (!o || !o->kind->move)
			return err_set(e, ERR_ENV, "there is no '%s'", name);
		if (o->kind->move(o, m, e) < 0)
			return -1;
	}
	return 0;
}

/* Who has a part that cannot go stays. */
static int check(const struct substrate *s, const char *guest, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < s->objects.n; i++) {
		const struct object *o = s->objects.at[i];

		if (!object_is_part_of(o, guest))
			continue;
		n++;
		if (!o->kind->move)
			return err_set(e, ERR_ENV, "%s: a %s cannot go to another process", o->name,
				       o->kind->name);
	}
	return n ? 0 : err_set(e, ERR_USAGE, "nothing of '%s' is here", guest);
}

int mover_move(struct substrate *s, const char *guest, const char *path, bool leaves, struct err *e)
{
	struct mover m = {.leaves = leaves, .path = path};

	if (check(s, guest, e) < 0)
		return -1;
	m.file = fopen(path, leaves ? "we" : "re");
	if (!m.file)
		return err_sys(e, "%s", path);
	int rc = leaves ? leave(s, guest, &m, e) : arrive(s, &m, e);

	if (fclose(m.file) != 0 && rc == 0)
		rc = err_sys(e, "%s", path);
	return rc;
}
