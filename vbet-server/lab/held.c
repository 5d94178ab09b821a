/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A replay repeats the bytes that a user once typed into a console, and there is no user.
 * Somebody has to be the other end: as soon as the record opens a terminal, its channel is held
 * here. What it prints is kept, the last of it, and what the user's client granted back then is
 * granted back by the record itself. `vbet console` in the replayed lab takes the channel over,
 * sees what was on the screen, and goes on typing where the user stopped.
 */
#include "vbet-server/lab/held.h"

#include "lib/agent_wire.h"
#include "lib/container_of.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 32768 }; /* more than any screen */

struct held {
	struct agent_channel channel;
	struct guest *guest;
	uint32_t owed; /* bytes that came and were not granted back in the record */
	size_t len;
	char text[TEXT_MAX]; /* the last that it printed */
	struct held *next;
};

static void drop(struct held *h)
{
	struct held **p = &h->guest->lab->held;

	while (*p != h)
		p = &(*p)->next;
	*p = h->next;
	free(h);
}

static void keep_text(struct held *h, const char *data, size_t len)
{
	if (len > TEXT_MAX) {
		data += len - TEXT_MAX;
		len = TEXT_MAX;
	}
	size_t over = h->len + len > TEXT_MAX ? h->len + len - TEXT_MAX : 0;

	memmove(h->text, h->text + over, h->len - over);
	h->len -= over;
	memcpy(h->text + h->len, data, len);
	h->len += len;
}

static void on_message(struct agent_channel *ch, uint8_t type, const void *data, uint32_t len)
{
	struct held *h = container_of(ch, struct held, channel);

	if (type == WIRE_EXIT) {
		drop(h);
		return;
	}
	if (type != WIRE_DATA)
		return;
	h->owed += len;
	keep_text(h, data, len);
}

static void on_gone(struct agent_channel *ch)
{
	drop(container_of(ch, struct held, channel));
}

static bool opens_terminal(const void *data, size_t len)
{
	struct arena a = {0};
	struct words w;
	const char *tty = words_split(data, len, &a, &w, NULL) == 0 ? words_get(&w, "tty") : NULL;
	bool opens = tty && *tty == '1';

	arena_finish(&a);
	return opens;
}

/* Of several consoles in one node, the first that was opened is taken over first. */
static struct held *hold(struct guest *gu, uint32_t channel)
{
	struct held *h = xcalloc(1, sizeof(*h));
	struct held **last = &gu->lab->held;

	while (*last && ((*last)->guest != gu || (*last)->channel.id < channel))
		last = &(*last)->next;
	h->next = *last;
	*last = h;
	h->guest = gu;
	h->channel.on_message = on_message;
	h->channel.on_gone = on_gone;
	agent_add_channel(&gu->agent, &h->channel);
	h->channel.id = channel;
	return h;
}

void held_adopt(struct guest *gu, struct agent_channel *ch, uint32_t owed, const char *text,
		size_t len)
{
	uint32_t id = ch->id;

	agent_remove_channel(&gu->agent, ch);
	struct held *h = hold(gu, id);

	h->owed = owed;
	if (len)
		keep_text(h, text, len);
}

void held_see(struct guest *gu, uint32_t channel, uint8_t type, const void *data, size_t len)
{
	struct held *h = gu->lab->held;
	uint32_t bytes;

	while (h && (h->guest != gu || h->channel.id != channel))
		h = h->next;
	if (!h && type == WIRE_EXEC && opens_terminal(data, len)) {
		hold(gu, channel);
	} else if (h && type == WIRE_WINDOW_ADD && len == sizeof(bytes)) {
		memcpy(&bytes, data, sizeof(bytes));
		h->owed -= bytes < h->owed ? bytes : h->owed;
	} else if (h && type == WIRE_CLOSE) {
		agent_remove_channel(&gu->agent, &h->channel);
		drop(h);
	}
}

static struct held *find(const struct lab *lab, const char *node)
{
	struct held *h = lab->held;

	while (h && strcmp(h->guest->name, node) != 0)
		h = h->next;
	return h;
}

bool held_has(const struct lab *lab, const char *node)
{
	return find(lab, node) != NULL;
}

void held_list(const struct lab *lab, FILE *out)
{
	for (const struct held *h = lab->held; h; h = h->next)
		if (find(lab, h->guest->name) == h)
			fprintf(out, "%s\n", h->guest->name);
}

/* The channel keeps its number, which is that of the record: to the guest nothing happens. */
bool held_take(struct guest *gu, struct agent_channel *ch, uint32_t *owed, uint32_t *held)
{
	struct held *h = find(gu->lab, gu->name);
	uint32_t id;

	if (!h)
		return false;
	id = h->channel.id;
	agent_remove_channel(&gu->agent, &h->channel);
	agent_add_channel(&gu->agent, ch);
	ch->id = id;
	*owed = h->owed;
	*held = (uint32_t)h->len;
	ch->on_message(ch, WIRE_DATA, h->text, (uint32_t)h->len);
	drop(h);
	return true;
}

void held_finish(struct lab *lab)
{
	while (lab->held) {
		struct held *h = lab->held;

		lab->held = h->next;
		free(h);
	}
}
