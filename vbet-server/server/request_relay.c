/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands and files in a node: from the "ok" on, wire messages go to and fro.
 *
 * The server stands between a client (always channel 1) and a channel of the guest's agent, and
 * turns messages over. By the real clock it is a pipe. In virtual time what comes from the
 * guest is passed on at once, for it cannot change anything, and what goes to the guest is an
 * input (input.c).
 */
#include "lib/container_of.h"
#include "lib/vec.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/held.h"
#include "vbet-server/lab/input.h"
#include "vbet-server/plan/address.h"
#include "vbet-server/server/request.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void give_back_clock(struct client *c)
{
	if (c->lent)
		clock_take_back(c->server->lab);
	c->lent = false;
}

/* Bytes that wait for a side that does not read. Who keeps to the window needs less, even with one
 * byte in a message; a guest has many channels. */
enum { TO_CLIENT_MAX = 16 * WIRE_WINDOW, TO_GUEST_MAX = 256 * WIRE_WINDOW };

static void leave_shared(struct client *c, const char *why)
{
	c->shares = NULL;
	wire_write(&c->conn, 1, WIRE_EXIT, why, (uint32_t)strlen(why));
	conn_close_later(&c->conn);
}

/* What a terminal shows is shown to all who share it. */
static void show_others(struct client *owner, uint8_t type, const void *data, uint32_t len)
{
	for (struct client *c = owner->server->clients; c; c = c->next) {
		if (c->dead || c->shares != owner)
			continue;
		if (type == WIRE_EXIT)
			leave_shared(c, "status=0");
		else if (conn_pending(&c->conn) > TO_CLIENT_MAX)
			leave_shared(c, "\"error=this terminal does not keep up\"");
		else if (type == WIRE_DATA)
			wire_write(&c->conn, 1, type, data, len);
	}
}

static void keep_seen(struct client *c, const char *data, size_t len)
{
	if (!c->seen)
		c->seen = xcalloc(1, CLIENT_SEEN_MAX);
	if (len > CLIENT_SEEN_MAX) {
		data += len - CLIENT_SEEN_MAX;
		len = CLIENT_SEEN_MAX;
	}
	size_t kept = CLIENT_SEEN_MAX - len < c->seen_len ? CLIENT_SEEN_MAX - len : c->seen_len;

	memmove(c->seen, c->seen + c->seen_len - kept, kept);
	memcpy(c->seen + kept, data, len);
	c->seen_len = kept + len;
}

static void give_up(struct client *c, const char *why)
{
	wire_write(&c->conn, 1, WIRE_EXIT, why, (uint32_t)strlen(why));
	if (c->is_terminal)
		show_others(c, WIRE_EXIT, NULL, 0);
	give_back_clock(c);
	conn_close_later(&c->conn);
	input_drop_channel(c->guest, &c->channel);
}

static void relay_message(struct agent_channel *ch, uint8_t type, const void *data, uint32_t len)
{
	struct client *c = container_of(ch, struct client, channel);

	if (conn_pending(&c->conn) > TO_CLIENT_MAX) {
		give_up(c, "\"error=the node sends more than it may\"");
		return;
	}
	if (c->is_terminal) {
		if (type == WIRE_DATA)
			keep_seen(c, data, len);
		show_others(c, type, data, len);
	}
	if (type == WIRE_DATA || type == WIRE_ERRDATA)
		c->heard += len;
	wire_write(&c->conn, 1, type, data, len);
	if (type != WIRE_EXIT)
		return;
	give_back_clock(c);
	conn_close_later(&c->conn);
}

static void relay_gone(struct agent_channel *ch)
{
	relay_message(ch, WIRE_EXIT, "\"error=the node has gone down\"", 30);
}

