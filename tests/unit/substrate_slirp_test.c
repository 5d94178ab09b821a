/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NIC that leads outside, against frames made by hand and listeners of this test on the
 * loopback: what a guest would see and what the host would.
 */
#include "lib/words.h"
#include "substrate/cable/cable.h"
#include "substrate/core/end.h"
#include "substrate/nic/nic.h"
#include "substrate/nic/stations.h"
#include "tests/unit/cable_help.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UDP = 17, MAX = 2000 };

static const struct device_kind *const no_kinds[] = {NULL};
static const uint8_t guest_mac[6] = {2, 0, 0, 0, 0, 1};
static struct loop *loop;
static struct substrate *sub;

/* The guest's side: keeps the last frame that passes its filter. */
static struct {
	struct object object;
	struct end end;
	bool (*wanted)(const uint8_t *frame, size_t len);
	uint8_t got[MAX];
	size_t got_len;
} guest;

static void keep_frame(struct end *end, struct frame *f, int64_t now_ns)
{
	if (f->len <= MAX && guest.wanted && guest.wanted(f->data, f->len)) {
		memcpy(guest.got, f->data, f->len);
		guest.got_len = f->len;
	}
	frame_unref(f);
}

static void no_carrier(struct end *end, int64_t now_ns)
{
}

static void destroy_guest(struct object *o)
{
	end_finish(&guest.end);
	object_finish(o);
}

static const struct end_kind guest_end = {.deliver = keep_frame, .carrier = no_carrier};
static const struct object_kind guest_kind = {.name = "guest", .destroy = destroy_guest};

static struct object *make_slirp(const char *line, struct err *e)
{
	struct arena a = {0};
	struct words w;

	ck_assert_int_eq(words_split(line, strlen(line), &a, &w, e), 0);
	struct object *o = nic_slirp.create(sub, "out", &w, e);

	arena_finish(&a);
	/* cppcheck-suppress returnDanglingLifetime ; the object keeps nothing of the words */
	return o;
}

static void set_up(const char *line)
{
	struct err e = {0};

	loop = loop_create(&e);
	sub = substrate_create(loop, no_kinds);
	sub->seed = 1;
	memset(&guest, 0, sizeof(guest));
	guest.end = (struct end){.kind = &guest_end, .object = &guest.object};
	ck_assert_int_eq(object_add(&guest.object, sub, &guest_kind, "guest", &e), 0);
	struct object *out = make_slirp(line, &e);

	ck_assert_msg(out != NULL, "%s", e.text);
	ck_assert_ptr_nonnull(cable_create(sub, "c", &guest.end, end_of_object(out), NULL, 0, &e));
}

static void tear_down(void)
{
	substrate_destroy(sub);
	loop_destroy(loop);
}

static void turn(int64_t until_ns)
{
	struct err e;
	int64_t due = substrate_due_ns(sub);

	ck_assert_int_eq(loop_turn(loop, due < until_ns ? due : until_ns, &e), 0);
	substrate_run(sub);
}

/* Sends a frame and waits for one that passes the filter. */
static void ask(const uint8_t *frame, size_t len, bool (*wanted)(const uint8_t *, size_t))
{
	int64_t end = clock_monotonic_ns() + 10 * SECOND;

	guest.wanted = wanted;
	guest.got_len = 0;
	end_take_bytes(&guest.end, frame, len, clock_monotonic_ns());
	while (!guest.got_len && clock_monotonic_ns() < end)
		turn(end);
	ck_assert_msg(guest.got_len > 0, "no answer within 10 s");
}

/* ---- frames ---- */

static uint16_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A UDP datagram in a frame; without its checksum, which IPv4 allows. Returns the length. */
static size_t make_udp(uint8_t *f, const char *from, const char *to, unsigned from_port,
		       unsigned to_port, const void *data, size_t len)
{
	static const uint8_t router_mac[6] = {0x52, 0x55, 10, 0, 2, 2};
	uint8_t *ip = f + 14;

	memset(f, 0, 42);
	memcpy(f, router_mac, 6);
	memcpy(f + 6, guest_mac, 6);
	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(28 + len));
	ip[8] = 64;
	ip[9] = UDP;
	inet_pton(AF_INET, from, ip + 12);
	inet_pton(AF_INET, to, ip + 16);
	put16(ip + 10, sum16(ip, 20, 0));
	put16(ip + 20, from_port);
	put16(ip + 22, to_port);
	put16(ip + 24, (unsigned)(8 + len));
	memcpy(ip + 28, data, len);
	return 42 + len;
}

