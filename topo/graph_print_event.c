/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events and expectations of a graph as a script has them. */
#include "lib/units.h"
#include "lib/words.h"
#include "topo/graph_print.h"

#include <inttypes.h>
#include <string.h>

static void print_time(FILE *out, const char *before, int64_t ns)
{
	char text[64];

	fprintf(out, "%s%s ", before, unit_format(UNIT_TIME, ns, text, sizeof(text)));
}

static void print_field_time(FILE *out, const char *before, const char *name, int64_t ns)
{
	char text[64];

	fprintf(out, "%s%s = %s", before, name, unit_format(UNIT_TIME, ns, text, sizeof(text)));
}

/* The words with a prefix, as ", rate = 10Mbit", in a group if there is a name for it. */
static void print_changes(FILE *out, const struct words *words, const char *prefix,
			  const char *group)
{
	const char *lead = ", ";
	size_t skip = strlen(prefix);

	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->at[i];
		const char *equals = strchr(word, '=');
		const char *dot = memchr(word, '.', (size_t)(equals - word));

		if (skip ? strncmp(word, prefix, skip) != 0 : dot != NULL)
			continue;
		if (group && *lead == ',')
			fprintf(out, ", %s = {", group);
		fprintf(out, "%s%.*s = ", group && *lead == ',' ? "" : ", ",
			(int)(equals - word - (long)skip), word + skip);
		if (graph_is_quantity(equals + 1))
			fputs(equals + 1, out);
		else
			graph_put_string(out, equals + 1);
		lead = "}";
	}
	if (group && *lead == '}')
		fputc('}', out);
}

/*
 * The words of a changed cable go back to what a script says: those with "ab." into the group
 * forward, those with "ba." into back.
 */
void graph_print_event(FILE *out, const struct graph *g, const struct graph_event *e)
{
	struct arena arena = {0};
	struct words words = {0};
	struct err err;

	print_time(out, "at ", e->time_ns);
	fprintf(out, "%s(", graph_action_name(e->kind));
	if (e->cable >= 0)
		graph_put_side(out, g, &g->cables[e->cable], e->side);
	else
		graph_put_name(out, g->nodes[e->node].name);
	if (e->kind == ACTION_EXEC) {
		fputs(", ", out);
		graph_put_string(out, e->text);
	} else if (e->text && words_split(e->text, strlen(e->text), &arena, &words, &err) == 0) {
		print_changes(out, &words, "", NULL);
		print_changes(out, &words, "ab.", "forward");
		print_changes(out, &words, "ba.", "back");
	}
	graph_put_vnet_of(out, g, e->vnet);
	if (e->kind == ACTION_EXEC && e->timeout_ns != GRAPH_COMMAND_NS)
		print_field_time(out, ", ", "timeout", e->timeout_ns);
	fputc(')', out);
	arena_finish(&arena);
}

/* That frames are looked for at. */
static void print_nic(FILE *out, const struct graph *g, const struct graph_expect *e)
{
	const struct graph_end end = {e->node, graph_find_nic(&g->nodes[e->node], e->dev)};

	graph_put_end(out, g, &end);
}

/* "A,B" as a list. */
static void print_hops(FILE *out, const char *via)
{
	fputs(", via = [", out);
	for (; *via; via++)
		fputs(*via == ',' ? ", " : (char[]){*via, '\0'}, out);
	fputc(']', out);
}

/* What is asked of a route or a neighbour beside its name. */
static void print_condition(FILE *out, const struct graph_expect *e)
{
	if (e->kind == CHECK_NEIGHBOR)
		fprintf(out, ", %s", e->proto);
	if (e->state) {
		fputs(", ", out);
		graph_put_string(out, e->state);
	}
	if (e->dev && e->kind == CHECK_ROUTE) {
		fputs(", dev = ", out);
		graph_put_string(out, e->dev);
	}
	if (e->kind == CHECK_ROUTE && e->proto) {
		fputs(", proto = ", out);
		graph_put_string(out, e->proto);
	}
	if (e->metric >= 0)
		fprintf(out, ", metric = %" PRId64, e->metric);
	if (e->table)
		fprintf(out, ", table = %s", e->table);
}

