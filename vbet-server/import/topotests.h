/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Topologies of FRR's topotests (JSON with "routers", "link_ip_start" and "lo_prefix"; FRR
 * developers' guide, "Writing tests with JSON"): addresses and configurations by the rules of their
 * library. JSON is read as the YAML that it is, too.
 */
#ifndef VBET_SERVER_IMPORT_TOPOTESTS_H
#define VBET_SERVER_IMPORT_TOPOTESTS_H

#include "vbet-server/import/model.h"
#include "vbet-server/import/yaml_tree.h"

/* Reads the topology into an empty model. 0, or -1 with "FILE:LINE:COLUMN: why". */
int topotests_read(struct import_model *m, const struct import_source *src, const char *text,
		   size_t len, struct err *e);

/* ---- between the files of this format ---- */

enum { TOPOTESTS_FAMILIES = 2 }; /* IPv4, IPv6 */

/* What a router is linked to, from its side. */
struct topotests_link {
	const char *key;            /* "r2", "r2-link1", "lo", "s1" */
	const struct yaml_value *v; /* NULL in none */
	bool is_loopback, is_plugged;
	size_t nic;
	bool has[TOPOTESTS_FAMILIES];
	struct addr addr[TOPOTESTS_FAMILIES];
};

struct topotests_router {
	const char *name;
	const struct yaml_value *own;
	VEC(struct topotests_link) links; /* by their keys; those to switches behind */
};

struct topotests {
	struct import_model *m;
	struct err *e;
	const struct yaml_value *top;
	VEC(struct topotests_router) routers; /* as the nodes of the model */
	size_t lines;                         /* of what counts make many */
};

/* The link of that key; NULL: there is none. */
struct topotests_link *topotests_find_link(struct topotests_router *r, const char *key);
/* Adds the configurations; after the links. */
void topotests_add_configs(struct topotests *t);

#endif
