/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that say anything to the sockets at which one can plug into a lab: the protocol of
 * uml_switch and plain packets, at a device of its own and at NICs of a lab, and the hand-over of
 * an interface. The input is a run of records: a kind, a client, a length, that many bytes.
 * Whatever comes, the substrate goes on, takes the next client, and loses no frame.
 */
#include "lib/sock.h"
#include "substrate/cable/cable.h"
#include "substrate/core/end.h"
#include "substrate/device/devnode.h"
#include "substrate/device/plug.h"
#include "substrate/nic/nic.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PORTS = 4, CLIENTS = 4, MAX = 2048 };
enum { CONNECT, SAY, REQUEST, FRAME, HAND_OVER, CLOSE, CUT, KINDS };
enum { PLUG_BY_UML, PLUG_BY_PACKETS, NIC_BY_UML, NIC_BY_PACKETS, NIC_BY_HAND, DOORS };

static const int door_type[DOORS] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_STREAM, SOCK_SEQPACKET,
				     SOCK_SEQPACKET};
static const struct nic_backend *const door_nic[DOORS] = {NULL, NULL, &nic_uml_switch,
							  &nic_seqpacket, &nic_tap};
static char dir[] = "/tmp/sockets-fuzz-XXXXXX";

struct client {
	int fd, data; /* -1: none */
	unsigned door;
};

static struct loop *loop;
static struct substrate *sub;
static struct client client[CLIENTS];

static void demand(bool true_)
{
	if (!true_)
		abort();
}

/* ---- a device that sends every frame to all others ---- */

static bool up[PORTS];

static struct device *create(const char *name, uint64_t seed)
{
	memset(up, 0, sizeof(up));
	return (struct device *)up;
}

static void destroy(struct device *d)
{
}

static int set(struct device *d, const char *key, const char *value, struct err *e)
{
	return -1;
}

static int set_port(struct device *d, uint16_t port, const char *key, const char *value,
		    struct err *e)
{
	return -1;
}

static void port_change(struct device *d, uint16_t port, bool is_up, int64_t now_ns)
{
	up[port] = is_up;
}

static enum device_drop forward(struct device *d, uint16_t in, struct frame *f, int64_t now_ns,
				struct device_out *out)
{
	for (int i = 0; i < PORTS; i++) {
		if (i == in || !up[i])
			continue;
		out->at[out->n].port = (uint16_t)i;
		out->at[out->n++].frame = f;
	}
	return DEVICE_FORWARDED;
}

static void status(const struct device *d, int64_t now_ns, struct json *j)
{
}

static const struct device_kind repeater = {
	.name = "repeater",
	.create = create,
	.destroy = destroy,
	.set = set,
	.set_port = set_port,
	.port_change = port_change,
	.forward = forward,
	.status = status,
};
static const struct device_kind *const kinds[] = {&repeater, NULL};

/* ---- the lab ---- */

static const char *path_of(unsigned door)
{
	static char path[DOORS][64];

	snprintf(path[door], sizeof(path[door]), "%s/%u", dir, door);
	return path[door];
}

static void make_nic(unsigned door)
{
	char *words[2] = {"nic", NULL};
	char line[96];
	struct words w = {.at = words, .n = 2};
	struct err e;

	snprintf(line, sizeof(line), "path=%s", path_of(door));
	words[1] = line;
	snprintf(line + 80, 16, "n%u", door);
	demand(door_nic[door]->create(sub, line + 80, &w, &e) != NULL);
}

static void join(const char *name, const char *a, const char *b)
{
	struct err e;

	demand(cable_create(sub, name, end_of_object(object_find(sub, a)),
			    end_of_object(object_find(sub, b)), NULL, 0, &e) != NULL);
}

/* Two NICs are joined to each other, the third to a port of a device that is in the lab. */
static void set_up(struct plug *plug[2])
{
	struct err e;

	loop = loop_create(&e);
	sub = substrate_create(loop, kinds);
	struct object *d = devnode_create(sub, "d", "repeater", NULL, 0, &e);
	struct object *lab = devnode_create(sub, "lab", "repeater", NULL, 0, &e);

	demand(d && lab && devport_create(sub, "lab:1", lab, 1, NULL, 0, &e) != NULL);
	plug[0] = plug_open(sub, d, PLUG_UML, path_of(PLUG_BY_UML), PORTS, &e);
	plug[1] = plug_open(sub, d, PLUG_SEQPACKET, path_of(PLUG_BY_PACKETS), PORTS, &e);
	demand(plug[0] && plug[1]);
	for (unsigned i = NIC_BY_UML; i < DOORS; i++)
		make_nic(i);
	join("l1", "n2", "n3");
	join("l2", "n4", "lab:1");
}

