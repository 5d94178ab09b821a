/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/clock.h"

#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/guest.h"

#include <stdlib.h>
#include <string.h>

/* Short enough that nobody minds waiting for the end of one, long enough to be few. */
static const int64_t setup_step_ns = 100000000;
/*
 * The lab is handed over no sooner: ping (iputils) takes a monotonic clock of 0 s for one that is
 * not set, and does not wait between its packets.
 */
static const int64_t first_step_ns = 1000000000;

static void run_until(struct lab *lab, int64_t until_ns)
{
	char *line = xasprintf("until %lldns", (long long)until_ns);

	lab->clock.stopped = false;
	substrate_send(&lab->substrate, line, NULL, NULL);
	free(line);
}

void clock_init(struct lab *lab)
{
	lab->clock.is_virtual = lab->graph->clock == CLOCK_VIRTUAL;
	strcpy(lab->clock.pace, "max");
	/* All guests must be there before the calendar can start: none waits for another's boot. */
	if (lab->clock.is_virtual)
		lab->jobs = SIZE_MAX;
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

/* What guests said before the clock stopped counts as said before: it may still be in the sockets.
 */
static void hear_guests(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			conn_poll(&lab->guests[i]->agent.conn);
}

static void on_stopped(struct lab *lab, int64_t now_ns)
{
	lab->clock.now_ns = now_ns;
	hear_guests(lab);
	lab->clock.stopped = true;
	lab_check_progress(lab);
	if (lab->setting_up)
		run_until(lab, now_ns + setup_step_ns);
}

bool clock_handle_event(struct lab *lab, const char *line)
{
	long long now_ns;

	if (sscanf(line, "time %lld reached", &now_ns) == 1) {
		on_stopped(lab, now_ns);
		return true;
	}
	return false;
}

static void set_pace(struct lab *lab, const char *pace)
{
	char *line = xasprintf("pace %s", pace);

	snprintf(lab->clock.pace, sizeof(lab->clock.pace), "%s", pace);
	substrate_send(&lab->substrate, line, NULL, NULL);
	free(line);
}

static void run_on(struct lab *lab)
{
	lab->clock.stopped = false;
	substrate_send(&lab->substrate, "run", NULL, NULL);
}

void clock_hand_over(struct lab *lab)
{
	if (!lab->clock.is_virtual || lab->clock.stays)
		return;
	set_pace(lab, "1");
	run_on(lab);
}

static bool is_pace(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	return !strcmp(text, "max") || (end != text && !*end && v > 0 && v <= 1e6);
}

/* Who waits for the end of a step that is not taken waits no longer. */
static void on_go_answer(void *ctx, bool ok, const char *text)
{
	struct lab *lab = ctx;

	if (ok || lab->failed)
		return;
	lab->clock.stopped = lab->clock.was_stopped;
	err_set(&lab->clock.refused, ERR_USAGE, "%s", text);
	if (lab->listener.changed)
		lab->listener.changed(lab->listener.ctx);
}

/* step TIME and until TIME: the answer comes when the clock has stopped there. */
static int go_to(struct lab *lab, const char *verb, const char *time, struct err *e)
{
	int64_t ns;

	if (unit_parse(UNIT_TIME, time, &ns, e) < 0)
		return -1;
	char *line = xasprintf("%s %lldns", verb, (long long)ns);

	lab->clock.was_stopped = lab->clock.stopped;
	lab->clock.stopped = false;
	lab->clock.refused.kind = ERR_NONE;
	substrate_send(&lab->substrate, line, on_go_answer, lab);
	free(line);
	return 1;
}

int clock_command(struct lab *lab, const struct words *w, FILE *out, struct err *e)
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
		run_on(lab);
		return 0;
	}
	if (!strcmp(what, "pause") && !arg) {
		if (lab->clock.stopped)
			return 0;
		substrate_send(&lab->substrate, "pause", NULL, NULL);
		return 1;
	}
	if ((!strcmp(what, "step") || !strcmp(what, "until")) && arg)
		return go_to(lab, what, arg, e);
	return err_set(e, ERR_USAGE, "clock [pace N|max] [pause] [run] [step TIME] [until TIME]");
}
