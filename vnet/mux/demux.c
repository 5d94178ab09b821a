/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bindings are kept in the order in which they are asked: by priority, among equals by age. The
 * first whose filter matches gets the frame. A list is enough: a vNet has some dozens of bindings,
 * and compiled filters refuse most frames after two or three instructions.
 */
#include "vnet/mux/demux.h"

#include "vnet/vnet.h"

#include <string.h>

int demux_binding_init(struct demux_binding *b, unsigned id, int priority, const char *in,
		       const char *out, struct err *e)
{
	*b = (struct demux_binding){.id = id, .priority = priority};
	if (filter_compile(&b->in, in, e) < 0)
		return err_wrap(e, "in");
	if (filter_compile(&b->out, out, e) < 0) {
		filter_finish(&b->in);
		return err_wrap(e, "out");
	}
	return 0;
}

void demux_binding_finish(struct demux_binding *b)
{
	filter_finish(&b->in);
	filter_finish(&b->out);
}

struct demux_binding *demux_find_id(const struct demux *d, unsigned id)
{
	for (size_t i = 0; i < d->bindings.n; i++)
		if (d->bindings.at[i]->id == id)
			return d->bindings.at[i];
	return NULL;
}

int demux_add(struct demux *d, struct demux_binding *b, struct err *e)
{
	size_t at = d->bindings.n;

	if (demux_find_id(d, b->id))
		return err_set(e, ERR_USAGE, "binding %u is there already", b->id);
	vec_push(&d->bindings, b);
	for (; at && d->bindings.at[at - 1]->priority > b->priority; at--)
		d->bindings.at[at] = d->bindings.at[at - 1];
	d->bindings.at[at] = b;
	return 0;
}

void demux_remove(struct demux *d, struct demux_binding *b)
{
	vec_remove_item(&d->bindings, b);
}

struct demux_binding *demux_find(const struct demux *d, const uint8_t *frame, size_t len)
{
	for (size_t i = 0; i < d->bindings.n; i++)
		if (filter_matches(&d->bindings.at[i]->in, frame, len))
			return d->bindings.at[i];
	return NULL;
}

/* The source first: it is what the rest of the network relies on, and costs no filter. */
enum demux_verdict demux_check(const struct demux_binding *b, const uint8_t mac[6],
			       const uint8_t *frame, size_t len)
{
	if (len < VNET_FRAME_MIN)
		return DEMUX_RUNT;
	if (memcmp(frame + 6, mac, 6) != 0)
		return DEMUX_SOURCE;
	return filter_matches(&b->out, frame, len) ? DEMUX_PASS : DEMUX_FILTER;
}

const char *demux_verdict_name(enum demux_verdict v)
{
	static const char *const names[] = {
		[DEMUX_PASS] = "pass",
		[DEMUX_RUNT] = "runt",
		[DEMUX_SOURCE] = "source",
		[DEMUX_FILTER] = "filter",
	};

	_Static_assert(ARRAY_LEN(names) == DEMUX_VERDICTS, "names out of step with the enum");
	return names[v];
}

void demux_finish(struct demux *d)
{
	vec_free(&d->bindings);
}
