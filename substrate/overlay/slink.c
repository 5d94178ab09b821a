/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. A frame belongs to the link whose VLAN (or absence of one) it carries, and to the
 * neighbour from whose address it comes: several links can share an interface, and a multi-access
 * link has no VLAN. On VLI 0 are messages between the nodes; every other number was given to a
 * struct vli_taker by whoever receives under it, so that frames need no more than one look into a
 * table.
 *
 * On a point-to-point link the address of the one neighbour is configured. On a LAN whose members
 * are not listed, each node greets the broadcast address once a second without saying whom it
 * hears (MESSAGE_TO_STRANGERS). Who hears that and does not know the sender makes it a neighbour
 * and greets it back; from then on the two keep each other as neighbour.c says. A greeting proves
 * that its sender has the key, not that it is fresh: a stranger who never answers is forgotten
 * again.
 */
#include "substrate/overlay/slink.h"

#include "lib/addr.h"
#include "lib/minmax.h"
#include "substrate/cable/cable.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const int64_t hello_every_ns = 1000000000;
static const int64_t stranger_for_ns = 10000000000;
enum { ROOM_MAX = 65535 - ENCAPSULATION_MAX, MEMBERS_MAX = 255 };

struct slink *slink_find(struct snode *n, const char *link)
{
	for (size_t i = 0; i < n->links.n; i++)
		if (!strcmp(n->links.at[i]->link, link))
			return n->links.at[i];
	return NULL;
}

struct slink *slink_of_lan(const struct snif *i)
{
	for (size_t k = 0; k < i->links.n; k++)
		if (i->links.at[k]->multi_access)
			return i->links.at[k];
	return NULL;
}

/*
 * The longest frame of a virtual link that fits. On a cable its MTU says so, over a real network
 * the MTU of the path, which the host's kernel learns from routers. It may change at any time, so
 * it is looked at with every tick (follow_room()).
 */
uint32_t slink_room(const struct slink *l)
{
	const struct udp_wire_path *path = l->neighbours.n ? l->neighbours.at[0]->path : NULL;
	int64_t mtu = path ? udp_wire_mtu(path) : cable_mtu(&l->snif->end);

	return mtu && mtu < ROOM_MAX ? encapsulation_room(l->snif->encap, (uint32_t)mtu) : ROOM_MAX;
}

struct neighbour *slink_peer(const struct slink *l)
{
	return l->neighbours.at[0];
}

struct neighbour *slink_find_neighbour(struct slink *l, const char *name)
{
	for (size_t i = 0; i < l->neighbours.n; i++) {
		struct neighbour *b = l->neighbours.at[i];

		if (neighbour_is_open(b) && !strcmp(b->name, name))
			return b;
	}
	return NULL;
}

/* ---- the VBM of a LAN ---- */

struct neighbour *slink_vbm_neighbour(const struct slink *l)
{
	for (size_t i = 0; i < l->neighbours.n; i++)
		if (l->neighbours.at[i]->has_vbm && neighbour_is_open(l->neighbours.at[i]))
			return l->neighbours.at[i];
	return NULL;
}

bool slink_has_vbm(const struct slink *l)
{
	return l->vbm || slink_vbm_neighbour(l);
}

void slink_set_vbm(struct slink *l, struct vbm_object *vbm, int64_t now_ns)
{
	l->vbm = vbm;
	l->hello_ns = now_ns; /* the neighbours learn it by a greeting */
	for (int i = 0; link_users[i]; i++) {
		if (link_users[i]->vbm_changed)
			link_users[i]->vbm_changed(l, vbm ? NULL : "its VBM was removed", now_ns);
		if (link_users[i]->opened && vbm)
			link_users[i]->opened(l, now_ns);
	}
	snode_wake(l->node, now_ns);
}

/* ---- frames ---- */

/*
 * Over IP the neighbour's MAC address is learnt from its first greeting; until then frames go to
 * the broadcast address, and the IP address decides.
 */
