/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A virtual link at one node, and how it is set up, hop by hop, as label switching does: a setup
 * goes downstream; each node takes a VLI of the substrate link by which the setup came, and says it
 * in its answer when all nodes further on have agreed. A release follows the same way. A node that
 * loses what is downstream of it tells upstream (failed), and where the link begins it is tried
 * again.
 */
#include "substrate/overlay/snet.h"

#include <assert.h>
#include <stdlib.h>

static const char *const drop_names[] = {
	[VHOP_TOO_LONG] = "too-long",
	[VHOP_DOWN] = "down",
	[VHOP_NO_MEMORY] = "memory",
};
static_assert(ARRAY_LEN(drop_names) == VHOP_DROPS, "drop_names out of step with the enum");

/* An own copy of text on the heap; "" for NULL. */
static char *copy(const char *text)
{
	return xstrdup(text ? text : "");
}

static struct neighbour *only(const struct slink *l)
{
	return l->neighbours.at[0];
}

static void destroy(struct vhop *h)
{
	struct snode *n = h->node;

	tm_link_destroy(h->tm, substrate_now_ns(n->object.sub));
	htb_class_destroy(h->class, h->pacer ? h->pacer->last_ns : 0);
	if (h->in)
		vli_release(&h->in->in, h->in_vli);
	if (h->out)
		conversation_forget(&only(h->out)->conversation, h);
	if (h->from && h->from->out == h)
		h->from->out = NULL;
	if (h->origin)
		h->origin->hop = NULL;
	vec_remove_item(&n->hops, h);
	free(h->vlink);
	free(h->vnet);
	free(h->path);
	free(h->to_name);
	free(h);
}

static struct vhop *find(struct snode *n, const char *vlink, const struct slink *in)
{
	for (size_t i = 0; i < n->hops.n; i++)
		if (n->hops.at[i]->in == in && !strcmp(n->hops.at[i]->vlink, vlink))
			return n->hops.at[i];
	return NULL;
}

static struct vhop *create(struct snode *n, const char *vlink, const char *vnet)
{
	struct vhop *h = xcalloc(1, sizeof(*h));

	h->node = n;
	h->vlink = xstrdup(vlink);
	h->vnet = xstrdup(vnet);
	vec_push(&n->hops, h);
	return h;
}

/* The words that name it between two nodes. */
static void put_name(FILE *f, const struct vhop *h)
{
	char name[NAME_MAX_OCTETS + 8];

	snprintf(name, sizeof(name), "vlink=%s", h->vlink);
	words_put(f, name);
	fprintf(f, " try=%u", h->try);
}

static void put_text(FILE *f, const char *key, const char *value)
{
	char word[1200];

	snprintf(word, sizeof(word), "%s=%s", key, value);
	fputc(' ', f);
	words_put(f, word);
}

/* Sends "vlink= try= [key=value]" about h; what the answer is does not matter. */
static void say(struct neighbour *b, enum message_type type, const struct vhop *h, const char *key,
		const char *value, int64_t now_ns)
{
	char *body = NULL;
	size_t len = 0;

	if (!neighbour_is_open(b))
		return;
	FILE *f = open_memstream(&body, &len);

	put_name(f, h);
	fflush(f);
	size_t name_len = len;

	if (key)
		put_text(f, key, value);
	fclose(f);
	if (len > MESSAGE_BODY_MAX)
		body[name_len] = '\0'; /* a reason made long by its quotes */
	conversation_ask(&b->conversation, type, body, NULL, NULL, now_ns);
	snode_wake(b->slink->node, now_ns);
	free(body);
}

/* It cannot be (any more) from here on: whoever is before this node learns why. h is gone then. */
static void fail(struct vhop *h, const char *reason, int64_t now_ns)
{
	struct vlink *origin = h->origin;
	struct neighbour *before = h->in ? only(h->in) : NULL;

	if (before && h->asked)
		conversation_refuse(&before->conversation, h->asked, reason, now_ns);
	else if (before)
		say(before, MESSAGE_FAILED, h, "reason", reason, now_ns);
	destroy(h);
	if (origin)
		vlink_is_down(origin, reason, now_ns);
}

