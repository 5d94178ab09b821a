/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the server was told of addresses, compared with what there is now, so that only differences
 * are sent. One round marks all as not seen, looks at each address that there is, and tells of
 * those that were not seen as gone. A round may be run at any time and for any reason; without a
 * change it says nothing.
 */
#include "vkernel/init/told.h"

#include <stdio.h>
#include <string.h>

void told_begin(struct told *t)
{
	for (size_t i = 0; i < t->at.n; i++)
		t->at.at[i].seen = false;
}

void told_see(struct told *t, const char *nic, const struct addr *addr, told_tell *tell)
{
	struct told_address a = {.addr = *addr, .seen = true};

	for (size_t i = 0; i < t->at.n; i++) {
		struct told_address *known = &t->at.at[i];

		if (strcmp(known->nic, nic) != 0 || addr_compare(&known->addr, addr) != 0)
			continue;
		known->seen = true;
		return;
	}
	if (t->at.n == TOLD_MAX)
		return;
	snprintf(a.nic, sizeof(a.nic), "%.15s", nic);
	vec_push(&t->at, a);
	tell(a.nic, addr, "come");
}

void told_end(struct told *t, told_tell *tell)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->at.n; i++) {
		struct told_address a = t->at.at[i];

		if (a.seen)
			t->at.at[kept++] = a;
		else
			tell(a.nic, &a.addr, "gone");
	}
	t->at.n = kept;
}

void told_finish(struct told *t)
{
	vec_free(&t->at);
}
