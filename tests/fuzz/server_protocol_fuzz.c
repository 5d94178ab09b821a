/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server between a guest and a client that both say anything. The input is a run of records:
 * who speaks, a length, that many octets. The guest speaks the agent protocol (its heads are put
 * right every other time, or it would not get far), with a terminal held, a job, two looks
 * (lab/look.h) and a relay open; clients speak lines, and wire messages once they relay. Whatever
 * comes, the lab goes on, and all that is kept for either stays small.
 */
#include "vbet-server/server/request.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/guest.h"
#include "vbet-server/lab/held.h"
#include "vbet-server/lab/input.h"
#include "vbet-server/lab/job.h"
#include "vbet-server/lab/lab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GUEST, GUEST_WHOLE, CLIENT, READ, CLIENTS = 2, RECORD_HEAD = 3 };

static struct graph_node nodes[] = {
	{.kind = NODE_HOST, .name = "a", .hostname = "a", .place = -1, .room = -1},
	{.kind = NODE_HOST, .name = "b", .hostname = "b", .place = -1, .room = -1},
};
static struct graph graph = {.nodes = nodes, .n_nodes = ARRAY_LEN(nodes)};
static struct plan_place place = {"a", 0};
static struct plan plan = {.places = &place, .n_places = 1};
static char dir[] = "/dev/null";
static char path[64];
static struct lab lab;
static struct guest *guests[ARRAY_LEN(nodes)]; /* the second is down */
static struct server server;
static struct client *clients[CLIENTS];
static int client_ends[CLIENTS];
static int guest_end;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	stderr = fopen("/dev/null", "we");
	snprintf(path, sizeof(path), "/tmp/protocol-fuzz-%d", (int)getpid());
	return 0;
}

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* What starts processes, or needs a substrate, is not for here. */
static bool is_meant(const char *line, size_t len)
{
	static const char *const meant[] = {"look ",   "exec ",    "put ",     "get ",    "job ",
					    "result ", "wait",     "replayed", "refused", "held",
					    "hold",    "nodes",    "status",   "clock",   "stop ",
					    "kill ",   "nonsense", "link"};

	for (size_t i = 0; i < ARRAY_LEN(meant); i++)
		if (len >= strlen(meant[i]) && !memcmp(line, meant[i], strlen(meant[i])))
			return true;
	return false;
}

/* As server.c's client_data(). */
static size_t client_data(struct conn *conn, const char *data, size_t len)
{
	struct client *c = conn->owner;

	if (c->state == CLIENT_RELAY) {
		long used = request_relay(c, data, len);

		if (used < 0)
			conn_close_later(conn);
		return used < 0 ? len : (size_t)used;
	}
	const char *end = memchr(data, '\n', len);

	if (!end)
		return 0;
	if (is_meant(data, (size_t)(end - data)))
		request_handle(c, data, (size_t)(end - data));
	return (size_t)(end - data) + 1;
}

static void client_closed(struct conn *conn)
{
	struct client *c = conn->owner;

	c->dead = true;
	request_client_gone(c);
}

static void add_client(int i)
{
	int pair[2];
	struct err e;

	demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	clients[i] = xcalloc(1, sizeof(*clients[i]));
	*clients[i] = (struct client){
		.server = &server,
		.conn = {.on_data = client_data, .on_close = client_closed, .owner = clients[i]},
		.next = server.clients,
	};
	server.clients = clients[i];
	client_ends[i] = pair[0];
	demand(conn_open(&clients[i]->conn, lab.loop, pair[1], &e) == 0);
}

static void remove_client(int i)
{
	struct client *c = clients[i];
	struct client **p = &server.clients;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	if (!c->dead) {
		c->dead = true;
		request_client_gone(c);
	}
	loop_cancel_timer(lab.loop, &c->timeout);
	conn_finish(&c->conn);
	request_await(c, NULL);
	free(c);
	close(client_ends[i]);
}

static void turn(void)
{
	struct err e;

	for (int i = 0; i < 3; i++)
		demand(loop_turn(lab.loop, 0, &e) == 0);
}

static void say(int fd, const void *data, size_t len)
{
	const char *at = data;

	for (int tries = 0; len && tries < 100; tries++) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
		turn();
	}
}

