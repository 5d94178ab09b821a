/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who hangs on whom: the one place that knows all files of this room. Includes go down (README.md);
 * where something below has to tell somebody above, it goes through these tables, in their order.
 */
#include "substrate/overlay/admission.h"
#include "substrate/overlay/manager.h"
#include "substrate/overlay/slink.h"
#include "substrate/overlay/snif.h"
#include "substrate/overlay/snode.h"
#include "substrate/overlay/vbm_object.h"
#include "substrate/overlay/vhop.h"
#include "substrate/overlay/vif.h"
#include "substrate/overlay/vlink.h"
#include "substrate/overlay/vlink_multi.h"

/*
 * vhop is first, so that it goes last: the pacer of local links must outlive all that uses it.
 * admission comes after all whose ticks may tell the traffic manager something.
 */
const struct snode_user *const snode_users[] = {
	&vhop_snode_user,       &snif_snode_user,      &slink_snode_user,
	&vbm_object_snode_user, &vlink_snode_user,     &vif_snode_user,
	&manager_snode_user,    &admission_snode_user, NULL,
};

const struct snif_user *const snif_user = &slink_snif_user;

const struct link_user *const link_users[] = {
	&vhop_link_user,  &vlink_multi_link_user, &vbm_object_link_user,
	&vlink_link_user, &manager_link_user,     NULL,
};

const struct vif_user *const vif_users[] = {&vhop_vif_user, &vlink_vif_user, NULL};
