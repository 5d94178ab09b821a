/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control protocol of a substrate: one command a line, carried out at once and answered in
 * order, so that who sends many need not wait for each (docs/protocols.md). What a command is about
 * is found by its name; how it is done is a function of the room that the object is from: here is
 * the table of commands and no more.
 *
 * Events go the other way whenever they happen, between answers. A session that is the only one,
 * that of a lab's server, ends the process with it.
 */
#include "substrate/control/control.h"

#include "lib/nearest.h"
#include "lib/sock.h"
#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "substrate/cable/cable.h"
#include "substrate/clock/vclock.h"
#include "substrate/core/capture.h"
#include "substrate/core/end.h"
#include "substrate/core/mover.h"
#include "substrate/core/thaw.h"
#include "substrate/device/devnode.h"
#include "substrate/disk/disk.h"
#include "substrate/nic/nic.h"
#include "substrate/overlay/manager.h"
#include "substrate/overlay/slink.h"
#include "substrate/overlay/snif.h"
#include "substrate/overlay/snode.h"
#include "substrate/overlay/vbm_object.h"
#include "substrate/overlay/vif.h"
#include "substrate/overlay/vlink.h"
#include "substrate/trunk/trunk.h"
#include "substrate/virtio/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 20 };

/* A command: answer is what follows "ok"; 0, or -1 with the error set. */
struct command {
	const char *name;
	size_t min_words; /* besides the name */
	int (*run)(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
	const char *usage;
};

static struct end *find_end(struct substrate *s, const char *name, struct err *e)
{
	struct object *o = object_find_kind(s, name, NULL, e);
	struct end *n = o ? end_of_object(o) : NULL;

	if (o && !n)
		err_set(e, ERR_USAGE, "'%s' is a %s: a cable goes into ports, NICs and interfaces",
			name, o->kind->name);
	return n;
}

static int run_clock(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const char *seed = words_get(w, "seed");

	/* Numbers of events and random streams begin with the first object. */
	if (s->objects.n || s->time != &timekeeper_real)
		return err_set(e, ERR_USAGE, "the clock is set first of all, and once");
	s->seed = seed ? strtoull(seed, NULL, 0) : 1;
	if (!strcmp(w->at[1], "real"))
		return 0;
	if (!strcmp(w->at[1], "virtual"))
		return vclock_create(s, w, e);
	return err_set(e, ERR_USAGE, "a clock is 'real' or 'virtual'");
}

static int run_device(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return devnode_create(s, w->at[1], w->at[2], w->at + 3, w->n - 3, e) ? 0 : -1;
}

static int run_port(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *device = object_find_kind(s, w->at[2], NULL, e);
	int64_t number;

	if (!device || unit_parse(UNIT_COUNT, w->at[3], &number, e) < 0)
		return -1;
	if (number < 1 || number > DEVICE_PORTS_MAX)
		return err_set(e, ERR_USAGE, "ports are from 1 to %d", DEVICE_PORTS_MAX);
	return devport_create(s, w->at[1], device, (unsigned)number, w->at + 4, w->n - 4, e) ? 0
											     : -1;
}

static int run_nic(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	static const struct nic_backend *const backends[] = {
		&nic_vhost, &nic_seqpacket, &nic_slirp, &nic_tap, &nic_pcap, &nic_uml_switch};
	struct nearest near;

	nearest_init(&near, w->at[2]);
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		if (!strcmp(backends[i]->name, w->at[2]))
			return backends[i]->create(s, w->at[1], w, e) ? 0 : -1;
		nearest_offer(&near, backends[i]->name);
	}
	return err_set(e, ERR_USAGE, "there is no kind of NIC '%s'%s", w->at[2],
		       nearest_hint(&near));
}

static int run_channel(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return channel_create(s, w->at[1], w, e) ? 0 : -1;
}

static int run_disk(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return disk_create(s, w->at[1], w, e);
}

static int run_cable(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct end *a = find_end(s, w->at[2], e);
	struct end *b = a ? find_end(s, w->at[3], e) : NULL;

	if (!a || !b)
		return -1;
	return cable_create(s, w->at[1], a, b, w->at + 4, w->n - 4, e) ? 0 : -1;
}

static int run_trunk(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	return trunk_create(s, w->at[1], w, e) ? 0 : -1;
}

