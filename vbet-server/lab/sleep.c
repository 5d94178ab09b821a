/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of them is needed is known by the substrate alone (substrate/clock/vclock_sleep.c): it says
 * so ("wake"), and later that the guest is whole again ("awake"). Messages to its agent need nobody
 * to be awake: they reach it by the calendar, like frames. What changes a lab otherwise finds all
 * guests awake (input.c).
 */
#include "vbet-server/lab/sleep.h"

#include "lib/file.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sleep_init(struct guest *gu)
{
	gu->sleep = (struct sleep){.fd = -1};
}

static void send_line(struct guest *gu, const char *verb, carrier_answer_fn answer, void *ctx)
{
	char *line = xasprintf("%s %s", verb, gu->name);

	lab_send_clock(gu->lab, line, answer, ctx);
	free(line);
}

bool sleep_end(struct guest *gu)
{
	bool was_away = gu->sleep.state != SLEEP_NONE;

	if (gu->sleep.fd >= 0)
		close(gu->sleep.fd);
	sleep_init(gu);
	return was_away;
}

static void start(struct guest *gu)
{
	struct sleep *s = &gu->sleep;
	struct err e = {0};

	if (s->fd < 0)
		return;
	int rc = guest_resume(gu, s->fd, s->adopt, &e);

	close(s->fd);
	s->fd = -1;
	s->state = SLEEP_WAKING;
	if (rc < 0)
		guest_lose(gu, e.text);
}

struct asked {
	struct lab *lab;
	char *name; /* owned: the lab may be about to end */
};

/* The one word that can be refused: whom frames reach at once has to be there. */
static void on_sleep(void *ctx, bool ok, const char *text)
{
	struct asked *a = ctx;
	struct guest *gu =
		ok || a->lab->progress.failed ? NULL : lab_find_guest(a->lab, a->name, NULL);

	if (gu && gu->sleep.state == SLEEP_ASLEEP) {
		start(gu);
		gu->sleep.state = SLEEP_NONE;
	}
	free(a->name);
	free(a);
}

int sleep_begin(struct guest *gu, const char *file, bool adopt, struct err *e)
{
	int fd = open(file, (adopt ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", file);
	struct asked *a = xmalloc(sizeof(*a));

	*a = (struct asked){.lab = gu->lab, .name = xstrdup(gu->name)};
	gu->sleep = (struct sleep){.state = SLEEP_ASLEEP, .fd = fd, .adopt = adopt};
	send_line(gu, "sleep", on_sleep, a);
	return 0;
}

bool sleep_wake_all(struct lab *lab)
{
	bool all_awake = true;

	for (size_t i = 0; i < lab->n_guests; i++) {
		struct guest *gu = lab->guests[i];

		if (!gu || gu->sleep.state == SLEEP_NONE)
			continue;
		all_awake = false;
		if (gu->sleep.state != SLEEP_ASLEEP)
			continue;
		gu->sleep.state = SLEEP_CALLED;
		send_line(gu, "wake", NULL, NULL);
	}
	return all_awake;
}

bool sleep_is_settled(const struct guest *gu)
{
	return gu->sleep.state == SLEEP_NONE || gu->sleep.state == SLEEP_ASLEEP;
}

int sleep_save(const struct guest *gu, const char *to, struct err *e)
{
	int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 || file_copy(gu->sleep.fd, fd) < 0 ? err_sys(e, "%s", to) : 0;

	if (fd >= 0)
		close(fd);
	/* Its kernel will read from the beginning. */
	lseek(gu->sleep.fd, 0, SEEK_SET);
	return rc;
}

void sleep_hear(struct lab *lab, const struct words *w)
{
	struct guest *gu = lab_find_guest(lab, w->at[1], NULL);

	if (!gu || gu->sleep.state == SLEEP_NONE)
		return;
	if (!strcmp(w->at[0], "wake")) {
		start(gu);
		return;
	}
	gu->sleep.state = SLEEP_NONE;
	input_pump(lab);
}
