/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An interface has one of two wires. A cable of the lab carries whole Ethernet frames. A UDP socket
 * of the machine carries the VLI and the frame of the virtual link alone: the host's kernel puts
 * its own Ethernet, IP and UDP headers in front and takes them off. For the scheduler and for
 * captures both look the same: a frame always has all its headers when it waits here, so that a
 * rate means the same on either wire, and a capture can be read by the same tools.
 */
#include "substrate/overlay/snif.h"

#include "lib/addr.h"
#include "lib/container_of.h"
#include "lib/octets.h"
#include "substrate/core/capture.h"
#include "substrate/core/thaw.h"
#include "substrate/overlay/overlay_words.h"

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

/* Each reason of the parser is a reason of the interface's, which has more of its own. */
static const enum snif_drop drop_of[ENCAPSULATION_DROPS] = {
	[ENCAPSULATION_LEGACY] = SNIF_LEGACY,
	[ENCAPSULATION_BAD_LENGTH] = SNIF_BAD_LENGTH,
	[ENCAPSULATION_BAD_IP] = SNIF_BAD_IP,
};

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void snif_drop(struct snif *i, struct frame *f, enum snif_drop why)
{
	i->dropped[why]++;
	if (f)
		frame_unref(f);
}

static bool is_for_us(const struct snif *i, const struct encapsulation *h)
{
	if (encapsulation_has_ip(h->kind) && h->to_ip != i->ip)
		return false;
	return !memcmp(h->to, i->mac, 6) || !memcmp(h->to, everybody, 6);
}

/* On a shared wire (a hub, a LAN that floods) frames of others come by, too. */
static void take(struct snif *i, struct frame *f, const struct encapsulation *h,
		 const uint8_t *payload, size_t len, int64_t now_ns)
{
	if (is_for_us(i, h))
		snif_user->receive(i, f, h, payload, len, now_ns);
	else
		snif_drop(i, f, SNIF_NOT_FOR_US);
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
		snif_drop(i, f, drop_of[bad]);
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
		snif_drop(i, f, SNIF_BAD_LENGTH);
		return;
	}
	memcpy(h.to, i->mac, 6);
	h.vli = get_be32(f->data);
	/* end_deliver() counts what comes by a cable; there is none. */
	i->end.count.out_frames++;
	i->end.count.out_bytes += f->len;
	capture_datagram(i, f, &h, now_ns);
	take(i, f, &h, f->data + ENCAPSULATION_VLI_UDP, f->len - ENCAPSULATION_VLI_UDP, now_ns);
}

static void path_changed(void *owner, int64_t now_ns)
{
	snif_user->changed(owner, now_ns);
}

static const struct udp_wire_ops udp_ops = {.receive = receive_datagram,
					    .mtu_changed = path_changed};

/*
 * The host's kernel writes Ethernet, IP and UDP headers itself: ours were only for the scheduler,
 * which counts them, and to know here where the frame goes.
 */
