/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A NIC that is a real interface of the host, through libpcap: what comes in there comes into the
 * lab, and the other way round. What the host itself sends by that interface does not: the host is
 * not at the other end of the cable. Needs CAP_NET_RAW. Real clock only.
 */
#include "lib/container_of.h"
#include "lib/netlink.h"
#include "substrate/core/thaw.h"
#include "substrate/nic/nic.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BATCH = 64, BUFFER = 16 << 20 };

struct nic {
	struct object object;
	struct end end;
	struct loop_watch frames;
	struct loop_watch news; /* of links; owns its descriptor */
	pcap_t *pcap;           /* owned */
	char *interface;        /* owned */
	unsigned index;
	uint32_t mtu; /* of the interface */
	int64_t now_ns;
	bool lost; /* the interface is gone */
};

/* A frame that was cut to the snapshot length cannot be sent on. */
static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	struct nic *n = (struct nic *)(void *)user;

	if (h->caplen < h->len)
		end_drop(&n->end, NULL, END_DROP_GIANT);
	else
		end_take_from_host(&n->end, data, h->caplen, n->mtu, n->now_ns);
}

/*
 * An interface that is gone does not come back under the same socket: the NIC stays, down, until
 * the script or the user removes it. Its frames are counted as dropped.
 */
static void lose(struct nic *n)
{
	loop_remove(n->object.sub->loop, &n->frames);
	loop_remove(n->object.sub->loop, &n->news);
	n->lost = true;
	substrate_event(n->object.sub, "event down %s \"the interface %s is gone\"", n->object.name,
			n->interface);
}

static void read_mtu(struct nic *n)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", n->interface);
	if (ioctl(n->news.fd, SIOCGIFMTU, &r) == 0)
		n->mtu = (uint32_t)r.ifr_mtu;
}

/*
 * libpcap looks whether an interface is gone only when its socket reports that it went down
 * (af_packet.c, packet_notifier()). One that was down already reports nothing when it is removed:
 * so we look it up ourselves whenever links change.
 */
static void news_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct nic *n = container_of(w, struct nic, news);
	char name[IF_NAMESIZE];

	netlink_drain(w->fd);
	if (!if_indextoname(n->index, name))
		lose(n);
	else
		read_mtu(n);
}

static void frames_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct nic *n = container_of(w, struct nic, frames);

	n->now_ns = now_ns;
	if (pcap_dispatch(n->pcap, BATCH, take, (u_char *)n) < 0)
		lose(n);
	substrate_drain(n->object.sub, now_ns);
}

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct nic *n = (struct nic *)end->object;

	if (n->lost || pcap_inject(n->pcap, f->data, f->len) < 0)
		end_drop(end, f, n->lost ? END_DROP_DOWN : END_DROP_QUEUE);
	else
		frame_unref(f);
}

static void carrier(struct end *end, int64_t now_ns)
{
	/* The interface has a carrier of its own, which the lab does not change. */
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier};

static void destroy(struct object *o)
{
	struct nic *n = (struct nic *)o;

	end_finish(&n->end);
	loop_remove(o->sub->loop, &n->frames);
	loop_remove(o->sub->loop, &n->news);
	if (n->news.fd >= 0)
		close(n->news.fd);
	if (n->pcap)
		pcap_close(n->pcap);
	free(n->interface);
	object_finish(o);
	free(n);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;
	struct pcap_stat stat = {0};

	json_string(j, "backend", "pcap");
	json_string(j, "interface", n->interface);
	json_bool(j, "up", !n->lost);
	if (pcap_stats(n->pcap, &stat) == 0)
		json_uint(j, "missed", stat.ps_drop);
	end_status(&n->end, j);
}

static struct end *end_of(struct object *o)
{
	return &((struct nic *)o)->end;
}

static const struct object_kind nic_kind = {.name = "nic",
					    .destroy = destroy,
					    .status = status,
					    .end = end_of,
					    .freeze = object_freeze_none};

