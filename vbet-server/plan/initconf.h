/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a guest's init.conf (docs/protocols.md) from the graph. Pure. */
#ifndef VBET_SERVER_PLAN_INITCONF_H
#define VBET_SERVER_PLAN_INITCONF_H

#include "vbet-server/plan/plan.h"

/* 0, or -1: a file the script names cannot be read. */
int initconf_write(FILE *out, const struct graph *g, const struct graph_node *n,
		   const struct plan_env *env, struct err *e);

#endif
