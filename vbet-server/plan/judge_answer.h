/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a command printed against what is wanted of it ("exec(...) matches /RE/"). Pure. */
#ifndef VBET_SERVER_PLAN_JUDGE_ANSWER_H
#define VBET_SERVER_PLAN_JUDGE_ANSWER_H

#include "lib/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Words of a request that say so: "want.op=OP" (graph_want_name()) with "want.text=" or
 * "want.number=", and "want.path=". "want.of=loss|rtt|throughput": the text is that of ping
 * or iperf3. "want.loss=PPM", "want.rtt=NS": it is that of ping, and says no more than that.
 */
#define JUDGE_WANT "want."

/* True if what a command printed counts although it failed, as ping does if no answer came. */
bool judge_reads_failures(const struct words *w);
/* text: what was printed; the guest is not trusted. The last line in out says what was seen. */
bool judge_answer(const struct words *w, const char *text, FILE *out);

/* A number against "want.op=" and "want.number=". */
bool judge_number(const struct words *w, int64_t seen);

#endif
