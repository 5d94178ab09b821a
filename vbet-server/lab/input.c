/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate. In virtual time whatever comes from outside of a lab (a request, bytes for a guest, a
 * boot) waits here until the clock stands; then one thing is done after the other, each only when
 * all that the last one caused has come to rest (input_is_settled()): the substrate has answered,
 * no byte is on its way to a guest, no kernel is about to come or go. Only then does the clock go
 * on. So everything that happens to a lab happens at a time that is known exactly and in an order
 * that is known, and a line in the record (one per thing done, with its time) says all of it.
 *
 * What is planned for a time goes the same way: events of the script, and in a replay every line of
 * the record. The clock is told to stand at the time of the next one. During a replay nobody else
 * is let in, and the lab does nothing by itself that its record has: it boots guests where the
 * record does, and ends spinning ones that the record says were ended.
 *
 * By the real clock nothing is recorded, and nothing waits but for the change before it.
 */
#include "vbet-server/lab/input.h"

#include "lib/container_of.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/lab/message.h"
#include "vbet-server/lab/verb.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Do not wait forever if the replay diverges. */
static const int64_t patience_ns = 5000000000;
/* Poll, as finished writes raise no event. */
static const int64_t again_ns = 2000000;

bool input_was_spun(const struct lab *lab, const char *node)
{
	for (size_t i = 0; i < lab->inputs.spun.n; i++)
		if (!strcmp(lab->inputs.spun.at[i], node))
			return true;
	return false;
}

bool input_is_replaying(const struct lab *lab)
{
	return lab->inputs.is_replaying;
}

/* ---- the record ---- */

