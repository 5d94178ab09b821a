/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scripts that a test knows to be right. */
#ifndef TESTS_SUPPORT_SCRIPT_H
#define TESTS_SUPPORT_SCRIPT_H

#include "topo/topo.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* The graph of a script, which errors name by `file`; both are the caller's to destroy. */
static inline struct graph *script_graph(const char *file, const char *text,
					 struct topo_script **parsed)
{
	static const struct topo_options opt = {0};

	*parsed = topo_parse(file, text, strlen(text), &opt);
	struct graph *g = topo_make_graph(*parsed);

	if (!g)
		topo_print_errors(stderr, *parsed);
	ck_assert_ptr_nonnull(g);
	return g;
}

#endif
