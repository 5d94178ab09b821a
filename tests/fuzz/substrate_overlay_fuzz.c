/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any frames at the interfaces of substrate nodes, and any words in messages that are well
 * authenticated (a neighbour gone mad). The input is a run of records: a kind, a length, that many
 * octets. Whatever comes, no frame is lost or kept, nothing that was forged enters a vNet, and the
 * nodes end cleanly.
 */
#define OVERLAY_HELP_WITHOUT_CHECK
#include "tests/unit/overlay_help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac1[6] = {2, 0, 0, 0, 1, 1};
static const uint8_t mac9[6] = {2, 0, 0, 0, 9, 1};
static struct message_key key;
static uint64_t number;
static uint32_t sequence;

static void demand(bool true_)
{
	if (!true_)
		abort();
}

/* s1 with a wire to us at each interface: Ethernet, with a LAN on it, UDP, GRE and MPLS. */
static void build(void)
{
	static const char *const lines[] = {
		"snode s1 key=000102030405060708090a0b0c0d0e0f",
		"snif e s1 mac=02:00:00:00:01:01 rate=100Mbit",
		"snif u s1 mac=02:00:00:00:01:02 encap=udp addr=192.0.2.1",
		"snif g s1 mac=02:00:00:00:01:03 encap=gre addr=192.0.2.2",
		"snif m s1 mac=02:00:00:00:01:04 encap=mpls",
		"slink a@s1 e link=a peer=02:00:00:00:09:01",
		"slink p@s1 e link=p peer=02:00:00:00:09:02 vlan=100 priority=5",
		"slink lan@s1 e link=lan multi=1",
		"slink u@s1 u link=u peer=192.0.2.9",
		"slink g@s1 g link=g peer=192.0.2.10",
		"slink m@s1 m link=m peer=02:00:00:00:09:01",
		"vbm v s1 link=lan rate=100Mbit",
		"share v red percent=50%",
		"vif x s1 vnet=red",
		"vif y s1 vnet=blue",
		"vif z s1 vnet=red",
		"vlink red:ab x path=a to=far min=1Mbit",
		"vlink red:lan z lan=lan",
		"vif w s1 vnet=red",
		"vlink red:m w path=m to=far min=1Mbit",
	};
	FILE *null = fopen("/dev/null", "w");
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		demand(control_run_line(world.sub, lines[i], strlen(lines[i]), null, &e) == 0);
	fclose(null);
}

static void put_frame(struct station *st, const struct encapsulation *h, const void *payload,
		      size_t len)
{
	uint8_t buf[ENCAPSULATION_MAX + 2048];

	len = len < 2000 ? len : 2000;
	encapsulation_write(buf, h, len);
	memcpy(buf + encapsulation_size(h), payload, len);
	station_send(st, buf, encapsulation_size(h) + len);
}

/* Three links are on the first wire; one is on each of the others, whose number is its
 * encapsulation. */
enum { LINKS = 6, WIRES = ENCAPSULATION_KINDS };

static size_t wire_of(uint8_t where)
{
	return where % LINKS < 3 ? 0 : where % LINKS - 2u;
}

static struct encapsulation headers(uint8_t where, uint32_t vli)
{
	struct encapsulation h = {.vlan = where % LINKS == 1 ? 100 : -1, .priority = 5, .vli = vli};

	memcpy(h.to, mac1, 6);
	memcpy(h.from, mac9, 6);
	h.from[4] = 9;
	h.from[5] = (uint8_t)(1 + where % LINKS % 3);
	if (wire_of(where) == 0)
		return h;
	h.kind = (enum encapsulation_kind)wire_of(where);
	h.vlan = -1;
	h.to[5] = (uint8_t)(1 + wire_of(where));
	h.from[5] = 1;
	h.to_ip = 0xc0000200 + wire_of(where);
	h.from_ip = h.to_ip + 8;
	return h;
}

/* A message with those words, authenticated. */
static void put_message(struct station *st[WIRES], uint8_t where, enum message_type type,
			const uint8_t *body, size_t len)
{
	static const char *const links[] = {"a", "p", "lan", "u", "g", "m"};
	struct encapsulation h = headers(where, VLI_CONTROL);
	uint8_t buf[MESSAGE_MAX] = {0};

	number++;
	struct message m = {.type = type,
			    .sequence = type == MESSAGE_HELLO ? 0
					: where & 0x40        ? sequence
							      : ++sequence,
			    .sender = message_id("far"),
			    .receiver = type == MESSAGE_HELLO ? 0 : message_id("s1"),
			    .link = message_id(links[where % LINKS]),
			    .number = number,
			    .body = (const char *)body,
			    .body_len = len};

	if (where & 0x80)
		m.sequence = 0;
	put_frame(st[wire_of(where)], &h, buf, message_write(buf, &m, &key));
}

static void greet(struct station *st[WIRES], uint8_t where)
{
	char body[128];
	int n = snprintf(
		body, sizeof(body), "name=far instance=77 heard=%llu%s",
		(unsigned long long)((struct snode *)object_find(world.sub, "s1"))->instance,
		where & 0x10 ? " vbm=1" : "");

	put_message(st, where % LINKS, MESSAGE_HELLO, (uint8_t *)body, (size_t)n);
}

static void one_record(struct station *st[WIRES], uint8_t what, const uint8_t *data, size_t len)
{
	struct encapsulation h;

	if (!len)
		return;
	switch (what % 8) {
	case 0: /* anything at all */
		if (len > FRAME_MIN)
			station_send(st[what >> 6], data, len);
		break;
	case 1: /* a frame with good headers and any VLI near those in use */
		h = headers(data[0], data[0] >> 2);
		put_frame(st[wire_of(data[0])], &h, data, len);
		break;
	case 2:
		greet(st, data[0]);
		break;
	case 3:
		run_for(INT64_C(1000000) << (what >> 5 << 1));
		break;
	default:
		put_message(st, data[0], (enum message_type)(1 + (what >> 3) % (MESSAGE_TYPES - 1)),
			    data + 1, len - 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;
	struct station *st[WIRES];

	world_setup();
	demand(message_key_parse(&key, "000102030405060708090a0b0c0d0e0f", &e) == 0);
	number = 1;
	sequence = 0;
	build();
	st[0] = station_at("fe", "e");
	st[1] = station_at("fu", "u");
	st[2] = station_at("fg", "g");
	st[3] = station_at("fm", "m");
	station_at("sy", "y");
	run_for(ms);
	for (int where = 0; where < LINKS; where++)
		greet(st, (uint8_t)(where | (int)(size & 0x10)));
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		one_record(st, data[0], data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	run_for(5000 * ms);
	free(status_of("s1"));
	free(status_of("lan@s1"));
	free(status_of("v"));
	world_teardown(); /* asserts that all frames came back */
	return 0;
}