void vhop_release(struct vhop *h, int64_t now_ns)
{
	if (h->out)
		say(only(h->out), MESSAGE_RELEASE, h, NULL, NULL, now_ns);
	destroy(h);
}

/* All nodes from here on have agreed. */
static void succeed(struct vhop *h, int64_t now_ns)
{
	char body[64];

	h->up = true;
	tm_link_up(h->tm, now_ns);
	if (h->in) {
		snprintf(body, sizeof(body), "vli=%u room=%u", h->in_vli, h->room);
		conversation_answer(&only(h->in)->conversation, h->asked, MESSAGE_SETUP_OK, body,
				    now_ns);
		h->asked = 0;
	} else {
		vlink_is_up(h->origin, now_ns);
	}
}

static uint32_t get_u32(const struct words *w, const char *key)
{
	const char *text = words_get(w, key);
	unsigned long long n = text ? strtoull(text, NULL, 10) : 0;

	return n > UINT32_MAX ? 0 : (uint32_t)n;
}

static int64_t get_rate(const struct words *w, const char *key)
{
	const char *text = words_get(w, key);
	long long n = text ? strtoll(text, NULL, 10) : 0;

	return n < 0 ? 0 : n;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void setup_done(struct conversation *p, void *ctx, const struct message *m,
		       const struct words *w, int64_t now_ns)
{
	struct vhop *h = ctx;
	uint32_t vli = m && m->type == MESSAGE_SETUP_OK ? get_u32(w, "vli") : 0;

	if (vli >= VLI_FIRST) {
		h->out_vli = vli;
		h->room_further = get_u32(w, "room");
		h->room = min_u32(slink_room(h->out), h->room_further);
		succeed(h, now_ns);
		return;
	}
	const char *reason = m && m->type == MESSAGE_REFUSED ? words_get(w, "reason") : NULL;
	char text[512];

	snprintf(text, sizeof(text), "%s", reason ? reason : "no answer");
	/* The other may have done it, and its answer was lost. */
	if (!m)
		say(only(h->out), MESSAGE_RELEASE, h, NULL, NULL, now_ns);
	fail(h, text, now_ns);
}

/* Asks the next node. */
static void ask_next(struct vhop *h, int64_t now_ns)
{
	struct neighbour *b = only(h->out);
	char *body = NULL;
	size_t len = 0;
	char reason[256];

	if (!neighbour_is_open(b)) {
		snprintf(reason, sizeof(reason), "substrate link %s: %s", h->out->link, b->why);
		fail(h, reason, now_ns);
		return;
	}
	FILE *f = open_memstream(&body, &len);

	put_name(f, h);
	put_text(f, "vnet", h->vnet);
	put_text(f, "path", h->path);
	put_text(f, "to", h->to_name);
	fprintf(f, " min=%lld max=%lld", (long long)h->min_bps, (long long)h->max_bps);
	fclose(f);
	if (len > MESSAGE_BODY_MAX) {
		free(body);
		fail(h, "the path is too long", now_ns);
		return;
	}
	conversation_ask(&b->conversation, MESSAGE_SETUP, body, setup_done, h, now_ns);
	snode_wake(h->node, now_ns);
	free(body);
}

/*
 * Takes the first link of a path "a,b,c" off into h->out and keeps the rest, or finds the interface
 * where an empty path ends. NULL, or why it cannot be (in buf or static).
 */
static const char *take_step(struct vhop *h, const char *path, char *buf, size_t size)
{
	size_t n = strcspn(path, ",");
	struct err e;

	free(h->path);
	h->path = NULL;
	if (!n) {
		struct object *o = snet_find(h->node->object.sub, h->to_name, &vif_kind, &e);

		h->to = (struct vif *)o;
		if (!o || h->to->node != h->node)
			return "there is no such virtual interface at the end of the path";
		if (strcmp(h->to->vnet, h->vnet) != 0)
			return "the virtual interface belongs to another vNet";
		h->room = h->room_further = h->to->mtu + VIF_HEADERS;
		return NULL;
	}
	char *link = xstrndup(path, n);

	h->out = slink_find(h->node, link);
	h->path = xstrdup(path + n + (path[n] == ','));
	snprintf(buf, size, "%s has no end of substrate link %.200s", h->node->object.name, link);
	free(link);
	if (!h->out)
		return buf;
	if (h->out->multi) {
		h->out = NULL;
		return "a path goes over point-to-point substrate links";
	}
	return NULL;
}

/* The LAN with a VBM over which it comes. *why is set if that VBM cannot be asked now. */
static struct tm_lan *lan_of(const struct vhop *h, const char **why)
{
	struct slink *lan = h->in ? snif_lan(h->in->snif) : NULL;

	if (!lan || h->in->vlan < 0)
		return NULL;
	if (!slink_has_vbm(lan))
		*why = "the VBM of the LAN is silent";
	return lan->lan;
}

/* Asks the traffic manager of this node, who answers by vhop_admitted() or vhop_refused(). */
static const char *ask_tm(struct vhop *h, int64_t now_ns)
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
	if (h->out)
		h->pacer = &h->out->snif->pacer;
	else if (!h->in)
		h->pacer = &h->node->local;
	if (h->pacer)
		h->class = htb_link_create(h->pacer->htb, h->vnet, &rates, h->pacer->last_ns);
	if (h->class)
		htb_class_set_owner(h->class, h);
	h->tm = tm_link_create(h->node->tm, &spec, now_ns);
	return NULL;
}

