/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /etc/network/interfaces of Debian's ifupdown (interfaces(5)), as far as labs have it: static
 * addresses, gateways, and the commands of "up".
 */
#ifndef VBET_SERVER_IMPORT_INTERFACES_H
#define VBET_SERVER_IMPORT_INTERFACES_H

#include "vbet-server/import/model.h"

/* Adds what the text of the file does to the node; what it cannot do here becomes a note. */
void interfaces_add(struct import_model *m, size_t node, const char *text);

#endif
