/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trellis: ping, trace, file transfer and more, on a vNet that speaks Trellis.
 *
 * Each command is a small program upon libtrellis, and meant as an example of it. They use no more
 * than trellis.h says, but for status, which asks the daemon directly.
 */
#include "lib/loop.h"
#include "lib/xalloc.h"
#include "vnet/trellis/trellis.h"
#include "vnet/vnet.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ECHO_PORT = 7,
	FILE_PORT = 20,
	CHUNK = 65536,
	CONNECT_MS = 20000,
	STALL_MS = 120000, /* no octet in this time: it is broken */
};

static const char usage[] =
	"usage: trellis [-v VNET] COMMAND ...        ($VNET_CONF says where we are)\n"
	"  ping [-c COUNT] [-i MS] [-s OCTETS] ADDRESS   are they there?\n"
	"  trace ADDRESS                 who is on the way\n"
	"  routes                        who can be reached\n"
	"  status                        of the node, as JSON\n"
	"  send FILE ADDRESS [PORT]      a file to somebody who waits for one (\"-\": standard "
	"input)\n"
	"  receive FILE [PORT]           waits for a file; port 20\n"
	"  say TEXT ADDRESS PORT         a datagram\n"
	"  hear PORT [COUNT]             prints datagrams\n"
	"  relay PORT VNET ADDRESS PORT2 passes streams that come to PORT on to PORT2 in another "
	"vNet\n"
	"ADDRESS: /east/hall/h1, or h1 if only one ends like that\n";

static int fail(const char *what)
{
	fprintf(stderr, "trellis: %s: %s\n", what, vnet_error());
	return 1;
}

static int read_number(const char *text, int low, int high, int *value)
{
	char *end;
	long n = text ? strtol(text, &end, 10) : -1;

	if (!text || *end || end == text || n < low || n > high) {
		fprintf(stderr, "trellis: '%s' is not a number from %d to %d\n", text ? text : "",
			low, high);
		return -1;
	}
	*value = (int)n;
	return 0;
}

struct ping {
	struct trellis_socket *socket;
	const char *to;
	char address[TRELLIS_NAME_MAX];
	int count, interval_ms, size;
	int answered;
};

/*
 * Waits for the answer to number `seq`, at most until_ms. Answers that come late belong to an
 * earlier number, and are passed over.
 */
static bool hear_ping(struct ping *g, int seq, int wait_ms, int64_t sent_ns)
{
	uint8_t data[CHUNK];
	struct trellis_from from;

	for (;;) {
		int left = wait_ms - (int)((clock_monotonic_ns() - sent_ns) / 1000000);
		ssize_t n =
			trellis_receive(g->socket, &from, data, sizeof(data), left > 0 ? left : 0);
		int got;

		if (n < 0) {
			if (errno != ETIMEDOUT)
				printf("seq=%d: %s\n", seq, vnet_error());
			else
				printf("seq=%d: no answer\n", seq);
			return false;
		}
		if (n < (ssize_t)sizeof(got))
			continue;
		memcpy(&got, data, sizeof(got));
		if (got != seq)
			continue; /* a late one */
		printf("%zd octets from %s: seq=%d time=%.3f ms\n", n, from.address, seq,
		       (double)(clock_monotonic_ns() - sent_ns) / 1e6);
		return true;
	}
}

/* The number is the first thing in the data, since the echo port sends back what it gets. */
static void do_pings(struct ping *g)
{
	uint8_t data[CHUNK] = {0};

	for (int seq = 1; seq <= g->count; seq++) {
		int64_t now = clock_monotonic_ns();
		int rest;

		memcpy(data, &seq, sizeof(seq));
		if (trellis_send(g->socket, g->address, ECHO_PORT, data, (size_t)g->size) < 0)
			printf("seq=%d: %s\n", seq, vnet_error());
		else
			g->answered += hear_ping(g, seq, 1000, now);
		fflush(stdout);
		rest = g->interval_ms - (int)((clock_monotonic_ns() - now) / 1000000);
		if (seq < g->count && rest > 0)
			poll(NULL, 0, rest);
	}
}

