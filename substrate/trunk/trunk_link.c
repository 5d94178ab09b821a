/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The side that connects makes the memory and both eventfds and sends them, a descriptor with each
 * of three messages; the side that listens takes them and says so. From then on the socket is only
 * looked at for its end. All is made anew for each connection, so nothing of the last one is left
 * in the rings, and a process that comes back after a crash is as good as a new one.
 *
 * Neither side trusts the other with its own memory: the file is sealed, so that it cannot be made
 * shorter under us, and what is read from the rings is checked there (shmring.h).
 */
#include "substrate/trunk/trunk_link.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/xalloc.h"
#include "substrate/core/thaw.h"

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
};

static const uint32_t magic = 0x314b5456; /* "VTK1" */
static const int64_t retry_first_ns = 1000000;
static const int64_t retry_most_ns = 1000000000;

/* What the connecting side says, once for each descriptor; the other side answers with one. */
enum hello_what { HELLO_MEMORY, HELLO_TO_LISTENER, HELLO_TO_CONNECTOR, HELLO_OK };
enum { HELLOS = HELLO_OK };
struct hello {
	uint32_t magic, what, ring_bytes;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget_kept(struct trunk_link *l, size_t from, size_t to)
{
	for (size_t i = to; i-- > from;) {
		free(l->kept.at[i].data);
		vec_remove(&l->kept, i);
	}
}

static void close_all(struct trunk_link *l, const char *reason)
{
	if (l->up) {
		l->up = false;
		l->ops->down(l, reason);
		forget_kept(l, 0, l->kept.n);
		l->kept_own = l->kept_taken = 0;
	}
	loop_remove(l->loop, &l->conn);
	close_fd(&l->conn.fd);
	loop_remove(l->loop, &l->wake);
	close_fd(&l->wake.fd);
	close_fd(&l->wake_fd);
	close_fd(&l->memory_fd);
	if (l->map)
		munmap(l->map, MAP_BYTES);
	l->map = NULL;
	l->n_hellos = 0;
}

void trunk_link_hang_up(struct trunk_link *l, const char *reason)
{
	close_all(l, reason);
	if (l->listens)
		loop_add(l->loop, &l->listener, EPOLLIN, NULL);
	else
		loop_set_timer(l->loop, &l->retry, loop_now_ns(l->loop) + l->retry_ns);
}

/* Memory and descriptors are there: rings begin empty. 0 or -1. */
static int begin(struct trunk_link *l)
{
	l->map = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, l->memory_fd, 0);
	if (l->map == MAP_FAILED) {
		l->map = NULL;
		return -1;
	}
	shmring_init(l->listens ? &l->in : &l->out, l->map, RING_BYTES);
	shmring_init(l->listens ? &l->out : &l->in, (uint8_t *)l->map + MAP_BYTES / 2, RING_BYTES);
	/* Edge-triggered: each wake-up is one event, and nobody needs to read the counter. */
	if (loop_add(l->loop, &l->wake, EPOLLIN | EPOLLET, NULL) < 0)
		return -1;
	l->retry_ns = retry_first_ns;
	l->up = true;
	if (l->resumes) {
		l->resumes = false;
		l->ops->resumed(l);
	} else {
		l->ops->up(l);
	}
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
static int take_hello(struct trunk_link *l, const struct hello *h, int *fd)
{
	if (h->magic != magic || h->ring_bytes != RING_BYTES || h->what != l->n_hellos || *fd < 0 ||
	    (h->what == HELLO_MEMORY && !is_our_memory(*fd)))
		return -1;
	int *to[HELLOS] = {&l->memory_fd, &l->wake.fd, &l->wake_fd};

	*to[h->what] = *fd;
	*fd = -1;
	if (++l->n_hellos < HELLOS)
		return 0;
	struct hello ok = {magic, HELLO_OK, RING_BYTES};

	return send(l->conn.fd, &ok, sizeof(ok), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(ok)
		       ? begin(l)
		       : -1;
}

static void conn_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct trunk_link *l = container_of(w, struct trunk_link, conn);
	struct hello h = {0};
	size_t n_fds;
	int fd = -1;
	ssize_t len = sock_recv_fds(w->fd, &h, sizeof(h), &fd, 1, &n_fds, MSG_DONTWAIT);
	int rc = -1;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len == sizeof(h) && !l->up && l->listens)
		rc = take_hello(l, &h, &fd);
	else if (len == sizeof(h) && !l->up)
		rc = h.magic == magic && h.what == HELLO_OK ? begin(l) : -1;
	close_fd(&fd);
	if (rc < 0)
		trunk_link_hang_up(l, "the process at the other end has gone");
}

