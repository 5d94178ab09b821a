/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The substrate keeps the calendar; here is only what it was last told to do, and where it last
 * stood. There are two ways to let it go on: "until T", after which it says that it has reached
 * T, and "run", which ends only by "pause". Every stop is an event: between asking for it and
 * hearing of it the lab goes on.
 *
 * Set-up: step by step, as fast as it can, until everything is ready; only whole steps count,
 * so that the time of being ready depends on the script and not on the machine. Then the goal
 * decides: where it is reached, the clock stays; a planned input before that (input.c) is a
 * stop on the way there, and something that waits asks for a stop now.
 */
#include "vbet-server/lab/clock.h"

#include "lib/tsc.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <stdlib.h>
#include <string.h>

/* Short enough that nobody minds waiting for the end of one, long enough to be few. */
static const int64_t setup_step_ns = 100000000;
/*
 * The lab is handed over no sooner: ping (iputils) takes a monotonic clock of 0 s for one that is
 * not set, and does not wait between its packets.
 */
static const int64_t first_step_ns = 1000000000;

/* The clock counts as running from the moment it is told to: an answer can only come later. */
static void run_until(struct lab *lab, int64_t until_ns)
{
	char *line = xasprintf("until %lldns", (long long)until_ns);

	lab->clock.stopped = false;
	lab->clock.until_ns = until_ns;
	lab_send_clock(lab, line, NULL, NULL);
	free(line);
}

void clock_init(struct lab *lab)
{
	lab->clock.is_virtual = lab->graph->clock == CLOCK_VIRTUAL;
	strcpy(lab->clock.pace, "max");
	/* The calendar starts when all guests are in it, so none may wait for another to be up. */
	if (lab->clock.is_virtual)
		lab->progress.jobs = SIZE_MAX;
	lab->clock.shows_host = lab->clock.is_virtual && !tsc_can_be_hidden();
}

void clock_tell(const struct lab *lab, FILE *out)
{
	if (lab->clock.shows_host)
		fputs("guests can read this machine's time stamp counter, as PR_SET_TSC does "
		      "nothing here: programs that do need not repeat\n",
		      out);
}

void clock_begin(struct lab *lab)
{
	if (lab->clock.is_virtual)
		run_until(lab, first_step_ns);
}

bool clock_allows_ready(const struct lab *lab)
{
	return !lab->clock.is_virtual || lab->clock.stopped;
}

/*
 * Guests may have said something before the clock stopped that is still in their sockets: it
 * counts as said before.
 */
static void hear_guests(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			conn_poll(&lab->guests[i]->agent.conn);
}

static void begin_loan(struct lab *lab)
{
	char *words[] = {"clock", "run"};

	lab->clock.lends = true;
	lab->clock.goal_ns = INT64_MAX;
	input_record(lab, words, 2);
	input_pump(lab);
}

/* Whoever waited for the goal has been told. */
static void lend_next(struct lab *lab)
{
	struct lab_clock *c = &lab->clock;

	if (!c->lends_next || !clock_is_at_goal(lab))
		return;
	c->lends_next = false;
	if (c->lent)
		begin_loan(lab);
}

void clock_go_on_set_up(struct lab *lab)
{
	if (lab->clock.is_virtual && lab->clock.stopped && warm_lets_go_on(lab))
		run_until(lab, lab->clock.now_ns + setup_step_ns);
}

/*
 * Where it stands is known from here on, and stays so until it is told to go on. In the set-up
 * it may be short of the end of its step: then it goes on to that.
 */
static void on_stopped(struct lab *lab, int64_t now_ns)
{
	lab->clock.now_ns = now_ns;
	hear_guests(lab);
	lab->clock.stopped = true;
	lab->clock.asked = false;
	names_update(lab);
	if (lab->progress.setting_up) {
		mtu_update(lab);
		if (now_ns < lab->clock.until_ns) {
			run_until(lab, lab->clock.until_ns);
			return;
		}
	}
	progress_check(lab);
	if (lab->progress.setting_up)
		clock_go_on_set_up(lab);
	else
		lend_next(lab);
}

void clock_hear_time(struct lab *lab, const struct words *w)
{
	if (!strcmp(w->at[2], "reached"))
		on_stopped(lab, strtoll(w->at[1], NULL, 10));
	/* It will stand soon by itself: whoever waits for that need not ask. */
	else if (!strcmp(w->at[2], "ahead"))
		lab->clock.asked = !lab->clock.stopped;
}

void clock_hear_idle(struct lab *lab, const struct words *w)
{
	lab->clock.is_idle = true;
}

static void tell_pace(struct lab *lab, const char *pace)
{
	char *line = xasprintf("pace %s", pace);

	lab_send_clock(lab, line, NULL, NULL);
	free(line);
}

static void set_pace(struct lab *lab, const char *pace)
{
	snprintf(lab->clock.pace, sizeof(lab->clock.pace), "%s", pace);
	lab->clock.hurries = false;
	tell_pace(lab, pace);
}

/* Whoever says where it is to stand wants to be there; the pace is for what comes after that. */
static void hurry(struct lab *lab, bool hurries)
{
	if (lab->clock.hurries == hurries)
		return;
	lab->clock.hurries = hurries;
	tell_pace(lab, hurries ? "max" : lab->clock.pace);
}

