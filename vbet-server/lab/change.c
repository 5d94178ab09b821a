/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/change.h"

#include "lib/units.h"
#include "lib/vec.h"
#include "vbet-server/lab/guest.h"
#include "vbet-server/lab/held.h"
#include "vbet-server/lab/input.h"
#include "vbet-server/lab/job.h"
#include "vbet-server/lab/link.h"
#include "vbet-server/plan/event.h"

#include <stdlib.h>
#include <string.h>

typedef int (*change_fn)(struct lab *lab, const struct words *w, FILE *out, struct err *e);

struct change {
	const char *name;
	size_t min_words, max_words; /* with the name */
	change_fn run;
	bool is_silent; /* writes its own line into the record, or none */
};

/* ---- nodes ---- */

static int do_start(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], e);

	return gu ? lab_start_guest(lab, gu, e) : -1;
}

static int do_stop(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], e);

	if (!gu)
		return -1;
	if (gu->state == GUEST_DOWN && !gu->queued)
		return err_set(e, ERR_USAGE, "%s is down", gu->name);
	lab_stop_guest(lab, gu, !strcmp(w->at[0], "kill"));
	return 0;
}

static int do_restart(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], e);

	if (!gu)
		return -1;
	gu->restart = true;
	lab_stop_guest(lab, gu, false);
	return 0;
}

/* ---- cables ---- */

static int do_link(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return link_command(lab, w, out, e);
}

/* What is wrong with a statement. */
static int say_errors(const struct lab *lab, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	topo_print_errors(f, lab->script);
	fclose(f);
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	err_set(e, ERR_USAGE, "%s", text);
	free(text);
	return -1;
}

/* The statement may have brought events: those from number `from` on. */
static int plan_events(struct lab *lab, size_t from, struct err *e)
{
	const struct graph *g = lab->graph;
	int rc = 0;

	for (size_t i = from; i < g->n_events && rc == 0; i++) {
		const struct graph_event *ev = &g->events[i];
		struct arena a = {0};
		struct strvec v = {0};

		if (!lab->clock.is_virtual)
			rc = err_set(e, ERR_USAGE,
				     "'at' needs the virtual clock in a running lab: this one runs "
				     "by the real clock");
		else if (ev->time_ns < lab->clock.now_ns)
			rc = err_set(e, ERR_USAGE, "%.9f s is over: it is %.9f s",
				     (double)ev->time_ns / 1e9, (double)lab->clock.now_ns / 1e9);
		else
			rc = event_words(g, ev, &a, &v, e);
		if (rc == 0)
			input_plan(lab, ev->time_ns, (char *const *)v.at, v.n);
		vec_free(&v);
		arena_finish(&a);
	}
	return rc;
}

/* One more line of the script. */
static int add_statement(struct lab *lab, const char *statement, struct err *e)
{
	struct graph *g = topo_add_statement(lab->script, statement, strlen(statement));
	size_t n_events = lab->graph->n_events;

	if (!g)
		return say_errors(lab, e);
	lab->added_statement = true;
	if (link_change_graph(lab, g, e) < 0 || lab_keep_sources(lab, e) < 0)
		return -1;
	/* A record has what came of its events, too. */
	if (lab->redoing || plan_events(lab, n_events, e) == 0) {
		if (!lab->outstanding)
			lab_settle(lab);
		return 0;
	}
	lab_refuse(lab, e);
	lab_settle(lab);
	lab->refused.kind = ERR_NONE;
	return -1;
}

/* Not one more line of the script: only what it would say. */
int change_read_check(struct lab *lab, const char *text, FILE *out, struct err *e)
{
	char *line = xasprintf("expect %s", text);
	struct graph *g = topo_add_statement(lab->script, line, strlen(line));
	int rc = -1;

	free(line);
	if (!g)
		return say_errors(lab, e);
	if (g->n_expects == lab->graph->n_expects + 1) {
		const struct graph_expect *x = &g->expects[g->n_expects - 1];
		char *command = event_check_command(g, x);
		char *words[] = {(char *)g->nodes[x->node].name, x->negated ? "not" : "is",
				 command};

		words_put_line(out, words, ARRAY_LEN(words));
		free(command);
		rc = 0;
	} else {
		err_set(e, ERR_USAGE, "that is not one check, such as ping(a, b)");
	}
	graph_destroy(g);
	graph_destroy(topo_drop_statement(lab->script));
	return rc;
}

static int do_statement(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return add_statement(lab, w->at[1], e);
}

/* plug NODE:NIC NODE:NIC: a cable between two free NICs. plug NODE:NIC: mends the one there. */
static int do_plug(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct arena a = {0};
	char *statement = w->n == 3 ? link_statement(lab, &a, w->at[1], w->at[2], e) : NULL;
	int rc = -1;

	if (w->n == 2)
		rc = do_link(lab, w, out, e);
	else if (statement)
		rc = add_statement(lab, statement, e);
	arena_finish(&a);
	return rc;
}

/* ---- messages of records ---- */

