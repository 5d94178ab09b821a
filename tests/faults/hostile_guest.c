/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's kernel that has turned on its host: it is started in the jail as "linux" is, with the
 * same arguments and "seed=N", and does to each of its devices, to its clock and to its console
 * what a driver must not do. Rounds of at most a second, each a process of its own with a seed of
 * its own, which the console is told before. After "rounds=N" of them it ends, at random by a
 * signal. Its name in "only=KIND" leaves just that kind.
 */
#include "tests/faults/hostile.h"
#include "tests/support/vuser.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BIT(n) (UINT64_C(1) << (n))

enum {
	DEVICES_MAX = 16,
	ROUND_MS = 400,
};

static struct device devices[DEVICES_MAX];
static unsigned n_devices;
static char time_path[108];
static uint64_t rng;

uint64_t next(void)
{
	uint64_t z = rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t below(uint32_t n)
{
	return (uint32_t)(next() % n);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void pump(void *arg)
{
	usleep(200);
}

/* ---- a device ---- */

const struct device *some_device(int kind)
{
	for (int i = 0; i < 64; i++) {
		const struct device *d = &devices[below(n_devices)];

		if (!kind || d->kind == kind)
			return d;
	}
	return NULL;
}

static unsigned queues_of(const struct device *d)
{
	return d->kind == NET ? 2 : d->kind == BLOCK ? 1 : 6;
}

/* In virtual time the protocol has two features more, without which the door is shut. */
static bool come(struct vuser *v, const struct device *d)
{
	if (vuser_open(v, d->path, pump, NULL) < 0)
		return false;
	v->more_protocol = time_path[0] ? VUSER_INBAND | BIT(40) : 0;
	return true;
}

bool set_up(struct vuser *v, const struct device *d)
{
	uint64_t features = BIT(VIRTIO_F_VERSION_1) | BIT(30);

	if (d->kind == CONSOLE)
		features |= BIT(VIRTIO_CONSOLE_F_MULTIPORT);
	if (below(2))
		features |= BIT(VIRTIO_RING_F_INDIRECT_DESC);
	if (below(2))
		features |= BIT(VIRTIO_RING_F_EVENT_IDX);
	return come(v, d) && vuser_set_up(v, queues_of(d), features);
}

/* A descriptor of some kind, few of which anybody should send. */
static int some_fd(const struct vuser *v)
{
	int pair[2];

	switch (below(9)) {
	case 0:
		return pipe(pair) < 0 ? -1 : pair[below(2)];
	case 1:
		return eventfd(below(2) ? 0 : UINT32_MAX, 0);
	case 2:
		return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ? -1 : pair[0];
	case 3:
		return epoll_create1(0);
	case 4:
		return open("/", O_RDONLY);
	case 5:
		return open("/init", O_RDONLY);
	case 6:
		return open("/vbet", O_PATH);
	default:
		return dup(v->memory_fd);
	}
}

static void send_some_message(struct vuser *v)
{
	static const uint32_t requests[] = {1,  2,  3,  5,  8,  9,  10, 12, 13,
					    15, 16, 18, 21, 24, 25, 35, 60};
	uint32_t request = below(8) ? requests[below(17)] : below(300);
	uint32_t flags = below(8) ? 1u | below(2) << 3 : (uint32_t)next();
	uint32_t payload[140];
	uint32_t n_fds = below(4) ? below(2) : below(9);
	int fds[8];

	for (size_t i = 0; i < 140; i++)
		payload[i] = below(3)   ? below(8)
			     : below(2) ? VUSER_BASE + below(VUSER_MEM)
					: (uint32_t)next();
	for (uint32_t i = 0; i < n_fds; i++)
		fds[i] = some_fd(v);
	uint32_t size = below(8) ? 4 * below(20) : below(1000);

	vuser_send(v, request, flags, payload, size < sizeof(payload) ? size : sizeof(payload), fds,
		   n_fds);
	for (uint32_t i = 0; i < n_fds; i++)
		close(fds[i]);
}

/* ---- attacks: each until the round's end, or as long as the other side listens ---- */

static int64_t end_ms;

bool goes_on(void)
{
	return now_ms() < end_ms;
}

bool is_heard(const struct vuser *v)
{
	char bytes[4096];

	ssize_t n = recv(v->sock, bytes, sizeof(bytes), MSG_DONTWAIT);

	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void messages(void)
{
	while (goes_on()) {
		const struct device *d = some_device(0);
		struct vuser v;

		if (below(2) ? !set_up(&v, d) : !come(&v, d)) {
			vuser_close(&v);
			continue;
		}
		for (uint32_t i = below(60); i && goes_on() && is_heard(&v); i--) {
			send_some_message(&v);
			/* Half a head, or half of what the head says. */
			if (below(30) == 0)
				(void)!send(v.sock, &v, below(40), MSG_NOSIGNAL | MSG_DONTWAIT);
			if (below(4) == 0)
				pump(NULL);
		}
		vuser_close(&v);
	}
}

static void scribble_descriptor(struct vring_desc *d)
{
	static const uint32_t lengths[] = {0,    1,     12,      16,      60,
					   4096, 65536, 1 << 20, 1 << 30, UINT32_MAX};

	d->addr = below(4)   ? VUSER_BASE + below(VUSER_MEM)
		  : below(2) ? next()
			     : UINT64_MAX - below(64);
	d->len = below(2) ? lengths[below(10)] : 16 * (1 + below(64));
	d->flags = (uint16_t)(below(8) ? below(8) : next());
	d->next = (uint16_t)(below(4) ? below(VUSER_NUM) : next());
}

/* Another thread of the guest, which writes whatever the device reads. */
static void scribble_for_ever(struct vuser *v, unsigned queues)
{
	for (;;) {
		struct vuser_queue *q = &v->queue[below(queues)];

		scribble_descriptor(&q->desc[below(VUSER_NUM)]);
		q->avail[below(VUSER_NUM + 3)] = (uint16_t)(below(2) ? below(VUSER_NUM) : next());
		q->used[below(4 * VUSER_NUM)] = (uint16_t)next();
		q->avail[1] = (uint16_t)(q->avail[1] + below(3));
	}
}

static void rings(void)
{
	while (goes_on()) {
		const struct device *d = some_device(0);
		unsigned queues = queues_of(d);
		pid_t other = -1;
		struct vuser v;

		if (set_up(&v, d)) {
			other = below(2) ? fork() : -1;
			if (other == 0)
				scribble_for_ever(&v, queues);
			for (int i = 0; i < 200 && goes_on() && is_heard(&v); i++) {
				unsigned queue = below(queues);
				struct vuser_queue *q = &v.queue[queue];

				for (uint32_t k = below(8); k; k--)
					scribble_descriptor(&q->desc[below(VUSER_NUM)]);
				vuser_offer(&v, queue, below(VUSER_BUFFER + 1), below(2));
				if (below(10) == 0)
					scribble_descriptor(&q->desc[(q->next - 1) % VUSER_NUM]);
				if (below(50) == 0)
					q->avail[1] = (uint16_t)next();
				vuser_kick(&v, queue);
			}
			if (below(4) == 0)
				(void)!ftruncate(v.memory_fd, below(VUSER_MEM));
		}
		pump(NULL);
		if (other > 0) {
			kill(other, SIGKILL);
			waitpid(other, NULL, 0);
		}
		vuser_close(&v);
	}
}

/*
 * More than anybody can take. What the device has taken shows in the entries of the used ring, long
 * before its index: each is marked, and offered anew as soon as the mark has gone.
 */
static void run_index(struct vuser *v, unsigned queue)
{
	struct vuser_queue *q = &v->queue[queue];
	volatile uint32_t *entries = (volatile uint32_t *)&q->used[2];

	memset((void *)(uintptr_t)entries, 0xff, (size_t)8 * VUSER_NUM);
	vuser_kick(v, queue);
	for (uint16_t taken = 0; goes_on(); taken++) {
		volatile uint32_t *entry = &entries[(size_t)(taken % VUSER_NUM) * 2];

		for (int i = 0; *entry == UINT32_MAX && goes_on(); i++)
			if (i % 1000 == 0)
				vuser_kick(v, queue);
		*entry = UINT32_MAX;
		__atomic_store_n(&q->avail[1], (uint16_t)(taken + 1 + VUSER_NUM), __ATOMIC_RELEASE);
	}
}

static void flood(void)
{
	const struct device *d = some_device(0);
	unsigned queue = d->kind == NET     ? 1
			 : d->kind == BLOCK ? 0
			 : below(2)         ? PORT_CONTROL_TX
					    : PORT_TX;
	uint32_t len = below(2) ? 80 : VUSER_BUFFER;
	struct vuser v;

	if (set_up(&v, d)) {
		for (unsigned i = 0; i < VUSER_NUM; i++) {
			vuser_offer(&v, queue, len, false);
			memset(vuser_buffer(&v, queue, i), below(2) ? 0 : 0xff, 64);
		}
		run_index(&v, queue);
	}
	vuser_close(&v);
}

/* The memory is shared anew, cut short and grown while frames are read from it. */
static void tables(void)
{
	struct {
		uint32_t num, zero;
		uint64_t region[16];
	} table = {.num = 1, .region = {VUSER_BASE, VUSER_MEM, VUSER_BASE, 0}};
	struct vuser v;

	while (goes_on()) {
		const struct device *d = some_device(0);

		if (set_up(&v, d)) {
			for (int i = 0; i < 50 && goes_on() && is_heard(&v); i++) {
				unsigned queue = below(queues_of(d));
				int fds[2] = {v.memory_fd, v.memory_fd};

				vuser_offer(&v, queue, below(VUSER_BUFFER + 1), queue % 2 == 0);
				vuser_kick(&v, queue);
				if (below(4) == 0)
					vuser_send(&v, 5, 1, &table, 40, fds, 1);
				table.num = 1 + below(2);
				table.region[1] = below(2) ? VUSER_MEM : next() >> below(64);
				table.region[3] = below(2) ? 0 : next() >> below(64);
				if (below(8) == 0)
					vuser_send(&v, 5, 1, &table, sizeof(table), fds, below(3));
				if (below(20) == 0)
					(void)!ftruncate(v.memory_fd, below(2 * VUSER_MEM));
			}
		}
		vuser_close(&v);
	}
}

/* Descriptors for calls at which a writer would wait for ever. */
static void calls(void)
{
	const struct device *d = some_device(NET);
	int pair[2] = {-1, -1};
	bool by_pipe = below(2);
	struct vuser v;

	if (d && set_up(&v, d)) {
		if (by_pipe ? pipe(pair) == 0 : (pair[1] = eventfd(0, 0)) >= 0) {
			for (uint64_t i = 0; i < 2; i++)
				vuser_ask(&v, 13, &i, 8, &pair[1], 1);
			fcntl(pair[1], F_SETFL, O_NONBLOCK);
			for (uint64_t full = UINT64_MAX - 1; write(pair[1], &full, 8) > 0;)
				full = by_pipe ? 1 : 0;
			fcntl(pair[1], F_SETFL, 0);
			for (int i = 0; i < 100 && goes_on(); i++) {
				vuser_offer(&v, 1, 80, false);
				vuser_kick(&v, 1);
				pump(NULL);
			}
			while (goes_on())
				pump(NULL);
		}
	}
	vuser_close(&v);
}

static void console(void)
{
	char text[4096];

	while (goes_on()) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (char)next();
		(void)!write(1, text, sizeof(text));
		if (below(2))
			usleep(1000);
	}
}

/* Comes and goes all the time: in connections, and in queues that are enabled and disabled. */
static void flap(void)
{
	const struct device *d = some_device(0);

	while (goes_on()) {
		bool stays = below(2);
		struct vuser v;

		if (set_up(&v, d))
			for (uint32_t i = below(20); (i || stays) && goes_on() && is_heard(&v);
			     i--) {
				uint32_t enable[2] = {0, i % 2};

				vuser_send(&v, 18, 1, enable, 8, NULL, 0);
			}
		vuser_close(&v);
	}
}

/* Many at once: all but the first wait at the door. */
static void crowd(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	strcpy(sa.sun_path, some_device(0)->path);
	for (int i = 0; i < 1000 && goes_on(); i++) {
		int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		(void)!connect(sock, (struct sockaddr *)&sa, sizeof(sa));
		if (below(2))
			(void)!send(sock, &sa, below(30), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	while (goes_on())
		pump(NULL);
}

static void times(void)
{
	clock_attack(time_path);
}

static const struct attack {
	const char *name;
	void (*run)(void);
} attacks[] = {
	{"messages", messages},  {"rings", rings},     {"flood", flood},
	{"tables", tables},      {"calls", calls},     {"disk", attack_disk},
	{"agent", attack_agent}, {"console", console}, {"times", times},
	{"flap", flap},          {"crowd", crowd},
};
enum { ATTACKS = sizeof(attacks) / sizeof(attacks[0]) };

/* ---- rounds ---- */

static void find_devices(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct device *d = &devices[n_devices];

		if (n_devices < DEVICES_MAX &&
		    sscanf(argv[i], "virtio_uml.device=%107[^:]:%d", d->path, &d->kind) == 2)
			n_devices++;
		else if (!strncmp(argv[i], "time-travel=ext:", 16))
			snprintf(time_path, sizeof(time_path), "%s", argv[i] + 16);
	}
}

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
	size_t len = strlen(name);

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], name, len))
			return argv[i] + len;
	return otherwise;
}

