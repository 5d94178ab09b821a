/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What events and expectations share in reading their statements. For event.c and expect*.c. */
#ifndef TOPO_EVENT_PRIV_H
#define TOPO_EVENT_PRIV_H

#include "topo/builtin.h"
#include "topo/eval.h"

/* The names of a list, for messages about one that is not in it. */
typedef const char *event_name_at(size_t i);

/* All report what is wrong; NULL, false or -1 then. */
struct world_node *event_want_guest(struct eval *ev, const struct arg *a);
/* A time that a field gives, more than none. */
bool event_want_time(struct eval *ev, const struct arg *f, int64_t *ns);
/* vnet = NAME, of a node that is in several vNets; the list of its name alone, for those below. */
bool event_read_vnet(struct eval *ev, const struct call *c, const struct world_node *n,
		     struct world_vnet **vnet);
extern const char *const event_vnet_fields[];
/*
 * timeout = TIME and, of what is tried again, every = TIME (else NULL); `others` (up to NULL, or
 * NULL) are not looked at.
 */
bool event_read_times(struct eval *ev, const struct call *c, int64_t *timeout_ns, int64_t *every_ns,
		      const char *const *others);
/* The place of the called name among those that a list has. */
int event_find_name(struct eval *ev, const struct ast *call, const char *what, event_name_at *list);
/* Counts and computes the arguments. */
bool event_read_call(struct eval *ev, const struct ast *t, const struct builtin *words, int min,
		     int max, bool has_fields, const char *usage, struct call *c);
/* A time; 0 needs no unit. */
bool event_read_time(struct eval *ev, const struct ast *t, int64_t *ns);

#endif
