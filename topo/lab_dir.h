/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lab that is a directory (docs/lab-directory.md): what lies beside the script for its nodes.
 * NODE/ is a tree for that guest, shared/ one for all of them, NODE.startup and shared.startup are
 * commands.
 */
#ifndef TOPO_LAB_DIR_H
#define TOPO_LAB_DIR_H

#include "topo/eval.h"

/*
 * Adds files, configurations and commands of the directory to the guests of the script, whose
 * nodes have names by now. What the script says itself of the same file stays. Reports files that
 * nothing would read.
 */
void lab_dir_lay(struct eval *ev);

#endif