static int run_far(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *trunk = object_find_kind(s, w->at[2], NULL, e);
	const char *shared = words_get(w, "shared");
	const char *rate = words_get(w, "rate");
	struct end_wire limits = {.shared = shared && *shared == '1'};

	if (!trunk || (rate && unit_parse(UNIT_RATE, rate, &limits.rate_bps, e) < 0))
		return -1;
	return trunk_create_far(s, w->at[1], trunk, words_get(w, "key"), &limits, e) ? 0 : -1;
}

static int run_capture(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct end *n = find_end(s, w->at[2], e);

	return n && capture_create(s, w->at[1], n, w, e) ? 0 : -1;
}

static int run_set(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *o = object_find_kind(s, w->at[1], NULL, e);

	if (!o)
		return -1;
	if (!o->kind->set)
		return err_set(e, ERR_USAGE, "nothing can be set on a %s", o->kind->name);
	return o->kind->set(o, w->at + 2, w->n - 2, e);
}

static int run_reset(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *o = object_find_kind(s, w->at[1], NULL, e);

	return o ? cable_reset(o, w->at + 2, w->n - 2, e) : -1;
}

static int run_carrier(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *o = object_find_kind(s, w->at[1], NULL, e);
	const char *end = words_get(w, "end");
	bool up = !strcmp(w->at[2], "up");

	if (!o)
		return -1;
	if (!up && strcmp(w->at[2], "down") != 0)
		return err_set(e, ERR_USAGE, "a carrier is up or down");
	if (end && strcmp(end, "a") != 0 && strcmp(end, "b") != 0)
		return err_set(e, ERR_USAGE, "an end of a cable is a or b");
	return cable_set_carrier(o, up, end ? end[0] == 'b' : -1, e);
}

/* The guest in virtual time, and its devices, which have its name in front: "h1:eth0". */
static int run_listen(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	for (size_t i = 0; i < s->objects.n; i++) {
		struct object *o = s->objects.at[i];
		bool is_guest = !strcmp(o->name, w->at[1]);

		if (o->kind->listen && (is_guest || object_is_part_of(o, w->at[1])) &&
		    o->kind->listen(o, e) < 0)
			return err_wrap(e, "%s", o->name);
	}
	return 0;
}

/* In virtual time the guest itself is an object. */
static int run_sleep(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const struct object *guest = object_find(s, w->at[1]);

	if (guest && guest->kind->listen)
		return vclock_cmd_sleep(s, w, answer, e);
	for (size_t i = 0; i < s->objects.n; i++) {
		struct object *o = s->objects.at[i];

		if (object_is_part_of(o, w->at[1]) && o->kind->sleep(o, e) < 0)
			return err_wrap(e, "%s", o->name);
	}
	return 0;
}

static int run_remove(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *o = object_find_kind(s, w->at[1], NULL, e);

	if (!o)
		return -1;
	o->kind->destroy(o);
	return 0;
}

/*
 * The answer is one word: a line of JSON, quoted. It is written while objects are walked, with no
 * tree in between, as frames wait meanwhile.
 */