/* Flushed line by line: a run that ends by a crash is the one that somebody wants to repeat. */
void input_record(struct lab *lab, char *const *words, size_t n)
{
	struct inputs *in = &lab->inputs;
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
	struct inputs *in = &lab->inputs;
	const struct input_planned *p = in->planned.n ? &in->planned.at[0] : NULL;

	if (!in->is_replaying)
		return;
	if (!p || strcmp(p->line, "ready\n") != 0)
		err_set(&lab->inputs.refused, ERR_USAGE, "the record does not begin with 'ready'");
	else if (p->time_ns != lab->clock.now_ns)
		err_set(&lab->inputs.refused, ERR_ENV,
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
	path = xasprintf("%s/inputs", lab->record.dir);
	lab->inputs.record = fopen(path, "we");
	if (!lab->inputs.record)
		fprintf(stderr, "cannot write %s: this run cannot be replayed\n", path);
	free(path);
	check_ready(lab);
	input_record(lab, ready, 1);
	if (!lab->inputs.is_replaying)
		back_plan(lab);
}

/* ---- what is planned ---- */

void input_plan(struct lab *lab, int64_t time_ns, char *const *words, size_t n)
{
	struct inputs *in = &lab->inputs;
	struct input_planned p = {.time_ns = time_ns};
	size_t len = 0;
	size_t at = in->planned.n;
	FILE *f = xmemstream(&p.line, &len);

	words_put_line(f, words, n);
	fclose(f);
	p.from_record = in->is_loading;
	while (at && in->planned.at[at - 1].time_ns > time_ns)
		at--;
	vec_push_zero(&in->planned);
	memmove(in->planned.at + at + 1, in->planned.at + at, (in->planned.n - 1 - at) * sizeof(p));
	in->planned.at[at] = p;
}

/* Lines that end a spinning guest are kept apart: their times mean nothing (spin.c). */
static int load_line(struct lab *lab, const char *line, size_t len, struct err *e)
{
	struct arena a = {0};
	struct words w;
	int64_t ns;
	int rc = words_split(line, len, &a, &w, e);

	if (rc == 0 && w.n >= 2) {
		rc = unit_parse(UNIT_TIME, arena_printf(&a, "%ss", w.at[0]), &ns, e);
		if (rc == 0 && !strcmp(w.at[1], "spun") && w.n == 3)
			vec_push(&lab->inputs.spun, xstrdup(w.at[2]));
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

	lab->inputs.is_loading = true;
	while (rc == 0 && *text) {
		size_t n = strcspn(text, "\n");

		rc = load_line(lab, text, n, e);
		text += n + (text[n] == '\n');
	}
	lab->inputs.is_loading = false;
	lab->inputs.is_replaying = rc == 0;
	return rc < 0 ? err_wrap(e, "the record") : 0;
}

static void drop_planned(struct inputs *in)
{
	free(in->planned.at[0].line);
	vec_remove(&in->planned, 0);
}

static void free_message(void *ctx);
static void send_message(struct lab *lab, void *ctx);

/* Whoever waits here is no more. */
static void drop_waiting(struct inputs *in)
{
	for (size_t i = 0; i < in->waiting.n; i++)
		if (in->waiting.at[i].run == send_message)
			free_message(in->waiting.at[i].ctx);
	in->waiting.n = 0;
}

int input_follow(struct lab *lab, const char *text, int64_t to_ns, struct err *e)
{
	struct inputs *in = &lab->inputs;

	drop_waiting(in);
	while (in->planned.n)
		drop_planned(in);
	in->refused.kind = ERR_NONE;
	in->wants_stand = false;
	in->replay_ns = to_ns;
	in->replay_rest = false;
	if (input_load(lab, text, e) < 0)
		return -1;
	clock_follow(lab);
	return 0;
}

/*
 * Nobody waits for what was planned: that it cannot be done goes into the log, and to whoever
 * asks.
 */
static void say_refused(struct lab *lab, const char *line, const struct err *e)
{
	fprintf(stderr, "at %.9f s, not done: %.*s: %s\n", (double)lab->clock.now_ns / 1e9,
		(int)strcspn(line, "\n"), line, e->text);
	if (!lab->inputs.refused.kind)
		lab->inputs.refused = *e;
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
	if (lab->change.origin != CHANGE_OF_CLIENT && !is_planned(&lab->inputs, "refused\n"))
		say_refused(lab, "a change", &lab->change.refused);
}

/* The record says so of the change before; if it was done now, this is another run. */
static void check_refused(const struct lab *lab, struct err *e)
{
	if (!lab->change.refused.kind)
		err_set(e, ERR_ENV, "what was refused in the run has been done");
}

static void patience_over(struct loop_timer *t, int64_t now_ns)
{
	struct lab *lab = container_of(t, struct lab, inputs.patience);

	lab->inputs.gave_up = true;
	input_pump(lab);
}

/* A guest may boot when its last kernel has ended. False: not yet. */
static bool do_boot(struct lab *lab, const char *node, struct err *e)
{
	struct inputs *in = &lab->inputs;
	struct guest *gu = lab_find_guest(lab, node, e);

	if (!gu)
		return true;
	if (gu->state != GUEST_DOWN && !in->gave_up) {
		in->patience.fire = patience_over;
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
		progress_check(lab);
	}
	in->gave_up = false;
	return true;
}

/* False: it cannot be done yet. */
static bool do_planned(struct lab *lab, const struct input_planned *p)
{
	enum change_origin origin = p->from_record ? CHANGE_OF_RECORD : CHANGE_OF_LAB;
	const char *line = p->line;
	struct arena a = {0};
	struct words w;
	struct err e = {0};
	FILE *null = fopen("/dev/null", "we");
	bool done = true;

	if (words_split(line, strcspn(line, "\n"), &a, &w, &e) == 0) {
		if (verb_wakes(lab, &w) && !sleep_wake_all(lab))
			done = false;
		else if (!strcmp(w.at[0], "boot") && w.n == 2)
			done = do_boot(lab, w.at[1], &e);
		else if (!strcmp(w.at[0], "refused") && w.n == 1)
			check_refused(lab, &e);
		else
			change_do(lab, origin, &w, null, &e);
	}
	if (e.kind)
		say_refused(lab, line, &e);
	fclose(null);
	arena_finish(&a);
	return done;
}

/* ---- the gate ---- */

static bool guest_is_settled(const struct lab *lab, const struct guest *gu)
{
	if (gu->dying || conn_pending(&gu->agent.conn))
		return false;
	/* By the real clock those whose time has come go on by themselves. */
	if (lab->clock.is_virtual && !sleep_is_settled(gu))
		return false;
	/* That a kernel comes or goes is heard here and in the calendar one after the other. */
	return !lab->clock.is_virtual || (gu->state != GUEST_DOWN) == gu->joined;
}

bool input_is_settled(const struct lab *lab)
{
	if (snapshot_is_under_way(lab) || !back_is_settled(lab))
		return false;
	if (!change_is_over(lab))
		return false;
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && !guest_is_settled(lab, lab->guests[i]))
			return false;
	return true;
}

/* Does the next thing. False: there is none, or it cannot be done yet. */
static bool do_next(struct lab *lab)
{
	struct inputs *in = &lab->inputs;

	/* Whoever waits for the last one hears what became of it before the next one begins. */
	progress_tell(lab);
	if (back_save(lab))
		return true;
	if (in->planned.n && in->planned.at[0].time_ns <= lab->clock.now_ns) {
		if (!do_planned(lab, &in->planned.at[0]))
			return false;
		drop_planned(in);
		return true;
	}
	if (in->waiting.n) {
		struct input_waiting w = in->waiting.at[0];

		if (w.may && !w.may(lab))
			return false;
		vec_remove(&in->waiting, 0);
		w.run(lab, w.ctx);
		return true;
	}
	if (!in->wants_stand)
		return moment_save(lab);
	in->wants_stand = false;
	progress_check(lab);
	return true;
}

static void look_again(struct loop_timer *t, int64_t now_ns)
{
	input_pump(container_of(t, struct lab, inputs.again));
}

/* From here on everybody may change the lab, and the clock goes at the pace of the wall again. */
static void end_replay(struct lab *lab)
{
	struct inputs *in = &lab->inputs;

	if (!in->is_replaying || lab->clock.now_ns < lab->clock.goal_ns)
		return;
	in->is_replaying = false;
	/* What the record says of later times is not part of this run. */
	while (in->planned.n && !lab->inputs.replay_rest)
		drop_planned(in);
	clock_end_replay(lab);
	back_plan(lab);
	progress_tell(lab);
}

/* Where the clock is to stand before its goal. */
static int64_t next_ns(const struct lab *lab)
{
	const struct inputs *in = &lab->inputs;
	int64_t planned_ns = in->planned.n ? in->planned.at[0].time_ns : INT64_MAX;
	int64_t moment_ns = moment_next_ns(lab);

	return planned_ns < moment_ns ? planned_ns : moment_ns;
}

/*
 * One thing after the other as long as the lab is at rest; then the clock goes on, to its goal
 * or to the next thing that is planned. As long as anything waits it does not: what waits is to
 * be done now, at the time that it is.
 */
static void pump_virtual(struct lab *lab)
{
	struct inputs *in = &lab->inputs;

	if (!lab->clock.stopped) {
		if (in->waiting.n || in->wants_stand)
			clock_ask_stand(lab);
		return;
	}
	while (input_is_settled(lab) && do_next(lab))
		;
	in->again.fire = look_again;
	if (!input_is_settled(lab) && !in->again.heap_index)
		loop_set_timer(lab->loop, &in->again, loop_now_ns(lab->loop) + again_ns);
	if (!input_is_settled(lab) || in->waiting.n || in->wants_stand)
		return;
	if (in->planned.n && in->planned.at[0].time_ns <= lab->clock.now_ns)
		return;
	end_replay(lab);
	clock_go_on(lab, next_ns(lab));
}

void input_pump(struct lab *lab)
{
	struct inputs *in = &lab->inputs;

	if (in->pumping || lab->progress.failed || lab_is_stuck(lab, NULL) ||
	    (lab->clock.is_virtual && lab->progress.setting_up))
		return;
	in->pumping = true;
	if (lab->clock.is_virtual)
		pump_virtual(lab);
	else
		while (in->waiting.n && change_is_over(lab) && !snapshot_is_under_way(lab) &&
		       do_next(lab))
			;
	in->pumping = false;
}

void input_add_when(struct lab *lab, bool (*may)(struct lab *lab),
		    void (*run)(struct lab *lab, void *ctx), void *ctx)
{
	vec_push(&lab->inputs.waiting,
		 ((struct input_waiting){.run = run, .ctx = ctx, .may = may}));
	input_pump(lab);
}

void input_add(struct lab *lab, void (*run)(struct lab *lab, void *ctx), void *ctx)
{
	input_add_when(lab, NULL, run, ctx);
}

void input_add_change(struct lab *lab, void (*run)(struct lab *lab, void *ctx), void *ctx)
{
	input_add_when(lab, sleep_wake_all, run, ctx);
}

/* True if the record has a boot of it still to come: a what-if goes on beyond the record. */
static bool has_planned_boot(const struct inputs *in, struct guest *gu)
{
	char *line = xasprintf("boot %s\n", gu->name);
	bool found = false;

	for (size_t i = 0; i < in->planned.n && !found; i++)
		found = in->planned.at[i].from_record && !strcmp(in->planned.at[i].line, line);
	free(line);
	return found;
}

/*
 * A boot is an input like any other, but nobody asks for it: guests are queued by changes, by
 * their own reboot, by a restart. In a replay only the record's own boots are let through, each
 * by do_boot(); else a guest would boot here when its turn has come, and there when the record
 * says so.
 */
bool input_may_boot(struct lab *lab, struct guest *gu)
{
	struct inputs *in = &lab->inputs;
	char *words[] = {"boot", gu->name};

	if (!lab->clock.is_virtual)
		return !snapshot_is_under_way(lab);
	if (lab->progress.setting_up)
		return true;
	if (!gu->may_boot && (in->is_replaying || has_planned_boot(in, gu)))
		return false;
	if (!gu->may_boot && (!lab->clock.stopped || !input_is_settled(lab))) {
		in->wants_stand = true;
		return false;
	}
	gu->may_boot = false;
	input_record(lab, words, 2);
	return true;
}

void input_finish(struct lab *lab)
{
	struct inputs *in = &lab->inputs;

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
	*in = (struct inputs){0};
}

/* ---- messages to agents ---- */

struct message {
	char *node;
	uint32_t channel, len;
	uint8_t type;
	char data[];
};

static void free_message(void *ctx)
{
	struct message *m = ctx;

	free(m->node);
	free(m);
}

/* By now the guest may be down, or another kernel may run: then nobody is there to hear it. */
static void send_message(struct lab *lab, void *ctx)
{
	struct message *m = ctx;
	struct guest *gu = lab_find_guest(lab, m->node, NULL);

	if (gu && gu->agent.said_hello) {
		message_record(lab, m->node, m->channel, m->type, m->data, m->len);
		agent_send(&gu->agent, m->channel, m->type, m->data, m->len);
	}
	free_message(m);
}

void input_send(struct guest *gu, uint32_t channel, uint8_t type, const void *data, uint32_t len)
{
	struct message *m;

	if (!gu->lab->clock.is_virtual) {
		sleep_call(gu);
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