static void pump(void)
{
	struct err e;

	for (int i = 0; i < 3; i++) {
		demand(loop_turn(loop, 0, &e) == 0);
		substrate_run(sub);
	}
}

static void tell_status(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	for (size_t i = 0; i < sub->objects.n; i++)
		if (sub->objects.at[i]->kind->status)
			sub->objects.at[i]->kind->status(sub->objects.at[i], &j, 0);
	json_close(&j, '}');
	fclose(f);
	free(text);
}

/* ---- clients ---- */

static void close_client(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->data >= 0)
		close(c->data);
	c->fd = c->data = -1;
}

static void connect_client(struct client *c, unsigned door)
{
	struct err e;

	close_client(c);
	c->door = door;
	c->fd = sock_connect(path_of(door), door_type[door], &e);
	demand(c->fd >= 0);
	sock_set_nonblock(c->fd);
}

/* A request as it shall be, from a socket at an address of the kernel's choice. */
static void request(struct client *c)
{
	struct {
		uint32_t magic, version, type;
		struct sockaddr_un sock;
	} r = {0xfeedface, 3, 0, {0}};
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(r.sock);

	if (c->fd < 0 || c->data >= 0)
		return;
	snprintf(own.sun_path, sizeof(own.sun_path), "%s/c%d", dir, (int)(c - client));
	unlink(own.sun_path);
	c->data = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	demand(bind(c->data, (struct sockaddr *)&own, sizeof(own)) == 0);
	memcpy(&r.sock, &own, len);
	send(c->fd, &r, sizeof(r), MSG_NOSIGNAL);
	pump();
	if (recv(c->fd, &own, sizeof(own), 0) == sizeof(own))
		(void)!connect(c->data, (struct sockaddr *)&own, sizeof(own));
}

static void hand_over(struct client *c, const uint8_t *data, size_t len)
{
	int pair[2];

	if (c->fd < 0 || c->data >= 0)
		return;
	demand(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0);
	if (len && data[0] == 't')
		sock_send_fd(c->fd, "tap", 3, pair[1]);
	else if (len && data[0] == 'p')
		sock_send_fd(c->fd, "packet", 6, pair[1]);
	else
		sock_send_fd(c->fd, data, len, pair[1]);
	close(pair[1]);
	c->data = pair[0];
}

static void drain(const struct client *c)
{
	uint8_t buf[MAX];

	while (c->data >= 0 && recv(c->data, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	while (c->fd >= 0 && recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

static void do_record(uint8_t kind, struct client *c, const uint8_t *data, size_t len)
{
	struct err e;

	switch (kind % KINDS) {
	case CONNECT:
		connect_client(c, len ? data[0] % DOORS : 0);
		break;
	case SAY:
		if (c->fd >= 0)
			send(c->fd, data, len, MSG_NOSIGNAL);
		break;
	case REQUEST:
		request(c);
		break;
	case FRAME:
		if (c->data >= 0 || c->fd >= 0)
			send(c->data >= 0 ? c->data : c->fd, data, len, MSG_NOSIGNAL);
		break;
	case HAND_OVER:
		hand_over(c, data, len);
		break;
	case CUT:
		cable_set_carrier(object_find(sub, len & 1 ? "l1" : "l2"), len & 2, -1, &e);
		break;
	default:
		close_client(c);
	}
	pump();
	drain(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plug *plug[2];

	if (strstr(dir, "XXXXXX")) {
		scratch_make(dir);
		demand(freopen("/dev/null", "w", stdout) != NULL);
	}
	for (int i = 0; i < CLIENTS; i++)
		client[i].fd = client[i].data = -1;
	set_up(plug);
	while (size >= 3) {
		size_t len = data[2] < size - 3 ? data[2] : size - 3;

		do_record(data[0], &client[data[1] % CLIENTS], data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
	tell_status();
	for (int i = 0; i < CLIENTS; i++)
		close_client(&client[i]);
	pump();
	/* Whoever comes now is taken. */
	connect_client(&client[0], NIC_BY_PACKETS);
	pump();
	demand(send(client[0].fd, "0123456789abcdef", 16, MSG_NOSIGNAL) == 16);
	pump();
	close_client(&client[0]);
	plug_close(plug[0]);
	plug_close(plug[1]);
	substrate_destroy(sub); /* asserts that all frames came back */
	loop_destroy(loop);
	return 0;
}
