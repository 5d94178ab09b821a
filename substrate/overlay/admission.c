/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The traffic manager is pure: it says what is to be done and is asked again until it has nothing
 * more to say. An action may destroy the link that it names, or make more actions due: so the next
 * one is fetched only when this one is done.
 */
#include "substrate/overlay/admission.h"

#include "lib/xalloc.h"

#include "substrate/overlay/vbm_object.h"
#include "substrate/overlay/vhop.h"

#include <stdlib.h>

static void admitted(struct snode *n, const struct tm_action *a, int64_t now_ns)
{
	vhop_admitted(tm_link_owner(a->link), now_ns);
}

static void refused(struct snode *n, const struct tm_action *a, int64_t now_ns)
{
	vhop_refused(tm_link_owner(a->link), a->reason, now_ns);
}

static void min_kept(struct snode *n, const struct tm_action *a, int64_t now_ns)
{
	vhop_min_kept(tm_link_owner(a->link), a->reason, now_ns);
}

static void set_rate(struct snode *n, const struct tm_action *a, int64_t now_ns)
{
	vhop_set_rate(tm_link_owner(a->link), a->min_bps, a->rate_bps, now_ns);
}

static void tell(const struct tm_action *a, bool next, int64_t now_ns)
{
	char *words = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&words, &len);

	if (next)
		grant_ask_put(f, &a->ask);
	else
		grant_give_put(f, &a->give);
	fclose(f);
	vhop_tell(tm_link_owner(a->link), next, a->answer ? MESSAGE_RATE_OK : MESSAGE_RATE, words,
		  now_ns);
	free(words);
}

static void ask_next(struct snode *n, const struct tm_action *a, int64_t now_ns)
{
	tell(a, true, now_ns);
}

static void give_prev(struct snode *n, const struct tm_action *a, int64_t now_ns)
{
	tell(a, false, now_ns);
}

static void ask_vbm(struct snode *n, const struct tm_action *a, int64_t now_ns)
{
	vbm_object_tell(tm_lan_owner(a->lan), a->vnet, &a->ask, a->answer, now_ns);
}

/*
 * Which room an action belongs to is a matter of its kind alone: a table, by the order of the enum.
 */
static void settle(struct snode *n, int64_t now_ns)
{
	static void (*const act[])(struct snode * n, const struct tm_action *a, int64_t now_ns) = {
		[TM_ADMITTED] = admitted,   [TM_REFUSED] = refused,   [TM_REVOKED] = refused,
		[TM_MIN_KEPT] = min_kept,   [TM_SET_RATE] = set_rate, [TM_ASK_NEXT] = ask_next,
		[TM_GIVE_PREV] = give_prev, [TM_ASK_VBM] = ask_vbm,
	};
	struct tm_action a;

	while (tm_next_action(n->tm, &a))
		act[a.kind](n, &a, now_ns);
}

const struct snode_user admission_snode_user = {.settle = settle};
