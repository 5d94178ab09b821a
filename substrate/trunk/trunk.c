/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A trunk has two tables of names. Each side numbers its own far ends and says, before the first
 * frame of one, by which key the number goes (announce); the other side looks the key up among its
 * own far ends whenever one of either comes or goes, so that a record costs an index (bound).
 *
 * A frame that reaches a far end has passed its direction of the cable here: it is copied into the
 * ring, and the other process hands it to the end at the other side of its copy of the cable
 * (cable_arrive_from()). Records are shown, and the other process woken, once per batch. A ring
 * that is full drops: nobody waits for another process.
 */
#include "substrate/trunk/trunk.h"

#include "lib/container_of.h"
#include "substrate/cable/cable.h"
#include "substrate/core/thaw.h"
#include "substrate/trunk/trunk_link.h"

#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 1024,  /* records, before others get their turn */
	KEY_MAX = 256, /* bytes of a key */
	IDS_MAX = 65536,
	RAW_HEAD = 16, /* in front of a raw frame: what is to be done to it, as of a guest's NIC */
};

/* Of an id: the record says which key it is for; or the frame is raw (frame.h). */
static const uint32_t announce = 1u << 31;
static const uint32_t raw = 1u << 30;

struct far {
	struct object object;
	struct end end;
	struct trunk *trunk;    /* NULL: it went */
	char *key;              /* owned */
	uint32_t id;            /* index into trunk.fars: what our records are marked with */
	bool announced;         /* the other side knows what the id means */
	struct end_wire limits; /* of what it stands for */
};

struct trunk {
	struct object object;
	struct trunk_link link;
	struct flush publish;    /* records were written: show them at the end of the batch */
	struct flush again;      /* there is more than one batch to read */
	VEC(struct far *) fars;  /* by our ids; NULL: free */
	VEC(char *) keys;        /* owned; by their ids */
	VEC(struct far *) bound; /* by their ids; NULL: nobody here has that key */
	uint64_t in_frames, in_bytes, out_frames, out_bytes;
	uint64_t no_far_end, no_memory, wrong;
};

static struct far *find_far(const struct trunk *t, const char *key)
{
	for (size_t i = 0; i < t->fars.n; i++)
		if (t->fars.at[i] && !strcmp(t->fars.at[i]->key, key))
			return t->fars.at[i];
	return NULL;
}

/* Who is meant by their ids may have changed. */
static void bind_all(struct trunk *t)
{
	for (size_t i = 0; i < t->keys.n; i++)
		t->bound.at[i] = t->keys.at[i] ? find_far(t, t->keys.at[i]) : NULL;
}

/* False: the ring is full. */
static bool announce_far(struct trunk *t, struct far *far)
{
	uint32_t len = (uint32_t)strlen(far->key);
	uint8_t *room = shmring_room(&t->link.out, len);

	if (!room)
		return false;
	memcpy(room, far->key, len);
	shmring_put(&t->link.out, far->id | announce, len);
	far->announced = true;
	return true;
}

/*
 * A raw frame goes as it is, with a note in front, as from a guest's NIC. What is lent is read out
 * of the guest's memory straight into the ring.
 */
static void far_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	struct far *far = (struct far *)n->object;
	struct trunk *t = far->trunk;
	uint8_t *room = NULL;

	if (!t || !t->link.up) {
		end_drop(n, f, END_DROP_DOWN);
		return;
	}
	uint32_t front = f->offload.flags & OFFLOAD_CSUM ? RAW_HEAD : 0;

	substrate_put_off(t->object.sub, &t->publish);
	if (far->announced || announce_far(t, far))
		room = shmring_room(&t->link.out, front + f->len);
	if (!room) {
		end_drop(n, f, END_DROP_QUEUE);
		return;
	}
	if (front)
		offload_write(&f->offload, (struct virtio_net_hdr *)room);
	frame_read(f, 0, room + front, f->len);
	shmring_put(&t->link.out, front ? far->id | raw : far->id, front + f->len);
	t->out_frames += frame_count(f);
	t->out_bytes += frame_bytes(f);
	frame_unref(f);
}

/* The end itself says what it takes, in its process. */
static uint16_t far_takes(const struct end *n)
{
	return UINT16_MAX;
}

static void far_carrier(struct end *n, int64_t now_ns)
{
	/* The process that has the end itself hears of it, too. */
}

static void far_limits(const struct end *n, struct end_wire *wire)
{
	*wire = ((const struct far *)n->object)->limits;
}

static const struct end_kind far_end_kind = {.deliver = far_deliver,
					     .carrier = far_carrier,
					     .limits = far_limits,
					     .is_far = true,
					     .takes = far_takes};

static void far_destroy(struct object *o)
{
	struct far *far = (struct far *)o;

	end_finish(&far->end);
	if (far->trunk) {
		far->trunk->fars.at[far->id] = NULL;
		bind_all(far->trunk);
	}
	free(far->key);
	object_finish(o);
	free(far);
}

