/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A substrate interface: frames of its wire are told apart here, and frames for its wire get
 * headers. */
#include "lib/container_of.h"
#include "lib/octets.h"
#include "substrate/core/capture.h"
#include "substrate/nic/nic.h"
#include "substrate/overlay/snet.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>

static const char *const drop_names[] = {
	[SNIF_LEGACY] = "legacy",
	[SNIF_BAD_LENGTH] = "bad-length",
	[SNIF_BAD_IP] = "bad-ip",
	[SNIF_NOT_FOR_US] = "not-for-us",
	[SNIF_UNKNOWN_LINK] = "unknown-link",
	[SNIF_WRONG_VLAN] = "wrong-vlan",
	[SNIF_UNKNOWN_VLI] = "unknown-vli",
	[SNIF_SILENT] = "silent",
	[SNIF_NO_MEMORY] = "memory",
};
static_assert(ARRAY_LEN(drop_names) == SNIF_DROPS, "drop_names out of step with the enum");

static const enum snif_drop drop_of[ENCAPSULATION_DROPS] = {
	[ENCAPSULATION_LEGACY] = SNIF_LEGACY,
	[ENCAPSULATION_BAD_LENGTH] = SNIF_BAD_LENGTH,
	[ENCAPSULATION_BAD_IP] = SNIF_BAD_IP,
};

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool is_from(const struct neighbour *b, const struct encapsulation *h)
{
	return h->kind == ENCAPSULATION_UDP ? b->ip == h->from_ip : !memcmp(b->mac, h->from, 6);
}

static bool is_for_us(const struct snif *i, const struct encapsulation *h)
{
	if (h->kind == ENCAPSULATION_UDP && h->to_ip != i->ip)
		return false;
	return !memcmp(h->to, i->mac, 6) || !memcmp(h->to, everybody, 6);
}

