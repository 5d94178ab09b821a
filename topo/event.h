/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a script says of times: "at TIME ACTION(...)" and "expect within TIME of TIME CHECK(...)".
 * They become events and expectations of the world; what is wrong with one is reported.
 */
#ifndef TOPO_EVENT_H
#define TOPO_EVENT_H

#include "topo/eval.h"

/* Carries out such a statement (AST_AT). */
void event_run_at(struct eval *ev, const struct ast *t);
/* True of what can stand behind "at TIME". */
bool event_is_action(const char *name);
/* Reports events of what is not there any more. A script that is still being typed loses them. */
void event_check(struct eval *ev, bool is_live);

#endif
