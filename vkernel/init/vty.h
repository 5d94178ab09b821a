/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines to the daemons of FRR, as vtysh has them (lib/vty.c of FRR): a command ends with a NUL; its
 * answer ends with three NULs and an octet that is 0 if all went well. One line per daemon stays
 * open, so that a question costs the guest no process and the daemon no new client.
 */
#ifndef VKERNEL_INIT_VTY_H
#define VKERNEL_INIT_VTY_H

#include "lib/err.h"
#include "lib/loop.h"

#include <stdbool.h>
#include <stddef.h>

enum { VTY_ANSWER_MAX = 1 << 20 }; /* octets; a longer answer is an error */

struct vty_question;
struct vty_question {
	/* One of both, once; the text ends with a NUL, is the callee's and may be kept. */
	void (*answered)(struct vty_question *q, char *text, size_t len, int status);
	void (*failed)(struct vty_question *q, const char *why);
	char *command; /* owned by the asker */
	struct vty_question *next;
};

/* Where a daemon listens. */
void vty_path(const char *daemon, char *buf, size_t size);
/* Asks a daemon ("ospfd"); q stays where it is until it is answered, failed or dropped. */
int vty_ask(struct loop *l, const char *daemon, struct vty_question *q, struct err *e);
/* Nobody waits for it any more. */
void vty_drop(struct vty_question *q);
/*
 * The length of the answer at the begin of data, with its end; 0: it is not whole. *status: its
 * octet.
 */
size_t vty_find_end(const char *data, size_t len, int *status);

#endif
