/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events of a script ("at 10s: cut r1 r2") and checks ("expect ping(a, b)") in the words of
 * requests.
 *
 * An event becomes the words that a user would have typed for it, and a check becomes a command of
 * a shell, or a look at what guests know (lab/look.h): whoever carries them out needs to know
 * nothing about either. So an event in a script does just what the same request does, is written
 * into a record as such a line, and is repeated from there without the script.
 *
 * The checks' commands end with 0 if the check holds. What they print is the reason if it does not.
 */
#include "vbet-server/plan/event.h"

#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/plan/address.h"
#include "vbet-server/plan/judge_answer.h"

#include <stdlib.h>
#include <string.h>

/*
 * "link A B down --one-way": requests have no other name for a direction than the order of the
 * ends.
 */
static int cable_words(const struct graph *g, const struct graph_event *ev, struct arena *a,
		       struct strvec *v, struct err *e)
{
	const struct graph_cable *c = &g->cables[ev->cable];
	struct words changes = {0};
	const char *ends[2];

	vec_push(v, "link");
	for (int i = 0; i < 2; i++) {
		const struct graph_node *n = &g->nodes[c->end[i].node];

		ends[i] = arena_printf(a, "%s:%s", n->name, n->nics[c->end[i].nic].name);
	}
	/* One way is from the end that is named first. */
	bool turned = ev->side.part == PART_DIR && ev->side.end;

	vec_push(v, ends[turned]);
	vec_push(v, ends[!turned]);
	if (ev->kind != ACTION_IMPAIR)
		vec_push(v, ev->kind == ACTION_CUT ? "down" : "up");
	else
		vec_push(v, "set");
	if (ev->kind != ACTION_IMPAIR && ev->side.part == PART_END)
		vec_push(v, arena_printf(a, "end=%s", ends[ev->side.end]));
	if (ev->kind != ACTION_IMPAIR && ev->side.part == PART_DIR)
		vec_push(v, "--one-way");
	if (ev->text && words_split(ev->text, strlen(ev->text), a, &changes, e) < 0)
		return -1;
	for (size_t i = 0; i < changes.n; i++)
		vec_push(v, changes.at[i]);
	return 0;
}

/* "timeout_ms=N". Never 0, which would be no limit. */
static char *timeout_word(struct arena *a, int64_t timeout_ns)
{
	int64_t ms = timeout_ns / 1000000;

	return arena_printf(a, "timeout_ms=%lld", (long long)(ms ? ms : 1));
}

void event_job_words(struct strvec *v, const char *node, const char *timeout,
		     const struct strvec *more, const char *command)
{
	vec_push(v, "job");
	vec_push(v, node);
	vec_push(v, timeout);
	for (size_t i = 0; more && i < more->n; i++)
		vec_push(v, more->at[i]);
	vec_push(v, "--");
	vec_push(v, "/bin/sh");
	vec_push(v, "-c");
	vec_push(v, command);
}

/* "vnet=NAME" of a node that is in a choice of them. */
static void put_vnet(const struct graph *g, int node, int vnet, struct arena *a, struct strvec *v)
{
	const char *name = graph_choice_of_vnet(g, &g->nodes[node], vnet);

	if (name)
		vec_push(v, arena_printf(a, "vnet=%s", name));
}

int event_words(const struct graph *g, const struct graph_event *ev, struct arena *a,
		struct strvec *v, struct err *e)
{
	if (ev->cable >= 0)
		return cable_words(g, ev, a, v, e);
	if (ev->kind != ACTION_EXEC) {
		vec_push(v, graph_action_name(ev->kind));
		vec_push(v, g->nodes[ev->node].name);
		return 0;
	}
	struct strvec more = {0};

	put_vnet(g, ev->node, ev->vnet, a, &more);
	event_job_words(v, g->nodes[ev->node].name, timeout_word(a, ev->timeout_ns), &more,
			ev->text);
	vec_free(&more);
	return 0;
}

/*
 * The command of a check for /bin/sh; malloc'ed. Addresses that the script gives are written into
 * it. One that is only learned in the run cannot be: the shell variable EVENT_PEER stands for it,
 * and whoever starts the command fills it in (lab/job.c).
 */
static bool asks_a_peer(const struct graph_expect *x)
{
	return x->kind == CHECK_PING || x->kind == CHECK_LOSS || x->kind == CHECK_RTT ||
	       x->kind == CHECK_THROUGHPUT;
}

enum { PINGS = 10, PORT = 5999 };
static const int64_t throughput_ns = INT64_C(3000000000);

