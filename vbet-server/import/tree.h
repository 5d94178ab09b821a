/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files and directories of a lab that are laid into a node. */
#ifndef VBET_SERVER_IMPORT_TREE_H
#define VBET_SERVER_IMPORT_TREE_H

#include "vbet-server/import/model.h"

struct tree {
	VEC(struct import_file) files; /* strings in the arena of the model */
};

/*
 * Adds the file, or all below the directory, as files below `path` in the guest. What cannot be
 * laid there (no text, too large, no regular file) becomes a note. False: there is neither.
 */
bool tree_add(struct import_model *m, const struct import_source *src, const char *was,
	      const char *from, const char *path, struct tree *out);
/* Gives the files to the node: those of FRR as frr_add_files() does, the rest as they are. */
void tree_lay(struct import_model *m, const struct import_source *src, size_t node, struct tree *t,
	      bool frr_is_started);
void tree_finish(struct tree *t);

#endif