static void print_probe(FILE *out, const struct graph_probe *p)
{
	char text[64];

	if (p->count >= 0)
		fprintf(out, ", count = %" PRId64, p->count);
	if (p->size_bytes >= 0)
		fprintf(out, ", size = %" PRId64, p->size_bytes);
	if (p->loss_ppm >= 0)
		fprintf(out, ", loss = %s", unit_format(UNIT_PPM, p->loss_ppm, text, sizeof(text)));
	if (p->rtt_ns >= 0)
		print_field_time(out, ", ", "rtt", p->rtt_ns);
	if (p->duration_ns >= 0)
		print_field_time(out, ", ", "duration", p->duration_ns);
}

static void print_label(FILE *out, const struct graph_expect *e)
{
	if (!e->name)
		return;
	graph_put_string(out, e->name);
	if (e->points)
		fprintf(out, ", points = %" PRId64, e->points);
	if (e->level)
		fprintf(out, ", level = %s", graph_level_name(e->level));
	if (e->hint) {
		fputs(", hint = ", out);
		graph_put_string(out, e->hint);
	}
	fputs(": ", out);
}

/* What stands behind the call. */
static void print_want(FILE *out, const struct graph_expect *e)
{
	if (e->want.path) {
		fputs(" json(", out);
		graph_put_string(out, e->want.path);
		fputc(')', out);
	}
	if (e->want.op)
		fprintf(out, " %s %s", graph_want_name(e->want.op), e->want.shown);
	if (e->stays_ns && !(e->kind == CHECK_CONVERGES && e->stays_ns == GRAPH_REST_NS)) {
		char text[64];

		fprintf(out, " stays %s", unit_format(UNIT_TIME, e->stays_ns, text, sizeof(text)));
	}
}

void graph_print_expect(FILE *out, const struct graph *g, const struct graph_expect *e)
{
	fputs("expect ", out);
	print_label(out, e);
	graph_print_check(out, g, e);
}

void graph_print_check(FILE *out, const struct graph *g, const struct graph_expect *e)
{
	if (e->deadline_ns > e->start_ns)
		print_time(out, "within ", e->deadline_ns - e->start_ns);
	if (e->start_ns)
		print_time(out, e->deadline_ns > e->start_ns ? "of " : "at ", e->start_ns);
	fprintf(out, "%s%s(", e->negated ? "not " : "", graph_check_name(e->kind));
	if (e->kind >= CHECK_SEEN)
		print_nic(out, g, e);
	else if (e->node >= 0)
		graph_put_name(out, g->nodes[e->node].name);
	if (e->peer >= 0 || e->text)
		fputs(", ", out);
	if (e->peer >= 0)
		graph_put_name(out, g->nodes[e->peer].name);
	else if (e->text && (e->kind == CHECK_EXEC || e->kind >= CHECK_SEEN))
		graph_put_string(out, e->text);
	else if (e->text)
		fputs(e->text, out);
	if (e->via && strchr(e->via, ','))
		print_hops(out, e->via);
	else if (e->via)
		fprintf(out, ", %s", e->via);
	graph_put_vnet_of(out, g, e->vnet);
	print_condition(out, e);
	print_probe(out, &e->probe);
	if (e->timeout_ns != GRAPH_COMMAND_NS)
		print_field_time(out, e->node < 0 ? "" : ", ", "timeout", e->timeout_ns);
	if (e->every_ns)
		print_field_time(out, e->node < 0 && e->timeout_ns == GRAPH_COMMAND_NS ? "" : ", ",
				 "every", e->every_ns);
	fputc(')', out);
	print_want(out, e);
}
