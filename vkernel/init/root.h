/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts the guest's root file system together: a shared lower layer, a private layer over it. */
#ifndef VKERNEL_INIT_ROOT_H
#define VKERNEL_INIT_ROOT_H

#include "lib/err.h"
#include "vkernel/init/conf.h"

/*
 * From the jail's root directory to the guest's, with /proc, /sys and /dev mounted, and the jail
 * out of sight. `source` is the tree (/root) or the image (/image). Also opens the console as
 * descriptors 0 to 2.
 */
int root_enter(const char *source, enum conf_root kind, struct err *e);

#endif
