/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "expect NAME, points = N: within TIME of TIME CHECK(...)": becomes an expectation of the world.
 */
#ifndef TOPO_EXPECT_H
#define TOPO_EXPECT_H

#include "topo/eval.h"

/* Carries out such a statement (AST_EXPECT); what is wrong with it is reported. */
void expect_run_statement(struct eval *ev, const struct ast *t);

#endif