/* In virtual time the clock stands for each message to a guest, so grants are saved up. */
static void to_guest(struct client *c, const struct wire_head *h, const char *data)
{
	uint32_t bytes;

	if (h->type != WIRE_WINDOW_ADD || h->len != sizeof(bytes) ||
	    !c->server->lab->clock.is_virtual) {
		input_send(c->guest, c->channel.id, h->type, data, h->len);
		return;
	}
	memcpy(&bytes, data, sizeof(bytes));
	uint32_t again = bytes < c->repeated ? bytes : c->repeated;

	c->repeated -= again;
	c->owed += bytes - again;
	if (c->owed < WIRE_WINDOW / 2)
		return;
	input_send(c->guest, c->channel.id, WIRE_WINDOW_ADD, &c->owed, sizeof(c->owed));
	c->heard -= c->owed < c->heard ? c->owed : c->heard;
	c->owed = 0;
}

/* Keys of somebody who shares the terminal of another; its size and its end are that one's. */
static void to_shared(struct client *c, const struct wire_head *h, const char *data)
{
	if (h->type != WIRE_DATA)
		return;
	if (conn_pending(&c->guest->agent.conn) > TO_GUEST_MAX) {
		leave_shared(c, "\"error=the node asks for more than it reads\"");
		return;
	}
	if (!c->watches)
		input_send(c->guest, c->shares->channel.id, WIRE_DATA, data, h->len);
	wire_write(&c->conn, 1, WIRE_WINDOW_ADD, &h->len, sizeof(h->len));
}

long request_relay(struct client *c, const char *data, size_t len)
{
	struct wire_head h;
	long size = wire_read(data, len, &h);

	if (size > 0 && c->shares)
		to_shared(c, &h, data + WIRE_HEAD);
	else if (size > 0 && c->channel.id && conn_pending(&c->guest->agent.conn) > TO_GUEST_MAX)
		give_up(c, "\"error=the node asks for more than it reads\"");
	else if (size > 0 && c->channel.id)
		to_guest(c, &h, data + WIRE_HEAD);
	return size;
}

void request_client_gone(struct client *c)
{
	c->shares = NULL;
	if (c->is_terminal)
		show_others(c, WIRE_EXIT, NULL, 0);
	give_back_clock(c);
	if (c->state == CLIENT_RELAY && c->channel.id)
		input_drop_channel(c->guest, &c->channel);
	free(c->seen);
	c->seen = NULL;
	c->seen_len = 0;
}

void request_client_in_record(struct client *c)
{
	if (c->state == CLIENT_RELAY && c->channel.id) {
		if (c->is_terminal)
			held_adopt(c->guest, &c->channel, c->heard, c->seen, c->seen_len);
		else
			agent_remove_channel(&c->guest->agent, &c->channel);
	}
	c->shares = NULL;
	c->lent = c->is_terminal = false;
	request_client_gone(c);
}

/* From here on no more lines: what comes next are messages, in both directions. */
static void begin_relay(struct client *c, struct guest *gu)
{
	if (!c->steps)
		request_tell_clock(c);
	client_ok(c);
	c->state = CLIENT_RELAY;
	c->guest = gu;
	c->owed = c->repeated = c->heard = 0;
	c->channel.on_message = relay_message;
	c->channel.on_gone = relay_gone;
}

/*
 * A console that was open in the run that this one repeats. The program in it must hear that
 * the terminal has another size now.
 */
static bool take_over(struct client *c, const struct words *w, struct guest *gu)
{
	const char *cols = words_get(w, "cols");
	const char *rows = words_get(w, "rows");
	uint16_t size[2] = {(uint16_t)atoi(cols ? cols : "80"), (uint16_t)atoi(rows ? rows : "24")};

	if (!held_has(c->server->lab, gu->name))
		return false;
	conn_printf(&c->conn, "progress this console was open in the run\n");
	begin_relay(c, gu);
	held_take(gu, &c->channel, &c->owed, &c->repeated);
	input_send(gu, c->channel.id, WIRE_RESIZE, size, sizeof(size));
	return true;
}

/* The terminal that was opened last in that node, by somebody else. */
static struct client *find_terminal(const struct client *self, const struct guest *gu)
{
	for (struct client *c = self->server->clients; c; c = c->next)
		if (c != self && !c->dead && c->state == CLIENT_RELAY && c->is_terminal &&
		    c->guest == gu && c->channel.id)
			return c;
	return NULL;
}

