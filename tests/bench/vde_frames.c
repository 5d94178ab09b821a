/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames per second through a running vde_switch, from one of its ports to another: what its plug
 * library and it can do. "vde_frames SOCKET PID" prints frames per second, and per second of the
 * switch's own CPU time, which leaves out what the two ends cost.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 60, BATCH = 32, SECONDS = 2, INTERFACE_VERSION = 1 };

typedef struct vdeconn *open_fn(char *socket, char *description, int version, void *args);
typedef ssize_t send_fn(struct vdeconn *c, const void *buf, size_t len, int flags);
typedef ssize_t recv_fn(struct vdeconn *c, void *buf, size_t len, int flags);
typedef int datafd_fn(struct vdeconn *c);

static void fail(const char *what)
{
	fprintf(stderr, "vde_frames: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU time of a process in seconds. */
static double cpu_of(const char *pid)
{
	char path[64];
	unsigned long user = 0;
	unsigned long system = 0;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	FILE *f = fopen(path, "re");

	if (!f || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			 &user, &system) != 2)
		fail("no such process");
	fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void *symbol(void *lib, const char *name)
{
	void *p = dlsym(lib, name);

	if (!p)
		fail(name);
	return p;
}

int main(int argc, char **argv)
{
	void *lib = dlopen("libvdeplug.so.2", RTLD_NOW);

	if (argc != 3)
		fail("usage: vde_frames SOCKET PID");
	if (!lib)
		fail("no libvdeplug.so.2");
	open_fn *vde_open = (open_fn *)symbol(lib, "vde_open_real");
	send_fn *vde_send = (send_fn *)symbol(lib, "vde_send");
	recv_fn *vde_recv = (recv_fn *)symbol(lib, "vde_recv");
	datafd_fn *vde_datafd = (datafd_fn *)symbol(lib, "vde_datafd");
	char description[] = "bench";
	struct vdeconn *a = vde_open(argv[1], description, INTERFACE_VERSION, NULL);
	struct vdeconn *b = vde_open(argv[1], description, INTERFACE_VERSION, NULL);
	uint8_t frame[LENGTH] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	uint8_t back[LENGTH] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	uint8_t buf[2048];

	if (!a || !b)
		fail("the switch does not let us in");
	/* The library does not pass on the flags. */
	fcntl(vde_datafd(a), F_SETFL, O_NONBLOCK);
	fcntl(vde_datafd(b), F_SETFL, O_NONBLOCK);
	/* The switch learns where b is. */
	vde_send(b, back, sizeof(back), 0);
	usleep(100000);
	while (vde_recv(a, buf, sizeof(buf), 0) > 0)
		;
	long received = 0;
	double begin = now();
	double cpu = cpu_of(argv[2]);

	while (now() - begin < SECONDS) {
		for (int i = 0; i < BATCH; i++)
			vde_send(a, frame, sizeof(frame), 0);
		while (vde_recv(b, buf, sizeof(buf), 0) > 0)
			received++;
	}
	double wall = now() - begin;

	cpu = cpu_of(argv[2]) - cpu;
	printf("%.0f %.0f\n", (double)received / wall, cpu > 0 ? (double)received / cpu : 0);
	return 0;
}
