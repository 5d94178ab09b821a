/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * freezing_owner SOCKET CONSOLE STATE TIMES -- KERNEL [ARGUMENT...]
 *
 * Whoever freezes a guest by the real clock (freeze=SOCKET): TIMES times it lets it run for 0.3 s
 * (at first until its program has done each kind of work), has its state written to the file STATE,
 * kills it, waits for a second, and lets another process go on. The console goes to the file
 * CONSOLE, whichever process it is of. At the end it says for how many seconds a guest ran.
 */
#include <time.h>

#include "freezing.h"

static double began_s, ran_s;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(uint32_t op, uint32_t seq)
{
	struct time_message m = {op, seq, 0};

	if (send(guest, &m, sizeof(m), 0) != sizeof(m))
		die("send");
}

static struct time_message hear(uint32_t op)
{
	struct time_message m;

	if (recv(guest, &m, sizeof(m), MSG_WAITALL) != sizeof(m) || m.op != op) {
		printf("not %d\n", (int)op);
		exit(3);
	}
	return m;
}

static void freeze(int state)
{
	struct time_message m = {TIME_FREEZE, 5, 0};

	send_with(m, &state, 1);
	/* For how long it would have had nothing to do: it always has. */
	hear(TIME_REQUEST);
	m = hear(TIME_ACK);
	if (m.seq != 5 || (int64_t)m.time <= 0) {
		printf("not frozen: %lld\n", (long long)m.time);
		exit(3);
	}
	ran_s += now_s() - began_s;
}

static void go_on_elsewhere(const char *path)
{
	int state = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (state < 0)
		die(path);
	freeze(state);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(guest);
	sleep(1);
	boot(state, "");
	close(state);
	tell(TIME_ACK, hear(TIME_RESUME).seq);
	hear(TIME_WAIT);
	began_s = now_s();
	tell(TIME_RUN, 0);
}

/* Has its program done each kind of work? */
static bool has_worked(void)
{
	static const char *kinds[] = {"register ", "ping ", "executed ", "file "};
	enum { KINDS = sizeof(kinds) / sizeof(*kinds) };
	bool done[KINDS] = {false};
	char line[256];
	int n = 0;
	FILE *f = fopen(console, "r");

	while (f && fgets(line, sizeof(line), f))
		for (int i = 0; i < KINDS; i++)
			if (!done[i] && strncmp(line, kinds[i], strlen(kinds[i])) == 0) {
				done[i] = true;
				n++;
			}
	if (f)
		fclose(f);
	return n == KINDS;
}

int main(int argc, char **argv)
{
	if (argc < 7) {
		fputs("usage: freezing_owner SOCKET CONSOLE STATE TIMES -- KERNEL [ARGUMENT...]\n",
		      stderr);
		return 2;
	}
	kernel = argv + 6;
	console = argv[2];
	listen_at(argv[1]);
	began_s = now_s();
	boot(-1, "");
	while (!has_worked())
		usleep(10000);
	for (int i = atoi(argv[4]); i > 0; i--) {
		usleep(300000);
		go_on_elsewhere(argv[3]);
	}
	usleep(300000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%.3f\n", ran_s + now_s() - began_s);
	return 0;
}
