/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * LOOK: what the guest knows, read by process 1 itself. Nothing is started for it, so that no
 * process number and no random number is used up, and nothing but process 1 (and the daemon that is
 * asked) runs. Whoever asks decides what it means; here it is only read.
 */
#include "lib/container_of.h"
#include "lib/netlink.h"
#include "lib/xalloc.h"
#include "vkernel/init/agent.h"
#include "vkernel/init/net.h"
#include "vkernel/init/vnet.h"
#include "vkernel/init/vty.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct look {
	struct chan chan; /* first: a chan is its look */
	struct vty_question question;
	bool asks; /* the question is under way */
	struct loop_timer deadline;
	char *text; /* the answer, once it is whole */
	size_t len, sent;
};

static struct look *look_of(struct chan *c)
{
	return (struct look *)c;
}

static void end(struct look *l, const char *word)
{
	if (l->asks)
		vty_drop(&l->question);
	loop_cancel_timer(agent_loop(), &l->deadline);
	chan_exit(&l->chan, word);
	free(l->question.command);
	free(l->text);
	free(l);
}

static void pump(struct chan *c)
{
	struct look *l = look_of(c);
	size_t room;

	if (l->asks)
		return;
	while (l->sent < l->len && (room = chan_room(c))) {
		size_t n = l->len - l->sent < room ? l->len - l->sent : room;

		memcpy(chan_reserve(c, n), l->text + l->sent, n);
		l->sent += n;
		chan_commit(c, WIRE_DATA, n);
	}
	if (l->sent == l->len)
		end(l, "status=0");
}

static void give_up(struct chan *c)
{
	end(look_of(c), "signal=1");
}

static const struct chan_ops ops = {.pump = pump, .close = give_up};

static struct look *open_look(uint32_t id)
{
	struct look *l = xcalloc(1, sizeof(*l));

	chan_open(&l->chan, id, &ops);
	return l;
}

/* --- routes --- */

struct hops {
	const struct addr *dest; /* NULL: all */
	FILE *out;
};

/* "DEST [via=ADDR] [dev=NIC] proto=N metric=N type=N" */
static void put_hop(void *ctx, const struct netlink_hop *h)
{
	struct hops *to = ctx;
	char name[IF_NAMESIZE];
	char text[80];

	if (to->dest && addr_compare(&h->dest, to->dest) != 0)
		return;
	fputs(addr_format(&h->dest, true, text, sizeof(text)), to->out);
	if (h->via.family)
		fprintf(to->out, " via=%s", addr_format(&h->via, false, text, sizeof(text)));
	if (h->dev && if_indextoname((unsigned)h->dev, name))
		fprintf(to->out, " dev=%s", name);
	fprintf(to->out, " proto=%u metric=%u type=%u\n", h->protocol, h->metric, h->type);
}

/* A look at the kernel's tables, which answers at once. */
struct route_look {
	struct look *look;
	int fd, rc;
	struct hops hops;
};

/* False: it is refused. dest: what is looked for, or NULL: all. */
static bool begin_routes(struct route_look *r, uint32_t id, const struct addr *dest)
{
	struct err e;

	/* Another socket of a process gets a random number for its port. */
	r->fd = net_socket(&e);
	if (r->fd < 0) {
		chan_refuse(id, e.text);
		return false;
	}
	r->rc = 0;
	r->look = open_look(id);
	r->hops = (struct hops){dest, xmemstream(&r->look->text, &r->look->len)};
	return true;
}

/* table: 0: the main one. */
static void list_routes(struct route_look *r, int family, uint32_t table)
{
	if (r->rc == 0)
		r->rc = netlink_list_routes(r->fd, family, table, put_hop, &r->hops);
}

static void end_routes(const struct route_look *r)
{
	fclose(r->hops.out);
	if (r->rc < 0)
		end(r->look, "error=the kernel did not tell its routes");
	else
		pump(&r->look->chan);
}

/* The table of "vnet=NAME", 0 without it. False: there is no such vNet. */
static bool find_table(const char *word, uint32_t *table)
{
	*table = 0;
	return !word || (!strncmp(word, "vnet=", 5) && (*table = vnet_table(word + 5)));
}