bool slink_send(struct slink *l, const struct neighbour *to, uint32_t vli, struct htb_class *c,
		struct frame *f, int64_t now_ns)
{
	bool known = to && (to->mac_known || !encapsulation_has_ip(l->snif->encap));
	struct snif_to where = {.mac = known ? to->mac : NULL,
				.ip = to ? to->ip : 0,
				.vlan = l->vlan,
				.priority = l->priority};

	return snif_send(l->snif, &where, vli, c, f, now_ns);
}

void slink_send_message(struct slink *l, const struct neighbour *to, const uint8_t *data,
			size_t len, size_t size, int64_t now_ns)
{
	struct snif *i = l->snif;
	struct frame *f = frame_get(i->object.sub->pool, (uint32_t)(size > len ? size : len));

	if (!f) {
		snif_drop(i, NULL, SNIF_NO_MEMORY);
		return;
	}
	memcpy(f->data, data, len);
	memset(f->data + len, 0, f->len - len);
	slink_send(l, to, VLI_CONTROL, htb_control(i->pacer.htb), f, now_ns);
}

static bool is_from(const struct neighbour *b, const struct encapsulation *h)
{
	return encapsulation_has_ip(h->kind) ? b->ip == h->from_ip : !memcmp(b->mac, h->from, 6);
}

/* Whose frame is it? NULL: nobody's, and *why. */
static struct neighbour *find_sender(struct snif *i, const struct encapsulation *h,
				     enum snif_drop *why)
{
	*why = SNIF_UNKNOWN_LINK;
	for (size_t k = 0; k < i->links.n; k++) {
		struct slink *l = i->links.at[k];

		for (size_t n = 0; n < l->neighbours.n; n++) {
			if (!is_from(l->neighbours.at[n], h))
				continue;
			if (l->vlan == h->vlan)
				return l->neighbours.at[n];
			*why = SNIF_WRONG_VLAN;
		}
	}
	return NULL;
}

/*
 * A frame of a virtual link goes on without its headers, and without padding behind it. A neighbour
 * that is not open has no part in any virtual link: its table of VLIs may be that of an earlier
 * life, and its frames would enter somebody else's network.
 */
static void pass_on(struct neighbour *b, struct frame *f, uint32_t vli, const uint8_t *payload,
		    size_t len, int64_t now_ns)
{
	struct snif *i = b->slink->snif;
	struct vli_taker *t = neighbour_is_open(b) ? vli_find(&b->slink->in, vli) : NULL;
	uint32_t head = (uint32_t)(payload - f->data);

	if (!t) {
		snif_drop(i, f, neighbour_is_open(b) ? SNIF_UNKNOWN_VLI : SNIF_SILENT);
		return;
	}
	f = frame_own(f);
	if (!f) {
		snif_drop(i, NULL, SNIF_NO_MEMORY);
		return;
	}
	frame_pull(f, head);
	f->len = (uint32_t)len;
	t->take(t, b, f, now_ns);
}

/*
 * A message on a LAN (NULL: there is none) from a sender that is no neighbour yet: a greeting makes
 * it one. False: it was none, or the members of the LAN are listed.
 */
static bool hear_stranger(struct slink *l, const uint8_t sender[6], const uint8_t *data, size_t len,
			  int64_t now_ns)
{
	struct message m;

	if (!l || !l->any_member || l->neighbours.n >= MEMBERS_MAX ||
	    !memcmp(sender, l->snif->mac, 6) ||
	    message_read(data, len, &l->node->key, &m) != MESSAGE_GOOD || m.type != MESSAGE_HELLO ||
	    m.sequence != MESSAGE_TO_STRANGERS || m.link != message_id(l->link))
		return false;
	struct neighbour *b = neighbour_add(l);

	memcpy(b->mac, sender, 6);
	b->silent_ns = now_ns + stranger_for_ns;
	neighbour_greet(b, now_ns);
	return true;
}

