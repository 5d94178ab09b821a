/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The topologies that Mininet knows by name (mn --topo): "single,4", "linear,k=3,n=2", "tree,2,3",
 * "torus,3,3", with Mininet's names, and addresses 10.0.0.1/8 and so on.
 */
#ifndef VBET_SERVER_IMPORT_MININET_H
#define VBET_SERVER_IMPORT_MININET_H

#include "vbet-server/import/model.h"

/* Does the text begin with the name of a topology? */
bool mininet_is_name(const char *text);
/* Makes that topology in an empty model; there is no file. 0, or -1 with the reason. */
int mininet_read(struct import_model *m, const struct import_source *src, const char *text,
		 size_t len, struct err *e);

#endif
