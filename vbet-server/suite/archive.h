/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --artifacts: where that which is left of a case goes. What is in it: command/keep.h. */
#ifndef VBET_SERVER_SUITE_ARCHIVE_H
#define VBET_SERVER_SUITE_ARCHIVE_H

#include "vbet-server/suite/suite.h"

/*
 * "DIR/examples_ring-seed7" of examples/ring.vbet, malloc'ed: the same for the same case in every
 * run of the suite.
 */
char *archive_path(const char *dir, const struct suite_case *c);
/*
 * Copies the consoles of a lab's guests, and its server's log, as they are now, from its run
 * directory (that of XDG_RUNTIME_DIR) into an archive. What cannot be copied is not: this is for a
 * lab that is about to be ended for its time limit.
 */
void archive_consoles(const char *archive, const char *run_dir, const char *lab);

#endif
