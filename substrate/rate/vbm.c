/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. The LAN, less what is kept for control, is cut into the shares of the vNets, and each
 * share is divided for itself: so no vNet can do anything to another. Within a share each node has
 * a struct grant_giver. When a node wants something else, or leaves, divide() works out what each
 * should have (rateshare.h) and acts in two steps: nodes with too much are told so at once, nodes
 * with too little get no more than is free now. What was taken back is free when its holder
 * confirms it, and that message makes divide() run again. At all times the sum of what nodes may be
 * using (held_bps) is within the share.
 *
 * Minima are admitted before anything is divided, and never taken back by others' wishes: a node
 * that asks for one beyond the share keeps what it had.
 */
#include "substrate/rate/vbm.h"

#include "lib/minmax.h"
#include "lib/reserve.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "lib/xalloc.h"
#include "substrate/rate/htb.h"
#include "substrate/rate/rateshare.h"
#include "substrate/rate/tm.h"

#include <string.h>

static const int64_t ppm = 1000000;

/* What a node has of a vNet. */
struct member {
	char *node; /* owned */
	struct grant_giver giver;
	int64_t heard_ns;
	int64_t say_ns; /* when to say it again, if nothing comes; INT64_MAX: all is settled */
	const char *refused;
	bool answer, tell; /* a message is due */
};

struct vnet {
	char *name; /* owned */
	int64_t share_ppm;
	VEC(struct member *) members; /* owned */
};

struct vbm {
	int64_t rate_bps;
	int64_t now_ns;           /* when it was last told the time */
	VEC(struct vnet *) vnets; /* owned */
	struct {
		bool due;
		char *node, *vnet; /* owned */
		struct grant_give give;
	} stranger;                  /* an answer to a node of a vNet that has no share */
	VEC(struct rateshare) parts; /* scratch */
};

/* Part of the LAN is kept for control, as at every interface. */
static int64_t usable_bps(int64_t rate_bps)
{
	int64_t control = reserve_bps(rate_bps);

	return rate_bps > control ? rate_bps - control : 0;
}

static int64_t part_of(int64_t rate_bps, int64_t share_ppm)
{
	return (int64_t)((__int128)usable_bps(rate_bps) * share_ppm / ppm);
}

static int64_t share_bps(const struct vbm *v, const struct vnet *n)
{
	return part_of(v->rate_bps, n->share_ppm);
}

static int64_t minima(const struct vnet *n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n->members.n; i++)
		sum += n->members.at[i]->giver.give.min_bps;
	return sum;
}

static int64_t held(const struct vnet *n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n->members.n; i++)
		sum += n->members.at[i]->giver.held_bps;
	return sum;
}

static void member_free(struct member *m)
{
	free(m->node);
	free(m);
}

static void vnet_free(struct vnet *n)
{
	for (size_t i = 0; i < n->members.n; i++)
		member_free(n->members.at[i]);
	vec_free(&n->members);
	free(n->name);
	free(n);
}

struct vbm *vbm_create(int64_t rate_bps)
{
	struct vbm *v = xcalloc(1, sizeof(*v));

	v->rate_bps = rate_bps;
	return v;
}

void vbm_destroy(struct vbm *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->vnets.n; i++)
		vnet_free(v->vnets.at[i]);
	vec_free(&v->vnets);
	vec_free(&v->parts);
	free(v->stranger.node);
	free(v->stranger.vnet);
	free(v);
}

static struct vnet *find_vnet(const struct vbm *v, const char *name)
{
	for (size_t i = 0; i < v->vnets.n; i++)
		if (!strcmp(v->vnets.at[i]->name, name))
			return v->vnets.at[i];
	return NULL;
}

static struct member *find_member(const struct vnet *n, const char *node)
{
	for (size_t i = 0; i < n->members.n; i++)
		if (!strcmp(n->members.at[i]->node, node))
			return n->members.at[i];
	return NULL;
}

/* ---- dividing ---------------------------------------------------------------------------- */

static void lend(struct member *m, int64_t limit_bps)
{
	if (grant_giver_set(&m->giver, m->giver.give.min_bps, limit_bps))
		m->tell = true;
}

static void divide(struct vbm *v, struct vnet *n)
{
	int64_t share = share_bps(v, n);

	v->parts.n = 0;
	for (size_t i = 0; i < n->members.n; i++) {
		const struct grant_giver *g = &n->members.at[i]->giver;

		vec_push(&v->parts,
			 ((struct rateshare){.min_bps = g->give.min_bps, .want_bps = g->want_bps}));
	}
	rateshare_divide(v->parts.at, v->parts.n, share);
	for (size_t i = 0; i < n->members.n; i++)
		if (v->parts.at[i].got_bps < n->members.at[i]->giver.give.limit_bps)
			lend(n->members.at[i], v->parts.at[i].got_bps);
	/* Free rate goes to minima first, then to all that is wanted. */
	for (int more = 0; more < 2; more++) {
		for (size_t i = 0; i < n->members.n; i++) {
			const struct grant_giver *g = &n->members.at[i]->giver;
			int64_t goal = more ? v->parts.at[i].got_bps : g->give.min_bps;
			int64_t most = g->held_bps + share - held(n);

			if (goal > most)
				goal = most;
			if (goal > g->give.limit_bps)
				lend(n->members.at[i], goal);
		}
	}
}

