/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/clock/turn_pipes.h"

#include "lib/sock.h"

#include <fcntl.h>
#include <unistd.h>

/* What pipes may hold counts for their user, who gets only small ones after 1,024 usual ones. */
enum { PIPE_BYTES = 4096 };

void turn_pipes_init(struct turn_pipes *p,
		     void (*ready)(struct loop_watch *w, uint32_t events, int64_t now_ns))
{
	*p = (struct turn_pipes){.wait = {.fd = -1, .ready = ready}, .run_fd = -1};
}

int turn_pipes_open(struct turn_pipes *p, struct loop *l, int guest_fds[2])
{
	int run[2], wait[2];

	if (pipe2(run, O_CLOEXEC) < 0)
		return -1;
	if (pipe2(wait, O_CLOEXEC) < 0) {
		close(run[0]);
		close(run[1]);
		return -1;
	}
	fcntl(run[1], F_SETPIPE_SZ, PIPE_BYTES);
	fcntl(wait[1], F_SETPIPE_SZ, PIPE_BYTES);
	/* The guest's kernel waits in its ends, and we in none of ours. */
	sock_set_nonblock(run[1]);
	sock_set_nonblock(wait[0]);
	guest_fds[0] = run[0];
	guest_fds[1] = wait[1];
	p->run_fd = run[1];
	p->wait.fd = wait[0];
	if (loop_add(l, &p->wait, EPOLLIN, NULL) == 0)
		return 0;
	close(run[0]);
	close(wait[1]);
	turn_pipes_close(p, l);
	return -1;
}

void turn_pipes_leave(struct turn_pipes *p, struct loop *l)
{
	loop_remove(l, &p->wait);
}

void turn_pipes_close(struct turn_pipes *p, struct loop *l)
{
	if (p->wait.fd < 0)
		return;
	loop_remove(l, &p->wait);
	close(p->wait.fd);
	close(p->run_fd);
	turn_pipes_thaw(p);
}

void turn_pipes_thaw(struct turn_pipes *p)
{
	p->wait.fd = p->run_fd = -1;
}

void turn_pipes_send(const struct turn_pipes *p, const struct time_message *m)
{
	if (p->run_fd >= 0)
		(void)!write(p->run_fd, m, sizeof(*m));
}

/* What is no longer than PIPE_BUF is written in one piece. */
int turn_pipes_receive(const struct turn_pipes *p, struct time_message *m)
{
	ssize_t got = p->wait.fd < 0 ? 0 : read(p->wait.fd, m, sizeof(*m));

	if (got <= 0)
		return 0;
	return got == sizeof(*m) ? 1 : -1;
}
