/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest puts requests into the queue, and they are carried out in its order, in this thread:
 * what they read and write is in the memory of the host, as a rule. Those of one guest have their
 * turn with all else: after BATCH_BYTES others come first.
 *
 * By the virtual clock they are carried out when the guest stands still, with the ring as it was
 * at the kick, and given back by an event: at most as many as a ring holds wait for theirs.
 */
#include "substrate/disk/disk.h"

#include "lib/container_of.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "substrate/clock/vclock.h"
#include "substrate/core/mover.h"
#include "substrate/core/thaw.h"
#include "substrate/disk/image.h"
#include "substrate/disk/request.h"
#include "substrate/virtio/vhost.h"

#include <endian.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>

enum {
	REQUESTS = 0, /* the queue */
	BATCH_BYTES = 1 << 20,
	BATCH_REQUESTS = 256,
	SEGMENTS = VRING_IOV_MAX - 2, /* of a request, besides head and status */
	SEGMENT_BYTES = 32 << 10,
};
_Static_assert(SEGMENTS *SEGMENT_BYTES <= REQUEST_BYTES_MAX, "no good driver is refused");

#define BIT(n) (UINT64_C(1) << (n))

struct pending {
	int64_t at_ns;
	uint32_t len;
	uint16_t head;
};

struct disk {
	struct object object;
	struct vhost vhost;
	struct image image;
	struct request_counters count;
	char id[REQUEST_ID_BYTES];
	struct flush again; /* the queue has more than one batch */
	/* Virtual clock: carried out, and not given back yet; a ring. */
	struct pending pending[VRING_NUM_MAX];
	unsigned first_pending, n_pending;
	struct event done;
};

static struct disk *disk_of_vhost(struct vhost *v)
{
	return container_of(v, struct disk, vhost);
}

/* ---- giving back ---- */

static void schedule_done(struct disk *d)
{
	if (d->n_pending)
		substrate_schedule(d->object.sub, d->vhost.guest, &d->done,
				   d->pending[d->first_pending].at_ns, &d->vhost.source);
}

static void fire_done(struct event *ev, int64_t now_ns)
{
	struct disk *d = container_of(ev, struct disk, done);

	while (d->n_pending && d->pending[d->first_pending].at_ns <= now_ns) {
		const struct pending *p = &d->pending[d->first_pending];

		vring_give(&d->vhost.queue[REQUESTS].ring, p->head, p->len);
		d->first_pending = (d->first_pending + 1) % VRING_NUM_MAX;
		d->n_pending--;
	}
	vhost_publish(&d->vhost, REQUESTS, now_ns);
	schedule_done(d);
}

static void give(struct disk *d, uint16_t head, uint32_t len, int64_t now_ns)
{
	struct virtq *r = &d->vhost.queue[REQUESTS].ring;

	if (!d->vhost.guest) {
		vring_give(r, head, len);
		return;
	}
	if (d->n_pending == VRING_NUM_MAX) {
		r->broken = "more requests for the disk than the ring holds";
		return;
	}
	d->pending[(d->first_pending + d->n_pending++) % VRING_NUM_MAX] =
		(struct pending){now_ns + DISK_LATENCY_NS, len, head};
	if (d->n_pending == 1)
		schedule_done(d);
}

/* ---- taking ---- */

static void take_all(struct disk *d, int64_t now_ns)
{
	struct virtq *r = &d->vhost.queue[REQUESTS].ring;
	struct vring_chain c;
	uint64_t bytes = 0;
	unsigned n = 0;

	vring_kicks_off(r);
	while (d->vhost.guest || (n < BATCH_REQUESTS && bytes < BATCH_BYTES)) {
		const char *why;

		if (vring_take(r, &c) <= 0) {
			if (vring_kicks_on(r))
				continue;
			break;
		}
		int64_t len = request_run(&c, &d->image, d->id, &d->count, &why);

		if (len < 0)
			r->broken = why;
		else
			give(d, c.head, (uint32_t)len, now_ns);
		bytes += (uint64_t)c.in_len + c.out_len;
		n++;
	}
	if (!d->vhost.guest && (n == BATCH_REQUESTS || bytes >= BATCH_BYTES))
		substrate_put_off(d->object.sub, &d->again);
	vhost_publish(&d->vhost, REQUESTS, now_ns);
}

static void run_again(struct flush *f, int64_t now_ns)
{
	struct disk *d = container_of(f, struct disk, again);

	if (d->vhost.up)
		take_all(d, now_ns);
	vhost_check(&d->vhost, now_ns);
}

static void kicked(struct vhost *v, unsigned queue, int64_t now_ns)
{
	take_all(disk_of_vhost(v), now_ns);
}

static void up(struct vhost *v, int64_t now_ns)
{
	take_all(disk_of_vhost(v), now_ns);
}

static void down(struct vhost *v, int64_t now_ns)
{
	struct disk *d = disk_of_vhost(v);

	substrate_forget(d->object.sub, &d->again);
	substrate_cancel(d->object.sub, v->guest, &d->done);
	d->n_pending = 0;
}

static int64_t answer_ns(const struct vhost *v, unsigned queue)
{
	return DISK_LATENCY_NS;
}

static void read_config(struct vhost *v, uint8_t config[VHOST_CONFIG_MAX])
{
	const struct disk *d = disk_of_vhost(v);
	struct virtio_blk_config c = {.capacity = htole64(d->image.size / IMAGE_SECTOR),
				      .size_max = htole32(SEGMENT_BYTES),
				      .seg_max = htole32(SEGMENTS)};

	memcpy(config, &c, sizeof(c) < VHOST_CONFIG_MAX ? sizeof(c) : VHOST_CONFIG_MAX);
}