/* From here to where it ends, or a refusal. */
static void go_on(struct vhop *h, const char *path, int64_t now_ns)
{
	char buf[512];
	const char *why = take_step(h, path, buf, sizeof(buf));

	if (!why)
		why = ask_tm(h, now_ns);
	if (why)
		fail(h, why, now_ns);
	else
		snode_wake(h->node, now_ns);
}

void vhop_admitted(struct vhop *h, int64_t now_ns)
{
	if (h->out)
		ask_next(h, now_ns);
	else
		succeed(h, now_ns);
}

void vhop_refused(struct vhop *h, const char *reason, int64_t now_ns)
{
	char text[256];

	snprintf(text, sizeof(text), "%s: %s", h->node->object.name, reason);
	/* What is further on was set up before, if the minimum is taken back. */
	if (h->out && h->up)
		say(only(h->out), MESSAGE_RELEASE, h, NULL, NULL, now_ns);
	fail(h, text, now_ns);
}

/*
 * A link without a minimum may always send this: else its first frames would wait until the
 * managers have heard of them.
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

void vhop_tell(struct vhop *h, bool next, enum message_type type, const char *words, int64_t now_ns)
{
	struct slink *l = next ? h->out : h->in;
	char *body = NULL;
	size_t len = 0;

	if (!l || !neighbour_is_open(only(l)))
		return;
	FILE *f = open_memstream(&body, &len);

	put_name(f, h);
	fprintf(f, " %s", words);
	if (next) /* it decides nothing there, but everybody may see what was said */
		fprintf(f, " max=%lld", (long long)h->max_bps);
	fclose(f);
	conversation_tell(&only(l)->conversation, type, body, now_ns);
	free(body);
}

struct vhop *vhop_begin(struct vlink *v, int64_t now_ns)
{
	struct vhop *h = create(v->vif->node, v->object.name, v->vnet);

	h->origin = v;
	v->hop = h;
	h->from = v->vif;
	h->from->out = h;
	h->try = v->try;
	h->to_name = copy(v->to);
	h->min_bps = v->min_bps;
	h->max_bps = v->max_bps;
	go_on(h, v->path, now_ns);
	return v->hop;
}

