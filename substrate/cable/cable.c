/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A frame that goes in at an end is offered to its direction, which says when it arrives, and how
 * often; that is an event in the calendar of the guest that it arrives at. Where a direction is
 * plain, which on a LAN all are, it is handed over in this batch, and no event is made.
 *
 * Whether a cable is plain is settled when it is changed, not for each frame: what it delayed until
 * then may still be in the calendar, and nothing that comes later may be handed over before it.
 */
#include "substrate/cable/cable.h"

#include "lib/minmax.h"
#include "substrate/cable/cable_dir.h"

#include <stdlib.h>
#include <string.h>

struct cable {
	struct object object;
	struct end *end[2];       /* NULL once it is unplugged */
	struct cable_dir *dir[2]; /* dir[i]: from end i to the other */
	struct linkspec spec[2];
	struct event_source source[2];
	bool up[2];         /* the carrier at each end */
	bool passes[2];     /* each direction; false: it loses everything, and nobody sees it */
	bool plain[2];      /* real clock: frames pass at once */
	int64_t last_ns[2]; /* a cable's time does not go backwards: what it was told last */
	unsigned under_way; /* events that point here; the last one frees a removed cable */
};

/*
 * A frame under way. It points to the cable and not to the end: when an end goes, so does its
 * cable, and the frame finds out on arrival. The list of passages that are not in use is shared, as
 * bursts move from cable to cable.
 */
struct passage {
	struct event event;
	struct cable *cable;
	struct frame *frame;
	unsigned side; /* where it will arrive */
	struct passage *next;
};

/* Kept for reuse: one for each frame under way, of all cables together. */
static struct passage *idle_passages;

/*
 * What the clock adds where the script says nothing; the specification itself stays as it was said,
 * so that status and changes speak of what people wrote.
 */
static struct linkspec in_effect(const struct substrate *s, const struct linkspec *spec)
{
	struct linkspec e = *spec;

	if (!e.rate_bps)
		e.rate_bps = s->time->cable_rate_bps;
	if (!e.delay_ns)
		e.delay_ns = s->time->cable_delay_ns;
	return e;
}

static struct cable *cable_of(struct object *o)
{
	return (struct cable *)o;
}

static void free_cable(struct cable *c)
{
	cable_dir_destroy(c->dir[0]);
	cable_dir_destroy(c->dir[1]);
	free(c);
}

/* What is on a cable when it is cut is lost, as on a real one. */
static bool is_cut(const struct cable *c, unsigned side)
{
	return !c->up[0] || !c->up[1] || !c->passes[!side];
}

static bool arrives_nowhere(const struct event *ev)
{
	const struct passage *p = (const struct passage *)ev;
	const struct end *to = p->cable->end[p->side];

	return !to || end_drops(to, p->frame) || is_cut(p->cable, p->side);
}

static void arrive(struct event *ev, int64_t now_ns)
{
	struct passage *p = (struct passage *)ev;
	struct cable *c = p->cable;
	struct end *to = c->end[p->side];
	struct frame *f = p->frame;

	/* It may send frames of its own from here on: the passage is free first. */
	c->under_way--;
	p->next = idle_passages;
	idle_passages = p;
	if (!to) {
		frame_unref(f);
		if (!c->under_way)
			free_cable(c);
		return;
	}
	if (is_cut(c, p->side))
		end_drop(to, f, END_DROP_CUT);
	else
		end_deliver(to, f, now_ns);
}

/*
 * The event goes into the calendar of the guest at the far end: its horizon depends on what will
 * reach it (clock/vclock.c). Each direction is a source of its own, since the order of events at
 * one instant must not depend on which direction was busier.
 */
static void schedule(struct cable *c, unsigned from, struct frame *f, int64_t due_ns)
{
	struct passage *p = idle_passages;
	struct end *to = c->end[!from];

	if (p)
		idle_passages = p->next;
	else
		p = xcalloc(1, sizeof(*p));
	p->event = (struct event){.fire = arrive, .is_idle = arrives_nowhere};
	p->cable = c;
	p->frame = f;
	p->side = !from;
	c->under_way++;
	substrate_schedule(to->object->sub, to->guest, &p->event, due_ns, &c->source[from]);
}

