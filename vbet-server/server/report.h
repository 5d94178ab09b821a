/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a lab looks like: for people, and as JSON. */
#ifndef VBET_SERVER_SERVER_REPORT_H
#define VBET_SERVER_SERVER_REPORT_H

#include "vbet-server/lab/lab.h"

/* status: of the substrate processes (lab/status.h); NULL if they did not answer. */
void report_text(FILE *out, const struct lab *lab, struct json_object *status);
void report_json(FILE *out, const struct lab *lab, struct json_object *status);
/*
 * One line of words per node: NAME KIND STATE ADDRESS|- NIC... [vnet=NAME] [gateway=1]. The address
 * of a guest; a gateway belongs to the ordinary network, too.
 */
void report_nodes(FILE *out, const struct lab *lab);

/*
 * Of an object of the substrate: what it dropped and why, "full 3, too-long 1", behind those words.
 * False, and nothing is written: it dropped nothing.
 */
bool report_drops(FILE *out, const char *before, struct json_object *object);

/* report_substrate.c: substrate links with all that passes over them, for `vbet substrate`. */
void report_substrate_text(FILE *out, const struct lab *lab, struct json_object *status);
void report_substrate_json(FILE *out, const struct lab *lab, struct json_object *status);

#endif
