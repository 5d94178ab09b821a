/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The messages are those of User-Mode Linux's time-travel protocol, with two of ours
 * (lib/time_travel.h): FREEZE with a descriptor is answered with ACK, of the same number, with
 * the octets that were written or -errno; before that REQUEST says for how long the guest would
 * have had nothing to do; then the kernel stands still until RUN. One that goes on in the place of
 * another says RESUME, is answered, connects its devices, says WAIT, and stands until RUN, too.
 *
 * RUN is sent only to a kernel that stands: it would not be heard by one that has not come so far.
 */
#include "vbet-server/lab/freezer.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/time_travel.h"
#include "lib/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(struct freezer *f, uint32_t op, uint32_t seq, int64_t time)
{
	struct time_message m = {.op = op, .seq = seq, .time = (uint64_t)time};

	conn_write(&f->conn, &m, sizeof(m));
}

static void become(struct freezer *f, enum freezer_state state)
{
	f->state = state;
	f->changed(f);
}

/* Octets or -errno, if a kernel of ours said it: no other number is an errno, and none is no file.
 */
static int error_of(int64_t said)
{
	enum { ERRNO_MAX = 4095 };

	if (said > 0)
		return 0;
	return said < 0 && said >= -ERRNO_MAX ? (int)-said : EPROTO;
}

/* A kernel without this says nothing. */
static int64_t idle_of(uint64_t said)
{
	const uint64_t most_ns = UINT64_C(1) << 60; /* 36 years, and can be added to a time */

	return (int64_t)(said < most_ns ? said : most_ns);
}

static void stands(struct freezer *f, const struct time_message *m)
{
	f->error = error_of((int64_t)m->time);
	f->state = FREEZER_STANDS;
	if (f->runs_at_once)
		freezer_run(f, 0);
	f->changed(f);
}

static size_t on_data(struct conn *c, const char *data, size_t len)
{
	struct freezer *f = container_of(c, struct freezer, conn);
	struct time_message m;

	if (len < sizeof(m))
		return 0;
	memcpy(&m, data, sizeof(m));
	if (m.op == TIME_REQUEST && f->state == FREEZER_ASKED && m.seq == f->seq) {
		f->idle_ns = idle_of(m.time);
	} else if (m.op == TIME_ACK && f->state == FREEZER_ASKED && m.seq == f->seq) {
		stands(f, &m);
	} else if (m.op == TIME_RESUME && !f->resumed) {
		/* Once: answers to one who does not read them would pile up here. */
		f->resumed = true;
		tell(f, TIME_ACK, m.seq, 0);
	} else if (m.op == TIME_WAIT && f->state == FREEZER_RUNS) {
		become(f, FREEZER_WAITS);
	}
	return sizeof(m);
}

static void on_close(struct conn *c)
{
	become(container_of(c, struct freezer, conn), FREEZER_ABSENT);
}

static void stop_listening(struct freezer *f)
{
	if (f->listener.fd < 0)
		return;
	loop_remove(f->loop, &f->listener);
	close(f->listener.fd);
	f->listener.fd = -1;
	unlink(f->path);
}

/* One connection for each boot: whoever comes later is not the kernel. */
static void on_connect(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct freezer *f = container_of(w, struct freezer, listener);
	int fd = loop_accept(f->loop, w);

	if (fd < 0)
		return;
	stop_listening(f);
	if (conn_open(&f->conn, f->loop, fd, NULL) < 0) {
		close(fd);
		return;
	}
	f->resumed = false;
	become(f, FREEZER_RUNS);
}

void freezer_init(struct freezer *f, void (*changed)(struct freezer *f))
{
	f->listener.fd = -1;
	f->listener.ready = on_connect;
	f->conn.on_data = on_data;
	f->conn.on_close = on_close;
	f->changed = changed;
}

int freezer_listen(struct freezer *f, struct loop *l, const char *path, struct err *e)
{
	freezer_close(f);
	f->loop = l;
	f->path = xstrdup(path);
	f->listener.fd = sock_listen(path, SOCK_STREAM, e);
	return f->listener.fd < 0 ? -1 : loop_add(l, &f->listener, EPOLLIN, e);
}

int freezer_freeze(struct freezer *f, int fd, bool shares, int64_t at_ns, struct err *e)
{
	struct time_message m = {.op = shares ? TIME_FREEZE_SHARE : TIME_FREEZE,
				 .seq = ++f->seq,
				 .time = (uint64_t)at_ns};

	f->runs_at_once = false;
	f->idle_ns = 0;
	if (sock_send_fd(f->conn.watch.fd, &m, sizeof(m), fd) != sizeof(m))
		return err_sys(e, "tell its kernel to stand still");
	f->state = FREEZER_ASKED;
	return 0;
}

int freezer_fail(const struct freezer *f, struct err *e)
{
	if (f->state == FREEZER_STANDS)
		return err_set(e, ERR_ENV, "its kernel cannot write itself: %s",
			       strerror(f->error));
	return err_set(e, ERR_ENV, "its kernel has ended");
}

void freezer_run(struct freezer *f, int64_t at_ns)
{
	f->runs_at_once = f->state == FREEZER_ASKED;
	if (f->state != FREEZER_STANDS && f->state != FREEZER_WAITS)
		return;
	f->state = FREEZER_RUNS;
	tell(f, TIME_RUN, 0, at_ns);
}

void freezer_close(struct freezer *f)
{
	if (f->loop)
		stop_listening(f);
	conn_finish(&f->conn);
	freezer_forget(f);
}

void freezer_forget(struct freezer *f)
{
	conn_forget(&f->conn);
	free(f->path);
	f->path = NULL;
	f->listener.fd = -1;
	f->state = FREEZER_ABSENT;
}
