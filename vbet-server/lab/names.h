/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names for addresses that were learned (learned.h): a node to which the script gives no address
 * has a name in the others' /etc/hosts as soon as it has one. By the virtual clock they are told
 * when it stands, as of everything that comes from outside.
 */
#ifndef VBET_SERVER_LAB_NAMES_H
#define VBET_SERVER_LAB_NAMES_H

struct guest;
struct lab;

/* An address was learned or went, a guest came up, the clock stands: tells who does not know. */
void names_update(struct lab *lab);
/* A guest boots anew: it knows what its init.conf says. */
void names_forget(struct guest *gu);

#endif