/* Only what is dropped here: the end itself is known elsewhere, and the two become one. */
static void far_status(struct object *o, struct json *j, int64_t now_ns)
{
	end_status_dropped(&((struct far *)o)->end, j);
}

static struct end *far_end_of(struct object *o)
{
	return &((struct far *)o)->end;
}

static const struct object_kind far_kind = {
	.name = "far end",
	.destroy = far_destroy,
	.status = far_status,
	.end = far_end_of,
	.is_part = true,
};

/* A record that says what their id means from now on. */
static void take_key(struct trunk *t, uint32_t id, const struct shmring_record *rec)
{
	if (id >= IDS_MAX || rec->len >= KEY_MAX) {
		t->link.in.broken = true;
		return;
	}
	while (t->keys.n <= id) {
		vec_push(&t->keys, NULL);
		vec_push(&t->bound, NULL);
	}
	free(t->keys.at[id]);
	t->keys.at[id] = xstrndup((const char *)rec->data, rec->len);
	t->bound.at[id] = find_far(t, t->keys.at[id]);
}

/* What is said of a raw frame is believed no more than if a guest said it. */
static bool read_raw(const uint8_t *head, struct frame *f)
{
	struct virtio_net_hdr h;

	memcpy(&h, head, sizeof(h));
	return offload_read(&h, UINT64_MAX, f->data, f->len, &f->offload);
}

static void take_frame(struct trunk *t, const struct shmring_record *rec, int64_t now_ns)
{
	uint32_t id = rec->id & ~raw;
	uint32_t front = rec->id & raw ? RAW_HEAD : 0;
	struct far *far = id < t->bound.n ? t->bound.at[id] : NULL;

	if (!far || rec->len < front + FRAME_MIN || rec->len - front > FRAME_MAX) {
		*(far ? &t->wrong : &t->no_far_end) += 1;
		return;
	}
	struct frame *f = frame_get(t->object.sub->pool, rec->len - front);

	if (!f) {
		t->no_memory++;
		return;
	}
	memcpy(f->data, rec->data + front, f->len);
	if (front && !read_raw(rec->data, f)) {
		f->offload = (struct offload){0};
		frame_unref(f);
		t->wrong++;
		return;
	}
	t->in_frames += frame_count(f);
	t->in_bytes += frame_bytes(f);
	cable_arrive_from(&far->end, f, now_ns);
}

static void take_records(struct trunk *t, int64_t now_ns)
{
	struct shmring_record rec;
	int rc = 0;

	/* Restored, and others are not there yet whom frames may reach. */
	if (t->object.sub->awaited) {
		substrate_put_off(t->object.sub, &t->again);
		return;
	}
	for (int i = 0; i < BATCH; i++) {
		rc = trunk_link_take(&t->link, &rec);
		if (rc == 0 && !shmring_sleep(&t->link.in))
			break;
		if (rc < 0)
			break;
		if (rc == 0)
			rc = 1; /* it has come while we went to sleep */
		else if (rec.id & announce)
			take_key(t, rec.id & ~announce, &rec);
		else
			take_frame(t, &rec, now_ns);
	}
	shmring_give_back(&t->link.in);
	if (t->link.in.broken)
		trunk_link_hang_up(&t->link, "what came over the trunk makes no sense");
	else if (rc > 0)
		substrate_put_off(t->object.sub, &t->again);
}

static void run_again(struct flush *f, int64_t now_ns)
{
	struct trunk *t = container_of(f, struct trunk, again);

	if (t->link.up)
		take_records(t, now_ns);
}

static void run_publish(struct flush *f, int64_t now_ns)
{
	trunk_link_publish(&container_of(f, struct trunk, publish)->link);
}

static void woken(struct trunk_link *l, int64_t now_ns)
{
	struct trunk *t = container_of(l, struct trunk, link);

	take_records(t, now_ns);
	substrate_drain(t->object.sub, now_ns);
}

/* Whether the far ends can be reached; cables show it as carrier. */
static void set_absent(struct trunk *t, bool absent)
{
	for (size_t i = 0; i < t->fars.n; i++) {
		if (!t->fars.at[i])
			continue;
		t->fars.at[i]->announced = false;
		cable_set_absent(&t->fars.at[i]->end, absent, substrate_now_ns(t->object.sub));
	}
}

static void up(struct trunk_link *l)
{
	struct trunk *t = container_of(l, struct trunk, link);
	int64_t now = substrate_now_ns(t->object.sub);

	set_absent(t, false);
	substrate_event(t->object.sub, "event up %s", t->object.name);
	/* From now on it is woken. */
	take_records(t, now);
	substrate_drain(t->object.sub, now);
}

/* To all cables it was never away. */
static void resumed(struct trunk_link *l)
{
	struct trunk *t = container_of(l, struct trunk, link);

	substrate_put_off(t->object.sub, &t->again);
	substrate_came(t->object.sub);
}

