/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Boots that are kept, and labs that are restored from them instead of being booted. */
#ifndef VBET_SERVER_COMMAND_WARM_START_H
#define VBET_SERVER_COMMAND_WARM_START_H

#include "vbet-server/command/warm_key.h"
#include "vbet-server/shelf/shelf.h"

#include <stdbool.h>

struct cmd_options;
struct server_link;

struct warm_start {
	struct shelf shelf;
	char key[WARM_KEY + 1];
	bool asked;         /* by an option: what stands in the way is told */
	bool by_itself;     /* labs are kept though nobody asks for it */
	bool known;         /* the shelf is open, and the key of this lab is there */
	char *run;          /* owned: the lab's run directory */
	uint64_t bytes_max; /* of all boots that are kept */
	struct stage stage; /* where this one is to be kept */
	char *dir;          /* owned: in it; NULL: it is not to be kept */
	struct stage from;  /* what it is restored from, until it is ready */
	struct unpacked files;
};

/*
 * Is there anything to be restored, or to be kept? opt is what the lab will be started with, whose
 * warm_dir and warm_pays_ns are set: that string lives as long as w. What stands in the way is no
 * error; to who has asked for it by an option it is told.
 */
void warm_start_open(struct warm_start *w, const struct cmd_options *o, struct loaded *l,
		     struct lab_options *opt);
/*
 * Begins to restore the lab: true, with a stream to its server as of server_start(). False: it is
 * to be booted.
 */
bool warm_start_restore(struct warm_start *w, struct lab_options *opt, struct server_link *link);
/* What was restored is ready (NULL); or it has failed, and is not to be tried again. */
void warm_start_restored(struct warm_start *w, const struct err *failed);
/* What was booted is ready: if it was kept, it is there from now on. */
void warm_start_booted(struct warm_start *w);
void warm_start_close(struct warm_start *w);

/* Removes all boots that are kept. 0 or -1. */
int warm_start_clean(struct err *e);

#endif