static void hear_setup(struct neighbour *b, const struct message *m, const struct words *w,
		       int64_t now_ns)
{
	const char *vlink = words_get(w, "vlink");
	const char *vnet = words_get(w, "vnet");
	const char *path = words_get(w, "path");
	struct vhop *old = vlink ? find(b->slink->node, vlink, b->slink) : NULL;

	if (!vlink || !vnet || !path || b->slink->multi || !snet_name_fits(vlink) ||
	    !snet_name_fits(vnet)) {
		conversation_refuse(&b->conversation, m->sequence,
				    "a setup without vlink, vnet or path", now_ns);
		return;
	}
	if (old && old->try >= get_u32(w, "try")) {
		conversation_refuse(&b->conversation, m->sequence, "it was set up anew meanwhile",
				    now_ns);
		return;
	}
	if (old)
		vhop_release(old, now_ns);
	struct vhop *h = create(b->slink->node, vlink, vnet);

	h->try = get_u32(w, "try");
	h->asked = m->sequence;
	h->to_name = copy(words_get(w, "to"));
	h->min_bps = get_rate(w, "min");
	h->max_bps = get_rate(w, "max");
	h->in = b->slink;
	h->in_vli = vli_allocate(&b->slink->in, h);
	if (h->in_vli)
		go_on(h, path, now_ns);
	else
		fail(h, "all VLIs of the substrate link are in use", now_ns);
}

static void hear_release(struct neighbour *b, const struct message *m, const struct words *w,
			 int64_t now_ns)
{
	const char *vlink = words_get(w, "vlink");
	struct vhop *h = vlink ? find(b->slink->node, vlink, b->slink) : NULL;

	if (h && h->try == get_u32(w, "try"))
		vhop_release(h, now_ns);
	conversation_answer(&b->conversation, m->sequence, MESSAGE_RELEASED, "", now_ns);
}

/* The one that leaves by b, in that try. */
static struct vhop *find_leaving(struct neighbour *b, const struct words *w)
{
	const char *vlink = words_get(w, "vlink");
	struct snode *n = b->slink->node;

	for (size_t i = 0; i < n->hops.n && vlink; i++) {
		struct vhop *h = n->hops.at[i];

		if (h->out == b->slink && !strcmp(h->vlink, vlink) && h->try == get_u32(w, "try"))
			return h;
	}
	return NULL;
}

static void hear_failed(struct neighbour *b, const struct message *m, const struct words *w,
			int64_t now_ns)
{
	struct vhop *h = find_leaving(b, w);
	const char *reason = words_get(w, "reason");

	conversation_answer(&b->conversation, m->sequence, MESSAGE_FAILED_OK, "", now_ns);
	if (h)
		fail(h, reason ? reason : "lost", now_ns);
}

/* What passes from here on has changed: whoever is before learns it. */
static void set_room(struct vhop *h, uint32_t room, int64_t now_ns)
{
	char value[16];

	if (h->room == room)
		return;
	h->room = room;
	snprintf(value, sizeof(value), "%u", room);
	if (h->in && h->up)
		say(only(h->in), MESSAGE_MTU, h, "room", value, now_ns);
	else if (h->origin && h->up)
		vlink_tell_mtu(h->origin, now_ns);
}

static void hear_mtu(struct neighbour *b, const struct message *m, const struct words *w,
		     int64_t now_ns)
{
	struct vhop *h = find_leaving(b, w);

	conversation_answer(&b->conversation, m->sequence, MESSAGE_MTU_OK, "", now_ns);
	if (!h)
		return;
	h->room_further = get_u32(w, "room");
	set_room(h, min_u32(slink_room(h->out), h->room_further), now_ns);
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

	if (!vlink || b->slink->multi)
		return;
	if (words_get(w, "limit")) {
		struct vhop *h = find_leaving(b, w);

		if (h && h->tm && grant_give_get(w, &give, NULL) == 0)
			tm_hear_next(h->tm, &give, request, now_ns);
		return;
	}
	struct vhop *h = find(b->slink->node, vlink, b->slink);

	if (!h || !h->tm || h->try != get_u32(w, "try") || grant_ask_get(w, &ask, NULL) < 0)
		return;
	if (words_get(w, "max") && tm_link_is_news(h->tm, &ask))
		vhop_set_max(h, get_rate(w, "max"), now_ns);
	tm_hear_prev(h->tm, &ask, request, now_ns);
}

