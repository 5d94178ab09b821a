/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The imprint of a process: its private memory in a file, from which another process of the same
 * programs goes on. One thread, x86-64, and nothing that belongs to the kernel: descriptors, shared
 * mappings, children, timers and handlers of signals are for the program to make anew.
 */
#ifndef IMPRINT_IMPRINT_H
#define IMPRINT_IMPRINT_H

#include "lib/err.h"

#include <stddef.h>
#include <sys/types.h>

enum { IMPRINT_NOTE_MAX = 128 };

enum imprint_result {
	IMPRINT_FAILED = -1,
	IMPRINT_SAVING = 0,   /* in the process that asked: it goes on */
	IMPRINT_RESTORED = 1, /* in a process that was made of the imprint */
};

/* A child that writes an imprint. */
struct imprint_writer {
	pid_t pid;     /* to be waited for */
	int report_fd; /* at its end: nothing if the imprint is whole, or else why not; the caller's
			*/
};

/*
 * Returns twice, as fork(2) does, and in more than one process, as setjmp(3) does: with
 * IMPRINT_SAVING at once, while a child writes what was there at this moment; and with
 * IMPRINT_RESTORED in each process that imprint_restore() makes of the file. That one has the
 * descriptors 0, 1 and 2 of whoever restored it and no others; signals have their default actions,
 * and the mask of when it was saved.
 *
 * The file at path is replaced in one step when all of it is on the disk: whatever ends the writer,
 * path is the old file or the new one. note: what of the program must be equal for the imprint to
 * fit (its version). Functions that called this one must still be there when it returns again.
 */
enum imprint_result imprint_save(const char *path, const char *note, struct imprint_writer *w,
				 struct err *e);

/* What the writer reported, once report_fd has ended: 0, or -1 with the reason. Frees w. */
int imprint_writer_finish(struct imprint_writer *w, struct err *e);

/*
 * Makes this process the one of the imprint; does not return then. argument: len bytes for it
 * (imprint_argument()). -1: the file is damaged, or does not fit this program, processor or kernel,
 * and nothing has changed.
 */
int imprint_restore(const char *path, const char *note, const void *argument, size_t len,
		    struct err *e);

/* After IMPRINT_RESTORED: what imprint_restore() was given, and *len; until the next call of it. */
const void *imprint_argument(size_t *len);

#endif
