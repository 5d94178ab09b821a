/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * This node's end of a substrate link, and the nodes at its other ends. Both sides greet each other
 * each second and say which life of the other they hear; a link is open while each hears the
 * other's present life. Whoever no longer hears the other, or is told that it is not heard, or
 * hears another life of it, forgets all virtual links over that neighbour: so the two tables of
 * VLIs agree whenever the link is open.
 */
#include "substrate/nic/nic.h"
#include "substrate/overlay/snet.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const int64_t hello_every_ns = 1000000000;
static const int64_t silent_after_ns = 3500000000;
static const int64_t stranger_for_ns = 10000000000;
enum { ROOM_MAX = 65535 - ENCAPSULATION_MAX, MEMBERS_MAX = 255, PROBE_MAX = 9000 };

struct slink *slink_find(struct snode *n, const char *link)
{
	for (size_t i = 0; i < n->links.n; i++)
		if (!strcmp(n->links.at[i]->link, link))
			return n->links.at[i];
	return NULL;
}

uint32_t slink_room(const struct slink *l)
{
	const struct udp_wire_path *path = l->neighbours.n ? l->neighbours.at[0]->path : NULL;
	int64_t mtu = path ? udp_wire_mtu(path) : end_mtu(&l->snif->end);

	return mtu && mtu < ROOM_MAX ? encapsulation_room(l->snif->encap, (uint32_t)mtu) : ROOM_MAX;
}

bool neighbour_is_open(const struct neighbour *b)
{
	return b->conversation.open;
}

/* To that neighbour, or to all (NULL); with zeroes behind it up to size octets, if that is more. */
static void put_message(struct slink *l, const struct neighbour *b, const uint8_t *data, size_t len,
			size_t size, int64_t now_ns)
{
	struct snif *i = l->snif;
	struct frame *f = frame_get(i->object.sub->pool, (uint32_t)(size > len ? size : len));

	if (!f) {
		i->dropped[SNIF_NO_MEMORY]++;
		return;
	}
	memcpy(f->data, data, len);
	memset(f->data + len, 0, f->len - len);
	snif_send(i, l, b, VLI_CONTROL, htb_control(i->pacer.htb), f, now_ns);
}

static void send_message(struct conversation *p, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct neighbour *b = p->owner;

	/* Greetings say that the link itself lives. */
	if (message_type_of(data) != MESSAGE_HELLO &&
	    manager_send(b->slink->node, p->other, data, len))
		return;
	put_message(b->slink, b, data, len, b->pad, now_ns);
}

static void greet(struct neighbour *b, int64_t now_ns)
{
	char body[256];

	snprintf(body, sizeof(body), "name=%.100s instance=%llu heard=%llu%s",
		 b->slink->node->object.name, (unsigned long long)b->slink->node->instance,
		 (unsigned long long)b->instance, b->slink->vbm ? " vbm=1" : "");
	conversation_tell(&b->conversation, MESSAGE_HELLO, body, now_ns);
}

/*
 * A greeting as long as the path is believed to allow: a router that cannot pass it says so to our
 * kernel, and the virtual links are told before a guest's frame is lost.
 */
static void probe(struct neighbour *b, int64_t now_ns)
{
	b->pad = slink_room(b->slink);
	if (b->pad > PROBE_MAX)
		b->pad = PROBE_MAX;
	greet(b, now_ns);
	b->pad = 0;
}

/* The link is no longer open. */
static void lose(struct neighbour *b, const char *why, int64_t now_ns)
{
	b->why = why;
	if (!b->conversation.open)
		return;
	b->conversation.open = false;
	b->lost = true;
	vhop_neighbour_lost(b, why, now_ns);
	vlink_multi_neighbour_gone(b);
	if (b->slink->vbm)
		vbm_object_node_lost(b->slink->vbm, b->name, now_ns);
	if (b->has_vbm)
		vlink_multi_vbm_lost(b->slink, why, now_ns);
	conversation_restart(&b->conversation, now_ns);
	if (b->slink->multi)
		substrate_event(b->slink->object.sub, "event slink %s lost %s",
				b->slink->object.name, b->name);
	else
		substrate_event(b->slink->object.sub, "event slink %s lost", b->slink->object.name);
}

