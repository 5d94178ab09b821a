/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that has written itself must not see anything change any more that is kept elsewhere: a
 * ring that the substrate goes on with would be another one than that of the file. So the substrate
 * stands before the first guest does, and goes on when all do.
 *
 * The files are opened before the first guest is told: what is between the first and the last is a
 * system call for each.
 */
#include "vbet-server/lab/still.h"

#include "lib/container_of.h"
#include "lib/cpus.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t patience_ns = INT64_C(10000000000);

/*
 * Until then all guests have had a processor, as a rule. The first ones write themselves before the
 * last one hears of it, which takes 10 to 20 ms each.
 */
static int64_t ahead_ns(size_t n_guests)
{
	static const int64_t base_ns = 20000000;
	static const int64_t write_ns = 20000000;

	return base_ns + (int64_t)n_guests * write_ns / cpus_online();
}

static void freezer_changed(struct freezer *f)
{
	snapshot_hear_guest(container_of(f, struct guest, freezer));
}

void still_init(struct guest *gu)
{
	freezer_init(&gu->freezer, freezer_changed);
}

int still_listen(struct guest *gu, struct err *e)
{
	char *path = xasprintf("%s/n/%s/j/freeze", gu->lab->dir, gu->name);
	int rc = gu->lab->clock.is_virtual ? 0
					   : freezer_listen(&gu->freezer, gu->lab->loop, path, e);

	free(path);
	return rc;
}

bool still_can(const struct guest *gu, struct err *e)
{
	if (gu->freezer.state == FREEZER_RUNS)
		return true;
	err_set(e, ERR_ENV, "the kernel of %s cannot be kept in a snapshot", gu->name);
	return false;
}

static void cork_agents(struct lab *lab, bool in)
{
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			conn_cork(&lab->guests[i]->agent.conn, in);
}

static void on_asked(void *ctx, bool ok, const char *text)
{
	if (!ok)
		snapshot_hear_refusal(ctx, text);
}

void still_begin(struct lab *lab)
{
	cork_agents(lab, true);
	lab->snapshot.still.asked = true;
	carriers_send_each(&lab->carriers, "hold", on_asked, lab);
}

static void too_late(struct loop_timer *t, int64_t now_ns)
{
	struct lab *lab = container_of(t, struct lab, snapshot.still.deadline);
	struct err e;

	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];

		if (!gu || gu->freezer.state != FREEZER_ASKED)
			continue;
		err_set(&e, ERR_TIMEOUT, "%s does not stand still: its kernel has not answered",
			gu->name);
		snapshot_end(lab, &e);
		return;
	}
}

/* One for each guest, -1 where there is nobody. */
static int open_files(struct lab *lab, const char *dir, int *fds, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < lab->n_guests; i++) {
		const struct guest *gu = lab->guests[i];
		char *path = gu ? snapshot_guest_file(dir, gu) : NULL;

		fds[i] = -1;
		if (gu && gu->child.pid && rc == 0) {
			fds[i] = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
			rc = fds[i] < 0 ? err_sys(e, "%s", path) : 0;
		}
		free(path);
	}
	return rc;
}

int still_freeze(struct lab *lab, const char *dir, unsigned *n, struct err *e)
{
	struct still *s = &lab->snapshot.still;
	int *fds = xcalloc(lab->n_guests + 1, sizeof(*fds));
	int rc = open_files(lab, dir, fds, e);
	s->at_ns = clock_host_ns() + ahead_ns(lab->n_guests);
	s->held = true;
	*n = 0;
	for (size_t i = 0; i < lab->n_guests; i++) {
		if (fds[i] >= 0 && rc == 0) {
			rc = freezer_freeze(&lab->guests[i]->freezer, fds[i], lab->snapshot.shares,
					    s->at_ns, e);
			++*n;
		}
	}
	for (size_t i = 0; i < lab->n_guests; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
	s->deadline.fire = too_late;
	loop_set_timer(lab->loop, &s->deadline, loop_now_ns(lab->loop) + patience_ns);
	return rc;
}

void still_run_guests(struct lab *lab)
{
	int64_t at_ns = clock_host_ns();

	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			freezer_run(&lab->guests[i]->freezer, at_ns);
}

void still_end(struct lab *lab)
{
	struct still *s = &lab->snapshot.still;

	loop_cancel_timer(lab->loop, &s->deadline);
	still_run_guests(lab);
	/* Also to one that has not come so far: it hears it when it stands. */
	if (s->asked)
		carriers_send_each(&lab->carriers, "go", NULL, NULL);
	s->held = s->asked = false;
	cork_agents(lab, false);
}
