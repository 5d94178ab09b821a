/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's NIC as virtio-net rings in shared memory (virtio 1.2, section 5.1) over vhost-user.
 *
 * From the guest (TX): a kick, or a batch that was cut short, takes chains off the ring. Each is
 * one frame. Its bytes are copied and the chain given back at once, or the frame is lent: only its
 * head is copied, and the chain comes back by returned() when the last reader has had the rest. The
 * guest is told once per batch.
 *
 * To the guest (RX): a frame goes straight into the buffers that the driver has offered, over
 * several if it must (MRG_RXBUF). If there are too few, it waits in a queue of its own and the
 * driver is asked to kick when there are more. The queue is short, as it stands for the memory of a
 * NIC: what a guest does not fetch is lost, and costs nobody else anything.
 *
 * Multicast frames of groups that the guest's kernel has not joined stop here, as in the filter of
 * a real NIC (rx_filter.c). The cable has carried them, and captures have seen them.
 *
 * The header in front of each frame says what of checksums and cutting is left to do; what it says
 * is checked against the copy of the frame's head (offload.c) before it is believed.
 */
#include "lib/addr.h"
#include "lib/container_of.h"
#include "substrate/cable/cable.h"
#include "substrate/clock/vclock.h"
#include "substrate/nic/nic.h"
#include "substrate/nic/nic_vhost_priv.h"
#include "substrate/nic/rx_fill.h"

#include <endian.h>
#include <linux/ethtool.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

enum {
	RX = 0, /* queues, as the guest calls them */
	TX = 1,
	CONTROL = 2,         /* if CTRL_VQ was negotiated */
	QUEUE_FRAMES = 1024, /* wait here while the guest has no buffers */
	QUEUE_BYTES = 4 << 20,
	CHAINS_MAX = 64,          /* receive buffers that one frame may fill */
	TX_BATCH = VRING_NUM_MAX, /* frames taken from one NIC before others get their turn */
};

#define BIT(n) (UINT64_C(1) << (n))

static struct nic *nic_of_vhost(struct vhost *v)
{
	return container_of(v, struct nic, vhost);
}

static uint32_t header_size(const struct nic *n)
{
	return n->vhost.features & (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF)) ? 12
											   : 10;
}

static void drop_queue(struct nic *n, enum end_drop why)
{
	while (n->first) {
		struct frame *f = n->first;

		n->first = f->next;
		end_drop(&n->end, f, why);
	}
	n->last = &n->first;
	n->queued = 0;
	n->queued_bytes = 0;
}

/*
 * Writes a frame into receive buffers. 1: done, 0: not enough buffers, -1: it never fits. A chain
 * is given back as used only when the whole frame has found room: until then taking it can be
 * undone (vring_untake()), and the guest sees nothing of a frame that was only half written.
 */
static int put_frame(struct nic *n, const struct frame *f)
{
	struct virtq *r = &n->vhost.queue[RX].ring;
	uint32_t header = header_size(n);
	uint32_t total = header + f->len;
	bool mergeable = n->vhost.features & BIT(VIRTIO_NET_F_MRG_RXBUF);
	struct vring_chain first, more;
	struct {
		uint16_t head;
		uint32_t len;
	} used[CHAINS_MAX];
	uint32_t done = 0;
	unsigned k = 0;

	do {
		/* cppcheck-suppress uninitvar; vring_take() fills it in */
		struct vring_chain *c = k ? &more : &first;

		if (k == CHAINS_MAX || (k && !mergeable) || vring_take(r, c) <= 0) {
			vring_untake(r, k);
			return k == CHAINS_MAX || (k && !mergeable) ? -1 : 0;
		}
		if (c->n_out || c->in_len < header) {
			r->broken = "a receive buffer is too small or not to be written";
			return 0;
		}
		used[k].head = c->head;
		used[k].len = rx_fill(c, f, header, done);
		done += used[k++].len;
	} while (done < total);
	if (header == 12)
		rx_fill_count(&first, (uint16_t)k);
	rx_bulk_put(&n->bulk, f->len);
	for (unsigned i = 0; i < k; i++)
		vring_give(r, used[i].head, used[i].len);
	return 1;
}

static void run_publish(struct flush *f, int64_t now_ns)
{
	struct nic *n = container_of(f, struct nic, publish);

	if (n->vhost.up)
		vhost_publish_by(&n->vhost, RX, now_ns, rx_bulk_tell_ns(&n->bulk, now_ns));
	vhost_check(&n->vhost, now_ns);
}

