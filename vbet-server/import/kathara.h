/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Labs of Kathará and Netkit: lab.conf with the collision domains of each device
 * (kathara-lab.conf(5)), lab.dep, NAME.startup, and the tree NAME/ that is laid over the device's
 * root.
 */
#ifndef VBET_SERVER_IMPORT_KATHARA_H
#define VBET_SERVER_IMPORT_KATHARA_H

#include "vbet-server/import/model.h"

/* Reads the text of lab.conf into an empty model. 0, or -1 with "FILE:LINE:COLUMN: why". */
int kathara_read(struct import_model *m, const struct import_source *src, const char *text,
		 size_t len, struct err *e);

/* ---- between the files of this format ---- */

/*
 * What runs in the device: shared.startup, its .startup, its tree; `exec`: the commands of
 * lab.conf. `netkit`: "shared" is laid over the root, not at /shared.
 */
void kathara_add_contents(struct import_model *m, const struct import_source *src, size_t node,
			  const struct strvec *exec, bool netkit);

#endif
