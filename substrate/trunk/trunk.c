/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/trunk/trunk.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "substrate/cable/cable.h"
#include "substrate/trunk/shmring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RING_BYTES = 4 << 20, /* each way: 2,700 full frames */
	MAP_BYTES = 2 * (SHMRING_HEAD + RING_BYTES),
	BATCH = 1024,  /* records, before others get their turn */
	KEY_MAX = 256, /* bytes of a key */
	IDS_MAX = 65536,
	HELLOS = 3,
	RAW_HEAD = 16, /* in front of a raw frame: what is to be done to it, as of a guest's NIC */
};

static const uint32_t magic = 0x314b5456; /* "VTK1" */
/* Of an id: the record says which key it is for; or the frame is raw (frame.h). */
static const uint32_t announce = 1u << 31;
static const uint32_t raw = 1u << 30;
static const int64_t retry_first_ns = 1000000;
static const int64_t retry_most_ns = 1000000000;

/* What the connecting side says, once for each descriptor; the other side answers with one. */
enum hello_what { HELLO_MEMORY, HELLO_TO_LISTENER, HELLO_TO_CONNECTOR, HELLO_OK };
struct hello {
	uint32_t magic, what, ring_bytes;
};

struct far {
	struct object object;
	struct end end;
	struct trunk *trunk; /* NULL: it went */
	char *key;           /* owned */
	uint32_t id;         /* index into trunk.fars: what our records are marked with */
	bool announced;      /* the other side knows what the id means */
};

struct trunk {
	struct object object;
	char *path; /* owned */
	bool listens, up;
	struct loop_watch listener, conn;
	struct loop_watch wake; /* they wrote something */
	int wake_fd;            /* to wake them; -1: none */
	int memory_fd;
	void *map;
	struct shmring in, out;
	unsigned n_hellos;
	struct loop_timer retry;
	int64_t retry_ns;
	struct flush publish;    /* records were written: show them at the end of the batch */
	struct flush again;      /* there is more than one batch to read */
	VEC(struct far *) fars;  /* by our ids; NULL: free */
	VEC(char *) keys;        /* owned; by their ids */
	VEC(struct far *) bound; /* by their ids; NULL: nobody here has that key */
	uint64_t in_frames, in_bytes, out_frames, out_bytes;
	uint64_t no_far_end, no_memory, wrong;
};

/* ---- far ends ---- */

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
	uint8_t *room = shmring_room(&t->out, len);

	if (!room)
		return false;
	memcpy(room, far->key, len);
	shmring_put(&t->out, far->id | announce, len);
	far->announced = true;
	return true;
}

static void far_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	struct far *far = (struct far *)n->object;
	struct trunk *t = far->trunk;
	uint8_t *room = NULL;

	if (!t || !t->up) {
		end_drop(n, f, END_DROP_DOWN);
		return;
	}
	uint32_t front = f->offload.flags & OFFLOAD_CSUM ? RAW_HEAD : 0;

	substrate_put_off(t->object.sub, &t->publish);
	if (far->announced || announce_far(t, far))
		room = shmring_room(&t->out, front + f->len);
	if (!room) {
		end_drop(n, f, END_DROP_QUEUE);
		return;
	}
	if (front)
		offload_write(&f->offload, (struct virtio_net_hdr *)room);
	frame_read(f, 0, room + front, f->len);
	shmring_put(&t->out, front ? far->id | raw : far->id, front + f->len);
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

static const struct end_kind far_end_kind = {
	.deliver = far_deliver, .carrier = far_carrier, .is_far = true, .takes = far_takes};

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

/* ---- frames that come ---- */