/* Others may hold the frame, who are to see it whole. */
static struct frame *corrupt(struct frame *f, int64_t bit)
{
	f = frame_own(f);
	if (f && bit / 8 < f->len)
		f->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	return f;
}

static struct frame *mark_ce(struct frame *f, enum link_framing framing)
{
	f = frame_own(f);
	if (f)
		cable_mark_ce(framing, f->data, f->len);
	return f;
}

static void send_copy(struct cable *c, unsigned from, struct frame *f,
		      const struct cable_copy *copy)
{
	if (copy->corrupt_bit >= 0)
		f = corrupt(f, copy->corrupt_bit);
	if (f && copy->mark_ce)
		f = mark_ce(f, c->end[from]->framing);
	if (f)
		schedule(c, from, f, copy->due_ns);
	else
		end_drop(c->end[from], NULL, END_DROP_MEMORY);
}

/*
 * The times that a direction is told never go backwards. A frame comes with an earlier one only if
 * the cable was changed meanwhile: guests run side by side, and frames are late by the real clock.
 */
static int64_t tell_time(struct cable *c, unsigned side, int64_t now_ns)
{
	return c->last_ns[side] = max_i64(now_ns, c->last_ns[side]);
}

static struct end *straight(const struct end *n)
{
	const struct cable *c = n->cable;

	return n->framing == LINK_ETHERNET && c->plain[n->side] &&
			       cable_dir_is_plain(c->dir[n->side])
		       ? c->end[!n->side]
		       : NULL;
}

static void take(struct end *n, struct frame *f, int64_t now_ns)
{
	struct cable *c = n->cable;

	/* The common case, and the only one of raw frames. */
	if (c->plain[n->side] && cable_dir_pass(c->dir[n->side], frame_count(f), frame_bytes(f))) {
		substrate_hop(c->object.sub, c->end[!n->side], f);
		return;
	}
	int64_t at = tell_time(c, n->side, now_ns);
	struct cable_verdict v = cable_dir_offer(c->dir[n->side], f->len, f->data, at);

	if (v.drop != CABLE_PASS) {
		frame_unref(f);
		return;
	}
	if (v.n_copies == 2)
		send_copy(c, n->side, frame_ref(f), &v.copy[1]);
	send_copy(c, n->side, f, &v.copy[0]);
}

/* After a change: is it plain, and how soon can guests reach each other? */
static void look_again(struct cable *c)
{
	struct substrate *s = c->object.sub;

	for (int i = 0; i < 2; i++)
		c->plain[i] = cable_dir_is_plain(c->dir[i]);
	s->time->cables_changed(s);
}

/*
 * What an end sees is what the script says: of a schedule the largest rate, as a modem names the
 * rate of its line and not of the weather; and not the rate that all cables have in virtual time.
 */
static struct end_wire wire_from(const struct cable *c, unsigned side)
{
	const struct end *far = c->end[!side];
	struct end_wire w = {0};
	int64_t rate_bps = cable_dir_top_rate_bps(c->dir[side], &c->spec[side]);

	if (far->kind->limits)
		far->kind->limits(far, &w);
	if (!w.rate_bps || (rate_bps && rate_bps < w.rate_bps))
		w.rate_bps = rate_bps;
	return w;
}

static void set_wire(struct cable *c, unsigned side, int64_t now_ns)
{
	struct end_wire w = wire_from(c, side);
	struct end *n = c->end[side];

	if (w.rate_bps == n->wire.rate_bps && w.shared == n->wire.shared)
		return;
	n->wire = w;
	if (n->kind->wire)
		n->kind->wire(n, now_ns);
}

static void limits_changed(struct end *n, int64_t now_ns)
{
	set_wire(n->cable, !n->side, now_ns);
}

static void set_carrier(struct cable *c, int64_t now_ns)
{
	bool up = c->up[0] && c->up[1];

	for (int i = 0; i < 2; i++) {
		bool carrier = c->up[i] && !(c->end[!i] && c->end[!i]->absent);

		cable_dir_set_up(c->dir[i], up && c->passes[i]);
		if (!c->end[i] || c->end[i]->carrier == carrier)
			continue;
		c->end[i]->carrier = carrier;
		c->end[i]->kind->carrier(c->end[i], now_ns);
	}
}

