/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest whose kernel computes without ever asking for the time holds the virtual clock where
 * it is, and with it all others: the substrate notices, by the clock of the wall, and says so.
 * Ending such a guest cannot wait for the clock to stand, so it is the one input that is done
 * at no exact time; the record names the guest, and a replay ends it when it spins again.
 */
#include "vbet-server/lab/spin.h"

#include "lib/container_of.h"
#include "vbet-server/lab/lab.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool spin_kill(struct lab *lab, struct guest *gu)
{
	char *words[] = {"spun", gu->name};

	/*
	 * A guest that is charged for its computing does not hold the clock: it is ended like
	 * any other.
	 */
	if (!gu->spins || lab->graph->spin == SPIN_CHARGE)
		return false;
	/*
	 * The time in the record is only where the clock was last seen: a replay waits until it
	 * spins.
	 */
	input_record(lab, words, 2);
	guest_stop(gu, true);
	return true;
}

static void on_stuck(struct loop_timer *t, int64_t now_ns)
{
	struct guest *gu = container_of(t, struct guest, stuck);

	progress_check(gu->lab);
}

/* In a replay the guest is ended when it spins, as in the run, however long that takes here. */
static void begin(struct lab *lab, struct guest *gu)
{
	char *charged[] = {"charged", gu->name};

	gu->spins = true;
	gu->spins_since_ns = loop_now_ns(lab->loop);
	gu->stuck.fire = on_stuck;
	loop_set_timer(lab->loop, &gu->stuck, gu->spins_since_ns + lab->progress.boot_timeout_ns);
	if (lab->graph->spin == SPIN_CHARGE)
		input_record(lab, charged, 2);
	if (lab->graph->spin == SPIN_STOP || input_was_spun(lab, gu->name)) {
		fprintf(stderr, "%s is ended: it computes, and its clock stands still\n", gu->name);
		spin_kill(lab, gu);
	}
}

void spin_end(struct guest *gu)
{
	gu->spins = false;
	loop_cancel_timer(gu->lab->loop, &gu->stuck);
}

void spin_hear(struct lab *lab, const struct words *w)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], NULL);

	if (gu && !strcmp(w->at[0], "spin"))
		begin(lab, gu);
	else if (gu)
		spin_end(gu);
}

static const struct guest *first(const struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i] && lab->guests[i]->spins)
			return lab->guests[i];
	return NULL;
}

char *spin_describe(const struct lab *lab)
{
	const struct guest *gu = first(lab);

	if (!gu)
		return NULL;
	if (lab->graph->spin == SPIN_CHARGE)
		return xasprintf("%s computes without end: it is charged for the time, and the "
				 "others go on",
				 gu->name);
	return xasprintf("%s computes without end: its clock, and soon all others, wait for it "
			 "(vbet kill %s)",
			 gu->name, gu->name);
}

/* Booting computes a lot, too: only after the time of a boot is it hopeless. */
bool spin_is_stuck(const struct lab *lab, struct err *e)
{
	const struct guest *gu = first(lab);

	if (!gu || lab->graph->spin == SPIN_CHARGE ||
	    loop_now_ns(lab->loop) < gu->spins_since_ns + lab->progress.boot_timeout_ns)
		return false;
	char *text = spin_describe(lab);

	err_set(e, ERR_ENV, "%s", text);
	free(text);
	return true;
}
