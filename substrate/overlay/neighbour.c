/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. Both ends of a link greet each other each second (MESSAGE_HELLO) and say three things:
 * who they are, which life of theirs this is (the time of day at which it began), and which life of
 * the other they hear. The link is open while each hears the other's present life.
 *
 * Virtual links over a neighbour live in two tables of VLIs, one at each end. A node that began
 * anew has an empty one. So whoever hears another life, or no longer hears the other, or is told
 * that it is not heard, forgets all virtual links over that neighbour before anything else: thus
 * the two tables agree whenever the link is open, and no frame enters a virtual link that its
 * number no longer means.
 *
 * A greeting that tells the other something new is answered at once, not with the next second:
 * links open after one round trip.
 */
#include "substrate/overlay/neighbour.h"

#include "lib/minmax.h"
#include "substrate/overlay/slink.h"

#include <stdlib.h>

enum { PROBE_MAX = 9000 };
/* Three greetings may be lost in a row. */
static const int64_t silent_after_ns = 3500000000;

bool neighbour_is_open(const struct neighbour *b)
{
	return b->conversation.open;
}

static void send_message(struct conversation *c, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct neighbour *b = c->owner;

	/* Greetings say that the link itself lives: they never go another way. */
	for (int i = 0; link_users[i] && message_type_of(data) != MESSAGE_HELLO; i++)
		if (link_users[i]->send && link_users[i]->send(b->slink->node, c->other, data, len))
			return;
	slink_send_message(b->slink, b, data, len, b->pad, now_ns);
}

void neighbour_greet(struct neighbour *b, int64_t now_ns)
{
	char body[256];

	snprintf(body, sizeof(body), "name=%.100s instance=%llu heard=%llu%s",
		 b->slink->node->object.name, (unsigned long long)b->slink->node->instance,
		 (unsigned long long)b->instance, b->slink->vbm ? " vbm=1" : "");
	conversation_tell(&b->conversation, MESSAGE_HELLO, body, now_ns);
}

void neighbour_probe(struct neighbour *b, int64_t now_ns)
{
	b->pad = min_u32(slink_room(b->slink), PROBE_MAX);
	neighbour_greet(b, now_ns);
	b->pad = 0;
}

static void tell_vbm_changed(struct slink *l, const char *why, int64_t now_ns)
{
	for (int i = 0; link_users[i]; i++)
		if (link_users[i]->vbm_changed)
			link_users[i]->vbm_changed(l, why, now_ns);
}

/* "event slink NAME lost|back [NEIGHBOUR]" */
static void say_event(const struct neighbour *b, const char *what)
{
	const struct slink *l = b->slink;

	if (l->multi_access)
		substrate_event(l->object.sub, "event slink %s %s %s", l->object.name, what,
				b->name);
	else
		substrate_event(l->object.sub, "event slink %s %s", l->object.name, what);
}

/*
 * The link is no longer open. First nothing passes any more, then all who hang on it are told, and
 * last the conversation begins anew: requests of theirs that were under way end unanswered.
 */
static void lose(struct neighbour *b, const char *why, int64_t now_ns)
{
	b->why = why;
	if (!b->conversation.open)
		return;
	b->conversation.open = false;
	b->lost = true;
	for (int i = 0; link_users[i]; i++)
		if (link_users[i]->lost)
			link_users[i]->lost(b, why, now_ns);
	if (b->has_vbm)
		tell_vbm_changed(b->slink, why, now_ns);
	conversation_restart(&b->conversation, now_ns);
	say_event(b, "lost");
}

/* The VBM is told of first: multi-access links ask it for their VLI at once. */
static void open_up(struct neighbour *b, int64_t now_ns)
{
	b->conversation.open = true;
	b->why = NULL;
	if (b->lost)
		say_event(b, "back");
	b->lost = false;
	if (b->has_vbm)
		tell_vbm_changed(b->slink, NULL, now_ns);
	for (int i = 0; link_users[i]; i++)
		if (link_users[i]->opened)
			link_users[i]->opened(b->slink, now_ns);
}

/* A neighbour gained or lost its VBM (restart or command). */
static void learn_vbm(struct neighbour *b, bool has_vbm, int64_t now_ns)
{
	bool had = b->has_vbm;

	b->has_vbm = has_vbm;
	if (b->conversation.open && had != has_vbm)
		tell_vbm_changed(b->slink, has_vbm ? NULL : "its VBM was removed", now_ns);
}

static void learn_name(struct neighbour *b, const struct message *m, const struct words *w)
{
	const char *name = words_get(w, "name");

	if (b->name || !name || !message_name_fits(name))
		return;
	b->name = xstrdup(name);
	b->conversation.other = m->sender;
}