static void open_up(struct neighbour *b, int64_t now_ns)
{
	b->conversation.open = true;
	b->why = NULL;
	if (b->lost && b->slink->multi)
		substrate_event(b->slink->object.sub, "event slink %s back %s",
				b->slink->object.name, b->name);
	else if (b->lost)
		substrate_event(b->slink->object.sub, "event slink %s back", b->slink->object.name);
	b->lost = false;
	if (b->has_vbm)
		vlink_multi_vbm_back(b->slink, now_ns);
	vlink_hurry(b->slink->node, now_ns);
}

/* A neighbour's VBM came or went: it takes a new life of the node, or a command. */
static void learn_vbm(struct neighbour *b, bool has_vbm, int64_t now_ns)
{
	bool had = b->has_vbm;

	b->has_vbm = has_vbm;
	if (!b->conversation.open || had == has_vbm)
		return;
	if (has_vbm)
		vlink_multi_vbm_back(b->slink, now_ns);
	else
		vlink_multi_vbm_lost(b->slink, "its VBM was removed", now_ns);
}

static void learn_name(struct neighbour *b, const struct message *m, const struct words *w)
{
	const char *name = words_get(w, "name");

	if (b->name || !name || !snet_name_fits(name))
		return;
	b->name = xstrdup(name);
	b->conversation.other = m->sender;
}

static void hear_hello(struct neighbour *b, const struct message *m, const struct words *w,
		       int64_t now_ns)
{
	const char *instance_text = words_get(w, "instance");
	const char *heard_text = words_get(w, "heard");
	uint64_t instance = instance_text ? strtoull(instance_text, NULL, 10) : 0;
	uint64_t heard = heard_text ? strtoull(heard_text, NULL, 10) : 0;
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
	/* What the other does not know yet, it learns at once. */
	if (is_new || heard != b->slink->node->instance || was_open != b->conversation.open)
		greet(b, now_ns);
}

static void hear_tell(struct conversation *p, const struct message *m, const struct words *w,
		      int64_t now_ns)
{
	if (m->type == MESSAGE_HELLO)
		hear_hello(p->owner, m, w, now_ns);
	else if (m->type == MESSAGE_RATE || m->type == MESSAGE_RATE_OK)
		vhop_hear_rate(p->owner, m, w, now_ns);
	else if (m->type == MESSAGE_AGGREGATE || m->type == MESSAGE_AGGREGATE_OK)
		vbm_object_hear_aggregate(p->owner, m, w, now_ns);
}

static void hear_request(struct conversation *p, const struct message *m, const struct words *w,
			 int64_t now_ns)
{
	if (m->type == MESSAGE_JOIN || m->type == MESSAGE_LEAVE)
		vbm_object_hear(p->owner, m, w, now_ns);
	else
		vhop_hear(p->owner, m, w, now_ns);
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
	admission_run(n, now_ns);
	snode_wake(n, now_ns);
}

/* A greeting to whoever is there; who does not know us yet answers, and is a neighbour from then
 * on. */
static void greet_strangers(struct slink *l, int64_t now_ns)
{
	uint8_t buf[MESSAGE_MAX];
	struct message m = {.type = MESSAGE_HELLO,
			    .sequence = MESSAGE_TO_STRANGERS,
			    .sender = message_id(l->node->object.name),
			    .link = message_id(l->link),
			    .number = (uint64_t)(l->object.sub->epoch_ns + now_ns) / 1000};
	size_t len = message_write(buf, &m, &l->node->key);

	put_message(l, NULL, buf, len, 0, now_ns);
}

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t slink_due_ns(const struct slink *l)
{
	int64_t due = l->hello_ns;

	if (l->vbm)
		due = min_ns(due, vbm_object_due_ns(l->vbm));
	for (size_t i = 0; i < l->neighbours.n; i++) {
		const struct neighbour *b = l->neighbours.at[i];

		due = min_ns(due, conversation_due_ns(&b->conversation));
		due = min_ns(due, b->instance ? b->silent_ns : INT64_MAX);
	}
	return due;
}

static void tick_neighbour(struct neighbour *b, int64_t now_ns)
{
	bool cut = !b->slink->snif->end.carrier;

	if (b->instance && (cut || now_ns >= b->silent_ns)) {
		b->instance = 0;
		lose(b, cut ? "the cable is cut" : "the other node is silent", now_ns);
	}
	conversation_tick(&b->conversation, now_ns);
}

/* One that greeted as a stranger and never answered: perhaps an old greeting from another address.
 */
