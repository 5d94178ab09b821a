/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rate of a virtual link at one node. What it may be is the traffic manager's business (tm.h);
 * here its questions and answers become messages to the nodes before and after, and its decisions
 * rates of the scheduler.
 */
#include "substrate/overlay/vhop_priv.h"

#include "lib/xalloc.h"

#include <stdlib.h>

/* The LAN with a VBM over which it comes. *why is set if that VBM cannot be asked now. */
static struct tm_lan *lan_of(const struct vhop *h, const char **why)
{
	struct slink *lan = h->in ? slink_of_lan(h->in->snif) : NULL;

	if (!lan || h->in->vlan < 0)
		return NULL;
	if (!slink_has_vbm(lan))
		*why = "the VBM of the LAN is silent";
	return lan->lan;
}

const char *vhop_ask_tm(struct vhop *h, int64_t now_ns)
{
	const char *why = NULL;
	struct tm_link_spec spec = {
		.vnet = h->vnet,
		.min_bps = h->min_bps,
		.max_bps = h->max_bps,
		.out = h->out ? h->out->snif->port : NULL,
		.in_lan = lan_of(h, &why),
		.from_node = h->in != NULL,
		.to_node = h->out != NULL,
		.owner = h,
	};
	struct htb_rates rates = {.min_bps = h->min_bps, .ceil_bps = h->min_bps};

	if (why)
		return why;
	/* Where it ends after a wire, frames have waited already. */
	if (h->out || !h->in) {
		h->pacer = h->out ? &h->out->snif->pacer : &h->node->local;
		h->class = htb_link_create(h->pacer->htb, h->vnet, &rates, h->pacer->last_ns);
		htb_class_set_owner(h->class, h);
	}
	h->tm = tm_link_create(h->node->tm, &spec, now_ns);
	return NULL;
}

/*
 * A link without a minimum may always send this much: its first frames else waited until the
 * managers of all nodes had answered.
 */
static const int64_t trickle_bps = 64000;

void vhop_set_rate(struct vhop *h, int64_t min_bps, int64_t rate_bps, int64_t now_ns)
{
	int64_t least = h->max_bps && h->max_bps < trickle_bps ? h->max_bps : trickle_bps;
	struct htb_rates rates = {.min_bps = min_bps,
				  .ceil_bps = rate_bps > least ? rate_bps : least};

	h->min_bps = min_bps;
	h->rate_bps = rate_bps;
	if (rates.ceil_bps >= GRANT_MAX_BPS)
		rates.ceil_bps = 0;
	if (!h->class)
		return;
	htb_link_set(h->class, &rates, h->pacer->last_ns);
	pacer_wake(h->pacer, now_ns);
}

void vhop_min_kept(struct vhop *h, const char *reason, int64_t now_ns)
{
	if (h->listener)
		h->listener->ops->min_kept(h->listener, reason, now_ns);
}

void vhop_tell(struct vhop *h, bool next, enum message_type type, const char *words, int64_t now_ns)
{
	struct slink *l = next ? h->out : h->in;
	char *body = NULL;
	size_t len = 0;

	if (!l || !neighbour_is_open(slink_peer(l)))
		return;
	FILE *f = xmemstream(&body, &len);

	vhop_put_name(f, h);
	fprintf(f, " %s", words);
	if (next) /* it decides nothing there: status shows it */
		fprintf(f, " max=%lld", (long long)h->max_bps);
	fclose(f);
	conversation_tell(&slink_peer(l)->conversation, type, body, now_ns);
	free(body);
}

void vhop_set_max(struct vhop *h, int64_t max_bps, int64_t now_ns)
{
	if (h->max_bps == max_bps)
		return;
	h->max_bps = max_bps;
	tm_link_again(h->tm, now_ns); /* the next node shows it, too */
}

void vhop_hear_rate(struct neighbour *b, const struct message *m, const struct words *w,
		    int64_t now_ns)
{
	const char *vlink = words_get(w, "vlink");
	bool request = m->type == MESSAGE_RATE;
	struct grant_give give;
	struct grant_ask ask;

	if (!vlink || b->slink->multi_access)
		return;
	if (words_get(w, "limit")) {
		struct vhop *h = vhop_find_leaving(b, w);

		if (h && h->tm && grant_give_get(w, &give, NULL) == 0)
			tm_hear_next(h->tm, &give, request, now_ns);
		return;
	}
	struct vhop *h = vhop_find(b->slink->node, vlink, b->slink);

	if (!h || !h->tm || h->try != vhop_get_u32(w, "try") || grant_ask_get(w, &ask, NULL) < 0)
		return;
	if (words_get(w, "max") && tm_link_is_news(h->tm, &ask))
		vhop_set_max(h, vhop_get_rate(w, "max"), now_ns);
	tm_hear_prev(h->tm, &ask, request, now_ns);
}