static void say_whole(uint8_t which, const uint8_t *data, size_t len)
{
	/* Types of a guest, on channels that there are, and a few more. */
	static const uint8_t types[] = {WIRE_HELLO, WIRE_EVENT,      WIRE_DATA, WIRE_ERRDATA,
					WIRE_EOF,   WIRE_WINDOW_ADD, WIRE_EXIT, WIRE_STAT};
	struct wire_head h = {
		.len = (uint32_t)len,
		.channel = which >> 3,
		.type = types[which % ARRAY_LEN(types)],
	};

	say(guest_end, &h, sizeof(h));
	say(guest_end, data, len);
}

static void set_up(void)
{
	static const struct wire_head hello = {.type = WIRE_HELLO};
	static const char look_route[] = "look route a 10.0.0.0/24 via=10.0.0.1\n";
	static const char look_neighbor[] = "look neighbor ospf a b\n";
	struct err e;

	lab = (struct lab){
		.loop = loop_create(&e),
		.dir = dir,
		.record.dir = dir,
		.graph = &graph,
		.plan = &plan,
		.guests = guests,
		.n_guests = ARRAY_LEN(nodes),
	};
	demand(lab.loop != NULL);
	struct carrier *ended = carriers_add(&lab.carriers, 1, "substrate");

	ended->last = &ended->first;
	server = (struct server){.loop = lab.loop, .lab = &lab};
	unlink(path);
	int listener = sock_listen(path, SOCK_STREAM, &e);

	guests[0] = guest_create(&lab, "a");
	guests[1] = guest_create(&lab, "b");
	guests[0]->state = GUEST_READY;
	demand(listener >= 0 && agent_connect(&guests[0]->agent, lab.loop, path, &e) == 0);
	guest_end = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	close(listener);
	unlink(path);
	for (int i = 0; i < CLIENTS; i++)
		add_client(i);
	say(guest_end, &hello, sizeof(hello));
	say(client_ends[0], "job a -- x\n", 11);
	say(client_ends[0], look_route, sizeof(look_route) - 1);
	say(client_ends[0], look_neighbor, sizeof(look_neighbor) - 1);
	say(client_ends[0], "exec a tty=1 -- x\n", 18);
	held_see(guests[0], 9, WIRE_EXEC, "exec tty=1 --", 13);
}

/* What the guest has answered is judged, whether or not a client asks. */
static void judge(void)
{
	static const struct wire_head ends[] = {
		{.len = 8, .channel = 2, .type = WIRE_EXIT},
		{.len = 8, .channel = 3, .type = WIRE_EXIT},
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		say(guest_end, &ends[i], sizeof(ends[i]));
		say(guest_end, "status=0", 8);
	}
	say(client_ends[1], "result 2\nresult 3\n", 18);
}

static void tear_down(void)
{
	/* In this order, as the server. */
	guest_destroy(guests[0]);
	guest_destroy(guests[1]);
	job_finish(&lab);
	held_finish(&lab);
	input_finish(&lab);
	carriers_stop_all(&lab.carriers);
	for (int i = 0; i < CLIENTS; i++)
		remove_client(i);
	loop_destroy(lab.loop);
	close(guest_end);
}

static void do_record(uint8_t who, const uint8_t *data, size_t len)
{
	char buf[4096];

	switch (who % 4) {
	case GUEST:
		say(guest_end, data, len);
		break;
	case GUEST_WHOLE:
		say_whole(who >> 2, data, len);
		break;
	case CLIENT:
		say(client_ends[who >> 2 & 1], data, len);
		break;
	default:
		while (recv(guest_end, buf, sizeof(buf), 0) > 0 ||
		       recv(client_ends[who >> 2 & 1], buf, sizeof(buf), 0) > 0)
			;
	}
	turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	while (size >= RECORD_HEAD) {
		size_t len = data[1] | (size_t)data[2] << 8;

		if (len > size - RECORD_HEAD)
			len = size - RECORD_HEAD;
		do_record(data[0], data + RECORD_HEAD, len);
		data += RECORD_HEAD + len;
		size -= RECORD_HEAD + len;
	}
	judge();
	tear_down();
	return 0;
}