static void receive(struct snif *i, struct frame *f, const struct encapsulation *h,
		    const uint8_t *payload, size_t len, int64_t now_ns)
{
	enum snif_drop why;
	struct neighbour *b = find_sender(i, h, &why);

	if (b && h->vli != VLI_CONTROL) {
		pass_on(b, f, h->vli, payload, len, now_ns);
		return;
	}
	bool heard = b != NULL;

	if (b)
		neighbour_receive(b, h->from, payload, len, now_ns);
	else if (h->vli == VLI_CONTROL && h->vlan < 0)
		heard = hear_stranger(slink_of_lan(i), h->from, payload, len, now_ns);
	if (heard)
		frame_unref(f);
	else
		snif_drop(i, f, why);
}

/*
 * How much fits is looked at with the next greeting, so that is now. A carrier that came is a
 * reason to greet, too; one that went is noticed then and need not wait for silence.
 */
static void changed(struct snif *i, int64_t now_ns)
{
	for (size_t k = 0; k < i->links.n; k++)
		i->links.at[k]->hello_ns = now_ns;
	snode_wake(i->node, now_ns);
}

/* ---- time ---- */

static void greet_strangers(struct slink *l, int64_t now_ns)
{
	uint8_t buf[MESSAGE_MAX];
	struct message m = {.type = MESSAGE_HELLO,
			    .sequence = MESSAGE_TO_STRANGERS,
			    .sender = message_id(l->node->object.name),
			    .link = message_id(l->link),
			    .number = (uint64_t)(l->object.sub->epoch_ns + now_ns) / 1000};
	size_t len = message_write(buf, &m, &l->node->key);

	slink_send_message(l, NULL, buf, len, 0, now_ns);
}

/* Who greeted as a stranger and never answered: perhaps an old greeting from another address. */
static void forget_strangers(struct slink *l, int64_t now_ns)
{
	for (size_t i = l->neighbours.n; i-- > 0;) {
		struct neighbour *b = l->neighbours.at[i];

		if (b->name || now_ns < b->silent_ns)
			continue;
		vec_remove(&l->neighbours, i);
		neighbour_destroy(b, now_ns);
	}
}

static void follow_room(struct slink *l, int64_t now_ns)
{
	uint32_t room = slink_room(l);

	if (room == l->room)
		return;
	l->room = room;
	for (int i = 0; link_users[i]; i++)
		if (link_users[i]->room_changed)
			link_users[i]->room_changed(l, now_ns);
}

static void greet_all(struct slink *l, int64_t now_ns)
{
	if (!l->snif->end.carrier)
		return;
	if (l->any_member)
		greet_strangers(l, now_ns);
	for (size_t i = 0; i < l->neighbours.n; i++) {
		struct neighbour *b = l->neighbours.at[i];

		neighbour_greet(b, now_ns);
		if (b->path && neighbour_is_open(b))
			neighbour_probe(b, now_ns);
	}
}

static void tick(struct slink *l, int64_t now_ns)
{
	for (size_t i = 0; i < l->neighbours.n; i++)
		neighbour_tick(l->neighbours.at[i], now_ns);
	if (l->any_member)
		forget_strangers(l, now_ns);
	follow_room(l, now_ns);
	if (now_ns < l->hello_ns)
		return;
	l->hello_ns = now_ns + hello_every_ns;
	greet_all(l, now_ns);
}

static void tick_all(struct snode *n, int64_t now_ns)
{
	for (size_t i = 0; i < n->links.n; i++)
		tick(n->links.at[i], now_ns);
}

static int64_t due_ns(const struct snode *n)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < n->links.n; i++) {
		const struct slink *l = n->links.at[i];

		due = min_i64(due, l->hello_ns);
		for (size_t k = 0; k < l->neighbours.n; k++)
			due = min_i64(due, neighbour_due_ns(l->neighbours.at[k]));
	}
	return due;
}