/* Moves what waits into the guest's buffers; asks for a kick if they do not suffice. */
static void flush_queue(struct nic *n)
{
	while (n->first) {
		struct frame *f = n->first;
		int rc = put_frame(n, f);

		if (rc == 0) {
			if (vring_kicks_on(&n->vhost.queue[RX].ring))
				continue;
			return;
		}
		n->first = f->next;
		n->queued--;
		n->queued_bytes -= f->len;
		if (!n->first)
			n->last = &n->first;
		if (rc < 0)
			end_drop(&n->end, f, END_DROP_GIANT);
		else
			frame_unref(f);
		substrate_put_off(n->object.sub, &n->publish);
	}
}

/* A single frame always fits, however long: else a jumbo frame could never get in. */
static bool is_full(const struct nic *n, const struct frame *f)
{
	return n->queued && (n->queued == QUEUE_FRAMES || n->queued_bytes + f->len > QUEUE_BYTES);
}

/* That the guest has offered buffers is known: it need not be here for this. */
static bool drops(const struct end *end, const struct frame *f)
{
	const struct nic *n = (const struct nic *)end->object;

	return n->vhost.up && n->open && !rx_filter_passes(&n->filter, f->data);
}

/*
 * A guest that never offered a buffer has not set its interface up. Nothing is kept for it: else
 * one that boots into traffic would find a thousand old frames in front of the first new one.
 */
static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct nic *n = (struct nic *)end->object;

	n->open = n->open || vring_has(&n->vhost.queue[RX].ring);
	if (!n->vhost.up || !n->open) {
		end_drop(end, f, END_DROP_DOWN);
		return;
	}
	if (!rx_filter_passes(&n->filter, f->data)) {
		end_drop(end, f, END_DROP_FILTER);
		return;
	}
	if (is_full(n, f))
		flush_queue(n);
	if (is_full(n, f)) {
		end_drop(end, f, END_DROP_QUEUE);
		return;
	}
	/* Straight into the guest's buffers if nothing waits in front of it: the usual way. */
	if (!n->first) {
		int rc = put_frame(n, f);

		if (rc) {
			if (rc < 0)
				end_drop(end, f, END_DROP_GIANT);
			else
				frame_unref(f);
			substrate_put_off(n->object.sub, &n->publish);
			return;
		}
	}
	/* It may be on its way to other guests, too, each of which queues a frame of its own. */
	f = frame_own(f);
	if (!f) {
		end_drop(end, NULL, END_DROP_MEMORY);
		return;
	}
	f->next = NULL;
	*n->last = f;
	n->last = &f->next;
	n->queued++;
	n->queued_bytes += f->len;
	flush_queue(n);
	nic_vhost_wake(n, f);
	if (n->vhost.queue[RX].ring.broken)
		substrate_put_off(n->object.sub, &n->publish);
}

/* The last reader of lent TX buffers is done with them. The ring may have gone meanwhile. */
static void returned(struct frame_lender *l, uint16_t head)
{
	struct nic *n = container_of(l, struct nic, lender);
	struct virtq *r = &n->vhost.queue[TX].ring;

	if (!r->used)
		return;
	vring_give(r, head, 0);
	substrate_put_off(n->object.sub, &n->give);
}

static void run_give(struct flush *f, int64_t now_ns)
{
	struct nic *n = container_of(f, struct nic, give);

	if (n->vhost.up)
		vhost_publish(&n->vhost, TX, now_ns);
	vhost_check(&n->vhost, now_ns);
}

/*
 * A frame of len bytes behind the header of a chain: lent where it may reach its receivers in this
 * batch, else copied, and the chain is given back. NULL: there is no memory; given back, too.
 */
static struct frame *get_frame(struct nic *n, const struct vring_chain *c, uint32_t header,
			       uint32_t len)
{
	struct frame_pool *pool = n->object.sub->pool;

	/* In virtual time no frame arrives within the batch: every cable takes time. */
	if (frame_may_be_lent(len, c->n_out) && !n->vhost.guest &&
	    end_passes_raw(&n->end, OFFLOAD_LENT)) {
		struct frame *f =
			frame_get_lent(pool, &n->lender, c->head, c->iov, c->n_out, header, len);

		if (f)
			return f;
	}
	struct frame *f = frame_get(pool, len);

	if (f)
		iov_read(c->iov, c->n_out, header, f->data, len);
	vring_give(&n->vhost.queue[TX].ring, c->head, 0);
	return f;
}

static void drop_chain(struct nic *n, const struct vring_chain *c, enum end_drop why)
{
	end_drop(&n->end, NULL, why);
	vring_give(&n->vhost.queue[TX].ring, c->head, 0);
}