/* "routes" 4|6 DEST [vnet=NAME]. The kernel answers at once. */
static void look_routes(uint32_t id, char *const *args, long timeout_ms)
{
	struct addr dest = {.family = strcmp(args[0], "6") != 0 ? AF_INET : AF_INET6};
	uint32_t table;
	struct err e;

	if (!find_table(args[2], &table)) {
		chan_refuse(id, "there is no such vNet");
		return;
	}
	if (strcmp(args[1], "default") != 0 &&
	    addr_parse(args[1], strlen(args[1]), &dest, &e) < 0) {
		chan_refuse(id, e.text);
		return;
	}
	if (dest.prefix == ADDR_NO_PREFIX)
		dest.prefix = addr_bits(&dest);
	struct route_look r;

	if (!begin_routes(&r, id, &dest))
		return;
	list_routes(&r, dest.family, table);
	end_routes(&r);
}

/* "forwards 4|6 0|1": a switch of the kernel's, as a file. */
static void put_forwarding(FILE *out, int version, const char *path)
{
	FILE *f = fopen(path, "re");
	int c = f ? fgetc(f) : '0';

	if (f)
		fclose(f);
	fprintf(out, "forwards %d %c\n", version, c == '0' ? '0' : '1');
}

/* "fib" all all: the main tables of both families, and whether the node forwards. */
static void look_fib(uint32_t id, char *const *args, long timeout_ms)
{
	struct route_look r;

	if (!begin_routes(&r, id, NULL))
		return;
	put_forwarding(r.hops.out, 4, "/proc/sys/net/ipv4/ip_forward");
	put_forwarding(r.hops.out, 6, "/proc/sys/net/ipv6/conf/all/forwarding");
	list_routes(&r, AF_INET, 0);
	list_routes(&r, AF_INET6, 0);
	end_routes(&r);
}

/* --- daemons --- */

static void answered(struct vty_question *q, char *text, size_t len, int status)
{
	struct look *l = container_of(q, struct look, question);

	l->asks = false;
	l->text = text;
	l->len = len;
	loop_cancel_timer(agent_loop(), &l->deadline);
	if (status)
		end(l, "error=the daemon does not understand this");
	else
		pump(&l->chan);
}

static void failed(struct vty_question *q, const char *why)
{
	struct look *l = container_of(q, struct look, question);
	char *word = xasprintf("error=%s", why);

	l->asks = false;
	end(l, word);
	free(word);
}

static void too_late(struct loop_timer *t, int64_t now_ns)
{
	end(container_of(t, struct look, deadline), "timeout=1");
}

/* "vty" DAEMON COMMAND */
static void look_vty(uint32_t id, char *const *args, long timeout_ms)
{
	struct look *l = open_look(id);
	struct err e;

	l->question.answered = answered;
	l->question.failed = failed;
	l->question.command = xstrdup(args[1]);
	l->deadline.fire = too_late;
	l->asks = true;
	if (vty_ask(agent_loop(), args[0], &l->question, &e) < 0)
		failed(&l->question, e.text);
	else if (timeout_ms > 0)
		loop_set_timer(agent_loop(), &l->deadline,
			       loop_now_ns(agent_loop()) + timeout_ms * 1000000);
}

static const struct {
	const char *what;
	size_t n_max; /* words, with the first: 3 at least */
	void (*look)(uint32_t id, char *const *args, long timeout_ms);
} looks[] = {
	{"routes", 4, look_routes},
	{"fib", 3, look_fib},
	{"vty", 3, look_vty},
};

void look_start(uint32_t id, const struct words *w)
{
	static const char key[] = "timeout_ms=";
	bool is_timed = w->n > 1 && !strncmp(w->at[1], key, strlen(key));
	long timeout_ms = is_timed ? strtol(w->at[1] + strlen(key), NULL, 10) : 0;
	char *const *said = w->at + 1 + is_timed;

	for (size_t i = 0; i < ARRAY_LEN(looks) && w->n >= 4u + is_timed; i++) {
		if (strcmp(looks[i].what, said[0]) != 0 || w->n > 1u + is_timed + looks[i].n_max)
			continue;
		looks[i].look(id, said + 1, timeout_ms);
		return;
	}
	chan_refuse(id, "nothing of that kind can be looked at");
}
