/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node has one entry in the calendar, for the earliest of all that its users wait for, however
 * many timers they have. In virtual time that also fixes the order of what is due at the same
 * instant: the order of the users, the same in each run.
 */
#include "substrate/overlay/snode.h"

#include "lib/container_of.h"
#include "lib/minmax.h"
#include "lib/units.h"

#include <stdlib.h>
#include <string.h>

static int64_t due_ns(const struct snode *n)
{
	int64_t due = tm_due_ns(n->tm);

	for (int i = 0; snode_users[i]; i++)
		if (snode_users[i]->due_ns)
			due = min_i64(due, snode_users[i]->due_ns(n));
	return due;
}

/*
 * Whoever sets a timer of the node's calls this; what is due already is due now, and not in the
 * past.
 */
void snode_wake(struct snode *n, int64_t now_ns)
{
	int64_t due = max_i64(due_ns(n), now_ns);

	if (due == n->event_ns)
		return;
	n->event_ns = due;
	if (due == INT64_MAX)
		calendar_cancel(&n->object.sub->calendar, &n->event);
	else
		substrate_schedule(n->object.sub, NULL, &n->event, due, &n->source);
}

/*
 * At the end of whatever happened: the traffic manager's decisions are carried out (admission.c),
 * and what they set off is decided in turn, until nobody has anything left to do.
 */
void snode_settle(struct snode *n, int64_t now_ns)
{
	for (int i = 0; snode_users[i]; i++)
		if (snode_users[i]->settle)
			snode_users[i]->settle(n, now_ns);
	snode_wake(n, now_ns);
}

static void tick(struct event *ev, int64_t now_ns)
{
	struct snode *n = container_of(ev, struct snode, event);

	n->event_ns = INT64_MAX;
	for (int i = 0; snode_users[i]; i++)
		if (snode_users[i]->tick)
			snode_users[i]->tick(n, now_ns);
	if (tm_due_ns(n->tm) <= now_ns)
		tm_tick(n->tm, now_ns);
	snode_settle(n, now_ns);
}

static const struct {
	const char *key;
	size_t offset; /* in struct tm_policy: an int64_t */
	enum unit_kind unit;
	int64_t min, max;
} policy_words[] = {
	{"measure", offsetof(struct tm_policy, measure_ns), UNIT_TIME, 1000000,
	 INT64_C(60000000000)},
	{"idle", offsetof(struct tm_policy, idle_ns), UNIT_TIME, 1000000, INT64_C(3600000000000)},
	{"raise_above", offsetof(struct tm_policy, raise_ppm), UNIT_PPM, 800000, 1000000},
	{"lower_below", offsetof(struct tm_policy, lower_ppm), UNIT_PPM, 0, 800000},
};

static bool has_policy(const struct words *w)
{
	for (size_t i = 0; i < ARRAY_LEN(policy_words); i++)
		if (words_get(w, policy_words[i].key))
			return true;
	return false;
}

/* What is not said stays as it is in *p; "default" brings back what holds without a word. */
static int read_policy(const struct words *w, struct tm_policy *p, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(policy_words); i++) {
		const char *key = policy_words[i].key;
		const char *text = words_get(w, key);
		int64_t value;

		if (!text)
			continue;
		if (!strcmp(text, "default"))
			memcpy(&value, (const char *)&tm_policy_default + policy_words[i].offset,
			       sizeof(value));
		else if (unit_parse(policy_words[i].unit, text, &value, e) < 0)
			return err_wrap(e, "%s", key);
		if (value < policy_words[i].min || value > policy_words[i].max)
			return err_set(e, ERR_USAGE, "%s=%s is out of range", key, text);
		memcpy((char *)p + policy_words[i].offset, &value, sizeof(value));
	}
	return 0;
}

static int set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct snode *s = (struct snode *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n};
	struct tm_policy policy = *tm_policy(s->tm);
	int64_t now_ns = substrate_now_ns(o->sub);

	if (!has_policy(&w))
		return err_set(e, ERR_USAGE,
			       "only measure=, idle=, raise_above= and lower_below= can be set on "
			       "a snode");
	if (read_policy(&w, &policy, e) < 0)
		return -1;
	tm_set_policy(s->tm, &policy, now_ns);
	snode_settle(s, now_ns);
	return 0;
}

/* From the last user to the first: who stands on others goes before they do. */
static void tell_gone(struct snode *n)
{
	int users = 0;

	while (snode_users[users])
		users++;
	while (users-- > 0)
		if (snode_users[users]->gone)
			snode_users[users]->gone(n);
}

static void destroy(struct object *o)
{
	struct snode *n = (struct snode *)o;

	tell_gone(n);
	calendar_cancel(&o->sub->calendar, &n->event);
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
	const struct snode *n = (struct snode *)o;

	json_uint(j, "instance", n->instance);
	json_uint(j, "key_id", n->key.id);
	json_int(j, "measure_ns", tm_policy(n->tm)->measure_ns);
	json_int(j, "idle_ns", tm_policy(n->tm)->idle_ns);
	json_int(j, "raise_ppm", tm_policy(n->tm)->raise_ppm);
	json_int(j, "lower_ppm", tm_policy(n->tm)->lower_ppm);
	for (int i = 0; snode_users[i]; i++)
		if (snode_users[i]->status)
			snode_users[i]->status(n, j);
}

const struct object_kind snode_kind = {
	.name = "snode", .destroy = destroy, .set = set, .status = status};

int snode_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	static const uint8_t no_key[SIPHASH_KEY];
	const char *hex = words_get(w, "key");
	struct tm_policy policy = tm_policy_default;
	struct message_key key;

	if (read_policy(w, &policy, e) < 0)
		return -1;
	message_key_init(&key, no_key);
	if (hex && message_key_parse(&key, hex, e) < 0)
		return -1;
	if (!message_name_fits(w->at[1]))
		return err_set(e, ERR_USAGE, "a substrate node's name is too long");
	struct snode *n = xcalloc(1, sizeof(*n));

	if (object_add(&n->object, s, &snode_kind, w->at[1], e) < 0) {
		free(n);
		return -1;
	}
	n->key = key;
	/* The time of day: higher than in any earlier life, without a file to remember that in. */
	n->instance = (uint64_t)(s->epoch_ns + substrate_now_ns(s)) / 1000;
	n->event.fire = tick;
	n->event_ns = INT64_MAX;
	event_source_init(&n->source, s);
	n->tm = tm_create(&policy, substrate_now_ns(s));
	for (int i = 0; snode_users[i]; i++)
		if (snode_users[i]->born)
			snode_users[i]->born(n);
	return 0;
}