/* Who meets these is a user at a real machine: the answer says what to type. */
static int explain(const struct nic *n, int rc, struct err *e)
{
	if (rc == PCAP_ERROR_NO_SUCH_DEVICE)
		return err_set(e, ERR_ENV, "there is no interface '%s'", n->interface);
	if (rc == PCAP_ERROR_PERM_DENIED || rc == PCAP_ERROR_PROMISC_PERM_DENIED) {
		char self[512] = "vsubstrate";

		if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
			strcpy(self, "vsubstrate");
		return err_set(
			e, ERR_ENV,
			"%s: frames of a real interface need rights: run vbet as root, or once: "
			"sudo setcap cap_net_raw+ep %s",
			n->interface, self);
	}
	if (rc == PCAP_ERROR_IFACE_NOT_UP)
		return err_set(e, ERR_ENV, "%s is down: sudo ip link set %s up", n->interface,
			       n->interface);
	return err_set(e, ERR_ENV, "%s: %s", n->interface, pcap_geterr(n->pcap));
}

static int watch_news(struct nic *n, struct err *e)
{
	int fd = netlink_open(RTMGRP_LINK, e);

	if (fd < 0)
		return -1;
	n->news = (struct loop_watch){.fd = fd, .ready = news_ready};
	if (loop_add(n->object.sub->loop, &n->news, EPOLLIN, e) < 0)
		return -1;
	n->index = if_nametoindex(n->interface);
	if (!n->index)
		return err_set(e, ERR_ENV, "there is no interface '%s'", n->interface);
	read_mtu(n);
	return 0;
}

/*
 * Promiscuous, since the frames are for MAC addresses of guests, which the interface does not know.
 * Immediate, since a batch that waits for more would be a delay that no cable says. And inward
 * only: else every frame that we inject would come back.
 */
static int open_pcap(struct nic *n, struct err *e)
{
	char text[PCAP_ERRBUF_SIZE];

	n->pcap = pcap_create(n->interface, text);
	if (!n->pcap)
		return err_set(e, ERR_ENV, "%s: %s", n->interface, text);
	pcap_set_snaplen(n->pcap, FRAME_MAX);
	pcap_set_promisc(n->pcap, 1);
	pcap_set_immediate_mode(n->pcap, 1);
	pcap_set_buffer_size(n->pcap, BUFFER);
	int rc = pcap_activate(n->pcap);

	if (rc < 0)
		return explain(n, rc, e);
	if (pcap_datalink(n->pcap) != DLT_EN10MB)
		return err_set(e, ERR_ENV, "%s carries no Ethernet frames", n->interface);
	if (pcap_setdirection(n->pcap, PCAP_D_IN) < 0 || pcap_setnonblock(n->pcap, 1, text) < 0)
		return explain(n, PCAP_ERROR, e);
	n->frames =
		(struct loop_watch){.fd = pcap_get_selectable_fd(n->pcap), .ready = frames_ready};
	return loop_add(n->object.sub->loop, &n->frames, EPOLLIN, e);
}

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	const char *interface = words_get(w, "interface");

	if (nic_want_real_clock(s, "pcap", e) < 0)
		return NULL;
	if (!interface) {
		err_set(e, ERR_USAGE, "a pcap NIC needs interface=");
		return NULL;
	}
	struct nic *n = xcalloc(1, sizeof(*n));

	n->end = (struct end){.kind = &end_kind, .object = &n->object};
	n->mtu = 1500;
	n->news.fd = -1;
	n->interface = xstrdup(interface);
	if (object_add(&n->object, s, &nic_kind, name, e) < 0) {
		free(n->interface);
		free(n);
		return NULL;
	}
	if (open_pcap(n, e) < 0 || watch_news(n, e) < 0) {
		destroy(&n->object);
		return NULL;
	}
	substrate_event(s, "event up %s", name);
	return &n->object;
}

const struct nic_backend nic_pcap = {.name = "pcap", .create = create};
