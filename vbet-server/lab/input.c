/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/input.h"

#include "lib/container_of.h"
#include "lib/units.h"
#include "vbet-server/lab/change.h"
#include "vbet-server/lab/clock.h"
#include "vbet-server/lab/guest.h"
#include "vbet-server/store/paths.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What is to be done once the clock stands. */
struct waiting {
	void (*run)(struct lab *lab, void *ctx);
	void *ctx;
};

/* What is to be done at a time. */
struct planned {
	int64_t time_ns;
	char *line;       /* owned: words */
	bool from_record; /* else: an event of this run */
};

struct inputs {
	struct lab *lab; /* borrowed */
	VEC(struct waiting) waiting;
	VEC(struct planned) planned; /* by time; of the same time: as they came */
	VEC(char *) spun;            /* owned: nodes that the record says were ended for that */
	FILE *record;                /* NULL: there is none */
	bool pumping;
	bool wants_stand; /* something waits that is not in `waiting` */
	bool is_loading, is_replaying;
	struct loop_timer again;    /* looks again whether it is settled */
	struct loop_timer patience; /* for a recorded boot of a node that does not go down */
	bool gave_up;
};

/* A node of another run may do something else than it did: it is not waited for for ever. */
static const int64_t again_ns =
	2000000; /* bytes that are being written say nothing when they are */
static const int64_t patience_ns = 5000000000;

static void patience_over(struct loop_timer *t, int64_t now_ns)
{
	struct inputs *in = container_of(t, struct inputs, patience);

	in->gave_up = true;
	input_pump(in->lab);
}

static void look_again(struct loop_timer *t, int64_t now_ns)
{
	input_pump(container_of(t, struct inputs, again)->lab);
}

static struct inputs *of(struct lab *lab)
{
	if (!lab->inputs) {
		lab->inputs = xcalloc(1, sizeof(*lab->inputs));
		lab->inputs->lab = lab;
		lab->inputs->patience.fire = patience_over;
		lab->inputs->again.fire = look_again;
	}
	return lab->inputs;
}

bool input_was_spun(const struct lab *lab, const char *node)
{
	for (size_t i = 0; lab->inputs && i < lab->inputs->spun.n; i++)
		if (!strcmp(lab->inputs->spun.at[i], node))
			return true;
	return false;
}

bool input_is_replaying(const struct lab *lab)
{
	return lab->inputs && lab->inputs->is_replaying;
}

/* ---- the record ---- */

void input_record(struct lab *lab, char *const *words, size_t n)
{
	struct inputs *in = of(lab);
	int64_t now = lab->clock.now_ns;

	if (!in->record)
		return;
	fprintf(in->record, "%lld.%09lld ", (long long)(now / 1000000000),
		(long long)(now % 1000000000));
	words_put_line(in->record, words, n);
	fflush(in->record);
}

/* A replay begins where the record does, or it is another run. */
static void check_ready(struct lab *lab)
{
	struct inputs *in = of(lab);
	const struct planned *p = in->planned.n ? &in->planned.at[0] : NULL;

	if (!in->is_replaying)
		return;
	if (!p || strcmp(p->line, "ready\n") != 0)
		err_set(&lab->inputs_refused, ERR_USAGE, "the record does not begin with 'ready'");
	else if (p->time_ns != lab->clock.now_ns)
		err_set(&lab->inputs_refused, ERR_ENV,
			"the lab was ready at %.9f s, and not, as in the record, at %.9f s: this "
			"is another run",
			(double)lab->clock.now_ns / 1e9, (double)p->time_ns / 1e9);
}

void input_begin(struct lab *lab)
{
	char *ready[] = {"ready"};
	char *path;

	if (!lab->clock.is_virtual)
		return;
	path = xasprintf("%s/inputs", lab->record_dir);
	of(lab)->record = fopen(path, "we");
	if (!of(lab)->record)
		fprintf(stderr, "cannot write %s: this run cannot be replayed\n", path);
	free(path);
	check_ready(lab);
	input_record(lab, ready, 1);
}

/* ---- what is planned ---- */

void input_plan(struct lab *lab, int64_t time_ns, char *const *words, size_t n)
{
	struct inputs *in = of(lab);
	struct planned p = {.time_ns = time_ns};
	size_t len = 0;
	size_t at = in->planned.n;
	FILE *f = open_memstream(&p.line, &len);

	words_put_line(f, words, n);
	fclose(f);
	p.from_record = in->is_loading;
	while (at && in->planned.at[at - 1].time_ns > time_ns)
		at--;
	vec_push_zero(&in->planned);
	memmove(in->planned.at + at + 1, in->planned.at + at, (in->planned.n - 1 - at) * sizeof(p));
	in->planned.at[at] = p;
}