/* What words say of a cable. */
struct wanted {
	struct linkspec spec[2];
	bool up[2], passes[2];
};

/* "up=0" (all of it), "a.up=0" (the carrier of an end), "ab.up=0" (a direction). False: none. */
static bool read_up(struct wanted *w, const char *key, const char *value)
{
	bool on = strcmp(value, "0") != 0;

	if (!strcmp(key, "up"))
		w->up[0] = w->up[1] = w->passes[0] = w->passes[1] = on;
	else if (!strcmp(key, "a.up") || !strcmp(key, "b.up"))
		w->up[key[0] == 'b'] = on;
	else if (!strcmp(key, "ab.up") || !strcmp(key, "ba.up"))
		w->passes[key[0] == 'b'] = on;
	else
		return false;
	return true;
}

/* "ab.delay=1ms", "ba.delay=1ms", "delay=1ms" (both), or what read_up() takes. */
static int read_word(struct wanted *w, const char *word, struct err *e)
{
	const char *value = strchr(word, '=');
	char key[64];

	if (!value || value - word >= (ptrdiff_t)sizeof(key))
		return err_set(e, ERR_USAGE, "'%s' is not key=value", word);
	memcpy(key, word, (size_t)(value - word));
	key[value - word] = '\0';
	value++;
	if (read_up(w, key, value))
		return 0;
	if (!strncmp(key, "ab.", 3))
		return linkspec_set(&w->spec[0], key + 3, value, e);
	if (!strncmp(key, "ba.", 3))
		return linkspec_set(&w->spec[1], key + 3, value, e);
	if (linkspec_set(&w->spec[0], key, value, e) < 0)
		return -1;
	return linkspec_set(&w->spec[1], key, value, e);
}

/* One direction gets another specification, or stays as it is with the error set. 0 or -1. */
static int change_direction(struct cable *c, unsigned i, const struct linkspec *spec, int64_t now,
			    struct err *e)
{
	struct linkspec effect = in_effect(c->object.sub, spec);
	struct linkspec before = in_effect(c->object.sub, &c->spec[i]);

	if (linkspec_equal(spec, &c->spec[i]))
		return 0;
	cable_dir_change(c->dir[i], &effect, tell_time(c, i, now));
	if (cable_dir_load_files(c->dir[i], e) < 0) {
		/* Its files could be read then; if one is gone by now, it does without. */
		cable_dir_change(c->dir[i], &before, c->last_ns[i]);
		cable_dir_load_files(c->dir[i], NULL);
		return -1;
	}
	c->spec[i] = *spec;
	return 0;
}

/*
 * All of it, or nothing with the error set: a command that failed has changed nothing, not even one
 * direction of two. 0 or -1.
 */
static int change(struct cable *c, const struct wanted *w, struct err *e)
{
	struct linkspec before = c->spec[0];
	int64_t now = substrate_now_ns(c->object.sub);

	if (w->spec[0].framing != c->spec[0].framing || w->spec[1].framing != c->spec[0].framing)
		return err_set(e, ERR_USAGE, "framing is for the whole life of a cable");
	if (change_direction(c, 0, &w->spec[0], now, e) < 0)
		return -1;
	if (change_direction(c, 1, &w->spec[1], now, e) < 0) {
		change_direction(c, 0, &before, now, NULL);
		return -1;
	}
	memcpy(c->up, w->up, sizeof(c->up));
	memcpy(c->passes, w->passes, sizeof(c->passes));
	set_carrier(c, now);
	for (unsigned i = 0; i < 2; i++)
		set_wire(c, i, now);
	look_again(c);
	return 0;
}

static int cable_set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct cable *c = cable_of(o);
	struct wanted w = {
		.spec = {c->spec[0], c->spec[1]},
		.up = {c->up[0], c->up[1]},
		.passes = {c->passes[0], c->passes[1]},
	};

	for (size_t i = 0; i < n; i++)
		if (read_word(&w, words[i], e) < 0)
			return -1;
	return change(c, &w, e);
}