static int run_status(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	int64_t now = substrate_now_ns(s);
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	json_int(&j, "now_ns", now);
	json_string(&j, "clock", s->time->name);
	s->time->status(s, &j);
	json_open(&j, "objects", '{');
	for (size_t i = 0; i < s->objects.n; i++) {
		struct object *o = s->objects.at[i];

		json_open(&j, o->name, '{');
		/* The other process says what kind it is; the server makes one of the two. */
		if (!o->kind->is_part)
			json_string(&j, "kind", o->kind->name);
		if (o->kind->status)
			o->kind->status(o, &j, now);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	json_close(&j, '}');
	fclose(f);
	fputc(' ', answer);
	words_put(answer, text);
	free(text);
	return 0;
}

/* The process does it when nothing else is under way: it has all of its memory to see to. */
static int run_save(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const char *path = words_get(w, "file");

	if (!path)
		return err_set(e, ERR_USAGE, "a snapshot needs file=");
	if (!s->can_save)
		return err_set(e, ERR_USAGE, "this program has no snapshots");
	if (s->save_to)
		return err_set(e, ERR_USAGE, "a snapshot is being taken");
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");

	s->snapshot_dir = dir;
	int rc = substrate_freeze(s, e);

	s->snapshot_dir = NULL;
	free(dir);
	if (rc == 0)
		s->save_to = xstrdup(path);
	return rc;
}

/* The process sees to it (can_save says that it does): nobody else is heard until "go". */
static int run_hold(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	if (!s->can_save)
		return err_set(e, ERR_USAGE, "this program cannot be held");
	if (s->time != &timekeeper_real)
		return err_set(e, ERR_USAGE, "the virtual clock is paused, not held");
	s->held = !strcmp(w->at[0], "hold");
	return 0;
}

static int run_move(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	const char *path = words_get(w, "file");

	if (!path)
		return err_set(e, ERR_USAGE, "it goes by file=");
	if (s->time->is_exact)
		return err_set(e, ERR_USAGE, "in virtual time there is one process");
	return mover_move(s, w->at[1], path, !strcmp(w->at[0], "leave"), e);
}

static const struct command commands[] = {
	{"clock", 1, run_clock, "clock real|virtual [seed=N]"},
	{"device", 2, run_device, "device NAME KIND [key=value...]"},
	{"port", 3, run_port, "port NAME DEVICE NUMBER [key=value...]"},
	{"nic", 2, run_nic,
	 "nic NAME vhost|seqpacket|slirp|tap|pcap|uml_switch [path=PATH] [mac=MAC] [mtu=N] "
	 "[key=value...]"},
	{"channel", 3, run_channel, "channel NAME path=PATH stream=PATH [guest=NODE]"},
	{"disk", 3, run_disk,
	 "disk NAME path=PATH [size=BYTES] [base=FILE] [layer=FILE] [ro=1] [guest=NODE]"},
	{"cable", 3, run_cable,
	 "cable NAME END END [ab.key=value...] [ba.key=value...] [[a.|b.|ab.|ba.]up=0]"},
	{"trunk", 2, run_trunk, "trunk NAME path=PATH [listen=1]"},
	{"far", 3, run_far, "far NAME TRUNK key=WORD [shared=1] [rate=RATE]"},
	{"snode", 1, snode_cmd,
	 "snode NAME [key=HEX] [measure=TIME] [idle=TIME] [raise_above=SHARE] "
	 "[lower_below=SHARE]"},
	{"snif", 2, snif_cmd,
	 "snif NAME SNODE mac=MAC [encap=ethernet|udp] [addr=IPV4] [rate=RATE]"},
	{"slink", 2, slink_cmd,
	 "slink NAME SNIF link=LINK peer=MAC|IPV4|multi=1 [members=MAC,...] [vlan=N priority=N]"},
	{"vif", 2, vif_cmd, "vif NAME SNODE vnet=VNET [mtu=N]"},
	{"manager", 2, manager_cmd,
	 "manager NAME SNODE listen=AT, or peer=SNODE connect=AT (unix:PATH, tcp:ADDR:PORT)"},
	{"vbm", 2, vbm_object_cmd, "vbm NAME SNODE link=LINK rate=RATE"},
	{"share", 2, vbm_object_cmd_share, "share VBM VNET percent=SHARE"},
	{"vlink", 2, vlink_cmd,
	 "vlink NAME VIF path=LINK,... to=VIF [min=RATE] [max=RATE], or lan=LINK [group=WORD]"},
	{"capture", 3, run_capture,
	 "capture NAME END file=PATH [snaplen=BYTES] [description=TEXT] [comment=TEXT]"},
	{"set", 2, run_set, "set NAME [key=value...]"},
	{"reset", 1, run_reset, "reset CABLE [key=value...]"},
	{"carrier", 2, run_carrier, "carrier CABLE up|down [end=a|b]"},
	{"listen", 1, run_listen, "listen NODE"},
	{"remove", 1, run_remove, "remove NAME"},
	{"status", 0, run_status, "status"},
	{"hold", 0, run_hold, "hold"},
	{"go", 0, run_hold, "go"},
	{"save", 1, run_save, "save file=PATH"},
	{"guest", 2, vclock_cmd_guest, "guest NAME time=PATH"},
	{"freeze", 2, vclock_cmd_freeze, "freeze GUEST file=PATH [unless_moves=N] [share=on]"},
	{"moved", 0, vclock_cmd_moved, "moved"},
	{"await", 1, vclock_cmd_await, "await GUEST"},
	{"sleep", 1, run_sleep, "sleep GUEST"},
	{"wake", 1, vclock_cmd_wake, "wake GUEST"},
	{"leave", 2, run_move, "leave GUEST file=PATH"},
	{"arrive", 2, run_move, "arrive GUEST file=PATH"},
	{"start", 0, vclock_cmd_start, "start"},
	{"now", 0, vclock_cmd_now, "now"},
	{"pace", 1, vclock_cmd_pace, "pace N|max"},
	{"pause", 0, vclock_cmd_pause, "pause"},
	{"run", 0, vclock_cmd_run, "run"},
	{"step", 1, vclock_cmd_step, "step TIME"},
	{"until", 1, vclock_cmd_until, "until TIME"},
};

/*
 * A command that does not exist is answered with the nearest one that does: people speak this
 * protocol too (vsubstrate --connect).
 */
static int run_words(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct nearest near;

	if (!w->n)
		return err_set(e, ERR_USAGE, "an empty line");
	nearest_init(&near, w->at[0]);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		nearest_offer(&near, c->name);
		if (strcmp(c->name, w->at[0]) != 0)
			continue;
		if (w->n - 1 < c->min_words)
			return err_set(e, ERR_USAGE, "usage: %s", c->usage);
		return c->run(s, w, answer, e);
	}
	return err_set(e, ERR_USAGE, "there is no command '%s'%s", w->at[0], nearest_hint(&near));
}

