/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "packages = [...]": what a node's file system has beside the usual, of a node and of the script.
 */
#ifndef TOPO_PACKAGES_H
#define TOPO_PACKAGES_H

#include "topo/eval.h"

struct builtin_field;

/*
 * The names of Debian packages in a string, or a list of strings, as *list: sorted, each once, in
 * the arena. Whether there are such packages is not asked. False, reported: it is something else.
 */
bool packages_take(struct eval *ev, const struct arg *a, struct world_pair **list);
/* "vbet = on": vbet is among it, and the node has memory for that, unless the script says how much.
 */
bool packages_set_vbet(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		       const struct arg *a);
/* Nodes with a file system of their own cannot have packages of ours. Reports those that ask. */
void packages_check(struct eval *ev);
/* Two such lists as one, in `to` (room for both). Returns the number of names. */
size_t packages_join(const struct world_pair *a, const struct world_pair *b, const char **to);

#endif