static int cmd_ping(struct trellis *t, int argc, char **argv)
{
	struct ping g = {.count = 3, .interval_ms = 1000, .size = 56};
	int opt;

	optind = 1;
	while ((opt = getopt(argc, argv, "+c:i:s:")) > 0) {
		int rc = opt == 'c'   ? read_number(optarg, 1, 1000000, &g.count)
			 : opt == 'i' ? read_number(optarg, 0, 3600000, &g.interval_ms)
			 : opt == 's' ? read_number(optarg, 4, CHUNK, &g.size)
				      : -1;

		if (rc < 0)
			return 2;
	}
	g.to = argv[optind];
	if (!g.to) {
		fputs(usage, stderr);
		return 2;
	}
	if (trellis_resolve(t, g.to, g.address) < 0)
		return fail(g.to);
	g.socket = trellis_datagram(t, 0);
	if (!g.socket)
		return fail("ping");
	do_pings(&g);
	printf("%d sent, %d answered\n", g.count, g.answered);
	trellis_socket_close(g.socket);
	return g.answered ? 0 : 1;
}

/*
 * As traceroute does it: with a hop limit of one, two, three, each node on the way in turn has to
 * send an error back, and is known by it.
 */
static int cmd_trace(struct trellis *t, int argc, char **argv)
{
	struct trellis_socket *s = trellis_datagram(t, 0);
	struct trellis_from from;
	uint8_t data[64] = {0};
	bool there = false;

	if (!s)
		return fail("trace");
	for (unsigned hops = 1; hops <= 32 && !there; hops++) {
		trellis_set_hops(s, hops);
		if (trellis_send(s, argv[1], ECHO_PORT, data, sizeof(data)) < 0)
			break;
		ssize_t n = trellis_receive(s, &from, data, sizeof(data), 1000);

		if (n < 0 && errno != EHOSTUNREACH) {
			printf("%2u  %s\n", hops, vnet_error());
			continue;
		}
		there = n >= 0;
		printf("%2u  %s\n", hops, from.address);
	}
	if (!there)
		fail(argv[1]);
	trellis_socket_close(s);
	return !there;
}

static void print_way(void *ctx, const struct trellis_way *w)
{
	printf("%-40s eth%u cost %u hops %u mtu %u\n", w->to, w->nic, w->cost, w->hops, w->mtu);
}

static int cmd_routes(struct trellis *t, int argc, char **argv)
{
	printf("%-40s this node\n", trellis_self(t));
	return trellis_ways(t, print_way, NULL) < 0 ? fail("routes") : 0;
}

static int cmd_status(const char *vnet)
{
	struct vnet_conf conf;
	char reply[VNET_MESSAGE_MAX * 4];
	int fd = vnet_conf_find(vnet, &conf) < 0 ? -1 : vnet_connect(&conf);

	if (fd < 0 || vnet_request(fd, "status", reply, sizeof(reply), NULL, 0, 5000) < 0)
		return fail("status");
	puts(reply);
	close(fd);
	return 0;
}

/* What is told of a transfer when it is over. */
static void tell_transfer(struct trellis_stream *s, const char *verb, uint64_t octets,
			  int64_t begin_ns)
{
	struct trellis_numbers n;
	double s_taken = (double)(clock_monotonic_ns() - begin_ns) / 1e9;

	trellis_stream_numbers(s, &n);
	printf("%s %llu octets, %s %s, in %.2f s (%.2f Mbit/s), %llu segments, %llu again, rtt "
	       "%.1f ms\n",
	       verb, (unsigned long long)octets, verb[0] == 's' ? "to" : "from",
	       trellis_peer(s)->address, s_taken, (double)octets * 8 / s_taken / 1e6,
	       (unsigned long long)n.segments_sent, (unsigned long long)n.segments_again,
	       (double)n.rtt_us / 1e3);
}

static int copy_out(struct trellis_stream *s, FILE *f)
{
	static uint8_t buf[CHUNK];
	int64_t begin = clock_monotonic_ns();
	uint64_t total = 0;
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), f)) > 0) {
		if (trellis_write(s, buf, n, STALL_MS) != (ssize_t)n)
			return fail("send");
		total += n;
	}
	if (ferror(f)) {
		fprintf(stderr, "trellis: read: %s\n", strerror(errno));
		return 1;
	}
	/* The other end ends its direction when it has written everything down. */
	if (trellis_end(s, STALL_MS) < 0 || trellis_read(s, buf, 1, STALL_MS) != 0)
		return fail("send");
	tell_transfer(s, "sent", total, begin);
	return 0;
}

