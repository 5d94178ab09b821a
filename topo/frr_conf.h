/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whose the lines of a configuration of FRR are. Pure: text in, names of daemons out.
 *
 * Only what one daemon alone understands is told. Lines that many share (interface, route-map,
 * hostname, log), comments, and lines with "no" in front belong to none.
 */
#ifndef TOPO_FRR_CONF_H
#define TOPO_FRR_CONF_H

#include <stdbool.h>
#include <stddef.h>

struct frr_conf_line {
	const char *daemon; /* as in topo/service.h */
	bool is_needed;     /* the daemon does not read the line, but it does nothing without it */
	bool is_short;      /* with words cut short ("rout ospf"), so this is only likely */
	unsigned number;    /* from 1 */
	const char *text;   /* without the blanks around it; not terminated */
	size_t len;
};

/* Calls fn for each line that is known to be a daemon's, in the order of the text. */
void frr_conf_scan(const char *text, size_t len,
		   void (*fn)(void *ctx, const struct frr_conf_line *line), void *ctx);

/*
 * True if `mine`, given the text as its own file, would drop the line in silence, since only
 * another daemon reads it. Routes may stand in zebra.conf where staticd runs and has no file of its
 * own (staticd_is_bare): it reads that one then.
 */
bool frr_conf_is_lost(const struct frr_conf_line *line, const char *mine, bool staticd_is_bare);

/* A set of daemons, by their place in the table of services. */
struct frr_conf_set {
	unsigned long long bits;
};

/* Adds all daemons that the text needs. */
void frr_conf_add_needed(const char *text, size_t len, struct frr_conf_set *set);
/* `service`: its place in the table, for service_at(). */
bool frr_conf_is_needed(const struct frr_conf_set *set, size_t service);

#endif