/* One frame out of a chain of the guest's, which is given back now or when it is not needed. */
static void take_frame(struct nic *n, const struct vring_chain *c, int64_t now_ns)
{
	uint32_t header = header_size(n);
	struct virtio_net_hdr h;
	struct offload o;

	if (c->out_len < header + FRAME_MIN || c->n_in) {
		drop_chain(n, c, END_DROP_RUNT);
		return;
	}
	uint32_t len = c->out_len - header;

	iov_read(c->iov, c->n_out, 0, &h, sizeof(h));
	if (len > FRAME_MAX) {
		drop_chain(n, c, END_DROP_GIANT);
		return;
	}
	struct frame *f = get_frame(n, c, header, len);

	if (!f) {
		end_drop(&n->end, NULL, END_DROP_MEMORY);
		return;
	}
	if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM || h.gso_type) {
		if (!offload_read(&h, n->vhost.features, f->data, len, &o)) {
			end_drop(&n->end, f, END_DROP_OFFLOAD);
			return;
		}
		frame_set_offload(f, &o);
	}
	end_send(&n->end, f, now_ns);
}

static void take_all(struct nic *n, int64_t now_ns)
{
	struct virtq *r = &n->vhost.queue[TX].ring;
	struct vring_chain c;

	vring_kicks_off(r);
	/* In virtual time the guest stands still, and all that its ring holds is taken at once. */
	for (int i = 0; i <= TX_BATCH; i++) {
		if (i == TX_BATCH && !n->vhost.guest) {
			substrate_put_off(n->object.sub, &n->again);
			break;
		}
		if (vring_take(r, &c) <= 0) {
			if (vring_kicks_on(r))
				continue;
			break;
		}
		take_frame(n, &c, now_ns);
	}
	/* Lent buffers come back at the end of this batch; the guest is told of all at once. */
	if (n->lender.first)
		substrate_put_off(n->object.sub, &n->give);
	else
		vhost_publish(&n->vhost, TX, now_ns);
}

static void take_commands(struct nic *n, int64_t now_ns)
{
	if (rx_filter_serve(&n->filter, &n->vhost.queue[CONTROL].ring))
		substrate_put_off(n->object.sub, &n->again);
	vhost_publish(&n->vhost, CONTROL, now_ns);
}

static void run_again(struct flush *f, int64_t now_ns)
{
	struct nic *n = container_of(f, struct nic, again);

	if (n->vhost.up) {
		take_all(n, now_ns);
		take_commands(n, now_ns);
	}
	vhost_check(&n->vhost, now_ns);
}

static void kicked(struct vhost *v, unsigned queue, int64_t now_ns)
{
	struct nic *n = nic_of_vhost(v);

	if (queue == TX)
		take_all(n, now_ns);
	else if (queue == CONTROL)
		take_commands(n, now_ns);
	else
		flush_queue(n);
	if (queue == RX && !n->first)
		vring_kicks_stop(&v->queue[RX].ring);
}

/* The soonest that anything sent here could reach the same guest again, by any of its NICs. */
static int64_t answer_ns(const struct vhost *v, unsigned queue)
{
	const struct nic *n = container_of(v, struct nic, vhost);

	return queue == TX ? cable_answer_ns(&n->end, vclock_guest_in_ns(v->guest)) : 0;
}

static void up(struct vhost *v, int64_t now_ns)
{
	take_all(nic_of_vhost(v), now_ns);
}

static void down(struct vhost *v, int64_t now_ns)
{
	struct nic *n = nic_of_vhost(v);

	n->open = false;
	n->filter = (struct rx_filter){0};
	frame_recall(&n->lender);
	vring_publish(&v->queue[TX].ring);
	substrate_forget(n->object.sub, &n->publish);
	substrate_forget(n->object.sub, &n->again);
	substrate_forget(n->object.sub, &n->give);
	drop_queue(n, END_DROP_DOWN);
}

static void read_config(struct vhost *v, uint8_t config[VHOST_CONFIG_MAX])
{
	struct nic *n = nic_of_vhost(v);
	struct virtio_net_config c = {.status = n->end.carrier ? VIRTIO_NET_S_LINK_UP : 0,
				      .max_virtqueue_pairs = 1,
				      .mtu = n->mtu,
				      .speed = htole32(nic_speed_mbps(&n->speed, &n->end.wire)),
				      .duplex = nic_speed_duplex(&n->speed, &n->end.wire)};

	memcpy(c.mac, n->mac, sizeof(c.mac));
	memcpy(config, &c, sizeof(c) < VHOST_CONFIG_MAX ? sizeof(c) : VHOST_CONFIG_MAX);
}

static void tell_guest(struct end *end, int64_t now_ns)
{
	vhost_config_changed(&((struct nic *)end->object)->vhost, now_ns);
}

static uint16_t takes(const struct end *end)
{
	return offload_taken(((const struct nic *)end->object)->vhost.features) | OFFLOAD_LENT;
}

static const uint8_t *address(const struct end *end)
{
	return ((const struct nic *)end->object)->mac;
}

