/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. A virtual link is set up as label switching does it, hop by hop. A setup goes downstream,
 * from the node where the link begins along its path. Each node reserves the minimum at its traffic
 * manager and takes a VLI of the substrate link by which the setup came, but says it in its answer
 * only when all nodes further on have agreed: so the answer of the first hop means that the whole
 * link is there. A release follows the same way.
 *
 * A node that cannot (or no longer) reach what is downstream of it tells upstream: it refuses the
 * setup that still waits for an answer, or says "failed". Each node on the way forgets the link and
 * passes that on, and where the link begins it is tried again with a higher try. A node that hears
 * a setup of a link that it knows in an earlier try takes the old one down first; messages about an
 * old try name nothing any more.
 *
 * "mtu" goes upstream, too: how long a frame may be that passes from there to the end.
 */
#include "substrate/overlay/vhop_priv.h"

#include "lib/minmax.h"
#include "lib/xalloc.h"

#include <stdlib.h>

/* An own copy of text on the heap; "" for NULL. */
static char *copy(const char *text)
{
	return xstrdup(text ? text : "");
}

void vhop_put_name(FILE *f, const struct vhop *h)
{
	char name[MESSAGE_NAME_MAX + 8];

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

/* What the answer is does not matter. rest: " KEY=VALUE", or "". */
static void say(struct neighbour *b, enum message_type type, const struct vhop *h, const char *rest,
		int64_t now_ns)
{
	char *body = NULL;
	size_t len = 0;

	if (!neighbour_is_open(b))
		return;
	FILE *f = xmemstream(&body, &len);

	vhop_put_name(f, h);
	/* A reason can be made too long by its quotes. */
	if (ftell(f) + (long)strlen(rest) <= MESSAGE_BODY_MAX)
		fputs(rest, f);
	fclose(f);
	conversation_ask(&b->conversation, type, body, NULL, NULL, now_ns);
	snode_wake(b->slink->node, now_ns);
	free(body);
}

void vhop_say(struct neighbour *b, enum message_type type, const struct vhop *h, int64_t now_ns)
{
	say(b, type, h, "", now_ns);
}

void vhop_say_word(struct neighbour *b, enum message_type type, const struct vhop *h,
		   const char *key, const char *value, int64_t now_ns)
{
	char *rest = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&rest, &len);

	put_text(f, key, value);
	fclose(f);
	say(b, type, h, rest, now_ns);
	free(rest);
}

/*
 * The listener last: it may begin the next try at once, which needs the interface and the name
 * free.
 */
void vhop_fail(struct vhop *h, const char *reason, int64_t now_ns)
{
	struct vlink_listener *listener = h->listener;
	struct neighbour *before = h->in ? slink_peer(h->in) : NULL;

	if (before && h->asked)
		conversation_refuse(&before->conversation, h->asked, reason, now_ns);
	else if (before)
		vhop_say_word(before, MESSAGE_FAILED, h, "reason", reason, now_ns);
	vhop_destroy(h, now_ns);
	if (listener)
		listener->ops->down(listener, reason, now_ns);
}

void vhop_release(struct vhop *h, int64_t now_ns)
{
	if (h->out)
		vhop_say(slink_peer(h->out), MESSAGE_RELEASE, h, now_ns);
	vhop_destroy(h, now_ns);
}

/* All nodes from here on have agreed. */
static void succeed(struct vhop *h, int64_t now_ns)
{
	char body[64];

	h->up = true;
	tm_link_up(h->tm, now_ns);
	if (h->in) {
		snprintf(body, sizeof(body), "vli=%u room=%u", h->in_vli, h->room);
		conversation_answer(&slink_peer(h->in)->conversation, h->asked, MESSAGE_SETUP_OK,
				    body, now_ns);
		h->asked = 0;
	} else {
		h->listener->ops->up(h->listener, now_ns);
	}
}

uint32_t vhop_get_u32(const struct words *w, const char *key)
{
	const char *text = words_get(w, key);
	unsigned long long n = text ? strtoull(text, NULL, 10) : 0;

	return n > UINT32_MAX ? 0 : (uint32_t)n;
}

int64_t vhop_get_rate(const struct words *w, const char *key)
{
	const char *text = words_get(w, key);
	long long n = text ? strtoll(text, NULL, 10) : 0;

	return n < 0 ? 0 : n;
}

static void setup_done(struct conversation *c, void *ctx, const struct message *m,
		       const struct words *w, int64_t now_ns)
{
	struct vhop *h = ctx;
	uint32_t vli = m && m->type == MESSAGE_SETUP_OK ? vhop_get_u32(w, "vli") : 0;

	if (vli >= VLI_FIRST && vli <= encapsulation_max_vli(h->out->snif->encap)) {
		h->out_vli = vli;
		h->room_further = vhop_get_u32(w, "room");
		h->room = min_u32(slink_room(h->out), h->room_further);
		succeed(h, now_ns);
		return;
	}
	const char *reason = m && m->type == MESSAGE_REFUSED ? words_get(w, "reason") : NULL;
	char text[512];

	snprintf(text, sizeof(text), "%s", reason ? reason : "no answer");
	/* Perhaps it was set up there, and only the answer was lost. */
	if (!m)
		vhop_say(slink_peer(h->out), MESSAGE_RELEASE, h, now_ns);
	vhop_fail(h, text, now_ns);
}

