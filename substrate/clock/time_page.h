/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest's kernel and its calendar share: messages and a page (vclock_guest.c). */
#ifndef SUBSTRATE_CLOCK_TIME_PAGE_H
#define SUBSTRATE_CLOCK_TIME_PAGE_H

#include "substrate/clock/mail.h"
#include "substrate/clock/vclock_priv.h"

#include <stddef.h>

enum {
	PAGE_VERSION = 2,
	PAGE_CALENDAR = 0, /* ids of the clients in a page */
	PAGE_GUEST = 1,
	PAGE_CAP_SHARE = 1,
	PAGE_CAP_MAIL = 2,
	PAGE_WANTS_RUN = 1,
};

struct time_client {
	uint32_t capabilities, flags;
	uint64_t request, name;
	char reserved[104];
};

struct time_page {
	union {
		struct {
			uint32_t version, len;
			uint64_t free_until, current_time;
			uint16_t running, max_clients;
		};
		char head[4096];
	};
	union {
		struct time_client client[2];
		char clients[MAIL_OFFSET - 4096];
	};
	struct mail mail;
};

_Static_assert(offsetof(struct time_page, mail) == MAIL_OFFSET, "the mail is in the wrong place");

/* Makes the page of a guest that has come: new, or as it was when it was frozen. 0 or -1. */
int time_page_make(struct vclock_guest *g);
/*
 * The answer to START or RESUME, by which the guest gets its page and its ends of the pipes. -1:
 * there are no descriptors for them, which is said so.
 */
int time_page_send(struct vclock_guest *g);
/* Of a kernel that is here no more. */
void time_page_drop(struct vclock_guest *g);
extern const char time_page_no_descriptors[];

#endif
