/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The services that can be started in a guest: what they are called, where their configuration
 * goes, and how they are started (rootfs/README.md, "Services"). One table for the language, which
 * knows the names, and for plans, which need the commands.
 */
#ifndef TOPO_SERVICE_H
#define TOPO_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

/* The configuration of all daemons of FRR in one file. Where it lies, none reads its own. */
#define SERVICE_FRR      "frr"
#define SERVICE_FRR_PATH "/etc/frr/frr.conf"

struct service {
	const char *name;    /* as in config(NODE, NAME, ...) and in messages */
	const char *path;    /* configuration file in the guest; NULL: takes none */
	const char *owner;   /* "UID:GID" of that file */
	const char *command; /* for /bin/sh -c; exit status 0 means ready. NULL: only a file */
	const char *after;   /* service that must be ready before, or NULL */
	bool is_frr;         /* part of FRR: needs zebra and its directories */
	bool is_implied;     /* started when it is needed; a script does not name it */
	bool is_useful_bare; /* does something without a configuration of the script's */
};

/* In the order in which they start; NULL past the end. */
const struct service *service_at(size_t i);
const struct service *service_find(const char *name);
/* The i-th name that a script may give, for "did you mean"; NULL past the end. */
const char *service_word(size_t i);

#endif