static void forget_strangers(struct slink *l, int64_t now_ns)
{
	for (size_t i = l->neighbours.n; i-- > 0;) {
		struct neighbour *b = l->neighbours.at[i];

		if (b->name || now_ns < b->silent_ns)
			continue;
		conversation_finish(&b->conversation, now_ns);
		free(b);
		vec_remove(&l->neighbours, i);
	}
}

void slink_tick(struct slink *l, int64_t now_ns)
{
	uint32_t room = slink_room(l);

	for (size_t i = 0; i < l->neighbours.n; i++)
		tick_neighbour(l->neighbours.at[i], now_ns);
	if (l->any_member)
		forget_strangers(l, now_ns);
	if (room != l->room) {
		l->room = room;
		vhop_room_changed(l, now_ns);
		vlink_multi_room_changed(l, now_ns);
	}
	if (l->vbm)
		vbm_object_tick(l->vbm, now_ns);
	if (now_ns < l->hello_ns)
		return;
	l->hello_ns = now_ns + hello_every_ns;
	if (l->any_member && l->snif->end.carrier)
		greet_strangers(l, now_ns);
	for (size_t i = 0; i < l->neighbours.n && l->snif->end.carrier; i++) {
		struct neighbour *b = l->neighbours.at[i];

		greet(b, now_ns);
		if (b->path && b->conversation.open)
			probe(b, now_ns);
	}
}

static struct neighbour *add_neighbour(struct slink *l)
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

bool slink_hear_stranger(struct slink *l, const uint8_t sender[6], const uint8_t *data, size_t len,
			 int64_t now_ns)
{
	struct message m;

	if (!l || !l->any_member || l->neighbours.n >= MEMBERS_MAX ||
	    !memcmp(sender, l->snif->mac, 6) ||
	    message_read(data, len, &l->node->key, &m) != MESSAGE_GOOD || m.type != MESSAGE_HELLO ||
	    m.sequence != MESSAGE_TO_STRANGERS || m.link != message_id(l->link))
		return false;
	struct neighbour *b = add_neighbour(l);

	memcpy(b->mac, sender, 6);
	b->silent_ns = now_ns + stranger_for_ns;
	greet(b, now_ns);
	return true;
}

struct neighbour *slink_find_neighbour(struct slink *l, const char *name)
{
	for (size_t i = 0; i < l->neighbours.n; i++) {
		struct neighbour *b = l->neighbours.at[i];

		if (b->conversation.open && !strcmp(b->name, name))
			return b;
	}
	return NULL;
}

bool slink_has_vbm(const struct slink *l)
{
	if (l->vbm)
		return true;
	for (size_t i = 0; i < l->neighbours.n; i++)
		if (l->neighbours.at[i]->conversation.open && l->neighbours.at[i]->has_vbm)
			return true;
	return false;
}

struct slink *snif_lan(const struct snif *i)
{
	for (size_t k = 0; k < i->links.n; k++)
		if (i->links.at[k]->multi)
			return i->links.at[k];
	return NULL;
}

static void destroy(struct object *o)
{
	struct slink *l = (struct slink *)o;
	int64_t now = substrate_now_ns(o->sub);

	if (l->vbm)
		vbm_object_kind.destroy((struct object *)l->vbm);
	vlink_multi_end(l, now);
	if (l->multi)
		vhop_lan_gone(l, now);
	for (size_t i = 0; i < l->neighbours.n; i++) {
		struct neighbour *b = l->neighbours.at[i];

		b->conversation.open = false;
		vhop_neighbour_lost(b, "the substrate link was removed", now);
		conversation_finish(&b->conversation, now);
		udp_wire_path_destroy(b->path);
		free(b->name);
		free(b);
	}
	vec_free(&l->neighbours);
	vec_free(&l->multis);
	vli_finish(&l->in);
	if (l->lan)
		tm_lan_destroy(l->lan);
	vec_remove_item(&l->snif->links, l);
	vec_remove_item(&l->node->links, l);
	free(l->link);
	object_finish(o);
	free(l);
}