static void run_round(const struct attack *a, uint64_t seed)
{
	printf("hostile: %s %llu\n", a->name, (unsigned long long)seed);
	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		rng = seed;
		end_ms = now_ms() + ROUND_MS / 2 + below(ROUND_MS / 2);
		/* In virtual time who is not in the calendar is shown the door: most are. */
		if (a->run != times && below(8) && clock_join(time_path) && below(2))
			clock_scribble();
		a->run();
		_exit(0);
	}
	for (int i = 0; i < 100 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		usleep(10000);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	const char *only = option(argc, argv, "only=", NULL);
	uint64_t seed = strtoull(option(argc, argv, "seed=", "1"), NULL, 10);
	long rounds = atol(option(argc, argv, "rounds=", "1000000"));

	signal(SIGPIPE, SIG_IGN);
	find_devices(argc, argv);
	if (!n_devices)
		return 2;
	for (long i = 0; i < rounds;) {
		rng = seed + (uint64_t)i * 1000;
		const struct attack *a = &attacks[below(ATTACKS)];

		if (only && strcmp(only, a->name) != 0) {
			seed++;
			continue;
		}
		run_round(a, next() % 1000000000);
		i++;
	}
	rng = seed;
	if (below(2))
		kill(getpid(), below(2) ? SIGABRT : SIGSEGV);
	return (int)below(3);
}