/* Whose frame is it? The link by VLAN (or its absence), the node by the sender's address. */
static struct neighbour *find_neighbour(struct snif *i, const struct encapsulation *h,
					enum snif_drop *why)
{
	*why = is_for_us(i, h) ? SNIF_UNKNOWN_LINK : SNIF_NOT_FOR_US;
	for (size_t k = 0; k < i->links.n && *why != SNIF_NOT_FOR_US; k++) {
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

static void drop(struct snif *i, struct frame *f, enum snif_drop why)
{
	i->dropped[why]++;
	frame_unref(f);
}

/* A frame with our headers h in front of the len octets at payload, or cut off already. */
static void take(struct snif *i, struct frame *f, const struct encapsulation *h,
		 const uint8_t *payload, size_t len, int64_t now_ns)
{
	enum snif_drop why = SNIF_UNKNOWN_LINK;
	struct neighbour *b = find_neighbour(i, h, &why);

	if (!b) {
		if (why != SNIF_NOT_FOR_US && h->vli == VLI_CONTROL && h->vlan < 0 &&
		    slink_hear_stranger(snif_lan(i), h->from, payload, len, now_ns))
			frame_unref(f);
		else
			drop(i, f, why);
		return;
	}
	if (h->vli == VLI_CONTROL) {
		neighbour_receive(b, h->from, payload, len, now_ns);
		frame_unref(f);
		return;
	}
	void *link = neighbour_is_open(b) ? vli_find(&b->slink->in, h->vli) : NULL;

	if (!link) {
		drop(i, f, neighbour_is_open(b) ? SNIF_UNKNOWN_VLI : SNIF_SILENT);
		return;
	}
	uint32_t head = (uint32_t)(payload - f->data);

	f = frame_own(f);
	if (!f) {
		i->dropped[SNIF_NO_MEMORY]++;
		return;
	}
	frame_pull(f, head);
	f->len = (uint32_t)len; /* what follows is padding */
	if (b->slink->multi)
		vlink_multi_receive(link, b, f, now_ns);
	else
		vhop_forward(link, f, now_ns);
}

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct snif *i = (struct snif *)end->object;
	struct encapsulation h;
	const uint8_t *payload;
	size_t len;
	enum encapsulation_drop bad =
		encapsulation_read(i->encap, f->data, f->len, &h, &payload, &len);

	if (bad == ENCAPSULATION_GOOD)
		take(i, f, &h, payload, len, now_ns);
	else
		drop(i, f, drop_of[bad]);
}

/* What came as a datagram is captured with the headers that were in front of it. */
static void capture_datagram(struct snif *i, struct frame *f, const struct encapsulation *h,
			     int64_t now_ns)
{
	uint32_t more = encapsulation_size(h) - ENCAPSULATION_VLI_UDP;

	if (!i->end.capture || !frame_push(f, more))
		return;
	encapsulation_write(f->data, h, f->len - encapsulation_size(h));
	capture_frame(i->end.capture, f, false, now_ns);
	frame_pull(f, more);
}

/* A datagram: the host's kernel has taken the headers off, but for the VLI. */
static void receive_datagram(void *owner, uint32_t from_ip, struct frame *f, int64_t now_ns)
{
	struct snif *i = owner;
	struct encapsulation h = {
		.kind = ENCAPSULATION_UDP, .vlan = -1, .from_ip = from_ip, .to_ip = i->ip};

	if (f->len < ENCAPSULATION_VLI_UDP) {
		drop(i, f, SNIF_BAD_LENGTH);
		return;
	}
	memcpy(h.to, i->mac, 6);
	h.vli = get_be32(f->data);
	i->end.count.out_frames++;
	i->end.count.out_bytes += f->len;
	capture_datagram(i, f, &h, now_ns);
	take(i, f, &h, f->data + ENCAPSULATION_VLI_UDP, f->len - ENCAPSULATION_VLI_UDP, now_ns);
}

/* How much fits is looked at with the next greeting: let that be now. */
static void path_changed(void *owner, int64_t now_ns)
{
	struct snif *i = owner;

	for (size_t k = 0; k < i->links.n; k++)
		i->links.at[k]->hello_ns = now_ns;
	snode_wake(i->node, now_ns);
}

static const struct udp_wire_ops udp_ops = {.receive = receive_datagram,
					    .mtu_changed = path_changed};

/* The headers that the host's kernel writes itself were only for the scheduler. */
static void send_datagram(struct snif *i, struct frame *f, int64_t now_ns)
{
	struct encapsulation h;
	const uint8_t *payload;
	size_t len;
	enum snif_drop why;

	if (encapsulation_read(ENCAPSULATION_UDP, f->data, f->len, &h, &payload, &len) ==
	    ENCAPSULATION_GOOD) {
		struct encapsulation back = {
			.kind = ENCAPSULATION_UDP, .vlan = -1, .from_ip = h.to_ip, .to_ip = i->ip};

		memcpy(back.to, i->mac, 6);
		const struct neighbour *b = find_neighbour(i, &back, &why);

		i->end.count.in_frames++;
		i->end.count.in_bytes += len;
		if (b && udp_wire_send(b->path, payload - ENCAPSULATION_VLI_UDP,
				       len + ENCAPSULATION_VLI_UDP, now_ns))
			capture_frame(i->end.capture, f, true, now_ns);
	}
	frame_unref(f);
}

static void put_on_wire(struct pacer *p, struct frame *f, struct htb_class *from, int64_t now_ns)
{
	struct snif *i = container_of(p, struct snif, pacer);

	if (i->udp)
		send_datagram(i, f, now_ns);
	else
		end_send(&i->end, f, now_ns);
}

bool snif_send(struct snif *i, const struct slink *l, const struct neighbour *to, uint32_t vli,
	       struct htb_class *c, struct frame *f, int64_t now_ns)
{
	struct encapsulation h = {.kind = i->encap,
				  .vlan = l->vlan,
				  .priority = l->priority,
				  .to_ip = to ? to->ip : 0,
				  .from_ip = i->ip,
				  .vli = vli};
	uint32_t len = f->len;

	memcpy(h.to,
	       to && (to->mac_known || i->encap == ENCAPSULATION_ETHERNET) ? to->mac : everybody,
	       6);
	memcpy(h.from, i->mac, 6);
	if (!frame_push(f, encapsulation_size(&h))) {
		drop(i, f, SNIF_NO_MEMORY);
		return false;
	}
	encapsulation_write(f->data, &h, len);
	return pacer_send(&i->pacer, c, f, len + VLINK_OVERHEAD, now_ns);
}

/* A carrier that comes is a reason to greet; one that goes, not to wait for silence. */
static void carrier(struct end *end, int64_t now_ns)
{
	struct snif *i = (struct snif *)end->object;

	for (size_t k = 0; k < i->links.n; k++)
		i->links.at[k]->hello_ns = now_ns;
	snode_wake(i->node, now_ns);
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier};

static void destroy(struct object *o)
{
	struct snif *i = (struct snif *)o;

	while (i->links.n)
		slink_kind.destroy(&i->links.at[i->links.n - 1]->object);
	end_finish(&i->end);
	vec_remove_item(&i->node->interfaces, i);
	vec_free(&i->links);
	pacer_finish(&i->pacer);
	udp_wire_destroy(i->udp);
	tm_port_destroy(i->port);
	object_finish(o);
	free(i);
}

static int set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct snif *i = (struct snif *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n};
	int64_t rate;

