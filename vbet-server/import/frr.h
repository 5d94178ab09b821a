/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files under /etc/frr (of Quagga: /etc/quagga, /etc/zebra), which other tools lay into nodes. */
#ifndef VBET_SERVER_IMPORT_FRR_H
#define VBET_SERVER_IMPORT_FRR_H

#include "vbet-server/import/model.h"

/* Is this path in a guest a file of FRR or Quagga? */
bool frr_is_file(const char *path);
/* Adds a configuration of ours, of all daemons that it speaks of. The text is copied. */
void frr_add_config(struct import_model *m, size_t node, const char *text);
/*
 * Adds the files of that kind among `files`, as configurations if FRR is started in the node, else
 * as files. The list of daemons ("daemons") says which files are used; frr.conf is the only one
 * where it is.
 */
void frr_add_files(struct import_model *m, const struct import_source *src, size_t node,
		   const struct import_file *files, size_t n, bool is_started);

#endif