static int watch_conn(struct trunk_link *l, int fd)
{
	l->conn.fd = fd;
	l->conn.ready = conn_ready;
	return loop_add(l->loop, &l->conn, EPOLLIN, NULL);
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct trunk_link *l = container_of(w, struct trunk_link, listener);
	int fd = loop_accept(l->loop, w);

	if (fd < 0)
		return;
	loop_remove(l->loop, w);
	if (watch_conn(l, fd) < 0)
		trunk_link_hang_up(l, "no more descriptors");
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
static int say_hello(struct trunk_link *l)
{
	l->memory_fd = make_memory();
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int fds[HELLOS] = {l->memory_fd, l->wake_fd, l->wake.fd};

	for (uint32_t i = 0; i < HELLOS; i++) {
		struct hello h = {magic, i, RING_BYTES};

		if (fds[i] < 0 || sock_send_fd(l->conn.fd, &h, sizeof(h), fds[i]) < 0)
			return -1;
	}
	return 0;
}

static void try_to_connect(struct loop_timer *timer, int64_t now_ns)
{
	struct trunk_link *l = container_of(timer, struct trunk_link, retry);
	int fd = sock_connect(l->path, SOCK_SEQPACKET, NULL);

	/* Until the other process has made its socket, and for as long as it is gone. */
	if (l->retry_ns < retry_most_ns)
		l->retry_ns *= 2;
	if (fd >= 0)
		sock_set_nonblock(fd);
	if (fd < 0 || watch_conn(l, fd) < 0 || say_hello(l) < 0)
		trunk_link_hang_up(l, "");
}

static void wake_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct trunk_link *l = container_of(w, struct trunk_link, wake);

	l->ops->woken(l, now_ns);
}

void trunk_link_publish(struct trunk_link *l)
{
	const uint64_t one = 1;

	if (l->up && shmring_publish(&l->out))
		(void)!write(l->wake_fd, &one, sizeof(one));
}

int trunk_link_take(struct trunk_link *l, struct shmring_record *rec)
{
	if (l->kept_taken == l->kept_own)
		return shmring_take(&l->in, rec);
	const struct trunk_kept *k = &l->kept.at[l->kept_taken++];

	*rec = (struct shmring_record){.id = k->id, .len = k->len, .data = k->data};
	return 1;
}

/* Whoever goes on with this memory reads from the ring what is copied here. */
void trunk_link_freeze(struct trunk_link *l)
{
	struct shmring_record rec;
	uint32_t at = l->in.at;

	forget_kept(l, l->kept_own, l->kept.n);
	forget_kept(l, 0, l->kept_taken);
	l->kept_own = l->kept.n;
	l->kept_taken = 0;
	if (!l->up)
		return;
	trunk_link_publish(l);
	while (shmring_take(&l->in, &rec) == 1) {
		struct trunk_kept k = {rec.id, rec.len, xmalloc(rec.len + 1)};

		memcpy(k.data, rec.data, rec.len);
		vec_push(&l->kept, k);
	}
	l->in.at = at;
}

/* One listens, one tries to connect. */
static int start(struct trunk_link *l, struct err *e)
{
	if (!l->listens) {
		loop_set_timer(l->loop, &l->retry, 0);
		return 0;
	}
	l->listener.fd = sock_listen(l->path, SOCK_SEQPACKET, e);
	return l->listener.fd < 0 ? -1 : loop_add(l->loop, &l->listener, EPOLLIN, e);
}

int trunk_link_thaw(struct trunk_link *l, const struct thaw *t, struct err *e)
{
	l->resumes = l->up || l->resumes;
	l->up = false;
	l->map = NULL;
	l->n_hellos = 0;
	l->listener.fd = l->conn.fd = l->wake.fd = l->wake_fd = l->memory_fd = -1;
	l->kept_own = l->kept.n;
	l->kept_taken = 0;
	l->retry_ns = retry_first_ns;
	loop_cancel_timer(l->loop, &l->retry);
	thaw_path(t, &l->path);
	return start(l, e);
}

int trunk_link_open(struct trunk_link *l, struct loop *loop, const char *path, bool listens,
		    const struct trunk_link_ops *ops, struct err *e)
{
	*l = (struct trunk_link){
		.ops = ops,
		.loop = loop,
		.path = xstrdup(path),
		.listens = listens,
		.listener = {.fd = -1, .ready = listener_ready},
		.conn = {.fd = -1},
		.wake = {.fd = -1, .ready = wake_ready},
		.wake_fd = -1,
		.memory_fd = -1,
		.retry = {.fire = try_to_connect},
		.retry_ns = retry_first_ns,
	};
	return start(l, e);
}

void trunk_link_close(struct trunk_link *l)
{
	loop_remove(l->loop, &l->listener);
	loop_cancel_timer(l->loop, &l->retry);
	close_all(l, NULL);
	if (l->listener.fd >= 0) {
		close(l->listener.fd);
		unlink(l->path);
	}
	forget_kept(l, 0, l->kept.n);
	vec_free(&l->kept);
	free(l->path);
	l->path = NULL;
}
