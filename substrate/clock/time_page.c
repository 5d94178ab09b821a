/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The page of a guest (struct time_page), and how a guest is kept and comes back.
 *
 * A frozen guest stands, so all that its calendar and it have to say to one another is in the page:
 * what it wishes, calls that it has not heard of. The page is shared memory, which no imprint has;
 * so it is copied. In the process that goes on the guest counts as what it was, and is awaited;
 * when its kernel comes with RESUME it gets a page with the old content, and that is all.
 */
#include "substrate/clock/time_page.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "substrate/core/end.h"
#include "substrate/core/thaw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int time_page_make(struct vclock_guest *g)
{
	g->page_fd = memfd_create("vbet-time", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (g->page_fd < 0 || ftruncate(g->page_fd, sizeof(struct time_page)) < 0)
		return -1;
	/* A guest must not be able to take the memory away under us. */
	fcntl(g->page_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	void *p = mmap(NULL, sizeof(struct time_page), PROT_READ | PROT_WRITE, MAP_SHARED,
		       g->page_fd, 0);

	if (p == MAP_FAILED)
		return -1;
	g->page = p;
	if (g->kept) {
		memcpy(p, g->kept, sizeof(*g->kept));
		return 0;
	}
	g->page->version = PAGE_VERSION;
	g->page->len = sizeof(struct time_page);
	g->page->max_clients = 2;
	g->page->running = PAGE_GUEST;
	g->page->client[PAGE_CALENDAR].capabilities = PAGE_CAP_SHARE | PAGE_CAP_MAIL;
	return 0;
}

void time_page_drop(struct vclock_guest *g)
{
	if (g->page)
		munmap(g->page, sizeof(*g->page));
	if (g->page_fd >= 0)
		close(g->page_fd);
	g->page = NULL;
	g->page_fd = -1;
	g->have = 0;
}

const char time_page_no_descriptors[] = "no descriptors are left for its turns";

/* The second descriptor, for a log, is expected, and not used. */
int time_page_send(struct vclock_guest *g)
{
	enum { PAGE, LOG, RUN, WAIT, FDS }; /* um_timetravel_shared_mem_fds */
	int fds[FDS] = {[PAGE] = g->page_fd};
	struct time_message m = {.op = TIME_ACK, .seq = g->start_seq, .time = PAGE_GUEST};

	fds[LOG] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fds[LOG] < 0 || turn_pipes_open(&g->pipes, g->object.sub->loop, &fds[RUN]) < 0) {
		close(fds[LOG]);
		return -1;
	}
	(void)!sock_send_fds(g->conn.fd, &m, sizeof(m), fds, FDS);
	for (int i = PAGE; i < FDS; i++)
		close(fds[i]);
	g->page_fd = -1;
	return 0;
}

int vclock_guest_write_out(struct vclock_guest *g, const char *path, bool shares, struct err *e)
{
	struct time_message m = {.op = shares ? TIME_FREEZE_SHARE : TIME_FREEZE,
				 .seq = ++g->next_seq};

	if (g->state != VCLOCK_GUEST_WAITING || g->awaited || g->freezing)
		return err_set(e, ERR_ENV, "%s does not stand still", g->object.name);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "%s", path);
	vclock_release(g->clock, g);
	int rc = sock_send_fd(g->conn.fd, &m, sizeof(m), fd) == sizeof(m)
			 ? 0
			 : err_sys(e, "tell %s", g->object.name);

	/* It waits for its turn, and looks into the socket when it is told so there. */
	if (rc == 0)
		turn_pipes_send(&g->pipes, &m);
	close(fd);
	g->freezing = rc == 0;
	return rc;
}

