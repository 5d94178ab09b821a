/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The substrate node: what all its parts share, and its one event in the calendar. */
#include "lib/container_of.h"
#include "substrate/overlay/snet.h"

#include "lib/nearest.h"
#include "lib/units.h"
#include "substrate/clock/vclock.h"

#include <stdlib.h>

struct object *snet_find(struct substrate *s, const char *name, const struct object_kind *kind,
			 struct err *e)
{
	struct object *o = object_find(s, name);
	struct nearest near;

	if (o && o->kind == kind)
		return o;
	if (o) {
		err_set(e, ERR_USAGE, "'%s' is a %s, not a %s", name, o->kind->name, kind->name);
		return NULL;
	}
	nearest_init(&near, name);
	for (size_t i = 0; i < s->objects.n; i++)
		if (s->objects.at[i]->kind == kind)
			nearest_offer(&near, s->objects.at[i]->name);
	err_set(e, ERR_USAGE, "there is no %s '%s'%s", kind->name, name, nearest_hint(&near));
	return NULL;
}

bool snet_name_fits(const char *name)
{
	return strlen(name) <= NAME_MAX_OCTETS;
}

int snet_read_rate(const struct words *w, const char *key, int64_t *rate_bps, struct err *e)
{
	const char *text = words_get(w, key);

	*rate_bps = 0;
	if (text && unit_parse(UNIT_RATE, text, rate_bps, e) < 0)
		return err_wrap(e, "%s", key);
	return 0;
}

static int64_t due_ns(const struct snode *n)
{
	int64_t due = tm_due_ns(n->tm);

	for (size_t i = 0; i < n->links.n; i++) {
		int64_t d = slink_due_ns(n->links.at[i]);

		due = d < due ? d : due;
	}
	for (size_t i = 0; i < n->vlinks.n; i++) {
		int64_t d = vlink_due_ns(n->vlinks.at[i]);

		due = d < due ? d : due;
	}
	for (size_t i = 0; i < n->managers.n; i++) {
		int64_t d = manager_due_ns(n->managers.at[i]);

		due = d < due ? d : due;
	}
	return due;
}

void snode_wake(struct snode *n, int64_t now_ns)
{
	int64_t due = due_ns(n);

	if (due < now_ns)
		due = now_ns;
	if (due == n->event_ns)
		return;
	n->event_ns = due;
	if (due == INT64_MAX)
		calendar_cancel(&n->object.sub->calendar, &n->event);
	else
		vclock_add(n->object.sub, NULL, &n->event, due, &n->source);
}

static void tick(struct event *ev, int64_t now_ns)
{
	struct snode *n = container_of(ev, struct snode, event);

	n->event_ns = INT64_MAX;
	for (size_t i = 0; i < n->links.n; i++)
		slink_tick(n->links.at[i], now_ns);
	for (size_t i = 0; i < n->vlinks.n; i++)
		vlink_tick(n->vlinks.at[i], now_ns);
	for (size_t i = 0; i < n->managers.n; i++)
		manager_tick(n->managers.at[i], now_ns);
	if (tm_due_ns(n->tm) <= now_ns)
		tm_tick(n->tm, now_ns);
	admission_run(n, now_ns);
	snode_wake(n, now_ns);
}

static void destroy(struct object *o)
{
	struct snode *n = (struct snode *)o;

	while (n->managers.n)
		manager_kind.destroy((struct object *)n->managers.at[n->managers.n - 1]);
	while (n->vifs.n)
		vif_kind.destroy(&n->vifs.at[n->vifs.n - 1]->object);
	while (n->vlinks.n)
		vlink_kind.destroy(&n->vlinks.at[n->vlinks.n - 1]->object);
	while (n->interfaces.n)
		snif_kind.destroy(&n->interfaces.at[n->interfaces.n - 1]->object);
	calendar_cancel(&o->sub->calendar, &n->event);
	pacer_finish(&n->local);
	tm_destroy(n->tm);
	vec_free(&n->interfaces);
	vec_free(&n->links);
	vec_free(&n->vifs);
	vec_free(&n->vlinks);
	vec_free(&n->hops);
	vec_free(&n->managers);
	object_finish(o);
	free(n);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct snode *n = (struct snode *)o;

	json_uint(j, "instance", n->instance);
	json_uint(j, "key_id", n->key.id);
	json_open(j, "hops", '[');
	for (size_t i = 0; i < n->hops.n; i++) {
		const struct vhop *h = n->hops.at[i];

		json_open(j, NULL, '{');
		json_string(j, "vlink", h->vlink);
		json_string(j, "vnet", h->vnet);
		json_bool(j, "up", h->up);
		json_string(j, "in", h->in ? h->in->object.name : h->from->object.name);
		json_uint(j, "in_vli", h->in_vli);
		json_string(j, "out", h->out ? h->out->object.name : h->to->object.name);
		json_uint(j, "out_vli", h->out_vli);
		json_close(j, '}');
	}
	json_close(j, ']');
}

const struct object_kind snode_kind = {.name = "snode", .destroy = destroy, .status = status};

int snode_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	static const uint8_t no_key[SIPHASH_KEY];
	const char *hex = words_get(w, "key");
	struct message_key key;

	message_key_init(&key, no_key);
	if (hex && message_key_parse(&key, hex, e) < 0)
		return -1;
	if (!snet_name_fits(w->at[1]))
		return err_set(e, ERR_USAGE, "a substrate node's name is too long");
	struct snode *n = xcalloc(1, sizeof(*n));

	if (object_add(&n->object, s, &snode_kind, w->at[1], e) < 0) {
		free(n);
		return -1;
	}
	n->key = key;
	n->instance = (uint64_t)(s->epoch_ns + substrate_now_ns(s)) / 1000;
	n->event.fire = tick;
	n->event_ns = INT64_MAX;
	event_source_init(&n->source, s);
	n->tm = tm_create(NULL, substrate_now_ns(s));
	pacer_init(&n->local, s, 0, vhop_leave);
	return 0;
}
