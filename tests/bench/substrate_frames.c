/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames per second of CPU time through the substrate in one thread, driver included: two NICs as
 * vhost-user rings at a switch. Prints one line per size: bytes, frames per second, nanoseconds per
 * frame. "substrate_frames N [BATCH]": beside N objects through which nothing comes; so many frames
 * a turn.
 */
#include "substrate/cable/cable.h"
#include "substrate/core/end.h"
#include "substrate/device/devnode.h"
#include "substrate/nic/nic.h"
#include "tests/support/vuser.h"
#include "vswitch/switch.h"

#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RX, TX, HEADER = 12, FRAMES = 2000000 };

static const struct device_kind *const kinds[] = {&switch_kind, NULL};
static struct loop *loop;
static struct substrate *sub;
static int batch = 64;

static void fail(const char *what)
{
	fprintf(stderr, "substrate_frames: %s\n", what);
	exit(1);
}

static void pump(void *arg)
{
	struct err e;

	if (loop_turn(loop, 0, &e) < 0)
		fail(e.text);
	substrate_run(sub);
}

static void add_side(int i, const char *dir, struct vuser *v)
{
	struct arena arena = {0};
	struct words w;
	struct err e = {0};
	char line[256], path[128], name[16];

	snprintf(path, sizeof(path), "%s/%d", dir, i);
	snprintf(line, sizeof(line), "nic n%d vhost path=%s mac=02:00:00:00:00:%02x", i, path, i);
	words_split(line, strlen(line), &arena, &w, &e);
	struct object *nic = nic_vhost.create(sub, w.at[1], &w, &e);

	snprintf(name, sizeof(name), "p%d", i);
	struct object *port =
		devport_create(sub, name, object_find(sub, "sw"), (unsigned)i, NULL, 0, &e);

	snprintf(name, sizeof(name), "c%d", i);
	if (!nic || !port ||
	    !cable_create(sub, name, end_of_object(nic), end_of_object(port), NULL, 0, &e))
		fail(e.text);
	if (vuser_open(v, path, pump, NULL) < 0 ||
	    !vuser_set_up(v, 2, UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30))
		fail("the device refuses the driver");
	arena_finish(&arena);
}

/* At least n objects: pairs of switches, a port of each, and a cable between these. */
static void add_idle(int n)
{
	struct err e = {0};
	struct object *port[2];
	char name[2][16];

	for (int i = 0; i < n; i += 5) {
		for (int side = 0; side < 2; side++) {
			snprintf(name[side], sizeof(name[side]), "i%d%c", i, "ab"[side]);
			struct object *device =
				devnode_create(sub, name[side], "switch", NULL, 0, &e);

			name[side][0] = 'q';
			port[side] =
				device ? devport_create(sub, name[side], device, 1, NULL, 0, &e)
				       : NULL;
			if (!port[side])
				fail(e.text);
		}
		name[0][0] = 'k';
		if (!cable_create(sub, name[0], end_of_object(port[0]), end_of_object(port[1]),
				  NULL, 0, &e))
			fail(e.text);
	}
}

static void prepare(struct vuser *v, unsigned from, unsigned to)
{
	for (unsigned i = 0; i < VUSER_NUM; i++) {
		uint8_t *frame = vuser_buffer(v, TX, i) + HEADER;

		memset(frame - HEADER, 0, HEADER);
		memcpy(frame, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)to, 2, 0, 0, 0, 0, (uint8_t)from},
		       12);
	}
}

/* CPU time: all is one thread that never waits, and whatever else the machine does is left out. */
static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void measure(struct vuser *a, struct vuser *b, uint32_t len)
{
	uint32_t index, used;
	int64_t start = cpu_ns();
	long received = 0;

	while (received < FRAMES) {
		for (int i = 0; i < batch; i++)
			vuser_offer(a, TX, HEADER + len, false);
		vuser_kick(a, TX);
		pump(NULL);
		while (vuser_used(a, TX, &index, &used))
			;
		while (vuser_used(b, RX, &index, &used)) {
			vuser_offer(b, RX, VUSER_BUFFER, true);
			received++;
		}
	}
	double ns = (double)(cpu_ns() - start);

	printf("%u bytes: %.0f frames/s, %.0f ns/frame, %.2f Gbit/s\n", len,
	       (double)received * 1e9 / ns, ns / (double)received, (double)received * len * 8 / ns);
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = {60, 512, 1514};
	static struct vuser a, b;
	char dir[] = "/tmp/vbet-bench-XXXXXX";
	struct err e = {0};

	if (!mkdtemp(dir))
		fail("mkdtemp");
	loop = loop_create(&e);
	sub = substrate_create(loop, kinds);
	if (!devnode_create(sub, "sw", "switch", NULL, 0, &e))
		fail(e.text);
	if (argc > 1)
		add_idle(atoi(argv[1]));
	if (argc > 2)
		batch = atoi(argv[2]);
	add_side(1, dir, &a);
	add_side(2, dir, &b);
	prepare(&a, 1, 2);
	prepare(&b, 2, 1);
	for (int i = 0; i < VUSER_NUM; i++)
		vuser_offer(&b, RX, VUSER_BUFFER, true);
	/* The switch learns where b is. */
	vuser_offer(&b, TX, HEADER + 60, false);
	vuser_kick(&b, TX);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		measure(&a, &b, sizes[i]);
	vuser_close(&a);
	vuser_close(&b);
	substrate_destroy(sub);
	loop_destroy(loop);
	rmdir(dir);
	return 0;
}
