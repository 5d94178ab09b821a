/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the shelf have in common. */
#ifndef VBET_SERVER_SHELF_SHELF_PRIV_H
#define VBET_SERVER_SHELF_SHELF_PRIV_H

#include "vbet-server/shelf/shelf.h"

#include <dirent.h>

/* Takes the lock of a file in the shelf (flock(2)); a descriptor that holds it, or -1. */
int shelf_lock(const struct shelf *s, const char *which, int how, struct err *e);
bool shelf_is_raw(const struct shelf *s, const char *name);

struct shelf_names {
	struct dirent **at; /* sorted */
	int n;
};

void shelf_names(const struct shelf *s, struct shelf_names *names);
void shelf_names_free(struct shelf_names *names);

/* Removes packs and segments that no index needs; "lock" is held. 0 or -1. */
int shelf_collect(struct shelf *s, struct err *e);

#endif