static void cable_destroy(struct object *o)
{
	struct cable *c = cable_of(o);
	int64_t now = substrate_now_ns(o->sub);

	c->up[0] = c->up[1] = false;
	set_carrier(c, now);
	for (int i = 0; i < 2; i++) {
		substrate_forget_end(o->sub, c->end[i]);
		c->end[i]->cable = NULL;
		c->end[i]->framing = LINK_ETHERNET;
		c->end[i] = NULL;
	}
	o->sub->time->cables_changed(o->sub);
	/* Events point to it still: the last of them frees it. */
	object_finish(o);
	if (!c->under_way)
		free_cable(c);
}

static void direction_status(struct cable *c, int i, struct json *j, int64_t now_ns)
{
	const struct cable_counters *n = cable_dir_counters(c->dir[i]);
	uint64_t bytes;
	uint32_t frames;

	json_open(j, i ? "ba" : "ab", '{');
	json_bool(j, "up", c->up[0] && c->up[1] && c->passes[i]);
	json_uint(j, "frames", n->frames);
	json_uint(j, "bytes", n->bytes);
	json_uint(j, "duplicated", n->duplicated);
	json_uint(j, "corrupted", n->corrupted);
	json_uint(j, "reordered", n->reordered);
	json_uint(j, "marked", n->marked);
	cable_dir_queue(c->dir[i], now_ns, &frames, &bytes);
	json_uint(j, "queue_frames", frames);
	json_uint(j, "queue_bytes", bytes);
	json_open(j, "dropped", '{');
	for (int k = CABLE_PASS + 1; k < CABLE_DROPS; k++)
		if (n->dropped[k])
			json_uint(j, cable_drop_name((enum cable_drop)k), n->dropped[k]);
	json_close(j, '}');
	json_close(j, '}');
}

static void cable_status(struct object *o, struct json *j, int64_t now_ns)
{
	struct cable *c = cable_of(o);

	for (int i = 0; i < 2; i++)
		json_string(j, i ? "b" : "a", c->end[i]->object->name);
	json_bool(j, "up", c->up[0] && c->up[1]);
	/* A direction that begins in another process is known there, and told of there. */
	for (int i = 0; i < 2; i++)
		if (!c->end[i]->kind->is_far)
			direction_status(c, i, j, now_ns);
}

static void unplug(struct end *n)
{
	cable_destroy(&n->cable->object);
}

static const struct cable_hooks hooks = {
	.send = take, .straight = straight, .limits_changed = limits_changed, .unplug = unplug};

static const struct object_kind cable_kind = {
	.name = "cable", .destroy = cable_destroy, .set = cable_set, .status = cable_status};

static int check_free(const struct end *n, struct err *e)
{
	if (n->cable)
		return err_set(e, ERR_USAGE, "'%s' has a cable already", n->object->name);
	if (n->has_own_wire)
		return err_set(e, ERR_USAGE, "'%s' has a socket instead of a cable",
			       n->object->name);
	return 0;
}

/* HDLC has no addresses: it joins two NICs, which are told in the other process if they are there.
 */
static int check_framing(const struct wanted *w, const struct end *a, const struct end *b,
			 struct err *e)
{
	const struct end *end[2] = {a, b};

	if (w->spec[0].framing != w->spec[1].framing)
		return err_set(e, ERR_USAGE, "framing is the same in both directions");
	for (int i = 0; i < 2; i++)
		if (w->spec[0].framing == LINK_HDLC && !end[i]->kind->address &&
		    !end[i]->kind->is_far)
			return err_set(e, ERR_USAGE, "'%s' is no NIC of a guest: no HDLC there",
				       end[i]->object->name);
	return 0;
}