static int load_line(struct lab *lab, const char *line, size_t len, struct err *e)
{
	struct arena a = {0};
	struct words w;
	int64_t ns;
	int rc = words_split(line, len, &a, &w, e);

	if (rc == 0 && w.n >= 2) {
		rc = unit_parse(UNIT_TIME, arena_printf(&a, "%ss", w.at[0]), &ns, e);
		if (rc == 0 && !strcmp(w.at[1], "spun") && w.n == 3)
			vec_push(&of(lab)->spun, xstrdup(w.at[2]));
		else if (rc == 0)
			input_plan(lab, ns, w.at + 1, w.n - 1);
	} else if (rc == 0 && w.n) {
		rc = err_set(e, ERR_USAGE, "no input: %.*s", (int)len, line);
	}
	arena_finish(&a);
	return rc;
}

int input_load(struct lab *lab, const char *text, struct err *e)
{
	int rc = 0;

	of(lab)->is_loading = true;
	while (rc == 0 && *text) {
		size_t n = strcspn(text, "\n");

		rc = load_line(lab, text, n, e);
		text += n + (text[n] == '\n');
	}
	of(lab)->is_loading = false;
	of(lab)->is_replaying = rc == 0;
	return rc < 0 ? err_wrap(e, "the record") : 0;
}

static void drop_planned(struct inputs *in)
{
	free(in->planned.at[0].line);
	vec_remove(&in->planned, 0);
}

/* What was planned is told when it cannot be done: in the log, and to whoever replays. */
static void say_refused(struct lab *lab, const char *line, const struct err *e)
{
	fprintf(stderr, "at %.9f s, not done: %.*s: %s\n", (double)lab->clock.now_ns / 1e9,
		(int)strcspn(line, "\n"), line, e->text);
	if (!lab->inputs_refused.kind)
		lab->inputs_refused = *e;
}

static bool is_planned(const struct inputs *in, const char *line)
{
	return in->planned.n && in->planned.at[0].from_record &&
	       !strcmp(in->planned.at[0].line, line);
}

void input_note_refused(struct lab *lab)
{
	char *words[] = {"refused"};

	input_record(lab, words, 1);
	if (lab->by_plan && !is_planned(of(lab), "refused\n"))
		say_refused(lab, "a change", &lab->refused);
}

void input_begin_change(struct lab *lab, bool by_plan)
{
	if (lab->by_plan)
		lab->refused.kind = ERR_NONE;
	lab->by_plan = by_plan;
}

/* In the run, the change before was refused by the substrate. */
static void check_refused(const struct lab *lab, struct err *e)
{
	if (!lab->refused.kind)
		err_set(e, ERR_ENV, "what was refused in the run has been done");
}

/* A guest boots where its kernel's end and the record say so. False: not yet. */
static bool do_boot(struct lab *lab, const char *node, struct err *e)
{
	struct inputs *in = of(lab);
	struct guest *gu = lab_find_guest(lab, node, e);

	if (!gu)
		return true;
	if (gu->state != GUEST_DOWN && !in->gave_up) {
		if (!in->patience.heap_index)
			loop_set_timer(lab->loop, &in->patience,
				       loop_now_ns(lab->loop) + patience_ns);
		return false;
	}
	loop_cancel_timer(lab->loop, &in->patience);
	if (gu->state != GUEST_DOWN) {
		err_set(e, ERR_USAGE, "%s is %s", node, guest_state_name(gu->state));
	} else {
		gu->wanted = gu->queued = gu->may_boot = true;
		lab_check_progress(lab);
	}
	in->gave_up = false;
	return true;
}

static void change_planned(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	input_begin_change(lab, true);
	change_do(lab, w, out, e);
}

/* False: it cannot be done yet. */
static bool do_planned(struct lab *lab, const char *line)
{
	struct arena a = {0};
	struct words w;
	struct err e = {0};
	FILE *null = fopen("/dev/null", "we");
	bool done = true;

	if (words_split(line, strcspn(line, "\n"), &a, &w, &e) == 0) {
		if (!strcmp(w.at[0], "boot") && w.n == 2)
			done = do_boot(lab, w.at[1], &e);
		else if (!strcmp(w.at[0], "refused") && w.n == 1)
			check_refused(lab, &e);
		else
			change_planned(lab, &w, null, &e);
	}
	if (e.kind)
		say_refused(lab, line, &e);
	fclose(null);
	arena_finish(&a);
	return done;
}

/* ---- the gate ---- */

bool input_is_settled(const struct lab *lab)
{
	if (lab->outstanding)
		return false;
	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		if (!gu)
			continue;
		if (gu->dying || conn_pending(&gu->agent.conn))
			return false;
		/* Its kernel has come, or gone, and the one of calendar and server does not know
		 * yet. */
		if (lab->clock.is_virtual && (gu->state != GUEST_DOWN) != gu->joined)
			return false;
	}
	return true;
}

/* Does one thing; false if there is none, or not yet. */
static bool do_next(struct lab *lab)
{
	struct inputs *in = of(lab);

	if (in->planned.n && in->planned.at[0].time_ns <= lab->clock.now_ns) {
		lab->redoing = in->planned.at[0].from_record;
		bool done = do_planned(lab, in->planned.at[0].line);

		lab->redoing = false;
		if (!done)
			return false;
		drop_planned(in);
		return true;
	}
	if (in->waiting.n) {
		struct waiting w = in->waiting.at[0];

		vec_remove(&in->waiting, 0);
		w.run(lab, w.ctx);
		return true;
	}
	if (!in->wants_stand)
		return false;
	in->wants_stand = false;
	lab_check_progress(lab);
	return true;
}