static int64_t duration_s(const struct graph_expect *x)
{
	int64_t ns = x->probe.duration_ns > 0 ? x->probe.duration_ns : throughput_ns;

	return (ns + 999999999) / 1000000000;
}

/*
 * The other end takes one sender, and ends by itself if none comes. While it serves another one,
 * both try again: measurements of one node come one after the other, since they would share its
 * wire.
 */
static char *serve_command(const struct graph_expect *x)
{
	return xasprintf("exec timeout %lld sh -c 'until iperf3 -s -1 -p %d; do sleep 0.2; done' "
			 ">/dev/null 2>&1",
			 (long long)duration_s(x) + 20, PORT);
}

/* What is said of an address, which may be a variable of the shell. */
static char *probe_command(const struct graph_expect *x, const char *addr)
{
	const struct graph_probe *p = &x->probe;

	if (x->kind == CHECK_THROUGHPUT)
		return xasprintf(
			"f=/tmp/.vbet-rate.$$; n=0; until iperf3 -J --connect-timeout 2000 "
			"-c %s -p %d -t %lld >$f; do n=$((n + 1)); [ $n -lt 50 ] || break; "
			"sleep 0.2; done; cat $f; rm -f $f",
			addr, PORT, (long long)duration_s(x));
	bool is_one = x->kind == CHECK_PING && p->count < 0;
	char size[32] = "";

	if (p->size_bytes >= 0)
		snprintf(size, sizeof(size), " -s %lld", (long long)p->size_bytes);
	return xasprintf("exec ping -n -q -c %lld%s%s -W 1 %s",
			 is_one ? 1LL : (long long)(p->count < 0 ? PINGS : p->count),
			 is_one ? "" : " -i 0.2", size, addr);
}

static char *check_command(const struct graph *g, const struct graph_expect *x)
{
	char addr[80];
	const struct addr *a;

	if (!asks_a_peer(x))
		return xstrdup(x->text);
	if (x->peer < 0)
		return probe_command(x, x->text);
	a = address_in(&g->nodes[x->node], &g->nodes[x->peer], x->vnet >= 0 ? x->vnet : ADDRESS_ANY,
		       0);
	if (!a && address_are_together(&g->nodes[x->node], &g->nodes[x->peer]))
		return probe_command(x, "\"$" EVENT_PEER "\"");
	if (!a)
		return xasprintf("echo '%s has no address in a network of %s' >&2; exit 2",
				 g->nodes[x->peer].name, g->nodes[x->node].name);
	return probe_command(x, addr_format(a, false, addr, sizeof(addr)));
}

/* What the answer is measured by. */
static void put_want(const struct graph_expect *x, struct arena *a, struct strvec *v)
{
	static const char *const of[CHECKS] = {
		[CHECK_LOSS] = "loss", [CHECK_RTT] = "rtt", [CHECK_THROUGHPUT] = "throughput"};
	const struct graph_want *want = &x->want;

	if (x->probe.loss_ppm >= 0)
		vec_push(v, arena_printf(a, JUDGE_WANT "loss=%lld", (long long)x->probe.loss_ppm));
	if (x->probe.rtt_ns >= 0)
		vec_push(v, arena_printf(a, JUDGE_WANT "rtt=%lld", (long long)x->probe.rtt_ns));
	if (!want->op)
		return;
	if (of[x->kind])
		vec_push(v, arena_printf(a, JUDGE_WANT "of=%s", of[x->kind]));
	vec_push(v, arena_printf(a, JUDGE_WANT "op=%s", graph_want_name(want->op)));
	if (want->path)
		vec_push(v, arena_printf(a, JUDGE_WANT "path=%s", want->path));
	if (want->text)
		vec_push(v, arena_printf(a, JUDGE_WANT "text=%s", want->text));
	else
		vec_push(v, arena_printf(a, JUDGE_WANT "number=%lld", (long long)want->number));
}

static void put_command(const struct graph *g, const struct graph_expect *x, struct arena *a,
			struct strvec *v)
{
	char *command = check_command(g, x);

	bool asks_peer = asks_a_peer(x) && x->peer >= 0 && strstr(command, EVENT_PEER);

	struct strvec more = {0};

