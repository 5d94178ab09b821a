/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtual links need signalling between the S-Nodes of their path, so they come up some time after
 * the line that asks for them was answered, and may go down again. The substrate tells by events;
 * here is what it said last for each direction. A lab is not ready before all are up
 * (vlinks_down()), and the guests' NICs get a smaller MTU when a path turns out to be narrow.
 */
#include "vbet-server/lab/vlinks.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

static struct vlink_state *find(const struct vlinks *v, const char *name)
{
	for (size_t i = 0; i < v->at.n; i++)
		if (!strcmp(v->at.at[i].name, name))
			return &v->at.at[i];
	return NULL;
}

/* Down until the substrate says otherwise: its event may come before the answer to the line. */
void vlinks_begin(struct vlinks *v, const char *line)
{
	static const char verb[] = "vlink ";

	if (strncmp(line, verb, strlen(verb)) != 0)
		return;
	line += strlen(verb);
	struct vlink_state *new = vec_add(&v->at);

	new->name = xstrndup(line, strcspn(line, " "));
}

void vlinks_end(struct vlinks *v, const char *name)
{
	struct vlink_state *s = find(v, name);

	if (!s)
		return;
	free(s->name);
	free(s->reason);
	*s = v->at.at[v->at.n - 1];
	v->at.n--;
}

static void hear_up(struct vlink_state *s, const char *text)
{
	s->up = true;
	free(s->reason);
	s->reason = NULL;
}

static void hear_down(struct vlink_state *s, const char *reason)
{
	s->up = false;
	free(s->reason);
	s->reason = reason ? xstrdup(reason) : NULL;
}

static void hear_mtu(struct vlink_state *s, const char *text)
{
	s->mtu = text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static const struct {
	const char *word;
	enum vlinks_news about;
	void (*hear)(struct vlink_state *s, const char *text);
} news[] = {
	{"up", VLINKS_STATE, hear_up},
	{"down", VLINKS_STATE, hear_down},
	{"mtu", VLINKS_MTU, hear_mtu},
};

enum vlinks_news vlinks_hear(struct vlinks *v, const struct words *event)
{
	struct vlink_state *s = find(v, event->at[1]);

	for (size_t i = 0; i < ARRAY_LEN(news); i++) {
		if (strcmp(news[i].word, event->at[2]) != 0)
			continue;
		if (s)
			news[i].hear(s, event->n > 3 ? event->at[3] : NULL);
		return news[i].about;
	}
	return VLINKS_NONE;
}

unsigned vlinks_mtu(const struct vlinks *v, const char *name)
{
	const struct vlink_state *s = find(v, name);

	return s ? s->mtu : 0;
}

const struct vlink_state *vlinks_down(const struct vlinks *v)
{
	for (size_t i = 0; i < v->at.n; i++)
		if (!v->at.at[i].up)
			return &v->at.at[i];
	return NULL;
}

void vlinks_finish(struct vlinks *v)
{
	for (size_t i = 0; i < v->at.n; i++) {
		free(v->at.at[i].name);
		free(v->at.at[i].reason);
	}
	vec_free(&v->at);
}
