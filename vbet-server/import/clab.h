/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Topologies of containerlab (*.clab.yml; containerlab.dev, "Topology definition", "Nodes"). */
#ifndef VBET_SERVER_IMPORT_CLAB_H
#define VBET_SERVER_IMPORT_CLAB_H

#include "vbet-server/import/model.h"
#include "vbet-server/import/yaml_tree.h"

/* Reads the topology into an empty model. 0, or -1 with "FILE:LINE:COLUMN: why". */
int clab_read(struct import_model *m, const struct import_source *src, const char *text, size_t len,
	      struct err *e);

/* ---- between the files of this format ---- */

struct clab {
	struct import_model *m;
	const struct import_source *src;
	const struct yaml_value *topology;
	const char *name;
	struct err *e;
};

/* Adds all nodes. */
int clab_read_nodes(struct clab *c);
/* What runs in them; after the links, since commands name NICs. */
int clab_read_contents(struct clab *c);
int clab_read_links(struct clab *c);

#endif