static const struct end_kind nic_end_kind = {.deliver = deliver,
					     .carrier = tell_guest,
					     .wire = tell_guest,
					     .drops = drops,
					     .takes = takes,
					     .address = address};

static const struct vhost_kind net_kind = {
	.features = BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_MTU) |
		    BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_NET_F_SPEED_DUPLEX) |
		    BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX),
	.n_queues = 3,
	.last_needs = BIT(VIRTIO_NET_F_CTRL_VQ),
	.config_changes = true,
	.last_is_waited_for = true,
	.late_queues = 1 << TX,
	.sends = 1 << TX | 1 << CONTROL,
	.answer_ns = answer_ns,
	.read_config = read_config,
	.up = up,
	.down = down,
	.kicked = kicked,
};

static void destroy(struct object *o)
{
	struct nic *n = (struct nic *)o;

	end_finish(&n->end);
	vhost_close(&n->vhost);
	drop_queue(n, END_DROP_DOWN);
	object_finish(o);
	free(n);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;

	json_string(j, "backend", "vhost");
	vhost_status(&n->vhost, j);
	json_uint(j, "queue_frames", n->queued);
	json_uint(j, "speed_mbps", nic_speed_mbps(&n->speed, &n->end.wire));
	json_string(j, "duplex",
		    nic_speed_duplex(&n->speed, &n->end.wire) == DUPLEX_HALF ? "half" : "full");
	end_status(&n->end, j);
}

static struct end *end_of(struct object *o)
{
	return &((struct nic *)o)->end;
}

static int set(struct object *o, char *const *words, size_t n_words, struct err *e)
{
	struct nic *n = (struct nic *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n_words};

	if (nic_speed_read(&n->speed, &w, e) < 0)
		return -1;
	tell_guest(&n->end, substrate_now_ns(o->sub));
	return 0;
}

static int listen_for_guest(struct object *o, struct err *e)
{
	return vhost_listen(&((struct nic *)o)->vhost, e);
}

/* Its driver waits for its commands in a loop, and holds on to its processor. */
static void answer_held(struct object *o, int64_t now_ns)
{
	struct nic *n = (struct nic *)o;

	if (!n->vhost.connected || n->vhost.awaited)
		return;
	vhost_answer_held(&n->vhost);
	if (n->vhost.up && vhost_queues(&n->vhost) > CONTROL &&
	    vring_has(&n->vhost.queue[CONTROL].ring))
		take_commands(n, now_ns);
}

static const struct object_kind nic_kind = {.name = "nic",
					    .destroy = destroy,
					    .set = set,
					    .status = status,
					    .end = end_of,
					    .listen = listen_for_guest,
					    .freeze = nic_vhost_freeze,
					    .thaw = nic_vhost_thaw,
					    .move = nic_vhost_move,
					    .await = nic_vhost_await,
					    .sleep = nic_vhost_sleep,
					    .answer_held = answer_held};

/* Virtual time: a segment cut into frames late would leave in no time, so none are offered. */
static uint64_t offers(const struct vclock_guest *g, const struct words *w)
{
	const char *offload = words_get(w, "offload");

	return g || (offload && *offload == '0') ? 0 : offload_features();
}

static struct object *create(struct substrate *s, const char *name, const struct words *w,
			     struct err *e)
{
	struct vclock_guest *g = NULL;
	const char *mac = words_get(w, "mac");
	const char *path;
	uint8_t addr[6] = {0};
	uint16_t mtu = 0;

	if (nic_read_words(w, &path, &mtu, e) < 0 || vclock_find_guest(s, w, &g, e) < 0)
		return NULL;
	if (!mac) {
		err_set(e, ERR_USAGE, "a vhost NIC needs mac=");
		return NULL;
	}
	if (addr_parse_mac(mac, strlen(mac), addr, e) < 0)
		return NULL;
	struct nic *n = xcalloc(1, sizeof(*n));

	memcpy(n->mac, addr, sizeof(addr));
	n->mtu = mtu;
	if (nic_speed_read(&n->speed, w, e) < 0) {
		free(n);
		return NULL;
	}
	n->last = &n->first;
	n->publish.run = run_publish;
	n->again.run = run_again;
	n->give.run = run_give;
	n->lender.returned = returned;
	n->end = (struct end){.kind = &nic_end_kind, .object = &n->object, .guest = g};
	n->vhost.kind = &net_kind;
	n->vhost.offers = offers(g, w);
	if (object_add(&n->object, s, &nic_kind, name, e) < 0) {
		free(n);
		return NULL;
	}
	if (vhost_open(&n->vhost, &n->object, g, path, e) < 0) {
		destroy(&n->object);
		return NULL;
	}
	return &n->object;
}

const struct nic_backend nic_vhost = {.name = "vhost", .create = create};