int control_run_line(struct substrate *s, const char *line, size_t len, FILE *answer, struct err *e)
{
	struct arena a = {0};
	struct words w;
	int rc = words_split(line, len, &a, &w, e);

	if (rc == 0)
		rc = run_words(s, &w, answer, e);
	arena_finish(&a);
	return rc;
}

static void answer_line(struct control_session *c, const char *line, size_t len)
{
	struct arena a = {0};
	struct err e = {0};
	char *answer = NULL;
	size_t answer_len = 0;
	FILE *f = xmemstream(&answer, &answer_len);
	int rc = control_run_line(c->sub, line, len, f, &e);

	fclose(f);
	if (rc == 0) {
		conn_printf(&c->conn, "ok%s\n", answer);
	} else {
		char *text = words_quote(&a, e.text);

		conn_printf(&c->conn, "error %s\n", text);
	}
	free(answer);
	arena_finish(&a);
}

/*
 * Whatever is complete is carried out now; the rest of a line waits for its end in the connection's
 * buffer, which is bounded.
 */
static size_t take_lines(struct conn *conn, const char *data, size_t len)
{
	struct control_session *c = conn->owner;
	size_t used = 0;

	for (;;) {
		const char *end = memchr(data + used, '\n', len - used);

		if (!end)
			return used;
		answer_line(c, data + used, (size_t)(end - data) - used);
		used = (size_t)(end - data) + 1;
	}
}

/*
 * The lab's server has gone, so there is nobody left to carry frames for: the process ends with it.
 */
static void closed(struct conn *conn)
{
	struct control_session *c = conn->owner;

	loop_stop(c->loop);
}

static void send_event(struct substrate *s, const char *line)
{
	struct control_session *c = s->owner;

	conn_printf(&c->conn, "%s\n", line);
}

static void session_closed(struct conn *conn)
{
	/* Whoever opened it sees that it is no longer open. */
}

int control_session_open(struct control_session *c, struct loop *l, struct substrate *s, int fd,
			 struct err *e)
{
	*c = (struct control_session){.loop = l, .sub = s};
	c->conn.in_max = LINE_MAX_BYTES;
	c->conn.on_data = take_lines;
	c->conn.on_close = session_closed;
	c->conn.owner = c;
	return conn_open(&c->conn, l, fd, e);
}

int control_open(struct control_session *c, struct loop *l, struct substrate *s, int fd,
		 struct err *e)
{
	if (control_session_open(c, l, s, fd, e) < 0)
		return -1;
	c->conn.on_close = closed;
	s->server = sock_peer_pid(fd);
	s->owner = c;
	s->on_event = send_event;
	return 0;
}

int control_thaw(struct control_session *c, int fd, struct err *e)
{
	/* Half of a line of the old server's, answers for it: nobody's. */
	conn_forget(&c->conn);
	c->sub->server = sock_peer_pid(fd);
	return conn_thaw(&c->conn, c->loop, fd, e);
}

void control_finish(struct control_session *c)
{
	c->sub->on_event = NULL;
	conn_finish(&c->conn);
}

void control_print_libraries(FILE *out)
{
	fprintf(out, "libslirp %s\n", nic_slirp_version());
}
