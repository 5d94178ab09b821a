/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest is on while its kernel runs (guest.c). What has no kernel of its own (a switch, a hub, a
 * substrate node, an end system, the outside) is lines of the plan: it is off while the plan has
 * none about it, nor about anything that is plugged into it. Switching it on makes the plan with
 * these lines again, so what it is then is what the script, and what was said since, make of it:
 * its cables, policy, virtual links and their minima. What it had learned is gone, as after a power
 * cut.
 *
 * A process of the substrate that has ended took with it all that it carried. By the real clock
 * power_on() of one of these nodes starts it anew. That is two changes of the plan: first one
 * without the process, so that others forget what led to it, then one with it. All guests that it
 * carried are ended, for nobody can speak to them any more, and all its other nodes are off: each
 * is switched on by itself. In virtual time the process had the lab's clock, and nothing can go on.
 */
#include "vbet-server/lab/power.h"

#include "vbet-server/lab/lab.h"

/* The index of a node, or -1 with the error set. */
static int find(const struct lab *lab, const char *name, struct err *e)
{
	int i = graph_find_node(lab->graph, name);

	if (i < 0)
		err_set(e, ERR_USAGE, "no node '%s' in lab %s", name, lab->graph->lab);
	return i;
}

static int replan(struct lab *lab, struct err *e)
{
	struct plan *plan = plan_make(lab->graph, &lab->env, e);

	return plan ? lab_replace_plan(lab, plan, e) : -1;
}

/* A node without a kernel. */
static int set_stopped(struct lab *lab, int node, bool stopped, struct err *e)
{
	struct graph_node *n = &lab->graph->nodes[node];

	n->stopped = stopped;
	if (replan(lab, e) == 0)
		return 0;
	n->stopped = !stopped;
	return -1;
}

/* All that the process of that node carried is off, and the process runs again. */
static int revive_process(struct lab *lab, int node, struct err *e)
{
	unsigned process = lab->plan->places[node].process;

	lab->env.gone = process;
	int rc = replan(lab, e);

	lab->env.gone = 0;
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < lab->graph->n_nodes; i++) {
		if (lab->plan->places[i].process != process)
			continue;
		if (lab->guests[i])
			guest_stop(lab->guests[i], true);
		else
			lab->graph->nodes[i].stopped = true;
	}
	return replan(lab, e);
}

static int start_guest(struct guest *gu, struct err *e)
{
	if (gu->state != GUEST_STOPPING || !gu->dying)
		return guest_start(gu, e);
	gu->restart = true;
	return 0;
}

int power_on(struct lab *lab, const char *node, struct err *e)
{
	int i = find(lab, node, e);

	if (i < 0)
		return -1;
	if (lab->clock.is_virtual && lab_is_lost(lab, i, e))
		return err_wrap(e, "%s", node);
	if (lab_is_lost(lab, i, NULL) && revive_process(lab, i, e) < 0)
		return -1;
	if (lab->guests[i])
		return start_guest(lab->guests[i], e);
	if (!lab->graph->nodes[i].stopped)
		return err_set(e, ERR_USAGE, "%s is ready", node);
	return set_stopped(lab, i, false, e);
}

int power_off(struct lab *lab, const char *node, bool at_once, struct err *e)
{
	int i = find(lab, node, e);
	struct guest *gu = i < 0 ? NULL : lab->guests[i];

	if (i < 0)
		return -1;
	if (gu ? gu->state == GUEST_DOWN && !gu->queued : lab->graph->nodes[i].stopped)
		return err_set(e, ERR_ENV, "%s is down", node);
	if (gu) {
		guest_stop(gu, at_once);
		return 0;
	}
	if (lab_is_lost(lab, i, e))
		return err_wrap(e, "%s is lost", node);
	return set_stopped(lab, i, true, e);
}

int power_cycle(struct lab *lab, const char *node, struct err *e)
{
	int i = find(lab, node, e);

	if (i < 0)
		return -1;
	if (lab_is_lost(lab, i, NULL))
		return power_on(lab, node, e);
	if (lab->guests[i]) {
		lab->guests[i]->restart = true;
		guest_stop(lab->guests[i], false);
		return 0;
	}
	if (!lab->graph->nodes[i].stopped && set_stopped(lab, i, true, e) < 0)
		return -1;
	return set_stopped(lab, i, false, e);
}
