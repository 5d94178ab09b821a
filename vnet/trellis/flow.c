/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who has which port or connection, and the packet filters that tell the multiplexer the same. The
 * filters are the security of Trellis: an application gets the packets of its flow only, and can
 * send only with its own address and port as the source.
 */
#include "vnet/trellis/flow.h"

#include "lib/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool port_is_taken(const struct flow_table *t, uint16_t port)
{
	for (size_t i = 0; i < t->flows.n; i++)
		if (t->flows.at[i].port == port)
			return true;
	return false;
}

/* Each in turn, so that one that was given back rests for a while. 0: none is free. */
static uint16_t any_port(struct flow_table *t)
{
	for (unsigned i = 0; i < 65536 - FLOW_PORT_FIRST; i++) {
		uint16_t port = t->next_port < FLOW_PORT_FIRST ? FLOW_PORT_FIRST : t->next_port;

		t->next_port = (uint16_t)(port + 1);
		if (!port_is_taken(t, port))
			return port;
	}
	return 0;
}

static struct flow *add(struct flow_table *t, enum flow_kind kind, uint16_t port, unsigned owner)
{
	struct flow *f = vec_add(&t->flows);

	f->id = ++t->last_id;
	f->kind = kind;
	f->port = port;
	f->owner = owner;
	return f;
}

struct flow *flow_open(struct flow_table *t, enum flow_kind kind, uint16_t port, unsigned owner)
{
	if (port ? port_is_taken(t, port) : !(port = any_port(t)))
		return NULL;
	return add(t, kind, port, owner);
}

static bool is_listener_of(const struct flow_table *t, uint16_t port, unsigned owner)
{
	for (size_t i = 0; i < t->flows.n; i++)
		if (t->flows.at[i].kind == FLOW_LISTENER && t->flows.at[i].port == port)
			return t->flows.at[i].owner == owner;
	return false;
}

static bool is_connected(const struct flow_table *t, uint16_t port,
			 const struct trellis_address *peer, uint16_t peer_port)
{
	for (size_t i = 0; i < t->flows.n; i++) {
		const struct flow *f = &t->flows.at[i];

		if (f->kind == FLOW_CONNECTION && f->port == port && f->peer_port == peer_port &&
		    trellis_address_equal(&f->peer, peer))
			return true;
	}
	return false;
}

/*
 * A connection that is called has the listener's port, and must be asked for by whoever has the
 * listener: nobody else may take a connection off it. The same peer cannot have it twice.
 */
struct flow *flow_connect(struct flow_table *t, uint16_t port, const struct trellis_address *peer,
			  uint16_t peer_port, unsigned owner)
{
	if (port ? !is_listener_of(t, port, owner) || is_connected(t, port, peer, peer_port)
		 : !(port = any_port(t)))
		return NULL;
	struct flow *f = add(t, FLOW_CONNECTION, port, owner);

	f->peer = *peer;
	f->peer_port = peer_port;
	return f;
}

void flow_close(struct flow_table *t, unsigned id)
{
	for (size_t i = 0; i < t->flows.n; i++) {
		if (t->flows.at[i].id == id) {
			vec_remove(&t->flows, i);
			return;
		}
	}
}

struct flow *flow_of(struct flow_table *t, unsigned owner)
{
	for (size_t i = 0; i < t->flows.n; i++)
		if (t->flows.at[i].owner == owner)
			return &t->flows.at[i];
	return NULL;
}

void flow_finish(struct flow_table *t)
{
	vec_free(&t->flows);
}

/* A connection before the listener of the same port: its filter is the narrower one. */
int flow_priority(const struct flow *f)
{
	return f->kind == FLOW_CONNECTION ? 1 : 2;
}

/* " and ether[BASE + at : n] = ..." for an address as it is on the wire. BASE: an expression of its
 * own, or "0". */
static void compare(FILE *out, const char *base, size_t at, const struct trellis_address *a)
{
	uint8_t wire[TRELLIS_ADDRESS_MAX + 1];
	size_t len = trellis_address_write(a, wire, sizeof(wire));

	for (size_t i = 0; i < len;) {
		size_t n = len - i >= 4 ? 4 : len - i >= 2 ? 2 : 1;
		uint32_t value = 0;

		for (size_t k = 0; k < n; k++)
			value = value << 8 | wire[i + k];
		fprintf(out, " and ether[%s%zu:%zu]=%u", base, at + i, n, value);
		i += n;
	}
}

struct text {
	char *text;
	size_t len;
	FILE *f;
};

/* What all filters begin with. */
static FILE *begin(struct text *t)
{
	t->f = xmemstream(&t->text, &t->len);
	fprintf(t->f, "ether proto %d and ether[14]=%d", TRELLIS_ETHERTYPE, TRELLIS_VERSION);
	return t->f;
}

static char *end(struct text *t)
{
	fclose(t->f);
	return t->text;
}

static int packet_kind(const struct flow *f)
{
	return f->kind == FLOW_DATAGRAM ? TRELLIS_DATAGRAM : TRELLIS_STREAM;
}

/* The filter begins with what most frames fail at: the type, the version, the port. */
char *flow_filter_in(const struct flow_table *t, const struct flow *f)
{
	struct text text;
	FILE *out = begin(&text);
	size_t source = TRELLIS_HEAD + 1u + t->self.len;
	char quoted[32];

	fprintf(out, " and ether[22:2]=%u", f->port);
	compare(out, "", TRELLIS_HEAD, &t->self);
	fprintf(out, " and ((ether[15]=%d", packet_kind(f));
	if (f->kind == FLOW_CONNECTION) {
		fprintf(out, " and ether[20:2]=%u", f->peer_port);
		compare(out, "", source, &f->peer);
	}
	/* An error belongs to the connection that it quotes. */
	fprintf(out, ") or (ether[15]=%d", TRELLIS_ERROR);
	if (f->kind == FLOW_CONNECTION) {
		snprintf(quoted, sizeof(quoted), "ether[%zu]+", source);
		fprintf(out, " and ether[%s%zu:2]=%u", quoted, source + 1 + 6, f->peer_port);
		compare(out, quoted, source + 1 + 8, &f->peer);
	}
	fputs("))", out);
	return end(&text);
}

char *flow_filter_out(const struct flow_table *t, const struct flow *f)
{
	struct text text;
	FILE *out = begin(&text);

	fprintf(out, " and ether[15]=%d and ether[20:2]=%u", packet_kind(f), f->port);
	if (f->kind == FLOW_CONNECTION) {
		fprintf(out, " and ether[22:2]=%u", f->peer_port);
		compare(out, "", TRELLIS_HEAD, &f->peer);
		compare(out, "", TRELLIS_HEAD + 1u + f->peer.len, &t->self);
	} else {
		compare(out, "ether[28]+", TRELLIS_HEAD + 1, &t->self);
	}
	return end(&text);
}