	if (!words_get(&w, "rate"))
		return err_set(e, ERR_USAGE, "only rate= can be set on a substrate interface");
	if (snet_read_rate(&w, "rate", &rate, e) < 0)
		return -1;
	int64_t now = substrate_now_ns(o->sub);

	i->rate_bps = rate;
	htb_set_rate(i->pacer.htb, rate, now);
	pacer_wake(&i->pacer, now);
	tm_port_set_rate(i->port, rate, now);
	admission_run(i->node, now);
	snode_wake(i->node, now);
	return 0;
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct snif *i = (struct snif *)o;

	json_string(j, "snode", i->node->object.name);
	json_string(j, "encapsulation", i->encap == ENCAPSULATION_UDP ? "udp" : "ethernet");
	json_int(j, "rate_bps", i->rate_bps);
	end_status(&i->end, j);
	json_open(j, "refused", '{');
	for (int k = 0; k < SNIF_DROPS; k++)
		if (i->dropped[k])
			json_uint(j, drop_names[k], i->dropped[k]);
	json_close(j, '}');
}

static struct end *end_of(struct object *o)
{
	return &((struct snif *)o)->end;
}

const struct object_kind snif_kind = {
	.name = "snif", .destroy = destroy, .set = set, .status = status, .end = end_of};

static int read_words(struct snif *i, const struct words *w, struct err *e)
{
	const char *mac = words_get(w, "mac");
	const char *encap = words_get(w, "encap");
	const char *addr = words_get(w, "addr");
	struct in_addr in;

	if (!mac && !words_get(w, "socket"))
		return err_set(e, ERR_USAGE, "a substrate interface needs mac=");
	if ((mac && nic_parse_mac(mac, i->mac, e) < 0) ||
	    snet_read_rate(w, "rate", &i->rate_bps, e) < 0)
		return -1;
	if (encap && !strcmp(encap, "udp"))
		i->encap = ENCAPSULATION_UDP;
	else if (encap && strcmp(encap, "ethernet") != 0)
		return err_set(e, ERR_USAGE, "an encapsulation is ethernet or udp");
	if (i->encap != ENCAPSULATION_UDP || words_get(w, "socket"))
		return 0;
	if (!addr || inet_pton(AF_INET, addr, &in) != 1)
		return err_set(e, ERR_USAGE, "encap=udp needs addr=, an IPv4 address");
	i->ip = ntohl(in.s_addr);
	return 0;
}

/* "socket=ADDR[:PORT]": the network of the machine instead of a cable. */
static int open_socket(struct snif *i, const struct words *w, struct err *e)
{
	const char *text = words_get(w, "socket");
	struct substrate *s = i->object.sub;

	if (!text)
		return 0;
	if (s->vclock || i->encap != ENCAPSULATION_UDP)
		return err_set(e, ERR_USAGE,
			       "a socket is for encap=udp and takes no part in virtual time");
	i->udp = udp_wire_create(s, text, &udp_ops, i, e);
	if (!i->udp)
		return -1;
	i->ip = udp_wire_ip(i->udp);
	i->end.carrier = i->end.has_own_wire = true;
	return 0;
}

int snif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *node = snet_find(s, w->at[2], &snode_kind, e);
	struct snif *i = node ? xcalloc(1, sizeof(*i)) : NULL;

	if (!i)
		return -1;
	if (read_words(i, w, e) < 0 || object_add(&i->object, s, &snif_kind, w->at[1], e) < 0) {
		free(i);
		return -1;
	}
	i->node = (struct snode *)node;
	i->end = (struct end){.kind = &end_kind, .object = &i->object};
	pacer_init(&i->pacer, s, i->rate_bps, put_on_wire);
	i->port = tm_port_create(i->node->tm, i->rate_bps);
	vec_push(&i->node->interfaces, i);
	if (open_socket(i, w, e) == 0)
		return 0;
	destroy(&i->object);
	return -1;
}