static void divide_all(struct vbm *v)
{
	for (size_t i = 0; i < v->vnets.n; i++)
		divide(v, v->vnets.at[i]);
}

/* ---- configuration ----------------------------------------------------------------------- */

static int check_fits(const struct vnet *n, int64_t share, struct err *e)
{
	char has[32], needs[32];

	if (minima(n) <= share)
		return 0;
	return err_set(e, ERR_USAGE,
		       "%s has guaranteed %s on this LAN, more than the %s left to it", n->name,
		       unit_format(UNIT_RATE, minima(n), needs, sizeof(needs)),
		       unit_format(UNIT_RATE, share, has, sizeof(has)));
}

int vbm_set_rate(struct vbm *v, int64_t rate_bps, int64_t now_ns, struct err *e)
{
	for (size_t i = 0; i < v->vnets.n; i++)
		if (check_fits(v->vnets.at[i], part_of(rate_bps, v->vnets.at[i]->share_ppm), e) < 0)
			return -1;
	v->rate_bps = rate_bps;
	v->now_ns = now_ns;
	divide_all(v);
	return 0;
}

static void remove_vnet(struct vbm *v, struct vnet *n)
{
	vec_remove_item(&v->vnets, n);
	vnet_free(n);
}

int vbm_set_share(struct vbm *v, const char *vnet, int64_t share_ppm, int64_t now_ns, struct err *e)
{
	struct vnet *n = find_vnet(v, vnet);
	int64_t sum = share_ppm - (n ? n->share_ppm : 0);

	for (size_t i = 0; i < v->vnets.n; i++)
		sum += v->vnets.at[i]->share_ppm;
	if (share_ppm < 0 || sum > ppm)
		return err_set(e, ERR_USAGE,
			       "the shares of a LAN add up to 100%% at most: %s can have %lld%%",
			       vnet, (long long)(ppm - (sum - share_ppm)) / 10000);
	if (n && check_fits(n, part_of(v->rate_bps, share_ppm), e) < 0)
		return -1;
	if (!share_ppm) {
		if (n)
			remove_vnet(v, n);
		return 0;
	}
	if (!n) {
		n = xcalloc(1, sizeof(*n));
		n->name = xstrdup(vnet);
		vec_push(&v->vnets, n);
	}
	n->share_ppm = share_ppm;
	v->now_ns = now_ns;
	divide(v, n);
	return 0;
}

/* ---- messages ---------------------------------------------------------------------------- */

static void answer_stranger(struct vbm *v, const char *node, const char *vnet,
			    const struct grant_ask *a, int64_t now_ns)
{
	free(v->stranger.node);
	free(v->stranger.vnet);
	v->stranger.node = xstrdup(node);
	v->stranger.vnet = xstrdup(vnet);
	v->stranger.give = (struct grant_give){.serial = (uint64_t)now_ns, .seen = a->serial};
	v->stranger.due = true;
}

static struct member *member_get(struct vnet *n, const char *node, int64_t now_ns)
{
	struct member *m = find_member(n, node);

	if (m)
		return m;
	m = xcalloc(1, sizeof(*m));
	m->node = xstrdup(node);
	m->say_ns = INT64_MAX;
	grant_giver_init(&m->giver, 0, now_ns);
	vec_push(&n->members, m);
	return m;
}

/* Admits another minimum, or leaves it as it was. */
static void admit(const struct vbm *v, const struct vnet *n, struct member *m)
{
	int64_t others = minima(n) - m->giver.give.min_bps;
	int64_t asked = m->giver.asked_min_bps;

	m->refused = NULL;
	if (asked <= m->giver.give.min_bps || others + asked <= share_bps(v, n))
		grant_giver_set(&m->giver, asked, m->giver.give.limit_bps);
	else
		m->refused = "the vNet's share of the LAN is used up";
}

void vbm_hear(struct vbm *v, const char *node, const char *vnet, const struct grant_ask *a,
	      bool request, int64_t now_ns)
{
	struct vnet *n = find_vnet(v, vnet);

	v->now_ns = now_ns;
	/* One such answer is kept at most: if it is lost, the node asks again. */
	if (!n) {
		if (request)
			answer_stranger(v, node, vnet, a, now_ns);
		return;
	}
	struct member *m = member_get(n, node, now_ns);

	m->heard_ns = now_ns;
	grant_giver_hear(&m->giver, a);
	admit(v, n, m);
	divide(v, n);
	m->answer = request;
	m->tell &= !request; /* the answer says the same */
}