const struct snode_user slink_snode_user = {.due_ns = due_ns, .tick = tick_all};

/* ---- the object ---- */

/* From the last to the first, as for nodes (snode.c): who stands on others goes before they do. */
static void tell_gone(struct slink *l, int64_t now_ns)
{
	int users = 0;

	while (link_users[users])
		users++;
	while (users-- > 0)
		if (link_users[users]->gone)
			link_users[users]->gone(l, now_ns);
}

static void destroy(struct object *o)
{
	struct slink *l = (struct slink *)o;
	int64_t now = substrate_now_ns(o->sub);

	tell_gone(l, now);
	for (size_t i = 0; i < l->neighbours.n; i++)
		neighbour_destroy(l->neighbours.at[i], now);
	vec_free(&l->neighbours);
	vec_free(&l->vlink_multis);
	vli_finish(&l->in);
	if (l->lan)
		tm_lan_destroy(l->lan);
	vec_remove_item(&l->snif->links, l);
	vec_remove_item(&l->node->links, l);
	free(l->link);
	object_finish(o);
	free(l);
}

static void end_all(struct snif *i)
{
	while (i->links.n)
		destroy(&i->links.at[i->links.n - 1]->object);
}

const struct snif_user slink_snif_user = {.receive = receive, .changed = changed, .gone = end_all};

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct slink *l = (struct slink *)o;

	json_string(j, "snode", l->node->object.name);
	json_string(j, "snif", l->snif->object.name);
	json_string(j, "link", l->link);
	json_bool(j, "multi", l->multi_access);
	if (l->vlan >= 0) {
		json_int(j, "vlan", l->vlan);
		json_int(j, "priority", l->priority);
	}
	json_uint(j, "room", slink_room(l));
	json_open(j, "neighbours", '[');
	for (size_t i = 0; i < l->neighbours.n; i++)
		neighbour_status(l->neighbours.at[i], j);
	json_close(j, ']');
	for (int i = 0; link_users[i]; i++)
		if (link_users[i]->status)
			link_users[i]->status(l, j);
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
		uint8_t mac[6];

		if (addr_parse_mac(text, n, mac, e) < 0)
			return -1;
		if (memcmp(mac, l->snif->mac, 6) != 0)
			memcpy(neighbour_add(l)->mac, mac, 6);
		text += n + (text[n] == ',');
	}
	return 0;
}

static int read_peers(struct slink *l, const struct words *w, struct err *e)
{
	const char *peer = words_get(w, "peer");
	const char *members = words_get(w, "members");
	struct in_addr in;

	l->any_member = l->multi_access && !members;
	if (l->multi_access)
		return members ? add_members(l, members, e) : 0;
	if (!peer)
		return err_set(e, ERR_USAGE, "a substrate link needs peer= or multi=1");
	struct neighbour *b = neighbour_add(l);

	if (!encapsulation_has_ip(l->snif->encap))
		return addr_parse_mac(peer, strlen(peer), b->mac, e);
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
	l->multi_access = multi && strcmp(multi, "0") != 0;
	if (l->multi_access && l->snif->encap != ENCAPSULATION_ETHERNET)
		return err_set(e, ERR_USAGE, "a multi-access link is an Ethernet");
	if (read_number(w, "vlan", 4094, -1, &l->vlan, e) < 0 ||
	    read_number(w, "priority", 7, 0, &priority, e) < 0)
		return -1;
	if (l->multi_access)
		l->vlan = -1; /* section III.3: it uses none */
	l->priority = (uint8_t)priority;
	l->in.max = encapsulation_max_vli(l->snif->encap);
	return read_peers(l, w, e);
}

int slink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *snif = object_find_kind(s, w->at[2], &snif_kind, e);
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
	if (l->multi_access)
		l->lan = tm_lan_create(l->node->tm, l);
	snode_wake(l->node, now);
	return 0;
}
