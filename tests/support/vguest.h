/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest of the virtual clock, for a vsubstrate that is a process of its own: the calendar's
 * protocol, and one NIC that sends frames at times of its own and writes down what comes, and when.
 * All that it does follows from its name and the clock, so two equal runs give equal notes.
 */
#ifndef TESTS_SUPPORT_VGUEST_H
#define TESTS_SUPPORT_VGUEST_H

#include "tests/support/vuser.h"

struct time_page;

struct vguest {
	char name[16], time_path[128], nic_path[128];
	int conn, run_fd, wait_fd; /* the pipes' ends: with the page */
	struct time_page *page;
	struct vuser nic;
	uint64_t random;
	int64_t next_ns, every_ns; /* when it sends next, how often */
	uint32_t sent, came;
	bool shares; /* it was told that nobody will change the file that it has written */
	char *notes; /* owned: a line for each frame that came */
	size_t notes_len;
};

/* What of a guest is kept while vsubstrate is: its memory, and where it was. */
struct vguest_kept {
	struct vguest was;
	uint8_t *memory; /* owned */
};

/* Connects to the calendar as kernel `name`, number 0 to 255, and asks for its first turn. */
void vguest_start(struct vguest *g, const char *name, const char *dir, int64_t every_ns);
void vguest_finish(struct vguest *g);
/* What is readable when it is vguest_turn()'s turn. */
int vguest_fd(const struct vguest *g);
/* Takes its turn. False: the calendar has gone. */
bool vguest_turn(struct vguest *g);
/* What it is while it stands; its memory was written to that file ("freeze"). */
void vguest_keep(const struct vguest *g, struct vguest_kept *k, const char *file);
void vguest_forget(struct vguest_kept *k);
/* Another process of the same guest goes on, with the vsubstrate whose sockets are in dir. */
void vguest_resume(struct vguest *g, const struct vguest_kept *k, const char *dir);

#endif