static bool is_udp(const uint8_t *f, size_t len)
{
	return len >= 42 && f[12] == 8 && f[13] == 0 && f[14 + 9] == UDP;
}

/* A socket of this test on the loopback. */
static int listen_udp(int family, uint16_t *port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	bool v4 = family == AF_INET;
	socklen_t len = v4 ? sizeof(four) : sizeof(six);
	struct sockaddr *sa = v4 ? (struct sockaddr *)&four : (struct sockaddr *)&six;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, sa, len), 0);
	ck_assert_int_eq(getsockname(fd, sa, &len), 0);
	*port = ntohs(v4 ? four.sin_port : six.sin6_port);
	return fd;
}

/* Sends a datagram to a listener through slirp, lets it answer, and waits for the answer. */
static void talk(int fd, uint16_t port, const char *from)
{
	uint8_t frame[MAX];
	char text[64];
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	size_t len = make_udp(frame, from, "10.0.2.2", 4000, port, "ping", 4);

	end_take_bytes(&guest.end, frame, len, clock_monotonic_ns());
	ssize_t n;

	do {
		turn(0);
		n = recvfrom(fd, text, sizeof(text), MSG_DONTWAIT, (struct sockaddr *)&peer,
			     &peer_len);
	} while (n < 0 && errno == EAGAIN);
	ck_assert_int_eq(n, 4);
	ck_assert_int_eq(sendto(fd, "pong!", 5, 0, (struct sockaddr *)&peer, peer_len), 5);
	ask(frame, 0, is_udp);
	ck_assert(!memcmp(guest.got + 42, "pong!", 5));
}

/* ---- tests ---- */

/* A station that asks for an address gets one, a router and a name server. */
START_TEST(dhcp)
{
	static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255};
	uint8_t request[300] = {1, 1, 6, 0, 0xab, 0xcd, 0xef, 1};
	uint8_t frame[MAX];

	set_up("nic out slirp addr=10.0.2.2/24");
	memcpy(request + 28, guest_mac, 6);
	memcpy(request + 236, options, sizeof(options));
	size_t len = make_udp(frame, "0.0.0.0", "255.255.255.255", 68, 67, request, 300);

	memset(frame, 0xff, 6);
	ask(frame, len, is_udp);
	const uint8_t *offer = guest.got + 42;

	ck_assert(!memcmp(offer + 4, request + 4, 4));
	ck_assert(!memcmp(offer + 16, (uint8_t[]){10, 0, 2, 15}, 4));
	ck_assert_ptr_nonnull(memmem(offer, 300, (uint8_t[]){3, 4, 10, 0, 2, 2}, 6));
	ck_assert_ptr_nonnull(memmem(offer, 300, (uint8_t[]){6, 4, 10, 0, 2, 3}, 6));
	tear_down();
}
END_TEST

static bool is_arp(const uint8_t *f, size_t len)
{
	return f[12] == 8 && f[13] == 6;
}

static void say_arp(const uint8_t ip[4])
{
	uint8_t f[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6,
			 0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0, 0, 0, 1};

	memcpy(f + 28, ip, 4);
	memcpy(f + 38, (uint8_t[]){10, 0, 2, 2}, 4);
	ask(f, sizeof(f), is_arp);
}

/* With loopback=1, the router's address is this machine's loopback; answers come back. */
START_TEST(udp_to_loopback)
{
	uint16_t port;
	int fd = listen_udp(AF_INET, &port);

	set_up("nic out slirp addr=10.0.2.2/24 loopback=1");
	say_arp((uint8_t[]){10, 0, 2, 15});
	talk(fd, port, "10.0.2.15");
	ck_assert(!memcmp(guest.got + 30, (uint8_t[]){10, 0, 2, 15}, 4));
	close(fd);
	tear_down();
}
END_TEST

/* So is it for a station behind a router, which never answers an ARP request here. */
START_TEST(routed_source)
{
	uint16_t port;
	int fd = listen_udp(AF_INET, &port);

	set_up("nic out slirp addr=10.0.2.2/24 loopback=1");
	talk(fd, port, "192.168.7.9");
	ck_assert(!memcmp(guest.got, guest_mac, 6));
	ck_assert(!memcmp(guest.got + 30, (uint8_t[]){192, 168, 7, 9}, 4));
	close(fd);
	tear_down();
}
END_TEST

