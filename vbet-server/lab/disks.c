/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/disks.h"

#include "vbet-server/lab/lab.h"

static bool has_kept_disk(const struct lab *lab, size_t i)
{
	const struct graph_node *n = &lab->graph->nodes[i];

	return lab->env.keep_disks && lab->guests[i] && graph_has_disk(n) && !n->disk_read_only;
}

bool disks_power_off(struct lab *lab)
{
	bool any = false;

	for (size_t i = 0; i < lab->n_guests; i++) {
		struct guest *gu = lab->guests[i];

		if (!has_kept_disk(lab, i) || gu->state < GUEST_UP)
			continue;
		if (gu->state != GUEST_STOPPING)
			guest_stop(gu, false);
		any = true;
	}
	if (any)
		clock_lend(lab);
	return any;
}

bool disks_are_settled(const struct lab *lab)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (has_kept_disk(lab, i) && lab->guests[i]->state != GUEST_DOWN)
			return false;
	return true;
}

int disks_check_snapshot(const struct lab *lab, struct err *e)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (has_kept_disk(lab, i))
			return err_set(e, ERR_ENV,
				       "%s: what its disk has is kept in a file of its own "
				       "(--keep-disks), which no snapshot can have",
				       lab->guests[i]->name);
	return 0;
}
