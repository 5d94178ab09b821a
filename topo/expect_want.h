/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands behind the call of a check: "matches /RE/", "json(PATH) == VALUE", "> 9Mbit". */
#ifndef TOPO_EXPECT_WANT_H
#define TOPO_EXPECT_WANT_H

#include "topo/eval.h"

/*
 * path and want: the fields "json" and that of the operator, or NULL; loc: of the call. What does
 * not go with to->kind, or is missing, is reported. False then.
 */
bool expect_read_want(struct eval *ev, struct loc loc, const struct ast *path,
		      const struct ast *want, struct world_expect *to);

#endif
