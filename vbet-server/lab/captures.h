/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captures of all cables of a lab into files of a directory, from the first frame on: `--keep`. */
#ifndef VBET_SERVER_LAB_CAPTURES_H
#define VBET_SERVER_LAB_CAPTURES_H

#include "lib/vec.h"
#include "vbet-server/lab/carrier.h"

#include <stdbool.h>

struct lab;

/* Of one cable. Its object in the substrate is "keep.N", with the index of this. */
struct capture_kept {
	char *cable, *nic; /* owned; nic: the end at which frames are seen */
	unsigned files;    /* begun until now */
	bool runs;
};

struct captures {
	char *dir; /* owned; NULL: nothing is captured */
	VEC(struct capture_kept) at;
};

/* The plan has been carried out: cables that are there and not captured are captured now. */
void captures_update(struct lab *lab);
/* The substrate was told to remove that object: if it was a captured NIC, its capture has ended. */
void captures_forget(struct lab *lab, const char *object);
/* Ends all, so that their files are whole: one answer. */
void captures_end(struct lab *lab, carrier_answer_fn answer, void *ctx);
/* The files are another lab's. */
void captures_leave(struct captures *s);
void captures_finish(struct lab *lab);

#endif
