/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that is known of an operation before it is carried out; lab/step.c has a table of the same
 * length that does.
 *
 * The third column says what happens to a step when a new plan has it no more, or changed: a
 * directory or file may lie there until the lab goes; a process or guest is ended; a line for the
 * substrate is taken back by another line. lab/change.c works with these three ways only and knows
 * no operations.
 */
#include "lib/vec.h"
#include "lib/visible.h"
#include "lib/words.h"
#include "vbet-server/plan/plan.h"

#include <string.h>

static void print_name(FILE *out, const struct plan_step *s)
{
	fprintf(out, "%s\n", s->name);
}

static void print_text(FILE *out, const struct plan_step *s)
{
	fprintf(out, "%s\n", s->text);
}

static void print_both(FILE *out, const struct plan_step *s)
{
	fprintf(out, "%s: %s\n", s->name, s->text);
}

static void print_bound(FILE *out, const struct plan_step *s)
{
	fprintf(out, *s->text ? "%s: %s\n" : "%s\n", s->name, s->text);
}

static void print_content(FILE *out, const struct plan_step *s)
{
	print_name(out, s);
	visible_put_lines(out, "    ", s->text);
}

static void print_argv(FILE *out, const struct plan_step *s)
{
	fprintf(out, "%s: ", s->name);
	words_put_line(out, s->argv, s->argc);
}

static const struct plan_op_kind kinds[] = {
	[PLAN_PROCESS] = {"process", print_both, PLAN_ENDS},
	[PLAN_DIR] = {"dir", print_name, PLAN_STAYS},
	[PLAN_FILE] = {"file", print_content, PLAN_STAYS},
	[PLAN_SUBSTRATE] = {"substrate", print_text, PLAN_TELLS},
	[PLAN_OUTSIDE] = {"outside", print_text, PLAN_TELLS},
	[PLAN_GUEST] = {"guest", print_argv, PLAN_ENDS},
	[PLAN_PROGRAM] = {"program", print_both, PLAN_ENDS},
	[PLAN_BOUND] = {"bound", print_bound, PLAN_STAYS},
};
_Static_assert(ARRAY_LEN(kinds) == PLAN_OPS, "kinds out of step with enum plan_op");

const struct plan_op_kind *plan_op_kind(enum plan_op op)
{
	return &kinds[op];
}

void plan_print(FILE *out, const struct plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];

		fputs(kinds[s->op].name, out);
		if (s->op == PLAN_SUBSTRATE && s->process > 1)
			fprintf(out, ".%u", s->process);
		fputc(' ', out);
		kinds[s->op].print(out, s);
	}
}