/* Without it, nothing reaches the loopback, by whatever address. */
START_TEST(no_loopback)
{
	static const char *const to[] = {"10.0.2.2", "127.0.0.1", "0.0.0.0", "10.0.2.77"};
	uint16_t port;
	int fd = listen_udp(AF_INET, &port);
	uint8_t frame[MAX];
	char text[16];

	set_up("nic out slirp addr=10.0.2.2/24");
	say_arp((uint8_t[]){10, 0, 2, 15});
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		size_t len = make_udp(frame, "10.0.2.15", to[i], 4000, port, "ping", 4);

		end_take_bytes(&guest.end, frame, len, clock_monotonic_ns());
		for (int k = 0; k < 100; k++)
			turn(0);
		ck_assert_msg(recv(fd, text, sizeof(text), MSG_DONTWAIT) < 0, "by %s", to[i]);
	}
	close(fd);
	tear_down();
}
END_TEST

static bool is_icmp6(const uint8_t *f, size_t len)
{
	return len >= 78 && f[12] == 0x86 && f[13] == 0xdd && f[20] == 58 && f[54] == 136;
}

static uint16_t icmp6_sum(const uint8_t *ip, size_t len)
{
	return sum16(ip + 8, 32 + len, (uint32_t)len + 58);
}

/* A neighbour solicitation from `from` for `target`, to the target itself. */
static size_t make_solicit(uint8_t *f, const char *from, const char *target)
{
	uint8_t *ip = f + 14;

	memset(f, 0, 86);
	memset(f, 0xff, 6);
	memcpy(f + 6, guest_mac, 6);
	put16(f + 12, 0x86dd);
	ip[0] = 0x60;
	put16(ip + 4, 32);
	ip[6] = 58;
	ip[7] = 255;
	inet_pton(AF_INET6, from, ip + 8);
	inet_pton(AF_INET6, target, ip + 24);
	ip[40] = 135;
	inet_pton(AF_INET6, target, ip + 48);
	ip[64] = ip[65] = 1;
	memcpy(ip + 66, guest_mac, 6);
	put16(ip + 42, icmp6_sum(ip, 32));
	return 86;
}

START_TEST(ipv6_neighbor)
{
	uint8_t frame[MAX];

	set_up("nic out slirp addr6=fec0::2/64");
	size_t len = make_solicit(frame, "fec0::15", "fec0::2");

	ask(frame, len, is_icmp6);
	ck_assert(!memcmp(guest.got + 14 + 48, frame + 14 + 48, 16));
	tear_down();
}
END_TEST

/* Whoever was heard is answered for, with a right checksum; others, and half frames, are not. */
START_TEST(answers)
{
	static struct stations n;
	uint8_t frame[MAX];
	uint8_t question[MAX];
	uint8_t answer[STATIONS_ANSWER_MAX];
	size_t len = make_solicit(frame, "fd00::9", "fec0::2");

	stations_learn(&n, frame, len);
	len = make_solicit(question, "fec0::2", "fd00::9");
	ck_assert_uint_eq(stations_answer(&n, question, len, answer), 86);
	ck_assert(is_icmp6(answer, 86));
	ck_assert(!memcmp(answer + 14 + 66, guest_mac, 6));
	uint16_t sum = (uint16_t)(answer[56] << 8 | answer[57]);

	answer[56] = answer[57] = 0;
	ck_assert_uint_eq(sum, icmp6_sum(answer + 14, 32));
	for (size_t half = 0; half < 78; half++)
		ck_assert_uint_eq(stations_answer(&n, question, half, answer), 0);
	len = make_solicit(question, "fec0::2", "fd00::8");
	ck_assert_uint_eq(stations_answer(&n, question, len, answer), 0);
}
END_TEST

START_TEST(wrong_words)
{
	static const char *const lines[] = {
		"nic out slirp",
		"nic out slirp addr=10.0.2.2",
		"nic out slirp addr=10.0.2.2/33",
		"nic out slirp addr=x/24",
		"nic out slirp addr6=10.0.2.2/24",
		"nic out slirp addr=10.0.2.2/24 mtu=1",
	};
	struct err e = {0};

	loop = loop_create(&e);
	sub = substrate_create(loop, no_kinds);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(make_slirp(lines[i], &e) == NULL, "%s", lines[i]);
	tear_down();
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, dhcp);
	tcase_add_test(tc, udp_to_loopback);
	tcase_add_test(tc, routed_source);
	tcase_add_test(tc, no_loopback);
	tcase_add_test(tc, ipv6_neighbor);
	tcase_add_test(tc, answers);
	tcase_add_test(tc, wrong_words);
}

int main(void)
{
	return suite_run_case("substrate/nic_slirp", add);
}
