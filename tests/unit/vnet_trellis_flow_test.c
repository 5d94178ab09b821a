/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who owns which port, and that the packet filters of the multiplexer say the same. */
#include "tests/support/suite.h"
#include "vnet/mux/demux.h"
#include "vnet/trellis/flow.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct flow_table t;
static uint8_t mac[6] = {2, 9};

static struct trellis_address address(const char *text)
{
	struct trellis_address a;

	ck_assert_msg(trellis_address_parse(&a, text), "%s", text);
	return a;
}

static void setup(void)
{
	memset(&t, 0, sizeof(t));
	t.self = address("/east/h2");
}

static void teardown(void)
{
	flow_finish(&t);
}

START_TEST(a_port_has_one_owner)
{
	ck_assert_ptr_nonnull(flow_open(&t, FLOW_DATAGRAM, 500, 1));
	ck_assert_ptr_null(flow_open(&t, FLOW_DATAGRAM, 500, 2));
	ck_assert_ptr_null(flow_open(&t, FLOW_LISTENER, 500, 1));
	ck_assert_ptr_nonnull(flow_open(&t, FLOW_LISTENER, 501, 1));
	flow_close(&t, 1);
	ck_assert_ptr_nonnull(flow_open(&t, FLOW_DATAGRAM, 500, 2));
}
END_TEST

START_TEST(free_ports_are_given_in_turn)
{
	struct flow *a = flow_open(&t, FLOW_DATAGRAM, 0, 1);
	uint16_t first = a->port;

	ck_assert_uint_ge(first, FLOW_PORT_FIRST);
	flow_close(&t, a->id);
	ck_assert_uint_eq(flow_open(&t, FLOW_DATAGRAM, 0, 1)->port, first + 1);
	for (unsigned i = 0; i < 65536 - FLOW_PORT_FIRST - 1; i++)
		ck_assert_ptr_nonnull(flow_open(&t, FLOW_DATAGRAM, 0, 1));
	ck_assert_ptr_null(flow_open(&t, FLOW_DATAGRAM, 0, 1));
	flow_close(&t, t.flows.at[77].id);
	ck_assert_ptr_nonnull(flow_open(&t, FLOW_DATAGRAM, 0, 1));
}
END_TEST

START_TEST(only_its_listener_may_accept)
{
	struct trellis_address peer = address("/west/h1");

	flow_open(&t, FLOW_LISTENER, 80, 1);
	ck_assert_ptr_null(flow_connect(&t, 80, &peer, 4000, 2)); /* another's port */
	ck_assert_ptr_null(flow_connect(&t, 81, &peer, 4000, 1)); /* nobody's */
	ck_assert_ptr_nonnull(flow_connect(&t, 80, &peer, 4000, 1));
	ck_assert_ptr_null(flow_connect(&t, 80, &peer, 4000, 1)); /* twice */
	ck_assert_ptr_nonnull(flow_connect(&t, 80, &peer, 4001, 1));
	ck_assert_ptr_nonnull(flow_connect(&t, 0, &peer, 80, 2));
}
END_TEST

START_TEST(an_application_that_goes_leaves_nothing)
{
	flow_open(&t, FLOW_LISTENER, 80, 1);
	flow_open(&t, FLOW_LISTENER, 81, 2);
	flow_open(&t, FLOW_DATAGRAM, 82, 1);
	for (struct flow *f; (f = flow_of(&t, 1));)
		flow_close(&t, f->id);
	ck_assert_uint_eq(t.flows.n, 1);
	ck_assert_uint_eq(t.flows.at[0].port, 81);
}
END_TEST

static void bind_flow(struct demux_binding *b, const struct flow *f)
{
	char *in = flow_filter_in(&t, f);
	char *out = flow_filter_out(&t, f);
	struct err e;

	ck_assert_msg(demux_binding_init(b, f->id, flow_priority(f), in, out, &e) == 0, "%s",
		      e.text);
	free(in);
	free(out);
}

struct sample {
	uint8_t kind;
	const char *from, *to;
	uint16_t from_port, to_port;
};

static const uint8_t *write_sample(const struct sample *x, size_t *len)
{
	static uint8_t frame[400];
	uint8_t payload[100] = {0};
	struct trellis_packet p = {
		.kind = x->kind,
		.hop_limit = 5,
		.source = address(x->from),
		.destination = address(x->to),
		.source_port = x->from_port,
		.destination_port = x->to_port,
		.payload = payload,
		.len = 40,
	};

	*len = trellis_packet_write(&p, mac, mac, frame, sizeof(frame));
	return frame;
}

static bool gets(const struct demux_binding *b, struct sample x)
{
	size_t len;
	const uint8_t *frame = write_sample(&x, &len);

	return filter_matches(&b->in, frame, len);
}

static bool may_send(const struct demux_binding *b, struct sample x)
{
	size_t len;
	const uint8_t *frame = write_sample(&x, &len);

	return demux_check(b, mac, frame, len) == DEMUX_PASS;
}

