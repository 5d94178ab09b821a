/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A trunk carries the frames of cables whose ends are in two substrate processes
 * (docs/protocols.md, "Trunks"). Each of the two has the cable, with its own end and a far end that
 * stands for the other one; it does to frames what the direction that begins at its own end does,
 * and the far end hands them to the trunk. Real clock only.
 */
#ifndef SUBSTRATE_TRUNK_TRUNK_H
#define SUBSTRATE_TRUNK_TRUNK_H

#include "lib/words.h"
#include "substrate/core/end.h"

/* Words: path=PATH, listen=1 at one of the two sides. NULL with the error set. */
struct object *trunk_create(struct substrate *s, const char *name, const struct words *w,
			    struct err *e);
/*
 * The end that is called `name` in the process at the other side of the trunk. key: the same word
 * at both sides, once per trunk. limits: what that end would say to end_kind.limits(); NULL:
 * nothing. NULL with the error set.
 */
struct object *trunk_create_far(struct substrate *s, const char *name, struct object *trunk,
				const char *key, const struct end_wire *limits, struct err *e);

#endif
