/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checks of what guests run: configurations that no daemon would read. */
#ifndef TOPO_CHECK_SERVICE_H
#define TOPO_CHECK_SERVICE_H

#include "topo/eval.h"

/*
 * Reports files that are given twice, and lines of a daemon's own configuration that are another
 * daemon's: FRR would drop them in silence. Texts of files on the host are not looked at: guests do
 * it at their start (topo/service.c).
 */
void check_services(struct eval *ev);

#endif