struct object *cable_create(struct substrate *s, const char *name, struct end *a, struct end *b,
			    char *const *words, size_t n, struct err *e)
{
	struct wanted w = {.up = {true, true}, .passes = {true, true}};

	if (a == b) {
		err_set(e, ERR_USAGE, "a cable needs two ends");
		return NULL;
	}
	if (check_free(a, e) < 0 || check_free(b, e) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (read_word(&w, words[i], e) < 0)
			return NULL;
	if (check_framing(&w, a, b, e) < 0)
		return NULL;
	struct cable *c = xcalloc(1, sizeof(*c));

	if (object_add(&c->object, s, &cable_kind, name, e) < 0) {
		free(c);
		return NULL;
	}
	for (unsigned i = 0; i < 2; i++) {
		char dir_name[256];

		snprintf(dir_name, sizeof(dir_name), "%s.%s", name, i ? "ba" : "ab");
		c->spec[i] = w.spec[i];
		c->up[i] = w.up[i];
		c->passes[i] = w.passes[i];
		struct linkspec effect = in_effect(s, &w.spec[i]);

		c->dir[i] = cable_dir_create(&effect, s->seed, dir_name);
		event_source_init(&c->source[i], s);
		c->end[i] = i ? b : a;
		c->end[i]->cable = c;
		c->end[i]->hooks = &hooks;
		c->end[i]->side = i;
		c->end[i]->framing = (enum link_framing)w.spec[i].framing;
	}
	set_carrier(c, substrate_now_ns(s));
	look_again(c);
	/* A schedule begins when the cable is there, not when the lab began. */
	for (int i = 0; i < 2; i++) {
		cable_dir_start(c->dir[i], substrate_now_ns(s));
		if (cable_dir_load_files(c->dir[i], e) < 0) {
			cable_destroy(&c->object);
			return NULL;
		}
	}
	/* A trace is known only now. */
	for (unsigned i = 0; i < 2; i++)
		set_wire(c, i, substrate_now_ns(s));
	return &c->object;
}

/*
 * A specification made of these words alone, on top of nothing: what was set before is gone. The
 * carrier is kept, which is a state and no parameter.
 */
int cable_reset(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct cable *c = cable_of(o);

	if (o->kind != &cable_kind)
		return err_set(e, ERR_USAGE, "'%s' is a %s, not a cable", o->name, o->kind->name);
	struct wanted w = {.up = {c->up[0], c->up[1]}, .passes = {c->passes[0], c->passes[1]}};

	for (size_t i = 0; i < n; i++)
		if (read_word(&w, words[i], e) < 0)
			return -1;
	return change(c, &w, e);
}

int cable_set_carrier(struct object *o, bool up, int side, struct err *e)
{
	struct cable *c = cable_of(o);

	if (o->kind != &cable_kind)
		return err_set(e, ERR_USAGE, "'%s' is a %s, not a cable", o->name, o->kind->name);
	for (int i = 0; i < 2; i++)
		if (side < 0 || side == i)
			c->up[i] = up;
	set_carrier(c, substrate_now_ns(o->sub));
	return 0;
}

/*
 * The other process has carried the frame through its copy of this direction already: here it has
 * only to be handed over, if this copy's state agrees.
 */
void cable_arrive_from(struct end *far, struct frame *f, int64_t now_ns)
{
	struct cable *c = far->cable;

	if (!c)
		end_drop(far, f, END_DROP_UNPLUGGED);
	else if (!c->up[0] || !c->up[1] || !c->passes[far->side])
		end_drop(c->end[!far->side], f, END_DROP_CUT);
	else
		substrate_hop(c->object.sub, c->end[!far->side], f);
}

void cable_set_absent(struct end *far, bool absent, int64_t now_ns)
{
	far->absent = absent;
	if (far->cable)
		set_carrier(far->cable, now_ns);
}

/* No cable: nothing will ever come this way, so it bounds nobody. */
int64_t cable_min_delay_ns(const struct end *n, bool in)
{
	if (!n->cable)
		return INT64_MAX;
	return cable_dir_min_delay_ns(n->cable->dir[in ? !n->side : n->side]);
}

int64_t cable_answer_ns(const struct end *n, int64_t in_ns)
{
	int64_t out = cable_min_delay_ns(n, false);
	struct end *peer = n->cable ? n->cable->end[!n->side] : NULL;

	/* A cable between two NICs of one guest. */
	if (peer && peer->guest == n->guest)
		return out;
	return out > INT64_MAX - in_ns ? INT64_MAX : out + in_ns;
}

int64_t cable_mtu(const struct end *n)
{
	return n->cable ? cable_dir_spec_now(n->cable->dir[n->side])->mtu : 0;
}

int64_t cable_rate_bps(const struct end *n)
{
	return n->cable ? cable_dir_spec_now(n->cable->dir[n->side])->rate_bps : 0;
}
