/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far a lab is: who boots next, when all is ready, and that it has failed. */
#ifndef VBET_SERVER_LAB_PROGRESS_H
#define VBET_SERVER_LAB_PROGRESS_H

#include "lib/err.h"
#include "lib/loop.h"
#include "vbet-server/lab/failures.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab;
struct guest;

struct progress {
	bool setting_up; /* ready or failed is still owed to the listener */
	bool failed;
	bool keep_going;          /* it is ready without the guests that fail */
	struct failures failures; /* of this boot of each guest; of the set-up while it lasts */
	size_t settled;           /* guests, when we last looked */
	struct loop_timer grace;  /* after a failure: nothing has come of the others */
	int64_t began_ns;
	size_t booting;          /* guests that are not up yet, of those that were started */
	size_t jobs;             /* at most so many boot at once */
	struct loop_timer limit; /* all of the set-up takes too long */
	int64_t boot_timeout_ns;
	struct loop_timer
		vlinks_deadline; /* when it is ready without the virtual links that are down */
	int64_t vlinks_until_ns; /* the same by the virtual clock; 0: none was waited for */
	bool vlinks_waited;      /* it has passed */
	bool told_lost;          /* what is lost where guests' addresses are random */
	bool told_unconfined;    /* that nothing confines guests */
};

/* One line for people, while the lab is set up. */
__attribute__((format(printf, 2, 3))) void progress_say(struct lab *lab, const char *fmt, ...);
/* How large it is. */
void progress_say_size(struct lab *lab);
/* Something changed: boots who may boot, says what is ready, and lets waiting inputs go on. */
void progress_check(struct lab *lab);
/* Who waits for something of the lab looks again. */
void progress_tell(struct lab *lab);
/* While the lab is set up, that is its end; the first reason counts. */
void progress_fail(struct lab *lab, const struct err *e);
/*
 * Something failed in a guest; kind ERR_NONE: and may. While the lab is set up, that is its end
 * once the others have shown whether they fail, too - or none, if it keeps going.
 */
void progress_note_failure(struct guest *gu, enum err_kind kind, const char *why,
			   const char *console);
/* After the set-up: the guest begins anew, and what failed in it does not count any more. */
void progress_forget_failures(struct guest *gu);
/* True if all guests that shall be up are ready. */
bool progress_is_ready(const struct lab *lab);
/* From here on the set-up may take so long, and no longer. */
void progress_limit(struct lab *lab, int64_t limit_ns);
void progress_finish(struct lab *lab);

#endif