static void forget_keys(struct trunk *t)
{
	for (size_t i = 0; i < t->keys.n; i++)
		free(t->keys.at[i]);
	t->keys.n = t->bound.n = 0;
}

static void down(struct trunk_link *l, const char *reason)
{
	struct trunk *t = container_of(l, struct trunk, link);

	if (reason)
		substrate_event(t->object.sub, "event down %s \"%s\"", t->object.name, reason);
	set_absent(t, true);
	substrate_forget(t->object.sub, &t->publish);
	substrate_forget(t->object.sub, &t->again);
	forget_keys(t);
}

static const struct trunk_link_ops link_ops = {
	.up = up, .resumed = resumed, .down = down, .woken = woken};

static void trunk_destroy(struct object *o)
{
	struct trunk *t = (struct trunk *)o;

	if (t->link.resumes)
		substrate_came(o->sub);
	substrate_forget(o->sub, &t->again);
	trunk_link_close(&t->link);
	for (size_t i = 0; i < t->fars.n; i++)
		if (t->fars.at[i])
			t->fars.at[i]->trunk = NULL;
	vec_free(&t->fars);
	vec_free(&t->keys);
	vec_free(&t->bound);
	object_finish(o);
	free(t);
}

static void trunk_status(struct object *o, struct json *j, int64_t now_ns)
{
	struct trunk *t = (struct trunk *)o;

	json_bool(j, "up", t->link.up);
	json_uint(j, "in_frames", t->in_frames);
	json_uint(j, "in_bytes", t->in_bytes);
	json_uint(j, "out_frames", t->out_frames);
	json_uint(j, "out_bytes", t->out_bytes);
	json_open(j, "dropped", '{');
	json_uint(j, "no far end", t->no_far_end);
	json_uint(j, "memory", t->no_memory);
	json_uint(j, "wrong", t->wrong);
	json_close(j, '}');
}

static int trunk_freeze(struct object *o, struct err *e)
{
	trunk_link_freeze(&((struct trunk *)o)->link);
	return 0;
}

static int trunk_thaw(struct object *o, const struct thaw *t, struct err *e)
{
	struct trunk_link *l = &((struct trunk *)o)->link;

	if (trunk_link_thaw(l, t, e) < 0)
		return -1;
	if (l->resumes)
		substrate_await(o->sub);
	return 0;
}

static const struct object_kind trunk_kind = {.name = "trunk",
					      .destroy = trunk_destroy,
					      .status = trunk_status,
					      .freeze = trunk_freeze,
					      .thaw = trunk_thaw};

struct object *trunk_create(struct substrate *s, const char *name, const struct words *w,
			    struct err *e)
{
	const char *path = words_get(w, "path");
	const char *listens = words_get(w, "listen");

	if (!path || s->time->is_exact) {
		err_set(e, ERR_USAGE, "a trunk %s",
			path ? "cannot take part in virtual time" : "needs path=");
		return NULL;
	}
	struct trunk *t = xcalloc(1, sizeof(*t));

	t->publish.run = run_publish;
	t->again.run = run_again;
	if (object_add(&t->object, s, &trunk_kind, name, e) < 0) {
		free(t);
		return NULL;
	}
	if (trunk_link_open(&t->link, s->loop, path, listens && *listens == '1', &link_ops, e) <
	    0) {
		trunk_destroy(&t->object);
		return NULL;
	}
	return &t->object;
}

static int check_key(const struct trunk *t, const char *key, struct err *e)
{
	if (!key || !*key || strlen(key) >= KEY_MAX)
		return err_set(e, ERR_USAGE, "a far end needs a key= of less than %d bytes",
			       KEY_MAX);
	if (find_far(t, key))
		return err_set(e, ERR_USAGE, "%s: the key '%s' is taken", t->object.name, key);
	return 0;
}

/* The lowest id that is free. */
static void add_far(struct trunk *t, struct far *far)
{
	while (far->id < t->fars.n && t->fars.at[far->id])
		far->id++;
	if (far->id == t->fars.n)
		vec_push(&t->fars, NULL);
	t->fars.at[far->id] = far;
	far->trunk = t;
	far->end.absent = !t->link.up;
	bind_all(t);
}

struct object *trunk_create_far(struct substrate *s, const char *name, struct object *trunk,
				const char *key, const struct end_wire *limits, struct err *e)
{
	struct trunk *t = (struct trunk *)trunk;

	if (trunk->kind != &trunk_kind) {
		err_set(e, ERR_USAGE, "'%s' is a %s, not a trunk", trunk->name, trunk->kind->name);
		return NULL;
	}
	if (check_key(t, key, e) < 0)
		return NULL;
	struct far *far = xcalloc(1, sizeof(*far));

	if (object_add(&far->object, s, &far_kind, name, e) < 0) {
		free(far);
		return NULL;
	}
	far->key = xstrdup(key);
	if (limits)
		far->limits = *limits;
	far->end = (struct end){.kind = &far_end_kind, .object = &far->object};
	add_far(t, far);
	return &far->object;
}