const char *vclock_guest_written(struct vclock_guest *g)
{
	const struct time_message *m = &g->message;
	struct substrate *s = g->object.sub;
	int64_t bytes = (int64_t)m->time;

	if (m->seq != g->next_seq)
		return "an answer that nobody asked for";
	g->freezing = false;
	vclock_place(g->clock, g);
	if (bytes > 0) {
		g->written_moves = g->moves;
		substrate_event(s, "event frozen %s %lld %llu", g->object.name, (long long)bytes,
				(unsigned long long)g->moves);
	} else {
		substrate_event(s, "event freeze-failed %s \"%s: %s\"", g->object.name,
				g->object.name,
				bytes ? strerror((int)-(bytes < -4095 ? -EIO : bytes))
				      : "its kernel cannot be kept");
	}
	return NULL;
}

int vclock_guest_freeze(struct object *o, struct err *e)
{
	struct vclock_guest *g = (struct vclock_guest *)o;

	if (g->freezing || (g->state != VCLOCK_GUEST_WAITING && g->state != VCLOCK_GUEST_ABSENT))
		return err_set(e, ERR_ENV, "it does not stand still");
	/* What one that is away will find is kept already. */
	if (vclock_guest_is_away(g))
		return 0;
	free(g->kept);
	g->kept = NULL;
	if (!g->page)
		return 0;
	g->kept = xmalloc(sizeof(*g->kept));
	memcpy(g->kept, g->page, sizeof(*g->kept));
	return 0;
}

int vclock_guest_thaw(struct object *o, const struct thaw *t, struct err *e)
{
	struct vclock_guest *g = (struct vclock_guest *)o;

	g->clock->core = -1;
	if (g->page)
		munmap(g->page, sizeof(*g->page));
	g->page = NULL;
	g->page_fd = g->conn.fd = -1;
	turn_pipes_thaw(&g->pipes);
	g->have = 0;
	g->clock->waking = 0;
	g->clock->ahead_ns = g->clock->woken_ns = 0;
	g->asleep = g->waking = false;
	g->missing = 0;
	vclock_touch(g);
	g->awaited = g->state == VCLOCK_GUEST_WAITING;
	if (g->awaited)
		vclock_guest_await_device(g, g->object.sub);
	thaw_path(t, &g->path);
	g->listener.fd = sock_listen(g->path, SOCK_STREAM, e);
	return g->listener.fd < 0 ? -1 : loop_add(o->sub->loop, &g->listener, EPOLLIN, e);
}

int vclock_guest_await(struct vclock_guest *g, struct err *e)
{
	struct substrate *s = g->object.sub;

	if (g->state != VCLOCK_GUEST_WAITING || g->awaited || g->freezing)
		return err_set(e, ERR_ENV, "%s does not stand still", g->object.name);
	/* Frames that it has lent come back, which it is told while its rings are here. */
	for (size_t i = 0; i < s->objects.n; i++) {
		struct object *o = s->objects.at[i];

		if (vclock_guest_of(o) == g && end_of_object(o) && o->kind->freeze &&
		    o->kind->freeze(o, e) < 0)
			return err_wrap(e, "%s", o->name);
	}
	substrate_drain(s, substrate_now_ns(s));
	for (size_t i = 0; i < s->objects.n; i++) {
		struct object *o = s->objects.at[i];

		if (vclock_guest_of(o) == g && o->kind->await && o->kind->await(o, e) < 0)
			return err_wrap(e, "%s", o->name);
	}
	if (vclock_guest_freeze(&g->object, e) < 0)
		return -1;
	time_page_drop(g);
	g->awaited = true;
	vclock_guest_await_device(g, g->object.sub);
	loop_remove(s->loop, &g->conn);
	turn_pipes_leave(&g->pipes, s->loop);
	return loop_add(s->loop, &g->listener, EPOLLIN, e);
}

const char *vclock_guest_resume(struct vclock_guest *g)
{
	if (g->message.op != TIME_RESUME)
		return "it was to go on, and began anew";
	if (time_page_make(g) < 0)
		return "out of memory";
	g->start_seq = g->message.seq;
	g->awaited = false;
	free(g->kept);
	g->kept = NULL;
	vclock_place(g->clock, g);
	if (time_page_send(g) < 0)
		return time_page_no_descriptors;
	vclock_guest_came(g);
	return NULL;
}
