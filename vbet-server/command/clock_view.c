/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What commands want to know of a lab's clock: the time, and whether it stands. In a lab whose
 * clock stands nothing answers, so a command that was typed there would hang; who sits at a
 * terminal is asked whether the clock may go on for it. A script is not asked: it says --step, or
 * means it.
 */
#include "vbet-server/command/clock_view.h"

#include "vbet-server/command/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * "12.345000000 s, pace 1, paused": request_change.c, on_now(). False for a real clock, of which
 * there is nothing to tell.
 */
bool clock_view_get(const char *lab, struct clock_view *v)
{
	char *words[] = {"clock"};
	char *text;
	bool is_virtual = client_ask_text(lab, words, 1, &text, NULL) == 0;

	memset(v, 0, sizeof(*v));
	is_virtual = is_virtual && sscanf(text, "%lf s, pace %15[^, \n]", &v->now_s, v->pace) == 2;
	v->stands = is_virtual && strstr(text, ", paused");
	free(text);
	return is_virtual;
}

void clock_view_restore(const char *lab, const struct clock_view *v)
{
	char *run[] = {"clock", "run"};

	if (!v->stands)
		client_ask(lab, run, 2, NULL, NULL);
}

int clock_view_settle(const char *lab, struct exec_options *opt, struct err *e)
{
	struct clock_view v;
	char answer[16] = "n";

	if (opt->step || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
	    !clock_view_get(lab, &v) || !v.stands)
		return 0;
	fprintf(stderr,
		"The clock stands at %.3f s, and nothing runs. Let it go on for this command? "
		"[Y/n] ",
		v.now_s);
	if (!fgets(answer, sizeof(answer), stdin) || (*answer != '\n' && !strchr("yY", *answer)))
		return err_set(e, ERR_ENV, "the clock stands: 'clock run' lets the lab go on");
	opt->step = true;
	return 0;
}