static uint64_t get_u64(const struct words *w, const char *key)
{
	const char *text = words_get(w, key);

	return text ? strtoull(text, NULL, 10) : 0;
}

static void hear_hello(struct neighbour *b, const struct message *m, const struct words *w,
		       int64_t now_ns)
{
	uint64_t instance = get_u64(w, "instance");
	uint64_t heard = get_u64(w, "heard");
	bool was_open = b->conversation.open;
	bool is_new = instance != b->instance;

	if (!instance)
		return;
	learn_name(b, m, w);
	if (!b->name)
		return;
	memcpy(b->mac, b->sender, 6);
	b->mac_known = true;
	b->silent_ns = now_ns + silent_after_ns;
	if (is_new) {
		lose(b, "the other node began anew", now_ns);
		conversation_restart(&b->conversation, now_ns);
		b->instance = instance;
	}
	learn_vbm(b, words_get(w, "vbm") != NULL, now_ns);
	if (heard != b->slink->node->instance)
		lose(b, "the other node does not hear this one", now_ns);
	else if (!b->conversation.open)
		open_up(b, now_ns);
	if (is_new || heard != b->slink->node->instance || was_open != b->conversation.open)
		neighbour_greet(b, now_ns);
}

static void hear_tell(struct conversation *c, const struct message *m, const struct words *w,
		      int64_t now_ns)
{
	if (m->type == MESSAGE_HELLO) {
		hear_hello(c->owner, m, w, now_ns);
		return;
	}
	for (int i = 0; link_users[i]; i++)
		if (link_users[i]->tell[m->type])
			link_users[i]->tell[m->type](c->owner, m, w, now_ns);
}

static void hear_request(struct conversation *c, const struct message *m, const struct words *w,
			 int64_t now_ns)
{
	for (int i = 0; link_users[i]; i++) {
		if (!link_users[i]->request[m->type])
			continue;
		link_users[i]->request[m->type](c->owner, m, w, now_ns);
		return;
	}
	conversation_refuse(c, m->sequence, "not understood", now_ns);
}

static const struct conversation_ops ops = {
	.send = send_message, .request = hear_request, .tell = hear_tell};

void neighbour_receive(struct neighbour *b, const uint8_t sender[6], const uint8_t *data,
		       size_t len, int64_t now_ns)
{
	struct snode *n = b->slink->node;

	if (sender)
		memcpy(b->sender, sender, 6);
	conversation_receive(&b->conversation, data, len, now_ns);
	snode_settle(n, now_ns);
}

struct neighbour *neighbour_add(struct slink *l)
{
	struct neighbour *b = xcalloc(1, sizeof(*b));
	struct substrate *s = l->object.sub;

	b->slink = l;
	b->why = "the other node was not heard yet";
	conversation_init(&b->conversation, &ops, b, &l->node->key, l->node->object.name, l->link,
			  (uint64_t)(s->epoch_ns + substrate_now_ns(s)) / 1000);
	vec_push(&l->neighbours, b);
	return b;
}

void neighbour_destroy(struct neighbour *b, int64_t now_ns)
{
	conversation_finish(&b->conversation, now_ns);
	udp_wire_path_destroy(b->path);
	free(b->name);
	free(b);
}

int64_t neighbour_due_ns(const struct neighbour *b)
{
	return min_i64(conversation_due_ns(&b->conversation),
		       b->instance ? b->silent_ns : INT64_MAX);
}

/* A cut cable needs no silence to be known: the carrier says it at once. */
void neighbour_tick(struct neighbour *b, int64_t now_ns)
{
	bool cut = !b->slink->snif->end.carrier;

	if (b->instance && (cut || now_ns >= b->silent_ns)) {
		b->instance = 0;
		lose(b, cut ? "the cable is cut" : "the other node is silent", now_ns);
	}
	conversation_tick(&b->conversation, now_ns);
}

void neighbour_status(const struct neighbour *b, struct json *j)
{
	json_open(j, NULL, '{');
	json_string(j, "snode", b->name);
	json_bool(j, "open", b->conversation.open);
	if (b->why)
		json_string(j, "why", b->why);
	json_uint(j, "sent", b->conversation.count.sent);
	json_uint(j, "repeated", b->conversation.count.repeated);
	json_uint(j, "received", b->conversation.count.received);
	json_uint(j, "given_up", b->conversation.count.gave_up);
	if (b->path)
		udp_wire_status(b->path, j);
	json_open(j, "dropped", '{');
	for (int i = MESSAGE_GOOD + 1; i < MESSAGE_DROPS; i++)
		if (b->conversation.count.dropped[i])
			json_uint(j, message_drop_name((enum message_drop)i),
				  b->conversation.count.dropped[i]);
	json_close(j, '}');
	json_close(j, '}');
}