static int share(struct client *c, struct guest *gu, bool watches, struct err *e)
{
	struct client *owner = find_terminal(c, gu);

	if (!owner)
		return err_set(e, ERR_USAGE,
			       "nobody has a terminal open in %s: 'vbet console %s' opens one",
			       gu->name, gu->name);
	request_tell_clock(c);
	client_ok(c);
	c->state = CLIENT_RELAY;
	c->guest = gu;
	c->shares = owner;
	c->watches = watches;
	c->is_terminal = false;
	if (owner->seen_len)
		wire_write(&c->conn, 1, WIRE_DATA, owner->seen, (uint32_t)owner->seen_len);
	return REQUEST_ANSWERED;
}

static int open_relay(struct client *c, const char *node, uint8_t type, char *const *words,
		      size_t n, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, node, e);
	char *text = NULL;
	size_t len = 0;

	if (!gu)
		return -1;
	if (!guest_can_hear(gu, e))
		return -1;
	FILE *f = xmemstream(&text, &len);

	words_put_line(f, words, n);
	fclose(f);
	len--; /* the newline */
	if (len > WIRE_PAYLOAD_MAX) {
		free(text);
		return err_set(e, ERR_USAGE, "the command is too long: %zu bytes, at most %d", len,
			       WIRE_PAYLOAD_MAX);
	}
	begin_relay(c, gu);
	input_open_channel(gu, &c->channel, type, text, (uint32_t)len);
	free(text);
	return REQUEST_ANSWERED;
}

/* Who a command runs in, and by which of its networks it calls others. */
struct caller {
	struct lab *lab;
	int node;
	int vnet; /* ADDRESS_ANY: not said */
};

/* vnet=NAME */
static int read_vnet(struct caller *c, const struct words *w, struct err *e)
{
	const struct graph *g = c->lab->graph;
	const char *name = words_get(w, "vnet");

	c->vnet = ADDRESS_ANY;
	if (!name)
		return 0;
	c->vnet = graph_find_vnet(g, name);
	if (c->vnet >= 0 && graph_is_in_vnet(&g->nodes[c->node], c->vnet))
		return 0;
	return err_set(e, ERR_USAGE, c->vnet < 0 ? "there is no vNet '%s'" : "%s is not in vNet %s",
		       c->vnet < 0 ? name : g->nodes[c->node].name, name);
}

/*
 * "h2", or "h2.red" for its address in that vNet. -1: no such node. vnet: ADDRESS_ANY if the name
 * does not say.
 */
static int find_called(const struct graph *g, const char *name, int *vnet)
{
	const char *dot = strrchr(name, '.');
	char head[128];

	*vnet = ADDRESS_ANY;
	if (graph_find_node(g, name) >= 0 || !dot || (size_t)(dot - name) >= sizeof(head))
		return graph_find_node(g, name);
	memcpy(head, name, (size_t)(dot - name));
	head[dot - name] = '\0';
	*vnet = graph_find_vnet(g, dot + 1);
	return *vnet < 0 ? -1 : graph_find_node(g, head);
}

/* A node in several vNets calls another by the one that both are in. */
static int choose_network(struct caller *c, int node, int said, struct err *e)
{
	const struct graph *g = c->lab->graph;
	int shared[ADDRESS_NETWORKS_MAX];

	if (said != ADDRESS_ANY)
		c->vnet = said;
	if (c->vnet != ADDRESS_ANY || g->nodes[c->node].n_vnets < 2 || node == c->node)
		return 0;
	size_t n = address_shared(&g->nodes[c->node], &g->nodes[node], shared);

	if (n > 1)
		return err_set(e, ERR_USAGE,
			       "%s and %s have %zu networks in common: say which is meant, as in "
			       "%s.%s",
			       g->nodes[c->node].name, g->nodes[node].name, n, g->nodes[node].name,
			       g->vnets[shared[0]].name);
	if (n == 1)
		c->vnet = shared[0];
	return 0;
}