/* Once is enough: it stops for all who wait. */
void clock_ask_stand(struct lab *lab)
{
	if (lab->clock.asked || lab->clock.stopped)
		return;
	lab->clock.asked = true;
	lab_send_clock(lab, "pause", NULL, NULL);
}

/* A goal that is not in the future is reached: the lab stands until it gets another. */
void clock_go_on(struct lab *lab, int64_t next_ns)
{
	int64_t to = lab->clock.goal_ns < next_ns ? lab->clock.goal_ns : next_ns;

	if (lab->clock.stopped && clock_is_at_goal(lab))
		hurry(lab, false);
	if (!lab->clock.stopped || to <= lab->clock.now_ns)
		return;
	lab->clock.is_idle = false;
	if (to != INT64_MAX) {
		run_until(lab, to);
		return;
	}
	lab->clock.stopped = false;
	lab_send_clock(lab, "run", NULL, NULL);
}

bool clock_is_at_goal(const struct lab *lab)
{
	return lab->clock.stopped && lab->clock.now_ns >= lab->clock.goal_ns;
}

bool clock_will_stand(const struct lab *lab)
{
	return clock_is_at_goal(lab) || (lab->clock.lends && !lab->clock.lent);
}

/*
 * Between the end of the last thing that it was lent for and the moment at which it stands, it
 * still is on loan: who comes then would else see a clock that runs, and be left alone with one
 * that stands.
 */
bool clock_lend(struct lab *lab)
{
	struct lab_clock *c = &lab->clock;

	if (!c->is_virtual || (!c->lends && c->goal_ns == INT64_MAX))
		return false;
	c->lent++;
	if (!c->lends && clock_is_at_goal(lab))
		begin_loan(lab);
	else if (!c->lends)
		c->lends_next = true;
	return true;
}

/* By now somebody else may need it, or may have said where it is to stand. */
static void stand_again(struct lab *lab, void *ctx)
{
	char *words[] = {"clock", "pause"};
	struct lab_clock *c = &lab->clock;

	if (c->lent || !c->lends)
		return;
	c->lends = false;
	c->goal_ns = c->now_ns;
	input_record(lab, words, 2);
}

void clock_take_back(struct lab *lab)
{
	if (!--lab->clock.lent && lab->clock.lends)
		input_add(lab, stand_again, NULL);
}

void clock_hand_over(struct lab *lab)
{
	if (!lab->clock.is_virtual)
		return;
	if (input_is_replaying(lab)) {
		lab->clock.goal_ns = lab->inputs.replay_ns;
		return;
	}
	lab->clock.goal_ns = lab->clock.stays ? lab->clock.now_ns : INT64_MAX;
	if (!lab->clock.stays)
		set_pace(lab, "1");
}

void clock_follow(struct lab *lab)
{
	struct lab_clock *c = &lab->clock;

	c->lent = 0;
	c->lends = c->lends_next = c->stays = c->asked = false;
	c->goal_ns = lab->inputs.replay_ns;
	set_pace(lab, "max");
}

void clock_end_replay(struct lab *lab)
{
	set_pace(lab, "1");
}

static bool is_pace(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	return !strcmp(text, "max") || (end != text && !*end && v > 0 && v <= 1e6);
}

/* step TIME and until TIME */
static int set_goal(struct lab *lab, bool is_step, const char *time, struct err *e)
{
	int64_t now = lab->clock.now_ns;
	int64_t ns;

	if (unit_parse(UNIT_TIME, time, &ns, e) < 0)
		return -1;
	if (is_step && __builtin_add_overflow(now, ns, &ns))
		return err_set(e, ERR_USAGE, "that is more time than there is");
	if (ns < now)
		return err_set(e, ERR_USAGE, "it is later already: %.9f s", (double)now / 1e9);
	lab->clock.goal_ns = ns;
	lab->clock.lends = lab->clock.lends_next = false;
	if (!is_step && ns > now)
		hurry(lab, true);
	return 0;
}

int clock_command(struct lab *lab, const struct words *w, struct err *e)
{
	const char *what = w->n > 1 ? w->at[1] : "show";
	const char *arg = w->n > 2 ? w->at[2] : NULL;

	if (!lab->clock.is_virtual)
		return err_set(e, ERR_USAGE,
			       "lab %s runs by the real clock (up --clock virtual for the other)",
			       lab->graph->lab);
	if (!strcmp(what, "pace") && arg && is_pace(arg)) {
		set_pace(lab, arg);
		return 0;
	}
	if (!strcmp(what, "run") && !arg) {
		hurry(lab, false);
		lab->clock.goal_ns = INT64_MAX;
		lab->clock.lends = lab->clock.lends_next = false;
		return 0;
	}
	if (!strcmp(what, "pause") && !arg) {
		lab->clock.goal_ns = lab->clock.now_ns;
		lab->clock.lends = lab->clock.lends_next = false;
		return 0;
	}
	if ((!strcmp(what, "step") || !strcmp(what, "until")) && arg)
		return set_goal(lab, *what == 's', arg, e);
	return err_set(e, ERR_USAGE, "clock [pace N|max] [pause] [run] [step TIME] [until TIME]");
}