void vhop_room_changed(struct slink *l, int64_t now_ns)
{
	for (size_t i = 0; i < l->node->hops.n; i++) {
		struct vhop *h = l->node->hops.at[i];

		if (h->out == l && h->up)
			set_room(h, min_u32(slink_room(l), h->room_further), now_ns);
	}
}

void vhop_hear(struct neighbour *b, const struct message *m, const struct words *w, int64_t now_ns)
{
	static void (*const hear[MESSAGE_TYPES])(struct neighbour *, const struct message *,
						 const struct words *, int64_t) = {
		[MESSAGE_SETUP] = hear_setup,
		[MESSAGE_RELEASE] = hear_release,
		[MESSAGE_FAILED] = hear_failed,
		[MESSAGE_MTU] = hear_mtu,
	};

	if (hear[m->type])
		hear[m->type](b, m, w, now_ns);
	else
		conversation_refuse(&b->conversation, m->sequence, "not understood", now_ns);
}

/* Ends each hop that chosen() picks, by call(); what one call does may end others. */
static void for_each(struct snode *n, bool (*chosen)(const struct vhop *h, const void *what),
		     void (*call)(struct vhop *h, const char *why, int64_t now_ns),
		     const void *what, const char *why, int64_t now_ns)
{
	for (size_t i = 0; i < n->hops.n;) {
		struct vhop *h = n->hops.at[i];

		if (!chosen(h, what)) {
			i++;
			continue;
		}
		vec_remove(&n->hops, i);
		call(h, why, now_ns);
		i = 0;
	}
}

static bool comes_by(const struct vhop *h, const void *slink)
{
	return h->in == (const struct slink *)slink;
}

static bool leaves_by(const struct vhop *h, const void *slink)
{
	return h->out == slink;
}

static bool comes_over_lan(const struct vhop *h, const void *slink)
{
	const struct slink *lan = slink;

	return h->in && h->in->snif == lan->snif && h->in->vlan >= 0;
}

static bool begins_at(const struct vhop *h, const void *vif)
{
	return h->from == vif;
}

static bool ends_at(const struct vhop *h, const void *vif)
{
	return h->to == vif;
}

static void release(struct vhop *h, const char *why, int64_t now_ns)
{
	vhop_release(h, now_ns);
}

void vhop_neighbour_lost(struct neighbour *b, const char *why, int64_t now_ns)
{
	char reason[256];

	if (b->slink->multi)
		return;
	snprintf(reason, sizeof(reason), "substrate link %s: %s", b->slink->link, why);
	for_each(b->slink->node, comes_by, release, b->slink, reason, now_ns);
	for_each(b->slink->node, leaves_by, fail, b->slink, reason, now_ns);
}

void vhop_lan_gone(struct slink *lan, int64_t now_ns)
{
	for_each(lan->node, comes_over_lan, fail, lan, "the LAN's substrate link was removed",
		 now_ns);
}

void vhop_vif_gone(struct vif *v, int64_t now_ns)
{
	for_each(v->node, begins_at, release, v, NULL, now_ns);
	for_each(v->node, ends_at, fail, v, "its virtual interface was removed", now_ns);
}

static void drop(struct vhop *h, struct frame *f, enum vhop_drop why)
{
	h->dropped[why]++;
	frame_unref(f);
}

void vhop_leave(struct pacer *p, struct frame *f, struct htb_class *from, int64_t now_ns)
{
	const struct vhop *h = htb_class_owner(from);

	vif_receive(h->to, f, now_ns);
}