/* Mininet's habit: in "r1 ping h2", h2 stands for its address. */
static int substitute_names(struct caller *c, struct arena *a, char **argv, size_t n, struct err *e)
{
	const struct graph *g = c->lab->graph;
	char buf[80];

	for (size_t i = 1; i < n; i++) {
		int said;
		int node = find_called(g, argv[i], &said);

		if (node < 0)
			continue;
		if (said != ADDRESS_ANY && !graph_is_in_vnet(&g->nodes[node], said))
			return err_set(e, ERR_USAGE, "%s is not in vNet %s", g->nodes[node].name,
				       g->vnets[said].name);
		if (choose_network(c, node, said, e) < 0)
			return -1;
		struct addr addr =
			learned_address_in(c->lab, (size_t)c->node, (size_t)node, c->vnet);

		if (addr.family)
			argv[i] = arena_strdup(a, addr_format(&addr, false, buf, sizeof(buf)));
	}
	return 0;
}

/* Settings that the agent does not know, or that are said anew. */
static bool is_ours(const char *word)
{
	return !strncmp(word, "subst=", 6) || !strncmp(word, "step=", 5) ||
	       !strncmp(word, "vnet=", 5);
}

/*
 * exec NODE share=1|watch=1 --: into the terminal that somebody has open there.
 * exec NODE [subst=1] [step=1] [key=value...] -- [ARGV...]; without ARGV the node's login shell
 */
int request_exec(struct client *c, const struct words *w, struct err *e)
{
	struct arena a = {0};
	size_t dashes = 2;
	const char *subst = words_get(w, "subst");
	const char *step = words_get(w, "step");

	while (dashes < w->n && strcmp(w->at[dashes], "--") != 0)
		dashes++;
	if (dashes >= w->n)
		return err_set(e, ERR_USAGE, "exec NODE [key=value...] -- [COMMAND [ARGUMENT...]]");
	const char *tty = words_get(w, "tty");
	struct guest *gu = lab_find_guest(c->server->lab, w->at[1], e);

	if (!gu)
		return -1;
	c->steps = step && *step == '1';
	c->is_terminal = tty && *tty == '1';
	if (words_get(w, "share") || words_get(w, "watch"))
		return share(c, gu, words_get(w, "watch") != NULL, e);
	if (dashes + 1 == w->n && tty && *tty == '1' && take_over(c, w, gu)) {
		c->lent = c->steps && clock_lend(c->server->lab);
		return REQUEST_ANSWERED;
	}
	struct caller caller = {c->server->lab, graph_find_node(c->server->lab->graph, w->at[1]),
				ADDRESS_ANY};
	const struct words keys = {.at = w->at, .n = dashes};

	if (read_vnet(&caller, &keys, e) < 0 ||
	    (subst && *subst == '1' &&
	     substitute_names(&caller, &a, w->at + dashes + 1, w->n - dashes - 1, e) < 0)) {
		arena_finish(&a);
		return -1;
	}
	const struct graph *g = c->server->lab->graph;
	const char *vnet = graph_choice_of_vnet(g, &g->nodes[caller.node], caller.vnet);
	VEC(char *) v = {0};

	vec_push(&v, "exec");
	if (vnet)
		vec_push(&v, arena_printf(&a, "vnet=%s", vnet));
	for (size_t i = 2; i < w->n; i++)
		if (i >= dashes || !is_ours(w->at[i]))
			vec_push(&v, w->at[i]);
	int rc = open_relay(c, w->at[1], WIRE_EXEC, v.at, v.n, e);

	if (rc == REQUEST_ANSWERED && c->steps && c->channel.id)
		c->lent = clock_lend(c->server->lab);
	vec_free(&v);
	arena_finish(&a);
	return rc;
}

/* put NODE [mode=0644] PATH; get NODE PATH */
int request_put(struct client *c, const struct words *w, struct err *e)
{
	VEC(char *) v = {0};

	vec_push(&v, w->at[0]);
	for (size_t i = 2; i < w->n; i++)
		vec_push(&v, w->at[i]);
	int rc = open_relay(c, w->at[1], strcmp(w->at[0], "put") ? WIRE_GET : WIRE_PUT, v.at, v.n,
			    e);

	vec_free(&v);
	return rc;
}