/* A record that says what their id means from now on. */
static void take_key(struct trunk *t, uint32_t id, const struct shmring_record *rec)
{
	if (id >= IDS_MAX || rec->len >= KEY_MAX) {
		t->in.broken = true;
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

static void hang_up(struct trunk *t, const char *reason);

static void take_records(struct trunk *t, int64_t now_ns)
{
	struct shmring_record rec;
	int rc = 0;

	for (int i = 0; i < BATCH; i++) {
		rc = shmring_take(&t->in, &rec);
		if (rc == 0 && !shmring_sleep(&t->in))
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
	shmring_give_back(&t->in);
	if (t->in.broken)
		hang_up(t, "what came over the trunk makes no sense");
	else if (rc > 0)
		substrate_put_off(t->object.sub, &t->again);
}

static void run_again(struct flush *f, int64_t now_ns)
{
	struct trunk *t = container_of(f, struct trunk, again);

	if (t->up)
		take_records(t, now_ns);
}

static void run_publish(struct flush *f, int64_t now_ns)
{
	struct trunk *t = container_of(f, struct trunk, publish);
	const uint64_t one = 1;

	if (t->up && shmring_publish(&t->out))
		(void)!write(t->wake_fd, &one, sizeof(one));
}

static void wake_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct trunk *t = container_of(w, struct trunk, wake);

	if (t->up)
		take_records(t, now_ns);
	substrate_drain(t->object.sub, now_ns);
}

/* ---- the connection ---- */

/* Whether the far ends can be reached; cables show it as carrier. */
static void set_up(struct trunk *t, bool up)
{
	struct substrate *s = t->object.sub;

	if (t->up == up)
		return;
	t->up = up;
	for (size_t i = 0; i < t->fars.n; i++) {
		if (!t->fars.at[i])
			continue;
		t->fars.at[i]->announced = false;
		cable_set_absent(&t->fars.at[i]->end, !up, substrate_now_ns(s));
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_all(struct trunk *t)
{
	struct loop *l = t->object.sub->loop;

	set_up(t, false);
	loop_remove(l, &t->conn);
	close_fd(&t->conn.fd);
	loop_remove(l, &t->wake);
	close_fd(&t->wake.fd);
	close_fd(&t->wake_fd);
	close_fd(&t->memory_fd);
	if (t->map)
		munmap(t->map, MAP_BYTES);
	t->map = NULL;
	t->n_hellos = 0;
	substrate_forget(t->object.sub, &t->publish);
	substrate_forget(t->object.sub, &t->again);
	for (size_t i = 0; i < t->keys.n; i++)
		free(t->keys.at[i]);
	t->keys.n = t->bound.n = 0;
}

/* The connection ends; one side listens again, the other tries again. */
static void hang_up(struct trunk *t, const char *reason)
{
	struct substrate *s = t->object.sub;

	if (t->up)
		substrate_event(s, "event down %s \"%s\"", t->object.name, reason);
	close_all(t);
	if (t->listens)
		loop_add(s->loop, &t->listener, EPOLLIN, NULL);
	else
		loop_set_timer(s->loop, &t->retry, loop_now_ns(s->loop) + t->retry_ns);
}

/* Memory and descriptors are there: rings begin empty. 0 or -1. */
static int begin(struct trunk *t)
{
	struct substrate *s = t->object.sub;

	t->map = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, t->memory_fd, 0);
	if (t->map == MAP_FAILED) {
		t->map = NULL;
		return -1;
	}
	shmring_init(t->listens ? &t->in : &t->out, t->map, RING_BYTES);
	shmring_init(t->listens ? &t->out : &t->in, (uint8_t *)t->map + MAP_BYTES / 2, RING_BYTES);
	/* Edge-triggered: each wake-up is one event, and nobody needs to read the counter. */
	if (loop_add(s->loop, &t->wake, EPOLLIN | EPOLLET, NULL) < 0)
		return -1;
	set_up(t, true);
	substrate_event(s, "event up %s", t->object.name);
	t->retry_ns = retry_first_ns;
	/* From now on it is woken. */
	take_records(t, substrate_now_ns(s));
	return 0;
}

/* A file that is as long as it must be, and stays so. */
static bool is_our_memory(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	return fstat(fd, &st) == 0 && st.st_size == MAP_BYTES && seals >= 0 &&
	       seals & F_SEAL_SHRINK;
}

/* The listening side: one of three messages. 0 or -1. */
static int take_hello(struct trunk *t, const struct hello *h, int *fd)
{
	if (h->magic != magic || h->ring_bytes != RING_BYTES || h->what != t->n_hellos || *fd < 0 ||
	    (h->what == HELLO_MEMORY && !is_our_memory(*fd)))
		return -1;
	int *to[HELLOS] = {&t->memory_fd, &t->wake.fd, &t->wake_fd};

	*to[h->what] = *fd;
	*fd = -1;
	if (++t->n_hellos < HELLOS)
		return 0;
	struct hello ok = {magic, HELLO_OK, RING_BYTES};

	return send(t->conn.fd, &ok, sizeof(ok), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(ok)
		       ? begin(t)
		       : -1;
}

static void conn_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct trunk *t = container_of(w, struct trunk, conn);
	struct hello h = {0};
	size_t n_fds;
	int fd = -1;
	ssize_t len = sock_recv_fds(w->fd, &h, sizeof(h), &fd, 1, &n_fds, MSG_DONTWAIT);
	int rc = -1;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len == sizeof(h) && !t->up && t->listens)
		rc = take_hello(t, &h, &fd);
	else if (len == sizeof(h) && !t->up)
		rc = h.magic == magic && h.what == HELLO_OK ? begin(t) : -1;
	close_fd(&fd);
	if (rc < 0)
		hang_up(t, "the process at the other end has gone");
	substrate_drain(t->object.sub, now_ns);
}

static int watch_conn(struct trunk *t, int fd)
{
	t->conn.fd = fd;
	t->conn.ready = conn_ready;
	return loop_add(t->object.sub->loop, &t->conn, EPOLLIN, NULL);
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct trunk *t = container_of(w, struct trunk, listener);
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	loop_remove(t->object.sub->loop, w);
	if (watch_conn(t, fd) < 0)
		hang_up(t, "no more descriptors");
}

static int make_memory(void)
{
	int fd = memfd_create("vbet-trunk", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, MAP_BYTES) < 0 ||
			fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0))
		close_fd(&fd);
	return fd;
}