START_TEST(datagrams_reach_their_port_only)
{
	struct demux_binding b;
	const char *us = "/east/h2";

	bind_flow(&b, flow_open(&t, FLOW_DATAGRAM, 500, 1));
	ck_assert(gets(&b, (struct sample){TRELLIS_DATAGRAM, "/west/h1", us, 9, 500}));
	ck_assert(gets(&b, (struct sample){TRELLIS_ERROR, "/west/r1", us, 0, 500}));
	ck_assert(!gets(&b, (struct sample){TRELLIS_DATAGRAM, "/west/h1", us, 9, 501}));
	ck_assert(!gets(&b, (struct sample){TRELLIS_STREAM, "/west/h1", us, 9, 500}));
	ck_assert(!gets(&b, (struct sample){TRELLIS_DATAGRAM, "/west/h1", "/east/h3", 9, 500}));
	ck_assert(!gets(&b, (struct sample){TRELLIS_DATAGRAM, us, "/east/h2/x", 9, 500}));
	ck_assert(may_send(&b, (struct sample){TRELLIS_DATAGRAM, us, "/west/h1", 500, 9}));
	ck_assert(
		may_send(&b, (struct sample){TRELLIS_DATAGRAM, us, "/a/much/longer/one", 500, 9}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_DATAGRAM, us, "/west/h1", 501, 9}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_DATAGRAM, "/east/h3", "/west/h1", 500, 9}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_DATAGRAM, "/east/h2/x", "/w", 500, 9}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_STREAM, us, "/west/h1", 500, 9}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_HELLO, us, "/west/h1", 500, 9}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_STATE, us, "/west/h1", 500, 9}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_ERROR, us, "/west/h1", 500, 9}));
	demux_binding_finish(&b);
}
END_TEST

START_TEST(a_connection_is_between_two)
{
	struct trellis_address peer = address("/west/h1");
	struct demux_binding b;
	const char *us = "/east/h2";

	flow_open(&t, FLOW_LISTENER, 80, 1);
	bind_flow(&b, flow_connect(&t, 80, &peer, 4000, 1));
	ck_assert(gets(&b, (struct sample){TRELLIS_STREAM, "/west/h1", us, 4000, 80}));
	ck_assert(!gets(&b, (struct sample){TRELLIS_STREAM, "/west/h1", us, 4001, 80}));
	ck_assert(!gets(&b, (struct sample){TRELLIS_STREAM, "/west/h9", us, 4000, 80}));
	ck_assert(!gets(&b, (struct sample){TRELLIS_DATAGRAM, "/west/h1", us, 4000, 80}));
	ck_assert(may_send(&b, (struct sample){TRELLIS_STREAM, us, "/west/h1", 80, 4000}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_STREAM, us, "/west/h9", 80, 4000}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_STREAM, us, "/west/h1", 80, 4001}));
	ck_assert(!may_send(&b, (struct sample){TRELLIS_STREAM, "/east/h9", "/west/h1", 80, 4000}));
	demux_binding_finish(&b);
}
END_TEST

static size_t write_error(uint8_t frame[400], const char *about, uint16_t port)
{
	struct trellis_error e = {
		.code = TRELLIS_ERROR_ROUTE,
		.kind = TRELLIS_STREAM,
		.source_port = 80,
		.destination_port = port,
		.destination = address(about),
	};
	uint8_t payload[100];
	struct trellis_packet p = {
		.kind = TRELLIS_ERROR,
		.hop_limit = 5,
		.source = address("/some/router/of/all"),
		.destination = t.self,
		.destination_port = 80,
		.payload = payload,
	};

	p.len = (uint16_t)trellis_error_write(&e, payload, sizeof(payload));
	return trellis_packet_write(&p, mac, mac, frame, 400);
}

START_TEST(a_connection_gets_its_own_errors_only)
{
	struct trellis_address peer = address("/west/h1");
	struct demux_binding b;
	uint8_t frame[400];

	flow_open(&t, FLOW_LISTENER, 80, 1);
	bind_flow(&b, flow_connect(&t, 80, &peer, 4000, 1));
	ck_assert(filter_matches(&b.in, frame, write_error(frame, "/west/h1", 4000)));
	ck_assert(!filter_matches(&b.in, frame, write_error(frame, "/west/h1", 4001)));
	ck_assert(!filter_matches(&b.in, frame, write_error(frame, "/west/h9", 4000)));
	demux_binding_finish(&b);
}
END_TEST

START_TEST(the_longest_addresses_fit_into_filters)
{
	const char *longest = "/abcdefghijklmno/abcdefghijklmno/abcdefghijklmno/abcdefghijklm";
	struct trellis_address peer = address(longest);
	struct demux_binding b;

	t.self = peer;
	bind_flow(&b, flow_open(&t, FLOW_DATAGRAM, 500, 1));
	ck_assert(may_send(&b, (struct sample){TRELLIS_DATAGRAM, longest, longest, 500, 9}));
	ck_assert(gets(&b, (struct sample){TRELLIS_DATAGRAM, longest, longest, 9, 500}));
	demux_binding_finish(&b);
	bind_flow(&b, flow_connect(&t, 0, &peer, 80, 1));
	ck_assert(gets(&b, (struct sample){TRELLIS_STREAM, longest, longest, 80, FLOW_PORT_FIRST}));
	ck_assert(may_send(&b,
			   (struct sample){TRELLIS_STREAM, longest, longest, FLOW_PORT_FIRST, 80}));
	demux_binding_finish(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trellis flow");
	TCase *tc = tcase_create("flow");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_port_has_one_owner);
	tcase_add_test(tc, free_ports_are_given_in_turn);
	tcase_add_test(tc, only_its_listener_may_accept);
	tcase_add_test(tc, an_application_that_goes_leaves_nothing);
	tcase_add_test(tc, datagrams_reach_their_port_only);
	tcase_add_test(tc, a_connection_is_between_two);
	tcase_add_test(tc, a_connection_gets_its_own_errors_only);
	tcase_add_test(tc, the_longest_addresses_fit_into_filters);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