/* A frame begins its way: demand is measured. */
static void count_offered(struct vhop *h, uint32_t len, int64_t now_ns)
{
	if (tm_link_offered(h->tm, len + VLINK_OVERHEAD, now_ns))
		snode_wake(h->node, now_ns);
}

void vhop_forward(struct vhop *h, struct frame *f, int64_t now_ns)
{
	uint32_t len = f->len;

	if (h->in) {
		h->came_frames++;
		h->came_bytes += len + VLINK_OVERHEAD;
	}
	if (!h->up || len > h->room) {
		drop(h, f, h->up ? VHOP_TOO_LONG : VHOP_DOWN);
		return;
	}
	if (!h->in)
		count_offered(h, len, now_ns);
	if (h->out)
		snif_send(h->out->snif, h->out, only(h->out), h->out_vli, h->class, f, now_ns);
	else if (h->class)
		pacer_send(h->pacer, h->class, f, len + VLINK_OVERHEAD, now_ns);
	else
		vif_receive(h->to, f, now_ns);
}

/* What came to the scheduler, what left it, and what was lost at it or before it. */
static void count_status(const struct vhop *h, struct json *j)
{
	const struct htb_counters *n = htb_class_counters(h->class);
	uint64_t lost = 0;
	uint64_t frames = 0;
	uint64_t bytes = 0;

	for (int i = 0; i < VHOP_DROPS; i++)
		lost += h->dropped[i];
	for (int i = 0; i < HTB_MODES; i++) {
		frames += n->sent_frames[i];
		bytes += n->sent_bytes[i];
	}
	json_uint(j, "offered_frames", n->offered_frames + lost);
	json_uint(j, "offered_bytes", n->offered_bytes);
	json_uint(j, "carried_frames", frames);
	json_uint(j, "carried_bytes", bytes);
	json_int(j, "longest_wait_ns", n->longest_wait_ns);
	json_open(j, "dropped", '{');
	for (int i = 0; i < VHOP_DROPS; i++)
		if (h->dropped[i])
			json_uint(j, drop_names[i], h->dropped[i]);
	for (int i = HTB_QUEUED + 1; i < HTB_DROPS; i++)
		if (n->dropped_frames[i])
			json_uint(j, htb_drop_name((enum htb_drop)i), n->dropped_frames[i]);
	json_close(j, '}');
}

void vhop_status(const struct vhop *h, struct json *j)
{
	json_int(j, "guaranteed_bps", h->min_bps);
	json_int(j, "allotted_bps", h->rate_bps);
	json_int(j, "max_bps", h->max_bps);
	if (h->class)
		count_status(h, j);
}

static void status_out(const struct vhop *h, struct json *j)
{
	json_open(j, NULL, '{');
	json_uint(j, "vli", h->out_vli);
	json_string(j, "vlink", h->vlink);
	json_string(j, "vnet", h->vnet);
	json_bool(j, "up", h->up);
	vhop_status(h, j);
	json_close(j, '}');
}

void vhop_slink_status(struct slink *l, struct json *j)
{
	json_open(j, "vlis", '[');
	for (size_t i = 0; i < l->node->hops.n; i++)
		if (l->node->hops.at[i]->out == l)
			status_out(l->node->hops.at[i], j);
	json_close(j, ']');
	json_open(j, "in", '[');
	for (size_t i = 0; i < l->node->hops.n; i++) {
		const struct vhop *h = l->node->hops.at[i];

		if (h->in != l)
			continue;
		json_open(j, NULL, '{');
		json_uint(j, "vli", h->in_vli);
		json_string(j, "vlink", h->vlink);
		json_string(j, "vnet", h->vnet);
		json_uint(j, "frames", h->came_frames);
		json_uint(j, "bytes", h->came_bytes);
		json_close(j, '}');
	}
	json_close(j, ']');
}
