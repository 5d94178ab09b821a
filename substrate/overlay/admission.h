/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Carries out what the traffic manager (tm.h) of a node decides. */
#ifndef SUBSTRATE_OVERLAY_ADMISSION_H
#define SUBSTRATE_OVERLAY_ADMISSION_H

#include "substrate/overlay/snode.h"

extern const struct snode_user admission_snode_user;

#endif
