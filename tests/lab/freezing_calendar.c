/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * freezing_calendar SOCKET CONSOLE STATE END_MS WHEN... -- KERNEL [ARGUMENT...]
 *
 * The calendar of one guest, as vsubstrate is it, that lets it run for a millisecond at a time.
 * Each WHEN is the number of a wait, with a letter that says what is done (ways). SOCKET is where
 * it listens; the console goes to the file CONSOLE, whichever process it is of. Tells how often it
 * did what.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "freezing.h"

enum { CAN_SHARE = 1, CAN_MAIL = 2, WANTS_RUN = 1, VERSION = 2 };

struct page {
	union {
		struct {
			uint32_t version, len;
			uint64_t free_until, current_time;
			uint16_t running, max_clients;
		};
		char head[4096];
	};
	struct {
		uint32_t capabilities, flags;
		uint64_t request, name;
		char reserved[104];
	} client[2];
	char rest[4096 - 256];
	char mail[16384];
};

static const uint64_t turn_ns = 1000000;
static const uint64_t tod_ns = 1767225600000000000;

static struct page *page;
static int page_fd = -1;

/* With the contents of the one before, if there was one: the guest that resumes counts on it. */
static void make_page(void)
{
	struct page *old = page;

	page_fd = memfd_create("time", MFD_CLOEXEC);
	if (page_fd < 0 || ftruncate(page_fd, sizeof(*page)) < 0)
		die("page");
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
	if (page == MAP_FAILED)
		die("page");
	if (old) {
		memcpy(page, old, sizeof(*page));
		munmap(old, sizeof(*old));
		return;
	}
	page->version = VERSION;
	page->len = sizeof(*page);
	page->max_clients = 2;
	page->running = 1;
	page->client[0].capabilities = CAN_SHARE | CAN_MAIL;
	page->free_until = turn_ns;
}

static void answer(struct time_message to, uint64_t time)
{
	struct time_message m = {TIME_ACK, to.seq, time};

	if (send(guest, &m, sizeof(m), 0) != sizeof(m))
		die("send");
}

static struct time_message receive(void)
{
	struct time_message m;

	if (recv(guest, &m, sizeof(m), MSG_WAITALL) != sizeof(m)) {
		int status = 0;

		waitpid(pid, &status, 0);
		printf("the guest has ended: %d\n", status);
		exit(3);
	}
	return m;
}

static void send_page(struct time_message to)
{
	int fds[2] = {page_fd, open("/dev/null", O_WRONLY | O_CLOEXEC)};

	send_with((struct time_message){TIME_ACK, to.seq, 1}, fds, 2);
	close(fds[1]);
	close(page_fd);
}

static const struct way {
	char letter;
	bool in_memory; /* its state is written to a file of that kind, not to STATE */
	bool shares;    /* it has pages of that file itself from then on */
	bool is_killed; /* and another process goes on from the file, */
	const char *how;
} ways[] = {
	{'g', false, false, false, ""},     {'r', false, false, true, ""},
	{'a', true, false, true, ",adopt"}, {'s', true, true, false, ""},
	{'f', true, true, true, ",share"},  {'p', true, false, true, ",share"},
};

static const struct way *way_of(char letter)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ways[i].letter == letter)
			return &ways[i];
	printf("there is no way '%c'\n", letter);
	exit(2);
}

/* The guest must have that file mapped: from then on, or, where it has written it, when it was told
 * to go on. */
static void check_mapped(void)
{
	char path[64], line[512];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "r");

	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, "memfd:state") != NULL;
	if (maps)
		fclose(maps);
	if (found)
		return;
	puts("it has nothing of the file");
	exit(4);
}

static void freeze(const char *path, const struct way *way)
{
	int state = way->in_memory ? memfd_create("state", MFD_CLOEXEC)
				   : open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct time_message to = {way->shares ? TIME_FREEZE_SHARE : TIME_FREEZE, 77, 0};

	if (state < 0)
		die(path);
	send_with(to, &state, 1);
	struct time_message m = receive();

	if (m.op != TIME_ACK || m.seq != 77 || (int64_t)m.time <= 0) {
		printf("not frozen: %d, %lld\n", (int)m.op, (long long)m.time);
		exit(4);
	}
	if (way->is_killed) {
		/* Dead before it notices that its calendar has gone. */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(guest);
		boot(state, way->how);
		m = receive();
		if (m.op != TIME_RESUME) {
			printf("%d instead of RESUME\n", (int)m.op);
			exit(4);
		}
		make_page();
		send_page(m);
	}
	if (way->in_memory && way->is_killed)
		check_mapped();
	close(state);
}

int main(int argc, char **argv)
{
	long waits = 0, frozen = 0, resumed = 0;
	const struct way *way = NULL; /* in which it was frozen at the last wait */
	char **when = argv + 5, *how;

	if (argc < 7) {
		fputs("usage: freezing_calendar SOCKET CONSOLE STATE END_MS WHEN... -- KERNEL "
		      "[ARGUMENT...]\n",
		      stderr);
		return 2;
	}
	for (kernel = argv + 5; kernel < argv + argc - 2 && strcmp(*kernel, "--") != 0; kernel++)
		;
	*kernel++ = NULL;
	console = argv[2];
	uint64_t end_ns = strtoull(argv[4], NULL, 10) * 1000000;

	listen_at(argv[1]);
	boot(-1, "");
	for (;;) {
		struct time_message m = receive();

		if (m.op == TIME_START) {
			make_page();
			send_page(m);
			continue;
		}
		if (m.op != TIME_WAIT) {
			answer(m, m.op == TIME_GET_TOD ? tod_ns + page->current_time
						       : page->current_time);
			continue;
		}
		page->running = 0;
		uint64_t next = page->client[1].request;

		waits++;
		if (way && way->shares && !way->is_killed)
			check_mapped();
		way = NULL;
		if (next >= end_ns || !(page->client[1].flags & WANTS_RUN))
			break;
		if (*when && waits == strtol(*when, &how, 10)) {
			way = way_of(*how);
			freeze(argv[3], way);
			frozen++;
			resumed += way->is_killed;
			when++;
		}
		page->current_time = next;
		page->free_until = next + turn_ns;
		page->running = 1;
		m = (struct time_message){TIME_RUN, 1, next};
		if (send(guest, &m, sizeof(m), 0) != sizeof(m))
			die("send");
	}
	kill(pid, SIGKILL);
	printf("%ld waits, frozen %ld times, resumed %ld times\n", waits, frozen, resumed);
	return 0;
}