static void neighbour_status(const struct neighbour *b, struct json *j)
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

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct slink *l = (struct slink *)o;

	json_string(j, "snode", l->node->object.name);
	json_string(j, "snif", l->snif->object.name);
	json_string(j, "link", l->link);
	json_bool(j, "multi", l->multi);
	if (l->vlan >= 0) {
		json_int(j, "vlan", l->vlan);
		json_int(j, "priority", l->priority);
	}
	json_uint(j, "room", slink_room(l));
	json_open(j, "neighbours", '[');
	for (size_t i = 0; i < l->neighbours.n; i++)
		neighbour_status(l->neighbours.at[i], j);
	json_close(j, ']');
	vhop_slink_status(l, j);
	if (l->multi)
		vlink_multi_slink_status(l, j);
}

const struct object_kind slink_kind = {.name = "slink", .destroy = destroy, .status = status};

static int read_number(const struct words *w, const char *key, int max, int absent, int *value,
		       struct err *e)
{
	const char *text = words_get(w, key);
	char *end;

	*value = absent;
	if (!text)
		return 0;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > max)
		return err_set(e, ERR_USAGE, "%s: '%s' is not a number up to %d", key, text, max);
	*value = (int)n;
	return 0;
}

/* The addresses behind a word "MAC,MAC". */
static int add_members(struct slink *l, const char *text, struct err *e)
{
	while (*text) {
		size_t n = strcspn(text, ",");
		char word[32];
		uint8_t mac[6];

		snprintf(word, sizeof(word), "%.*s", n < 31 ? (int)n : 31, text);
		if (nic_parse_mac(word, mac, e) < 0)
			return -1;
		if (memcmp(mac, l->snif->mac, 6) != 0)
			memcpy(add_neighbour(l)->mac, mac, 6);
		text += n + (text[n] == ',');
	}
	return 0;
}

static int read_peers(struct slink *l, const struct words *w, struct err *e)
{
	const char *peer = words_get(w, "peer");
	const char *members = words_get(w, "members");
	struct in_addr in;

	l->any_member = l->multi && !members;
	if (l->multi)
		return members ? add_members(l, members, e) : 0;
	if (!peer)
		return err_set(e, ERR_USAGE, "a substrate link needs peer= or multi=1");
	struct neighbour *b = add_neighbour(l);

	if (l->snif->encap == ENCAPSULATION_ETHERNET)
		return nic_parse_mac(peer, b->mac, e);
	if (inet_pton(AF_INET, peer, &in) != 1)
		return err_set(e, ERR_USAGE, "peer: '%s' is not an IPv4 address", peer);
	b->ip = ntohl(in.s_addr);
	if (l->snif->udp)
		b->path = udp_wire_path_create(l->snif->udp, b->ip, e);
	return l->snif->udp && !b->path ? -1 : 0;
}

static int read_words(struct slink *l, const struct words *w, struct err *e)
{
	const char *link = words_get(w, "link");
	const char *multi = words_get(w, "multi");
	int priority;

	if (!link)
		return err_set(e, ERR_USAGE, "a substrate link needs link=");
	if (slink_find(l->node, link))
		return err_set(e, ERR_USAGE, "%s has an end of %s already", l->node->object.name,
			       link);
	l->link = xstrdup(link);
	l->multi = multi && strcmp(multi, "0") != 0;
	if (l->multi && l->snif->encap == ENCAPSULATION_UDP)
		return err_set(e, ERR_USAGE, "a multi-access link is an Ethernet");
	if (read_number(w, "vlan", 4094, -1, &l->vlan, e) < 0 ||
	    read_number(w, "priority", 7, 0, &priority, e) < 0)
		return -1;
	if (l->multi)
		l->vlan = -1; /* section III.3: it uses none */
	l->priority = (uint8_t)priority;
	return read_peers(l, w, e);
}

int slink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *snif = snet_find(s, w->at[2], &snif_kind, e);
	struct slink *l = snif ? xcalloc(1, sizeof(*l)) : NULL;

	if (!l)
		return -1;
	if (object_add(&l->object, s, &slink_kind, w->at[1], e) < 0) {
		free(l);
		return -1;
	}
	int64_t now = substrate_now_ns(s);

	l->snif = (struct snif *)snif;
	l->node = l->snif->node;
	l->hello_ns = now;
	l->room = 0;
	int rc = read_words(l, w, e);

	vec_push(&l->snif->links, l);
	vec_push(&l->node->links, l);
	if (rc < 0) {
		destroy(&l->object);
		return -1;
	}
	l->room = slink_room(l);
	if (l->multi)
		l->lan = tm_lan_create(l->node->tm, l);
	snode_wake(l->node, now);
	return 0;
}