static int cmd_send(struct trellis *t, int argc, char **argv)
{
	FILE *f = strcmp(argv[1], "-") ? fopen(argv[1], "re") : stdin;
	int port = FILE_PORT;

	if (argc > 3 && read_number(argv[3], 1, 65535, &port) < 0)
		return 2;
	if (!f) {
		fprintf(stderr, "trellis: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	struct trellis_stream *s = trellis_connect(t, argv[2], (uint16_t)port, CONNECT_MS);
	int status = s ? copy_out(s, f) : fail(argv[2]);

	trellis_stream_close(s);
	if (f != stdin)
		fclose(f);
	return status;
}

/* The file is closed, and checked for it, by the caller: a full disk may show only then. */
static int copy_in(struct trellis_stream *s, FILE *f)
{
	static uint8_t buf[CHUNK];
	int64_t begin = clock_monotonic_ns();
	uint64_t total = 0;
	ssize_t n;

	while ((n = trellis_read(s, buf, sizeof(buf), STALL_MS)) > 0) {
		if (fwrite(buf, 1, (size_t)n, f) != (size_t)n)
			break;
		total += (uint64_t)n;
	}
	if (n < 0)
		return fail("receive");
	if (n > 0 || fflush(f) != 0) {
		fprintf(stderr, "trellis: write: %s\n", strerror(errno));
		return 1;
	}
	if (trellis_end(s, STALL_MS) < 0)
		return fail("receive");
	tell_transfer(s, "received", total, begin);
	return 0;
}

/*
 * The file is opened when somebody has called, so that a wrong command line or a listener that
 * nobody calls leaves no empty file.
 */
static int cmd_receive(struct trellis *t, int argc, char **argv)
{
	int port = FILE_PORT;

	if (argc > 2 && read_number(argv[2], 1, 65535, &port) < 0)
		return 2;
	struct trellis_socket *l = trellis_listen(t, (uint16_t)port);

	if (!l)
		return fail("receive");
	fprintf(stderr, "waiting at %s, port %d\n", trellis_self(t), port);
	struct trellis_stream *s = trellis_accept(l, -1);
	FILE *f = s ? (strcmp(argv[1], "-") ? fopen(argv[1], "we") : stdout) : NULL;
	int status = s ? 1 : fail("receive");

	if (f)
		status = copy_in(s, f);
	else if (s)
		fprintf(stderr, "trellis: %s: %s\n", argv[1], strerror(errno));
	trellis_stream_close(s);
	trellis_socket_close(l);
	return status | (f && fclose(f) != 0);
}

static int cmd_say(struct trellis *t, int argc, char **argv)
{
	int port;
	struct trellis_socket *s;

	if (read_number(argv[3], 1, 65535, &port) < 0)
		return 2;
	s = trellis_datagram(t, 0);
	int rc = s ? trellis_send(s, argv[2], (uint16_t)port, argv[1], strlen(argv[1])) : -1;

	trellis_socket_close(s);
	return rc < 0 ? fail("say") : 0;
}

static int cmd_hear(struct trellis *t, int argc, char **argv)
{
	static char text[CHUNK];
	struct trellis_from from;
	int port;
	int count = INT32_MAX;

	if (read_number(argv[1], 0, 65535, &port) < 0 ||
	    (argc > 2 && read_number(argv[2], 1, INT32_MAX, &count) < 0))
		return 2;
	struct trellis_socket *s = trellis_datagram(t, (uint16_t)port);

	if (!s)
		return fail("hear");
	while (count-- > 0) {
		ssize_t n = trellis_receive(s, &from, text, sizeof(text), -1);

		if (n < 0)
			return fail("hear");
		printf("%s %u: %.*s\n", from.address, from.port, (int)n, text);
		fflush(stdout);
	}
	trellis_socket_close(s);
	return 0;
}

/* One direction of a relay. */
struct pipe {
	struct trellis_stream *from, *to;
	uint8_t buf[CHUNK];
	size_t len, done;
	bool ended;
};

/*
 * Passes on what there is. -1: broken. Without waiting (a timeout of 0), as both directions are
 * served by one thread.
 */
static int pump(struct pipe *p)
{
	while (!p->ended) {
		if (p->done == p->len) {
			ssize_t n = trellis_read(p->from, p->buf, sizeof(p->buf), 0);

			if (n < 0)
				return errno == ETIMEDOUT ? 0 : -1;
			p->len = (size_t)n;
			p->done = 0;
			if (n == 0) {
				p->ended = true;
				return trellis_end(p->to, 0) < 0 && errno != ETIMEDOUT ? -1 : 0;
			}
		}
		ssize_t n = trellis_write(p->to, p->buf + p->done, p->len - p->done, 0);

		if (n < 0)
			return errno == ETIMEDOUT ? 0 : -1;
		p->done += (size_t)n;
		if (p->done < p->len)
			return 0;
	}
	return 0;
}

/* Until both directions have ended and all of it is acknowledged. */
static int relay_pair(struct trellis_stream *a, struct trellis_stream *b)
{
	static struct pipe forth;
	static struct pipe back;

	forth = (struct pipe){.from = a, .to = b};
	back = (struct pipe){.from = b, .to = a};
	for (;;) {
		if (pump(&forth) < 0 || pump(&back) < 0)
			return -1;
		if (forth.ended && back.ended && trellis_end(a, 0) == 0 && trellis_end(b, 0) == 0)
			return 0;
		struct pollfd fds[] = {
			{.fd = trellis_stream_fd(a), .events = POLLIN},
			{.fd = trellis_stream_fd(b), .events = POLLIN},
		};
		int due_a = trellis_work(a);
		int due_b = trellis_work(b);
		int due = due_a < 0 || (due_b >= 0 && due_b < due_a) ? due_b : due_a;

		poll(fds, 2, due);
	}
}

/* One stream at a time: who calls meanwhile waits at the listener. */
static int cmd_relay(struct trellis *t, int argc, char **argv)
{
	int port;
	int to_port;

	if (read_number(argv[1], 1, 65535, &port) < 0 ||
	    read_number(argv[4], 1, 65535, &to_port) < 0)
		return 2;
	struct trellis *other = trellis_open(argv[2]);
	struct trellis_socket *l = other ? trellis_listen(t, (uint16_t)port) : NULL;

	if (!l)
		return fail("relay");
	fprintf(stderr, "relaying from %s to %s\n", trellis_self(t), argv[3]);
	for (;;) {
		struct trellis_stream *a = trellis_accept(l, -1);

		if (!a)
			return fail("relay");
		struct trellis_stream *b =
			trellis_connect(other, argv[3], (uint16_t)to_port, CONNECT_MS);

		if (!b || relay_pair(a, b) < 0)
			fail("relay");
		trellis_stream_close(a);
		trellis_stream_close(b);
	}
}

static const struct command {
	const char *name;
	int min, max; /* arguments */
	int (*run)(struct trellis *t, int argc, char **argv);
} commands[] = {
	{"ping", 1, 7, cmd_ping}, {"trace", 1, 1, cmd_trace},     {"routes", 0, 0, cmd_routes},
	{"send", 2, 3, cmd_send}, {"receive", 1, 2, cmd_receive}, {"say", 3, 3, cmd_say},
	{"hear", 1, 2, cmd_hear}, {"relay", 4, 4, cmd_relay},
};

static int run(const char *vnet, int argc, char **argv)
{
	if (!strcmp(argv[0], "status"))
		return cmd_status(vnet);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		if (strcmp(c->name, argv[0]) != 0)
			continue;
		if (argc - 1 < c->min || argc - 1 > c->max)
			break;
		struct trellis *t = trellis_open(vnet);
		int status = t ? c->run(t, argc, argv) : fail(argv[0]);

		trellis_close(t);
		return status;
	}
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *vnet = NULL;
	int opt;

	signal(SIGPIPE, SIG_IGN);
	while ((opt = getopt(argc, argv, "+v:h")) > 0) {
		if (opt == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (opt != 'v')
			return 2;
		vnet = optarg;
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return 2;
	}
	return run(vnet, argc - optind, argv + optind);
}
