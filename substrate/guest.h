/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest as the virtual clock sees it. With the real clock there are none. */
#ifndef SUBSTRATE_GUEST_H
#define SUBSTRATE_GUEST_H

#include "substrate/substrate.h"

struct guest;

enum guest_hears { GUEST_HEARS_CALL, GUEST_HEARS_CONFIG };

/* Where the guest's own clock stands, in time of the lab. */
int64_t guest_now_ns(const struct guest *g);
bool guest_is_running(const struct guest *g);
/* A message of this guest's is about to be handled (on), or was: what follows from it cuts its
 * turn. */
void guest_kicks(struct guest *g, bool on);
/*
 * Sets the clock that the guest reads when it is interrupted, just before it is. False: not now,
 * try at a later time (virtio_uml handles calls or a change of the configuration in one interrupt,
 * not both).
 */
bool guest_hear(struct guest *g, enum guest_hears what, int64_t now_ns);

#endif
