/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of nodes that come, or go, while guests run: changes of their /etc/hosts. */
#ifndef VBET_SERVER_LAB_HOSTS_H
#define VBET_SERVER_LAB_HOSTS_H

struct lab;
struct plan;

/*
 * What turns the names of one init.conf into those of another: words for the agent
 * (docs/protocols.md, "hosts"), each no longer than one message; malloc'ed strings in a malloc'ed
 * array that ends with NULL. Nothing if the new one brings an /etc/hosts of its own.
 */
char **hosts_diff(const char *before, const char *after);
/* Notes for all guests that run what changes between two plans; hotplug_tell() tells them. */
void hosts_collect(struct lab *lab, const struct plan *from, const struct plan *to);

#endif
