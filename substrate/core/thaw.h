/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A substrate that goes on in another process (docs/snapshots.md): all of its memory is there, and
 * nothing of what it had of the system. Each object that has something freezes and thaws
 * (object_kind); what others must bring back, such as a guest its connection, is awaited, and
 * virtual time stands until then.
 */
#ifndef SUBSTRATE_CORE_THAW_H
#define SUBSTRATE_CORE_THAW_H

#include "substrate/core/substrate.h"

/*
 * Where the snapshot is, and where paths are now: pairs of words, how paths began and how they
 * begin now (of directories with their last slash), a NUL behind each word. Begins with nothing
 * now: nothing there is ours any more.
 */
struct thaw {
	const char *dir;   /* borrowed */
	const char *paths; /* borrowed */
	size_t len;
};

/* The path as it is now: *path (owned) is replaced where it begins with a FROM; "": not ours. */
void thaw_path(const struct thaw *t, char **path);

/* The freeze() of kinds that no snapshot can have. */
int object_freeze_none(struct object *o, struct err *e);
/*
 * All objects get ready to be kept: 0, or -1 if one of them cannot be (it says why). The substrate
 * may go on behind it either way.
 */
int substrate_freeze(struct substrate *s, struct err *e);
/*
 * All objects open what they have of the system anew. The loop has been thawed (loop_thaw()). 0, or
 * -1: the substrate can only be destroyed.
 */
int substrate_thaw(struct substrate *s, const struct thaw *t, struct err *e);
/* One that is awaited more; one that came. With the last of them there is "event thawed". */
void substrate_await(struct substrate *s);
void substrate_came(struct substrate *s);

#endif
