/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Daemons of FRR, started without a shell and looked at without vtysh: each daemon says itself, in
 * its log, which lines of its configuration it does not take.
 */
#ifndef VKERNEL_INIT_FRR_H
#define VKERNEL_INIT_FRR_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum frr_way {
	FRR_BY_COMMAND, /* mgmtd reads the configurations of other daemons: their logs say nothing
			 */
	FRR_DIRECT,
	FRR_NOT_THERE, /* mgmtd, in a tree that has none: nothing to start */
};

/* How this tree's FRR starts the daemon of that name. */
enum frr_way frr_find_way(const char *daemon);
/*
 * Its command, of the arena's. The daemon stays in the foreground: a fork when all of it is in
 * memory would copy each page that it writes from then on.
 */
char **frr_make_argv(struct arena *a, const char *daemon);
/*
 * The first line of its configuration that the daemon did not take, as "FILE:LINE: ..." in buf;
 * false: it took all. To be asked when the daemon has answered a command: its log is complete then.
 */
bool frr_find_refused(const char *daemon, char *buf, size_t size);

/*
 * The same in the text of a log. is_borrowed: the daemon is staticd and has read zebra.conf, of
 * which routes are its own, and nothing else is. Pure.
 */
bool frr_scan_log(const char *daemon, bool is_borrowed, const char *log, size_t len, char *buf,
		  size_t size);

#endif
