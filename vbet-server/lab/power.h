/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes of a running lab go on and off, whatever their kind. How, is told in power.c. */
#ifndef VBET_SERVER_LAB_POWER_H
#define VBET_SERVER_LAB_POWER_H

#include "lib/err.h"

#include <stdbool.h>

struct lab;

/*
 * Each: 0, or -1 with the error set: there is no such node, or it is already what it is to be.
 * Answers of the substrate come later (change.h). power_on() by the real clock also starts the
 * process anew that carried the node, if it has ended.
 */
int power_on(struct lab *lab, const char *node, struct err *e);
/* at_once: a guest is not asked to power off. */
int power_off(struct lab *lab, const char *node, bool at_once, struct err *e);
/* Off and on again; a node that is off goes on. */
int power_cycle(struct lab *lab, const char *node, struct err *e);

#endif