static void send_datagram(struct snif *i, struct frame *f, int64_t now_ns)
{
	struct encapsulation h;
	const uint8_t *payload;
	size_t len;

	if (encapsulation_read(ENCAPSULATION_UDP, f->data, f->len, &h, &payload, &len) ==
	    ENCAPSULATION_GOOD) {
		i->end.count.in_frames++;
		i->end.count.in_bytes += len;
		if (udp_wire_send(i->udp, h.to_ip, payload - ENCAPSULATION_VLI_UDP,
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

/*
 * Headers are written before the frame waits, and not when it leaves: the scheduler must know how
 * much of the wire it will take. What it counts for the link's own rate is the same on every
 * encapsulation (VLINK_OVERHEAD), so that a rate means the same on all hops.
 */
bool snif_send(struct snif *i, const struct snif_to *to, uint32_t vli, struct htb_class *c,
	       struct frame *f, int64_t now_ns)
{
	struct encapsulation h = {.kind = i->encap,
				  .vlan = to->vlan,
				  .priority = to->priority,
				  .to_ip = to->ip,
				  .from_ip = i->ip,
				  .vli = vli};
	uint32_t len = f->len;

	memcpy(h.to, to->mac ? to->mac : everybody, 6);
	memcpy(h.from, i->mac, 6);
	if (!frame_push(f, encapsulation_size(&h))) {
		snif_drop(i, f, SNIF_NO_MEMORY);
		return false;
	}
	encapsulation_write(f->data, &h, len);
	return pacer_send(&i->pacer, c, f, len + VLINK_OVERHEAD, now_ns);
}

static void carrier(struct end *end, int64_t now_ns)
{
	snif_user->changed((struct snif *)end->object, now_ns);
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier};

/*
 * Those who hang on it go first, while its scheduler and its port are still there: they have
 * classes in the one and links at the other.
 */
static void destroy(struct object *o)
{
	struct snif *i = (struct snif *)o;

	snif_user->gone(i);
	end_finish(&i->end);
	vec_remove_item(&i->node->interfaces, i);
	vec_free(&i->links);
	pacer_finish(&i->pacer);
	udp_wire_destroy(i->udp);
	tm_port_destroy(i->port);
	object_finish(o);
	free(i);
}

/*
 * Three hear of a new rate: the scheduler, which may send sooner; the traffic manager, which
 * divides it; and the node, which carries out what the manager has decided.
 */
static int set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct snif *i = (struct snif *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n};
	int64_t rate;

	if (!words_get(&w, "rate"))
		return err_set(e, ERR_USAGE, "only rate= can be set on a substrate interface");
	if (overlay_read_rate(&w, "rate", &rate, e) < 0)
		return -1;
	int64_t now = substrate_now_ns(o->sub);

	i->rate_bps = rate;
	htb_set_rate(i->pacer.htb, rate, now);
	pacer_wake(&i->pacer, now);
	tm_port_set_rate(i->port, rate, now);
	snode_settle(i->node, now);
	return 0;
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct snif *i = (struct snif *)o;

	json_string(j, "snode", i->node->object.name);
	json_string(j, "encapsulation", encapsulation_name(i->encap));
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

static int freeze(struct object *o, struct err *e)
{
	const struct snif *i = (const struct snif *)o;

	return i->udp ? err_set(e, ERR_ENV, "its sockets cannot be kept in a snapshot yet") : 0;
}

const struct object_kind snif_kind = {.name = "snif",
				      .destroy = destroy,
				      .set = set,
				      .status = status,
				      .end = end_of,
				      .freeze = freeze};

static void end_all(struct snode *n)
{
	while (n->interfaces.n)
		destroy(&n->interfaces.at[n->interfaces.n - 1]->object);
}

const struct snode_user snif_snode_user = {.gone = end_all};

static int read_words(struct snif *i, const struct words *w, struct err *e)
{
	const char *mac = words_get(w, "mac");
	const char *encap = words_get(w, "encap");
	const char *addr = words_get(w, "addr");
	struct in_addr in;

	if (!mac && !words_get(w, "socket"))
		return err_set(e, ERR_USAGE, "a substrate interface needs mac=");
	if ((mac && addr_parse_mac(mac, strlen(mac), i->mac, e) < 0) ||
	    overlay_read_rate(w, "rate", &i->rate_bps, e) < 0)
		return -1;
	if (encap && !encapsulation_find(encap, &i->encap))
		return err_set(e, ERR_USAGE, "an encapsulation is ethernet, udp, gre or mpls");
	if (!encapsulation_has_ip(i->encap) || words_get(w, "socket"))
		return 0;
	if (!addr || inet_pton(AF_INET, addr, &in) != 1)
		return err_set(e, ERR_USAGE, "encap=%s needs addr=, an IPv4 address",
			       encapsulation_name(i->encap));
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
	if (s->time->is_exact || i->encap != ENCAPSULATION_UDP)
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
	struct object *node = object_find_kind(s, w->at[2], &snode_kind, e);
	struct snif *i = node ? xcalloc(1, sizeof(*i)) : NULL;

	if (!i)
		return -1;
	if (read_words(i, w, e) < 0 || object_add(&i->object, s, &snif_kind, w->at[1], e) < 0) {
		free(i);
		return -1;
	}
	i->node = (struct snode *)node;
	i->end = (struct end){.kind = &end_kind, .object = &i->object};
	pacer_init(&i->pacer, s, i->rate_bps, substrate_now_ns(s), put_on_wire);
	i->port = tm_port_create(i->node->tm, i->rate_bps);
	vec_push(&i->node->interfaces, i);
	if (open_socket(i, w, e) == 0)
		return 0;
	destroy(&i->object);
	return -1;
}
