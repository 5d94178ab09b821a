/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can stand where, in the console of a lab: no terminal, no readline. */
#ifndef VBET_SERVER_COMMAND_COMPLETE_H
#define VBET_SERVER_COMMAND_COMPLETE_H

#include "lib/vec.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stddef.h>

/* Words of the console that are no commands of vbet; NULL past the end. *help: what each does. */
const char *complete_own_word(size_t i, const char **help);

struct complete_node {
	struct words words; /* NAME KIND STATE ADDRESS NIC... (docs/protocols.md, "nodes") */
};

/*
 * Adds to out (malloc'ed) all that begins with `text` and can stand at the end of `line`, which is
 * what is typed before it. False: names of files can stand there, and the caller knows those.
 */
bool complete_words(const char *line, const char *text, const struct complete_node *nodes,
		    size_t n_nodes, struct strvec *out);

#endif