static const char *const type_names[] = {
	[WIRE_EXEC] = "exec",       [WIRE_PUT] = "put",       [WIRE_GET] = "get",
	[WIRE_DATA] = "data",       [WIRE_EOF] = "eof",       [WIRE_WINDOW_ADD] = "window",
	[WIRE_SIGNAL] = "signal",   [WIRE_RESIZE] = "resize", [WIRE_CLOSE] = "close",
	[WIRE_CONTROL] = "control",
};

void change_record_message(struct lab *lab, const char *node, uint32_t channel, uint8_t type,
			   const void *data, uint32_t len)
{
	struct arena a = {0};
	const uint8_t *p = data;
	char *words[5] = {"agent", (char *)node, arena_printf(&a, "%u", channel),
			  (char *)type_names[type]};
	bool is_text = type == WIRE_EXEC || type == WIRE_PUT || type == WIRE_GET ||
		       type == WIRE_DATA || type == WIRE_CONTROL;

	if (len && is_text && !memchr(data, '\0', len)) {
		words[4] = arena_printf(&a, "text=%.*s", (int)len, (const char *)data);
	} else if (len) {
		char *hex = arena_alloc(&a, 4 + 2 * (size_t)len + 1);

		memcpy(hex, "hex=", 5);
		for (uint32_t i = 0; i < len; i++)
			snprintf(hex + 4 + 2 * (size_t)i, 3, "%02x", p[i]);
		words[4] = hex;
	}
	input_record(lab, words, words[4] ? 5 : 4);
	arena_finish(&a);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* What follows the type: bytes in the arena. */
static int read_payload(struct arena *a, const struct words *w, const char **data, size_t *len,
			struct err *e)
{
	const char *text = words_get(w, "text");
	const char *hex = words_get(w, "hex");

	*data = text ? text : "";
	*len = strlen(*data);
	if (!hex)
		return 0;
	char *bytes = arena_alloc(a, strlen(hex) / 2 + 1);

	for (*len = 0; hex[0] && hex[1]; hex += 2) {
		int high = hex_digit(hex[0]);
		int low = hex_digit(hex[1]);

		if (high < 0 || low < 0)
			return err_set(e, ERR_USAGE, "these are no hexadecimal bytes");
		bytes[(*len)++] = (char)(high << 4 | low);
	}
	*data = bytes;
	return 0;
}

/* agent NODE CHANNEL TYPE [text=TEXT|hex=BYTES] */
static int do_agent(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], e);
	struct arena a = {0};
	const char *data = NULL;
	size_t len = 0;
	int64_t channel;
	uint8_t type = 0;

	if (!gu || unit_parse(UNIT_COUNT, w->at[2], &channel, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
		if (type_names[i] && !strcmp(type_names[i], w->at[3]))
			type = (uint8_t)i;
	if (!type)
		return err_set(e, ERR_USAGE, "no message is called '%s'", w->at[3]);
	int rc = read_payload(&a, w, &data, &len, e);

	if (rc == 0 && !gu->agent.said_hello)
		rc = err_set(e, ERR_ENV, "%s is %s", gu->name, guest_state_name(gu->state));
	if (rc == 0 && len > WIRE_PAYLOAD_MAX)
		rc = err_set(e, ERR_USAGE, "the message is too long");
	if (rc == 0) {
		change_record_message(lab, gu->name, (uint32_t)channel, type, data, (uint32_t)len);
		agent_send(&gu->agent, (uint32_t)channel, type, data, (uint32_t)len);
		held_see(gu, (uint32_t)channel, type, data, len);
		/* New channels go on from there. */
		if (gu->agent.last_id < channel)
			gu->agent.last_id = (uint32_t)channel;
	}
	arena_finish(&a);
	return rc;
}

/* The command of an event: its message is what is recorded. */
static int do_job(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return job_command(lab, w, out, e);
}

static int do_nothing(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	return 0;
}

static const struct change changes[] = {
	{"start", 2, 2, do_start, false},
	{"stop", 2, 2, do_stop, false},
	{"kill", 2, 2, do_stop, false},
	{"restart", 2, 2, do_restart, false},
	{"link", 2, SIZE_MAX, do_link, false},
	{"plug", 2, 3, do_plug, false},
	{"unplug", 2, 2, do_link, false},
	{"statement", 2, 2, do_statement, false},
	{"agent", 4, 5, do_agent, true},
	{"job", 4, SIZE_MAX, do_job, true},
	/* Only said in records. */
	{"ready", 1, 1, do_nothing, true},
	{"clock", 1, SIZE_MAX, do_nothing, true},
	{"charged", 2, 2, do_nothing, true},
	{"end", 1, 1, do_nothing, true},
};

int change_do(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	bool shows = w->n > 1 && !strcmp(w->at[w->n - 1], "show");

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct change *c = &changes[i];

		if (strcmp(c->name, w->at[0]) != 0)
			continue;
		if (w->n < c->min_words || w->n > c->max_words)
			return err_set(e, ERR_USAGE, "wrong number of words for %s", c->name);
		lab->changing = true;
		int rc = c->run(lab, w, out, e);

		lab->changing = false;
		if (rc == 0 && !c->is_silent && !shows)
			input_record(lab, w->at, w->n);
		return rc;
	}
	return err_set(e, ERR_USAGE, "'%s' changes nothing", w->at[0]);
}
