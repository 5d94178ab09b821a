/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands for a shell, understood where their meaning is plain: "ip addr add", "ip route add",
 * "ifconfig", "route add", "sysctl -w", and the like, without variables, quotes or pipes. All
 * others stay commands.
 */
#ifndef VBET_SERVER_IMPORT_COMMAND_H
#define VBET_SERVER_IMPORT_COMMAND_H

#include "vbet-server/import/model.h"

/* Adds a command of that node, and what it means. NICs are called ethN, or as nic->was says. */
void command_add(struct import_model *m, size_t node, const char *text);
/*
 * Is the script a plain list of commands, one a line, so that each may be looked at alone? Not if
 * it has loops, conditions, functions, here-documents, or lines that go on.
 */
bool command_is_plain_script(const char *text);
/*
 * Adds the commands of a plain script. `start`: called for each line; true if it has dealt with it.
 */
void command_add_script(struct import_model *m, size_t node, const char *text,
			bool (*start)(struct import_model *m, size_t node, const char *line));

#endif