/* Sends what the other side needs. 0 or -1. */
static int say_hello(struct trunk *t)
{
	t->memory_fd = make_memory();
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int fds[HELLOS] = {t->memory_fd, t->wake_fd, t->wake.fd};

	for (uint32_t i = 0; i < HELLOS; i++) {
		struct hello h = {magic, i, RING_BYTES};

		if (fds[i] < 0 || sock_send_fd(t->conn.fd, &h, sizeof(h), fds[i]) < 0)
			return -1;
	}
	return 0;
}

static void try_to_connect(struct loop_timer *timer, int64_t now_ns)
{
	struct trunk *t = container_of(timer, struct trunk, retry);
	int fd = sock_connect(t->path, SOCK_SEQPACKET, NULL);

	/* Until the other process has made its socket, and for as long as it is gone. */
	if (t->retry_ns < retry_most_ns)
		t->retry_ns *= 2;
	if (fd >= 0)
		sock_set_nonblock(fd);
	if (fd < 0 || watch_conn(t, fd) < 0 || say_hello(t) < 0)
		hang_up(t, "");
}

/* ---- the trunk ---- */

static void trunk_destroy(struct object *o)
{
	struct trunk *t = (struct trunk *)o;
	int fd = t->listener.fd;

	loop_remove(o->sub->loop, &t->listener);
	loop_cancel_timer(o->sub->loop, &t->retry);
	close_all(t);
	for (size_t i = 0; i < t->fars.n; i++)
		if (t->fars.at[i])
			t->fars.at[i]->trunk = NULL;
	if (fd >= 0) {
		close(fd);
		unlink(t->path);
	}
	vec_free(&t->fars);
	vec_free(&t->keys);
	vec_free(&t->bound);
	free(t->path);
	object_finish(o);
	free(t);
}

static void trunk_status(struct object *o, struct json *j, int64_t now_ns)
{
	struct trunk *t = (struct trunk *)o;

	json_bool(j, "up", t->up);
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

static const struct object_kind trunk_kind = {
	.name = "trunk", .destroy = trunk_destroy, .status = trunk_status};

static int open_trunk(struct trunk *t, struct err *e)
{
	struct loop *l = t->object.sub->loop;

	if (!t->listens) {
		loop_set_timer(l, &t->retry, 0);
		return 0;
	}
	t->listener.fd = sock_listen(t->path, SOCK_SEQPACKET, e);
	t->listener.ready = listener_ready;
	return t->listener.fd < 0 ? -1 : loop_add(l, &t->listener, EPOLLIN, e);
}

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

	t->path = xstrdup(path);
	t->listens = listens && *listens == '1';
	t->listener.fd = t->conn.fd = t->wake.fd = t->wake_fd = t->memory_fd = -1;
	t->wake.ready = wake_ready;
	t->retry.fire = try_to_connect;
	t->retry_ns = retry_first_ns;
	t->publish.run = run_publish;
	t->again.run = run_again;
	if (object_add(&t->object, s, &trunk_kind, name, e) < 0) {
		free(t->path);
		free(t);
		return NULL;
	}
	if (open_trunk(t, e) < 0) {
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
	far->end.absent = !t->up;
	bind_all(t);
}

struct object *trunk_create_far(struct substrate *s, const char *name, struct object *trunk,
				const char *key, struct err *e)
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
	far->end = (struct end){.kind = &far_end_kind, .object = &far->object};
	add_far(t, far);
	return &far->object;
}