/* Asks the next node. */
static void ask_next(struct vhop *h, int64_t now_ns)
{
	struct neighbour *b = slink_peer(h->out);
	char *body = NULL;
	size_t len = 0;
	char reason[256];

	if (!neighbour_is_open(b)) {
		snprintf(reason, sizeof(reason), "substrate link %s: %s", h->out->link, b->why);
		vhop_fail(h, reason, now_ns);
		return;
	}
	FILE *f = xmemstream(&body, &len);

	vhop_put_name(f, h);
	put_text(f, "vnet", h->vnet);
	put_text(f, "path", h->path);
	put_text(f, "to", h->to_name);
	fprintf(f, " min=%lld max=%lld", (long long)h->min_bps, (long long)h->max_bps);
	fclose(f);
	if (len > MESSAGE_BODY_MAX) {
		free(body);
		vhop_fail(h, "the path is too long", now_ns);
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
		struct object *o = object_find_kind(h->node->object.sub, h->to_name, &vif_kind, &e);

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
	if (h->out->multi_access) {
		h->out = NULL;
		return "a path goes over point-to-point substrate links";
	}
	return NULL;
}

/* From here to where it ends, or a refusal. */
static void go_on(struct vhop *h, const char *path, int64_t now_ns)
{
	char buf[512];
	const char *why = take_step(h, path, buf, sizeof(buf));

	if (!why)
		why = vhop_ask_tm(h, now_ns);
	if (why)
		vhop_fail(h, why, now_ns);
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
	/* If a minimum is taken back that was given, the rest of the link is there still. */
	if (h->out && h->up)
		vhop_say(slink_peer(h->out), MESSAGE_RELEASE, h, now_ns);
	vhop_fail(h, text, now_ns);
}

void vhop_begin(const struct vhop_spec *spec, struct vhop **place, int64_t now_ns)
{
	struct vhop *h = vhop_create(spec->from->node, spec->vlink, spec->vnet);

	*place = h;
	h->place = place;
	h->listener = spec->listener;
	h->from = spec->from;
	h->from->way = &h->way;
	h->try = spec->try;
	h->to_name = copy(spec->to);
	h->min_bps = spec->min_bps;
	h->max_bps = spec->max_bps;
	go_on(h, spec->path, now_ns);
}

/*
 * An older or equal try is one that was repeated, or overtaken by its successor: refused, it harms
 * nothing. A newer one means that the node before has given this hop up, whatever we know of it.
 */
void vhop_hear_setup(struct neighbour *b, const struct message *m, const struct words *w,
		     int64_t now_ns)
{
	const char *vlink = words_get(w, "vlink");
	const char *vnet = words_get(w, "vnet");
	const char *path = words_get(w, "path");
	struct vhop *old = vlink ? vhop_find(b->slink->node, vlink, b->slink) : NULL;

	if (!vlink || !vnet || !path || b->slink->multi_access || !message_name_fits(vlink) ||
	    !message_name_fits(vnet)) {
		conversation_refuse(&b->conversation, m->sequence,
				    "a setup without vlink, vnet or path", now_ns);
		return;
	}
	if (old && old->try >= vhop_get_u32(w, "try")) {
		conversation_refuse(&b->conversation, m->sequence, "it was set up anew meanwhile",
				    now_ns);
		return;
	}
	if (old)
		vhop_release(old, now_ns);
	struct vhop *h = vhop_create(b->slink->node, vlink, vnet);

	h->try = vhop_get_u32(w, "try");
	h->asked = m->sequence;
	h->to_name = copy(words_get(w, "to"));
	h->min_bps = vhop_get_rate(w, "min");
	h->max_bps = vhop_get_rate(w, "max");
	h->in = b->slink;
	h->in_vli = vli_allocate(&b->slink->in, h);
	if (h->in_vli)
		go_on(h, path, now_ns);
	else
		vhop_fail(h, "all VLIs of the substrate link are in use", now_ns);
}

/*
 * Answered in any case: whoever releases wants to know that nothing is left, not that there was
 * something.
 */
void vhop_hear_release(struct neighbour *b, const struct message *m, const struct words *w,
		       int64_t now_ns)
{
	const char *vlink = words_get(w, "vlink");
	struct vhop *h = vlink ? vhop_find(b->slink->node, vlink, b->slink) : NULL;

	if (h && h->try == vhop_get_u32(w, "try"))
		vhop_release(h, now_ns);
	conversation_answer(&b->conversation, m->sequence, MESSAGE_RELEASED, "", now_ns);
}

void vhop_hear_failed(struct neighbour *b, const struct message *m, const struct words *w,
		      int64_t now_ns)
{
	struct vhop *h = vhop_find_leaving(b, w);
	const char *reason = words_get(w, "reason");

	conversation_answer(&b->conversation, m->sequence, MESSAGE_FAILED_OK, "", now_ns);
	if (h)
		vhop_fail(h, reason ? reason : "lost", now_ns);
}

void vhop_hear_mtu(struct neighbour *b, const struct message *m, const struct words *w,
		   int64_t now_ns)
{
	struct vhop *h = vhop_find_leaving(b, w);

	conversation_answer(&b->conversation, m->sequence, MESSAGE_MTU_OK, "", now_ns);
	if (!h)
		return;
	h->room_further = vhop_get_u32(w, "room");
	vhop_set_room(h, min_u32(slink_room(h->out), h->room_further), now_ns);
}
