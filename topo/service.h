/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services that vbet can start in a guest: where their configuration goes, what starts them. */
#ifndef VBET_SERVER_PLAN_SERVICE_H
#define VBET_SERVER_PLAN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

struct service {
	const char *name;    /* as in config(NODE, NAME, ...) and in messages */
	const char *path;    /* configuration file in the guest; NULL: takes none */
	const char *owner;   /* "UID:GID" of that file */
	const char *command; /* for /bin/sh -c; exit status 0 means ready */
	const char *after;   /* service that must be ready before, or NULL */
	bool frr;            /* a daemon of FRR: needs zebra and its directories */
};

/* In the order in which they start; NULL past the end. */
const struct service *service_at(size_t i);
const struct service *service_find(const char *name);

#endif