/* A node that is known to be gone: its part is free at once, since nobody sends there any more. */
void vbm_forget(struct vbm *v, const char *node, int64_t now_ns)
{
	v->now_ns = now_ns;
	for (size_t i = 0; i < v->vnets.n; i++) {
		struct vnet *n = v->vnets.at[i];

		for (size_t k = 0; k < n->members.n; k++) {
			if (strcmp(n->members.at[k]->node, node) != 0)
				continue;
			member_free(n->members.at[k]);
			vec_remove(&n->members, k);
			divide(v, n);
			break;
		}
	}
}

/* Has the node confirmed all that it was told? If not, it is told again. */
static bool is_settled(const struct member *m)
{
	return m->giver.held_bps <= m->giver.give.limit_bps &&
	       m->giver.confirmed >= m->giver.lowered;
}

int64_t vbm_due_ns(const struct vbm *v)
{
	int64_t due_ns = INT64_MAX;

	for (size_t i = 0; i < v->vnets.n; i++) {
		const struct vnet *n = v->vnets.at[i];

		for (size_t k = 0; k < n->members.n; k++) {
			const struct member *m = n->members.at[k];

			due_ns = min_i64(due_ns, m->heard_ns + VBM_SILENT_NS);
			due_ns = min_i64(due_ns, m->say_ns);
		}
	}
	return due_ns;
}

void vbm_tick(struct vbm *v, int64_t now_ns)
{
	v->now_ns = now_ns;
	for (size_t i = 0; i < v->vnets.n; i++) {
		struct vnet *n = v->vnets.at[i];
		bool gone = false;

		for (size_t k = 0; k < n->members.n;) {
			struct member *m = n->members.at[k];

			if (now_ns - m->heard_ns >= VBM_SILENT_NS) {
				member_free(m);
				vec_remove(&n->members, k);
				gone = true;
				continue;
			}
			if (now_ns >= m->say_ns) {
				m->say_ns = INT64_MAX;
				m->tell |= !is_settled(m);
			}
			k++;
		}
		if (gone)
			divide(v, n);
	}
}

static bool next_of(struct vbm *v, struct vnet *n, bool answer, struct vbm_message *out)
{
	for (size_t k = 0; k < n->members.n; k++) {
		struct member *m = n->members.at[k];

		if (!(answer ? m->answer : m->tell))
			continue;
		*out = (struct vbm_message){.node = m->node,
					    .vnet = n->name,
					    .give = m->giver.give,
					    .refused = m->refused,
					    .answer = answer};
		m->answer = m->tell = false;
		m->say_ns = is_settled(m) ? INT64_MAX : v->now_ns + TM_REFRESH_NS;
		return true;
	}
	return false;
}

bool vbm_next_message(struct vbm *v, struct vbm_message *m)
{
	if (v->stranger.due) {
		v->stranger.due = false;
		*m = (struct vbm_message){.node = v->stranger.node,
					  .vnet = v->stranger.vnet,
					  .give = v->stranger.give,
					  .refused = "the vNet has no share of the LAN",
					  .answer = true};
		return true;
	}
	for (int answer = 1; answer >= 0; answer--)
		for (size_t i = 0; i < v->vnets.n; i++)
			if (next_of(v, v->vnets.at[i], answer, m))
				return true;
	return false;
}

/* ---- for people -------------------------------------------------------------------------- */

static struct vbm_row member_row(const struct vbm *v, const struct vnet *n, const struct member *m)
{
	return (struct vbm_row){.vnet = n->name,
				.node = m->node,
				.share_bps = share_bps(v, n),
				.min_bps = m->giver.give.min_bps,
				.want_bps = m->giver.want_bps,
				.limit_bps = m->giver.give.limit_bps,
				.held_bps = m->giver.held_bps};
}

static struct vbm_row vnet_row(const struct vbm *v, const struct vnet *n)
{
	struct vbm_row r = {.vnet = n->name, .share_bps = share_bps(v, n)};

	for (size_t k = 0; k < n->members.n; k++) {
		struct vbm_row m = member_row(v, n, n->members.at[k]);

		r.min_bps += m.min_bps;
		r.want_bps += m.want_bps;
		r.limit_bps += m.limit_bps;
		r.held_bps += m.held_bps;
	}
	return r;
}

bool vbm_row(const struct vbm *v, size_t i, struct vbm_row *r)
{
	for (size_t k = 0; k < v->vnets.n; k++) {
		const struct vnet *n = v->vnets.at[k];

		if (i == 0) {
			*r = vnet_row(v, n);
			return true;
		}
		if (--i < n->members.n) {
			*r = member_row(v, n, n->members.at[i]);
			return true;
		}
		i -= n->members.n;
	}
	return false;
}