	if (asks_peer)
		vec_push(&more, arena_printf(a, "peer=%s", g->nodes[x->peer].name));
	put_vnet(g, x->node, x->vnet, a, &more);
	if (x->kind == CHECK_THROUGHPUT) {
		char *serve = serve_command(x);

		vec_push(&more, arena_printf(a, "server=%s", g->nodes[x->peer].name));
		vec_push(&more, arena_printf(a, "serve=%s", serve));
		free(serve);
	}
	put_want(x, a, &more);
	event_job_words(v, g->nodes[x->node].name, timeout_word(a, x->timeout_ns), &more,
			arena_strdup(a, command));
	vec_free(&more);
	free(command);
}

static void put_key(struct arena *a, struct strvec *v, const char *key, const char *value)
{
	if (value)
		vec_push(v, arena_printf(a, "%s=%s", key, value));
}

static void put_route(const struct graph *g, const struct graph_expect *x, struct arena *a,
		      struct strvec *v)
{
	vec_push(v, "route");
	vec_push(v, g->nodes[x->node].name);
	vec_push(v, x->text);
	put_key(a, v, "via", x->via);
	put_key(a, v, "dev", x->dev);
	put_key(a, v, "proto", x->proto);
	if (x->metric >= 0)
		vec_push(v, arena_printf(a, "metric=%lld", (long long)x->metric));
	put_key(a, v, "table", x->table);
	if (x->table && x->negated)
		vec_push(v, "absent=1");
	put_vnet(g, x->node, x->vnet, a, v);
}

static void put_neighbor(const struct graph *g, const struct graph_expect *x, struct arena *a,
			 struct strvec *v)
{
	static const char *const protocols[CHECKS] = {
		[CHECK_OSPF_FULL] = "ospf", [CHECK_BGP_ESTABLISHED] = "bgp"};

	vec_push(v, "neighbor");
	vec_push(v, protocols[x->kind] ? protocols[x->kind] : x->proto);
	if (x->node >= 0)
		vec_push(v, g->nodes[x->node].name);
	if (x->peer >= 0)
		vec_push(v, g->nodes[x->peer].name);
	put_key(a, v, "state", x->state);
}

/* The ways that packets would take. */
static void put_fib(const struct graph *g, const struct graph_expect *x, struct arena *a,
		    struct strvec *v)
{
	vec_push(v, x->kind == CHECK_CONVERGES ? "tables" : graph_check_name(x->kind));
	if (x->node >= 0)
		vec_push(v, g->nodes[x->node].name);
	if (x->node >= 0)
		vec_push(v, x->peer >= 0 ? g->nodes[x->peer].name : x->text);
	put_want(x, a, v);
}

static bool is_of_fib(const struct graph_expect *x)
{
	return x->kind >= CHECK_PATH && x->kind <= CHECK_CONVERGES;
}

/* Frames are no guest's business: whoever drives the lab looks at them (command/watch.h). */
static void put_frames(const struct graph *g, const struct graph_expect *x, struct arena *a,
		       struct strvec *v)
{
	vec_push(v, "watch");
	vec_push(v, graph_check_name(x->kind));
	vec_push(v, arena_printf(a, "%s:%s", g->nodes[x->node].name, x->dev));
	vec_push(v, x->text);
	put_want(x, a, v);
}

bool event_check_is_look(const struct graph_expect *x)
{
	return !asks_a_peer(x) && x->kind != CHECK_EXEC;
}

bool event_check_settles(const struct graph_expect *x)
{
	return x->kind == CHECK_CONVERGES;
}

int64_t event_check_pause_ns(const struct graph_expect *x)
{
	if (x->every_ns)
		return x->every_ns;
	/* A daemon is woken; a kernel that is asked for its tables goes on as before. */
	bool is_kernels = x->kind == CHECK_ROUTE && !x->table;
	bool asks_daemon =
		event_check_is_look(x) && !is_kernels && !is_of_fib(x) && x->kind < CHECK_SEEN;

	if (x->kind == CHECK_CONVERGES)
		return INT64_C(100000000); /* it is the accuracy of the figure, too */
	return asks_daemon ? INT64_C(1000000000) : INT64_C(250000000);
}

void event_check_words(const struct graph *g, const struct graph_expect *x, struct arena *a,
		       struct strvec *v)
{
	if (x->kind >= CHECK_SEEN) {
		put_frames(g, x, a, v);
		return;
	}
	if (!event_check_is_look(x)) {
		put_command(g, x, a, v);
		return;
	}
	vec_push(v, "look");
	vec_push(v, timeout_word(a, x->timeout_ns));
	if (is_of_fib(x))
		put_fib(g, x, a, v);
	else if (x->kind == CHECK_ROUTE)
		put_route(g, x, a, v);
	else
		put_neighbor(g, x, a, v);
}
