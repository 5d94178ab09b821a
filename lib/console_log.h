/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest's console printed, as a file: the guest appends, and its launcher gives back to the
 * disk what is further from the end than CONSOLE_LOG_KEPT. So it ends where it would have ended,
 * has a hole where it begins, and what is in it depends on nothing but what was printed: readers
 * begin CONSOLE_LOG_KEPT before its end, at a line.
 */
#ifndef LIB_CONSOLE_LOG_H
#define LIB_CONSOLE_LOG_H

#include "lib/err.h"

#include <stdint.h>
#include <stdio.h>

enum { CONSOLE_LOG_KEPT = 8 << 20 };

/*
 * Reads what is there from *at on (0 at first) into buf, and moves *at. Octets that have gone in
 * the meantime are counted in *lost and left out. How many there are; 0: no more now; -1 with
 * errno.
 */
long console_log_read(int fd, int64_t *at, char *buf, size_t size, int64_t *lost);
/* The launcher's side: gives back what is not kept, if there is some of it. fd may be append-only.
 */
void console_log_trim(int fd);
/*
 * The last `lines` of it, of at most `size` - 1 octets together, without what is empty at the end;
 * malloc'ed, "" if there are none.
 */
char *console_log_tail(const char *path, size_t size, size_t lines);
/* Copies what is left of it into a new file. 0 or -1. */
int console_log_copy(const char *from, const char *to, struct err *e);

#endif