static void end_replay(struct lab *lab)
{
	struct inputs *in = of(lab);

	if (!in->is_replaying || lab->clock.now_ns < lab->clock.goal_ns)
		return;
	in->is_replaying = false;
	/* What the record says of later times is not part of this run. */
	while (in->planned.n && !lab->replay_rest)
		drop_planned(in);
	clock_end_replay(lab);
}

static void pump_virtual(struct lab *lab)
{
	struct inputs *in = of(lab);

	if (!lab->clock.stopped) {
		if (in->waiting.n || in->wants_stand)
			clock_ask_stand(lab);
		return;
	}
	while (input_is_settled(lab) && do_next(lab))
		;
	if (!input_is_settled(lab) && !in->again.heap_index)
		loop_set_timer(lab->loop, &in->again, loop_now_ns(lab->loop) + again_ns);
	if (!input_is_settled(lab) || in->waiting.n || in->wants_stand)
		return;
	if (in->planned.n && in->planned.at[0].time_ns <= lab->clock.now_ns)
		return;
	end_replay(lab);
	clock_go_on(lab, in->planned.n ? in->planned.at[0].time_ns : INT64_MAX);
}

void input_pump(struct lab *lab)
{
	struct inputs *in = of(lab);

	if (in->pumping || lab->failed || (lab->clock.is_virtual && lab->setting_up))
		return;
	in->pumping = true;
	if (lab->clock.is_virtual)
		pump_virtual(lab);
	else
		while (in->waiting.n)
			do_next(lab);
	in->pumping = false;
}

void input_add(struct lab *lab, void (*run)(struct lab *lab, void *ctx), void *ctx)
{
	vec_push(&of(lab)->waiting, ((struct waiting){run, ctx}));
	input_pump(lab);
}

/* The record says when. */
static bool has_planned_boot(const struct inputs *in, struct guest *gu)
{
	char *line = xasprintf("boot %s\n", gu->name);
	bool found = false;

	for (size_t i = 0; i < in->planned.n && !found; i++)
		found = in->planned.at[i].from_record && !strcmp(in->planned.at[i].line, line);
	free(line);
	return found;
}

bool input_may_boot(struct lab *lab, struct guest *gu)
{
	struct inputs *in = of(lab);
	char *words[] = {"boot", gu->name};

	if (!lab->clock.is_virtual || lab->setting_up)
		return true;
	if (!gu->may_boot && (in->is_replaying || has_planned_boot(in, gu)))
		return false;
	if (!gu->may_boot && (!lab->clock.stopped || lab->changing || !input_is_settled(lab))) {
		in->wants_stand = true;
		return false;
	}
	gu->may_boot = false;
	input_record(lab, words, 2);
	return true;
}

void input_finish(struct lab *lab)
{
	struct inputs *in = lab->inputs;

	if (!in)
		return;
	loop_cancel_timer(lab->loop, &in->patience);
	loop_cancel_timer(lab->loop, &in->again);
	while (in->planned.n)
		drop_planned(in);
	vec_free(&in->planned);
	for (size_t i = 0; i < in->spun.n; i++)
		free(in->spun.at[i]);
	vec_free(&in->spun);
	vec_free(&in->waiting);
	if (in->record)
		fclose(in->record);
	free(in);
	lab->inputs = NULL;
}

/* ---- messages to agents ---- */

struct message {
	char *node;
	uint32_t channel, len;
	uint8_t type;
	char data[];
};

static void send_message(struct lab *lab, void *ctx)
{
	struct message *m = ctx;
	struct guest *gu = lab_find_guest(lab, m->node, NULL);

	if (gu && gu->agent.said_hello) {
		change_record_message(lab, m->node, m->channel, m->type, m->data, m->len);
		agent_send(&gu->agent, m->channel, m->type, m->data, m->len);
	}
	free(m->node);
	free(m);
}

void input_send(struct guest *gu, uint32_t channel, uint8_t type, const void *data, uint32_t len)
{
	struct message *m;

	if (!gu->lab->clock.is_virtual) {
		agent_send(&gu->agent, channel, type, data, len);
		return;
	}
	m = xcalloc(1, sizeof(*m) + len + 1);
	m->node = xstrdup(gu->name);
	m->channel = channel;
	m->type = type;
	m->len = len;
	if (len)
		memcpy(m->data, data, len);
	input_add(gu->lab, send_message, m);
}

void input_control(struct guest *gu, const char *words)
{
	input_send(gu, 0, WIRE_CONTROL, words, (uint32_t)strlen(words));
}

void input_open_channel(struct guest *gu, struct agent_channel *ch, uint8_t type, const void *data,
			uint32_t len)
{
	agent_add_channel(&gu->agent, ch);
	input_send(gu, ch->id, type, data, len);
}

void input_drop_channel(struct guest *gu, struct agent_channel *ch)
{
	uint32_t id = ch->id;

	if (!id)
		return;
	agent_remove_channel(&gu->agent, ch);
	input_send(gu, id, WIRE_CLOSE, NULL, 0);
}
