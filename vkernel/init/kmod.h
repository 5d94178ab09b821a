/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Modules, for a packaged kernel that comes with them in /usr/lib/uml/modules (Debian's). Ours has
 * none, and then these do nothing.
 */
#ifndef VKERNEL_INIT_KMOD_H
#define VKERNEL_INIT_KMOD_H

/* Loads what process 1 itself needs; before the root directory is left. */
void kmod_load(void);
/* Shows the modules to the guest, below its root directory to be, so that the kernel finds more. */
void kmod_offer(const char *new_root);

#endif