static const struct vhost_kind blk_kind = {
	.features =
		BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_FLUSH),
	.n_queues = 1,
	.sends = 1 << REQUESTS,
	.answer_ns = answer_ns,
	.read_config = read_config,
	.up = up,
	.down = down,
	.kicked = kicked,
};

/* ---- the object ---- */

static void destroy(struct object *o)
{
	struct disk *d = (struct disk *)o;

	vhost_close(&d->vhost);
	image_close(&d->image);
	object_finish(o);
	free(d);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	const struct disk *d = (const struct disk *)o;
	const struct request_counters *n = &d->count;

	vhost_status(&d->vhost, j);
	json_uint(j, "size", d->image.size);
	json_bool(j, "read_only", d->image.layer_fd < 0);
	json_uint(j, "reads", n->reads);
	json_uint(j, "read_bytes", n->read_bytes);
	json_uint(j, "writes", n->writes);
	json_uint(j, "write_bytes", n->write_bytes);
	json_uint(j, "flushes", n->flushes);
	json_uint(j, "refused", n->refused);
	json_uint(j, "failed", n->failed);
	if (n->last_errno)
		json_string(j, "failure", strerror(n->last_errno));
}

static struct vclock_guest *guest_of(struct object *o)
{
	return ((struct disk *)o)->vhost.guest;
}

static int listen_for_guest(struct object *o, struct err *e)
{
	return vhost_listen(&((struct disk *)o)->vhost, e);
}

/* In the directory of the snapshot, by the name of whose it is: "DIR/h1.disk". */
static char *kept_path(const struct disk *d, const char *dir)
{
	const char *name = d->object.name;

	return xasprintf("%s/%.*s.disk", dir, (int)strcspn(name, ":"), name);
}

/* Without a place the guest only goes to another process, or its lab stands still. */
static int freeze(struct object *o, struct err *e)
{
	struct disk *d = (struct disk *)o;
	const char *dir = o->sub->snapshot_dir;
	char *path = dir ? kept_path(d, dir) : NULL;
	int rc = dir ? image_keep(&d->image, path, e) : 0;

	free(path);
	return rc < 0 ? -1 : vhost_freeze(&d->vhost, e);
}

static int thaw(struct object *o, const struct thaw *t, struct err *e)
{
	struct disk *d = (struct disk *)o;
	char *path = kept_path(d, t->dir);
	int rc = image_thaw(&d->image, path, e);

	free(path);
	return rc < 0 ? -1 : vhost_thaw(&d->vhost, t, e);
}

static int move(struct object *o, struct mover *m, struct err *e)
{
	struct disk *d = (struct disk *)o;
	char *path = xasprintf("%s.disk", m->path);
	int rc = vhost_move(&d->vhost, m, e);

	if (rc == 0)
		rc = mover_pass(m, &d->count, sizeof(d->count), e);
	if (rc == 0)
		rc = m->leaves ? image_leave(&d->image, path, e) : image_arrive(&d->image, path, e);
	free(path);
	return rc;
}

/* The image is where it was. */
static int await(struct object *o, struct err *e)
{
	return vhost_await(&((struct disk *)o)->vhost, e);
}

static int sleep_in_file(struct object *o, struct err *e)
{
	return vhost_sleep(&((struct disk *)o)->vhost, e);
}

static const struct object_kind disk_kind = {.name = "disk",
					     .destroy = destroy,
					     .status = status,
					     .guest = guest_of,
					     .listen = listen_for_guest,
					     .freeze = freeze,
					     .thaw = thaw,
					     .move = move,
					     .await = await,
					     .sleep = sleep_in_file};

static int read_words(const struct words *w, struct image_spec *spec, struct err *e)
{
	const char *size = words_get(w, "size");
	const char *ro = words_get(w, "ro");

	*spec = (struct image_spec){.base = words_get(w, "base"),
				    .layer = words_get(w, "layer"),
				    .read_only = ro && *ro == '1'};
	if (size && unit_parse(UNIT_SIZE, size, &spec->size, e) < 0)
		return err_wrap(e, "size");
	if (!words_get(w, "path") || (!size && !spec->base) || spec->size < 0)
		return err_set(e, ERR_USAGE, "a disk needs path=, and size= or base=");
	return 0;
}

/* The serial number: whose it is. */
static void set_id(struct disk *d, const char *name)
{
	size_t len = strcspn(name, ":");

	memcpy(d->id, name, len < sizeof(d->id) ? len : sizeof(d->id));
}

int disk_create(struct substrate *s, const char *name, const struct words *w, struct err *e)
{
	struct vclock_guest *g = NULL;
	struct image_spec spec;

	if (read_words(w, &spec, e) < 0 || vclock_find_guest(s, w, &g, e) < 0)
		return -1;
	struct disk *d = xcalloc(1, sizeof(*d));

	d->again.run = run_again;
	d->done.fire = fire_done;
	d->vhost.kind = &blk_kind;
	d->vhost.offers = spec.read_only ? BIT(VIRTIO_BLK_F_RO) : 0;
	set_id(d, name);
	if (image_open(&d->image, &spec, e) < 0 ||
	    object_add(&d->object, s, &disk_kind, name, e) < 0) {
		image_close(&d->image);
		free(d);
		return -1;
	}
	if (vhost_open(&d->vhost, &d->object, g, words_get(w, "path"), e) < 0) {
		destroy(&d->object);
		return -1;
	}
	return 0;
}
