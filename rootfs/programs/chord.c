/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A peer-to-peer network: the ring of Chord (Stoica and others, SIGCOMM 2001), over UDP.
 *
 *   chord node ADDRESS [JOIN]                  a node of the ring; the first has no JOIN
 *   chord ask COUNT EVERY_MS LABEL NODE...     asks the ring, and prints a line of a table
 *
 * Nodes and keys are numbers of 32 bits on a circle; a node's is the hash of its address, so that a
 * peer is told by its IPv4 address alone. A key belongs to the first node at or behind it. Each
 * node knows its predecessor, the next SUCCESSORS nodes, and fingers: for each i the node that
 * owns its own number plus 2^i. Who looks for a key asks one node after the other for those that it
 * knows nearest before the key (iterative, so the one who asks finds out who is dead), until one
 * answers that its own successor is the owner; the owner must say so itself.
 *
 * A message is at most one datagram, in the order of the network. Whoever does not answer twice is
 * dead for a while, whatever others say of it.
 */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PORT = 4170,
	SUCCESSORS =
		12, /* all of them die with a probability of 3^-12 if a third of all nodes do */
	FINGERS = 32,
	TOLD = 16,       /* peers in a message */
	CANDIDATES = 64, /* of a lookup */
	PENDING = 64,    /* lookups at the same time */
	AGAIN_MS = 200,  /* no answer: ask again, */
	LOST_MS = 400,   /* and then give the peer up */
	DEAD_MS = 10000, /* that long nobody makes it alive again */
	STABILIZE_MS = 500,
	FINGER_MS = 250,
	LOOKUP_MS = 5000, /* a lookup that takes longer has failed */
};

enum kind { ASK_STEP = 1, SAY_STEP, ASK_STATE, SAY_STATE, ASK_OWN, SAY_OWN, NOTIFY };

struct message {
	uint32_t kind, nonce, key;
	uint32_t flag; /* SAY_STEP: these are owners; SAY_OWN: I am */
	uint32_t pred; /* an address, or 0 */
	uint32_t n, peers[TOLD];
};

struct dead {
	uint32_t addr;
	int64_t until_ms;
};

/* What is asked of one peer. */
struct request {
	uint32_t addr; /* 0: nothing is asked */
	struct message m;
	int64_t sent_ms;
	bool is_again;
};

struct candidate {
	uint32_t addr;
	bool is_tried;
};

struct lookup {
	int64_t begin_ms;
	size_t n_steps, n_owners;
	struct request r;
	uint32_t key, owner;
	uint32_t start; /* whom it asks first, and again when there is nobody else */
	unsigned hops, restarts;
	int finger; /* of a node: which it is for; -1: to join */
	struct candidate steps[CANDIDATES], owners[CANDIDATES];
	bool is_active;
};

static int sock = -1;
static uint32_t self_addr, self_id; /* of a node */
static uint32_t pred, succ[SUCCESSORS], finger[FINGERS];
static size_t n_succ;
static struct dead dead[64];
static uint64_t random_state = 1;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* xorshift64*; the seed is the caller's, so that a run can be repeated. */
static uint32_t random_number(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 2685821657736338717ULL) >> 32);
}

/* The end of MurmurHash3: neighbours among addresses are none on the circle. */
static uint32_t id_of(uint32_t addr)
{
	uint32_t h = addr;

	h = (h ^ h >> 16) * 0x85ebca6b;
	h = (h ^ h >> 13) * 0xc2b2ae35;
	return h ^ h >> 16;
}

/* x is behind a, and not behind b: (a, b] on the circle; the whole circle if a is b. */
static bool is_between(uint32_t a, uint32_t x, uint32_t b)
{
	return a == b || (uint32_t)(x - a - 1) < (uint32_t)(b - a);
}

/* ---- who is dead ---- */

static bool is_dead(uint32_t addr)
{
	for (size_t i = 0; i < sizeof(dead) / sizeof(*dead); i++)
		if (dead[i].addr == addr && dead[i].until_ms > now_ms())
			return true;
	return false;
}

static void forget(uint32_t addr)
{
	static size_t next;
	size_t n = 0;

	if (!is_dead(addr))
		dead[next++ % (sizeof(dead) / sizeof(*dead))] =
			(struct dead){addr, now_ms() + DEAD_MS};
	if (pred == addr)
		pred = 0;
	for (size_t i = 0; i < n_succ; i++)
		if (succ[i] != addr)
			succ[n++] = succ[i];
	n_succ = n;
	for (size_t i = 0; i < FINGERS; i++)
		if (finger[i] == addr)
			finger[i] = 0;
}

/* ---- messages ---- */

static void send_message(uint32_t addr, uint16_t port, const struct message *m)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	uint32_t words[6 + TOLD] = {htonl(m->kind), htonl(m->nonce), htonl(m->key),
				    htonl(m->flag), htonl(m->pred),  htonl(m->n)};

	to.sin_addr.s_addr = htonl(addr);
	for (size_t i = 0; i < m->n; i++)
		words[6 + i] = htonl(m->peers[i]);
	/* What is lost is asked again, or the peer is given up. */
	(void)!sendto(sock, words, (6 + m->n) * sizeof(*words), 0, (struct sockaddr *)&to,
		      sizeof(to));
}

/* The sender's address, and its port; or 0: nothing is there, or it is no message. */
static uint32_t receive_message(struct message *m, uint16_t *port)
{
	struct sockaddr_in from = {0};
	socklen_t len = sizeof(from);
	uint32_t words[6 + TOLD];
	ssize_t n =
		recvfrom(sock, words, sizeof(words), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	if (n < (ssize_t)(6 * sizeof(*words)) || ntohl(words[5]) > TOLD ||
	    (size_t)n != (6 + ntohl(words[5])) * sizeof(*words))
		return 0;
	*m = (struct message){
		.kind = ntohl(words[0]),
		.nonce = ntohl(words[1]),
		.key = ntohl(words[2]),
		.flag = ntohl(words[3]),
		.pred = ntohl(words[4]),
		.n = ntohl(words[5]),
	};
	for (size_t i = 0; i < m->n; i++)
		m->peers[i] = ntohl(words[6 + i]);
	*port = ntohs(from.sin_port);
	return ntohl(from.sin_addr.s_addr);
}

static void ask(struct request *r, uint32_t addr, enum kind kind, uint32_t key)
{
	*r = (struct request){.addr = addr, .sent_ms = now_ms()};
	r->m = (struct message){.kind = kind, .nonce = random_number(), .key = key};
	send_message(addr, PORT, &r->m);
}

/* True once it is over: no answer came, not even when asked again. */
static bool is_lost(struct request *r)
{
	int64_t age = now_ms() - r->sent_ms;

	if (r->addr && !r->is_again && age >= AGAIN_MS) {
		r->is_again = true;
		send_message(r->addr, PORT, &r->m);
	}
	return r->addr && age >= LOST_MS;
}

static bool is_answer(const struct request *r, uint32_t from, const struct message *m)
{
	return r->addr == from && m->nonce == r->m.nonce && m->kind == r->m.kind + 1;
}

/* ---- what a node tells ---- */

/* Those that we know between us and the key, the nearest to it first. */
static void tell_nearest(struct message *m)
{
	uint32_t all[SUCCESSORS + FINGERS];
	size_t n = 0;

	for (size_t i = 0; i < n_succ; i++)
		all[n++] = succ[i];
	for (size_t i = 0; i < FINGERS; i++)
		if (finger[i])
			all[n++] = finger[i];
	while (m->n < 6) {
		uint32_t best = 0;

		for (size_t i = 0; i < n; i++) {
			uint32_t id = id_of(all[i]);

			if (all[i] && id != m->key && is_between(self_id, id, m->key) &&
			    (!best || m->key - id < m->key - id_of(best)))
				best = all[i];
		}
		if (!best)
			break;
		m->peers[m->n++] = best;
		for (size_t i = 0; i < n; i++)
			if (all[i] == best)
				all[i] = 0;
	}
}

static bool is_mine(uint32_t key)
{
	return pred ? is_between(id_of(pred), key, self_id) : !n_succ || succ[0] == self_addr;
}

static void tell_step(struct message *m)
{
	if (is_mine(m->key)) {
		m->flag = 1;
		m->peers[m->n++] = self_addr;
		return;
	}
	if (!is_between(self_id, m->key, id_of(succ[0])))
		tell_nearest(m);
	if (m->n)
		return;
	m->flag = 1;
	for (size_t i = 0; i < n_succ && m->n < TOLD; i++)
		m->peers[m->n++] = succ[i];
}

static void take_notify(uint32_t from)
{
	if (from != self_addr && !is_dead(from) &&
	    (!pred || is_between(id_of(pred), id_of(from), self_id)))
		pred = from;
}

static void answer(uint32_t from, uint16_t port, const struct message *q)
{
	struct message m = {.kind = q->kind + 1, .nonce = q->nonce, .key = q->key, .pred = pred};

	if (q->kind == NOTIFY)
		take_notify(from);
	if (!n_succ)
		return; /* not in the ring yet */
	if (q->kind == ASK_STEP)
		tell_step(&m);
	else if (q->kind == ASK_OWN)
		m.flag = is_mine(q->key) || !pred;
	else if (q->kind == ASK_STATE)
		for (size_t i = 0; i < n_succ; i++)
			m.peers[m.n++] = succ[i];
	else
		return;
	send_message(from, port, &m);
}

/* ---- lookups ---- */

static void add_candidate(struct candidate *list, size_t *n, uint32_t addr)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i].addr == addr)
			return;
	if (*n < CANDIDATES && addr && !is_dead(addr))
		list[(*n)++] = (struct candidate){addr, false};
}

static void begin_again(struct lookup *l)
{
	l->n_steps = l->n_owners = 0;
	l->hops = 0;
	add_candidate(l->steps, &l->n_steps, l->start);
}

/* Owners in the order in which they were told; else who is nearest before the key. */
static void ask_next(struct lookup *l)
{
	struct candidate *best = NULL;

	l->r.addr = 0;
	for (size_t i = 0; i < l->n_owners && !best; i++)
		if (!l->owners[i].is_tried && !is_dead(l->owners[i].addr))
			best = &l->owners[i];
	if (best) {
		best->is_tried = true;
		ask(&l->r, best->addr, ASK_OWN, l->key);
		return;
	}
	for (size_t i = 0; i < l->n_steps; i++) {
		struct candidate *c = &l->steps[i];

		if (!c->is_tried && !is_dead(c->addr) &&
		    (!best || l->key - id_of(c->addr) < l->key - id_of(best->addr)))
			best = c;
	}
	if (best) {
		best->is_tried = true;
		ask(&l->r, best->addr, ASK_STEP, l->key);
	}
}

static void lookup_begin(struct lookup *l, uint32_t key)
{
	l->is_active = true;
	l->key = key;
	l->owner = 0;
	l->begin_ms = now_ms();
	l->restarts = 0;
	begin_again(l);
	ask_next(l);
}

static void lookup_take(struct lookup *l, uint32_t from, const struct message *m)
{
	if (!l->is_active || !is_answer(&l->r, from, m))
		return;
	if (m->kind == SAY_OWN && m->flag) {
		l->owner = from;
		l->is_active = false;
		return;
	}
	if (m->kind == SAY_OWN) {
		add_candidate(l->owners, &l->n_owners, m->pred); /* somebody came between */
	} else {
		l->hops += !(m->flag && m->peers[0] == from);
		for (size_t i = 0; i < m->n; i++)
			if (m->flag)
				add_candidate(l->owners, &l->n_owners, m->peers[i]);
			else
				add_candidate(l->steps, &l->n_steps, m->peers[i]);
	}
	ask_next(l);
}

/* Time passes: silent peers are given up, and a lookup without anybody to ask begins anew. */
static void lookup_tick(struct lookup *l)
{
	if (!l->is_active)
		return;
	if (now_ms() - l->begin_ms > LOOKUP_MS) {
		l->is_active = false;
		return;
	}
	if (is_lost(&l->r)) {
		forget(l->r.addr);
		ask_next(l);
	} else if (!l->r.addr) {
		l->restarts++;
		begin_again(l);
		ask_next(l);
	}
}

/* ---- a node ---- */

static struct lookup errand; /* of the node itself: it joins, or sets a finger */
static struct request to_succ, to_pred;

static void take_state(uint32_t from, const struct message *m)
{
	uint32_t list[SUCCESSORS];
	size_t n = 0;

	if (from != succ[0])
		return;
	if (m->pred && m->pred != self_addr && !is_dead(m->pred) &&
	    is_between(self_id, id_of(m->pred), id_of(from)))
		list[n++] = m->pred;
	list[n++] = from;
	for (size_t i = 0; i < m->n && n < SUCCESSORS; i++)
		if (m->peers[i] != self_addr && m->peers[i] != list[0] && m->peers[i] != from &&
		    !is_dead(m->peers[i]))
			list[n++] = m->peers[i];
	memcpy(succ, list, n * sizeof(*list));
	n_succ = n;
	send_message(succ[0], PORT, &(struct message){.kind = NOTIFY});
}

static void stabilize(void)
{
	/* All that it knew are gone, or it is alone: whoever comes is the successor, too. */
	if (!n_succ || (succ[0] == self_addr && pred)) {
		succ[0] = pred ? pred : self_addr;
		n_succ = 1;
	}
	if (succ[0] != self_addr && !to_succ.addr)
		ask(&to_succ, succ[0], ASK_STATE, 0);
	if (pred && !to_pred.addr)
		ask(&to_pred, pred, ASK_STATE, 0);
}

/* Most of the small fingers are the successor: nobody needs to be asked for these. */
static void next_finger(void)
{
	static int i;

	if (errand.is_active || !n_succ || succ[0] == self_addr)
		return;
	for (int tries = 0; tries < FINGERS; tries++) {
		i = (i + 1) % FINGERS;
		uint32_t start = self_id + (UINT32_C(1) << i);

		if (!is_between(self_id, start, id_of(succ[0]))) {
			errand.finger = i;
			errand.start = self_addr;
			lookup_begin(&errand, start);
			return;
		}
		finger[i] = succ[0];
	}
}

static void errand_done(void)
{
	if (!errand.owner)
		return;
	if (errand.finger >= 0) {
		finger[errand.finger] = errand.owner;
	} else if (errand.owner != self_addr) {
		succ[0] = errand.owner;
		n_succ = 1;
	}
	errand.owner = 0;
}

static void forget_lost(struct request *r)
{
	if (!is_lost(r))
		return;
	forget(r->addr);
	r->addr = 0;
}

static void node_tick(uint32_t join)
{
	static int64_t stabilized_ms, fingered_ms;
	int64_t now = now_ms();

	forget_lost(&to_succ);
	forget_lost(&to_pred);
	lookup_tick(&errand);
	errand_done();
	if (!n_succ && join && !pred && !errand.is_active) {
		errand.finger = -1;
		errand.start = join;
		lookup_begin(&errand, self_id);
	}
	if ((n_succ || !join || pred) && now - stabilized_ms >= STABILIZE_MS) {
		stabilized_ms = now;
		stabilize();
	}
	if (now - fingered_ms >= FINGER_MS) {
		fingered_ms = now;
		next_finger();
	}
}

static void node_take(uint32_t from, uint16_t port, const struct message *m)
{
	if (is_answer(&to_succ, from, m)) {
		to_succ.addr = 0;
		take_state(from, m);
	} else if (is_answer(&to_pred, from, m)) {
		to_pred.addr = 0;
	} else if (m->kind == ASK_STEP || m->kind == ASK_STATE || m->kind == ASK_OWN ||
		   m->kind == NOTIFY) {
		answer(from, port, m);
	} else {
		lookup_take(&errand, from, m);
		errand_done();
	}
}

static _Noreturn void node_run(uint32_t join)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	struct message m;
	uint32_t from;
	uint16_t port;

	for (;;) {
		bool waits = errand.is_active || to_succ.addr || to_pred.addr;

		poll(&p, 1, waits ? AGAIN_MS / 4 : FINGER_MS);
		node_tick(join);
		while ((from = receive_message(&m, &port)))
			node_take(from, port, &m);
	}
}

/* ---- who asks ---- */

struct table {
	size_t begun, answered, restarted;
	unsigned hops, most;
};

static struct lookup lookups[PENDING];

/* Any node may be asked first. */
static void begin_one(uint32_t *nodes, size_t n_nodes, struct table *t)
{
	for (size_t i = 0; i < PENDING; i++) {
		struct lookup *l = &lookups[i];

		if (l->is_active)
			continue;
		l->start = nodes[random_number() % n_nodes];
		lookup_begin(l, random_number());
		t->begun++;
		return;
	}
}

static void count(const struct lookup *l, struct table *t)
{
	t->answered += l->owner != 0;
	t->restarted += l->restarts != 0;
	if (!l->owner)
		return;
	t->hops += l->hops;
	t->most = l->hops > t->most ? l->hops : t->most;
}

/* A lookup that found its first node dead goes on with another: that is what a client would do. */
static void tick_one(struct lookup *l, uint32_t *nodes, size_t n_nodes, struct table *t)
{
	if (l->is_active && !l->r.addr)
		l->start = nodes[random_number() % n_nodes];
	bool was = l->is_active;

	lookup_tick(l);
	if (was && !l->is_active)
		count(l, t);
}

static bool is_any_active(void)
{
	for (size_t i = 0; i < PENDING; i++)
		if (lookups[i].is_active)
			return true;
	return false;
}

static void take_all(struct table *t)
{
	struct message m;
	uint32_t from;
	uint16_t port;

	while ((from = receive_message(&m, &port)))
		for (size_t i = 0; i < PENDING; i++) {
			bool was = lookups[i].is_active;

			lookup_take(&lookups[i], from, &m);
			if (was && !lookups[i].is_active)
				count(&lookups[i], t);
		}
}

/* 0 if at least 99 of 100 lookups were answered, in log2 n hops on average at most. */
static int print_table(const struct table *t, const char *label, size_t n_nodes)
{
	double log_n = log2((double)n_nodes);
	double mean = t->answered ? (double)t->hops / (double)t->answered : 0;
	double percent = t->begun ? 100.0 * (double)t->answered / (double)t->begun : 0;

	printf("%-24s %6s %8s %9s %9s %6s %5s %10s\n", "ring", "nodes", "lookups", "answered",
	       "restarted", "hops", "most", "log2(n)/2");
	printf("%-24s %6zu %8zu %8.2f%% %9zu %6.2f %5u %10.2f\n", label, n_nodes, t->begun, percent,
	       t->restarted, mean, t->most, log_n / 2);
	return percent >= 99 && mean <= log_n ? 0 : 1;
}

static int ask_run(size_t count_wanted, int every_ms, const char *label, uint32_t *nodes,
		   size_t n_nodes)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	struct table t = {0};
	int64_t next = now_ms();

	while (t.begun < count_wanted || is_any_active()) {
		if (t.begun < count_wanted && now_ms() >= next) {
			begin_one(nodes, n_nodes, &t);
			next += every_ms;
		}
		poll(&p, 1, every_ms < 20 ? every_ms : 20);
		take_all(&t);
		for (size_t i = 0; i < PENDING; i++)
			tick_one(&lookups[i], nodes, n_nodes, &t);
	}
	return print_table(&t, label, n_nodes);
}

/* ---- the command line ---- */

static uint32_t parse_address(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) == 1)
		return ntohl(a.s_addr);
	fprintf(stderr, "chord: '%s' is no IPv4 address\n", text);
	exit(2);
}

static void open_socket(uint32_t addr, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = htonl(addr);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0) {
		perror("chord: the socket");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static uint32_t nodes[10000];
	size_t n = 0;

	if (argc >= 3 && argc <= 4 && !strcmp(argv[1], "node")) {
		self_addr = parse_address(argv[2]);
		self_id = id_of(self_addr);
		random_state = self_addr;
		open_socket(self_addr, PORT);
		node_run(argc > 3 ? parse_address(argv[3]) : 0);
	}
	if (argc >= 6 && !strcmp(argv[1], "ask") && atoi(argv[2]) > 0 && atoi(argv[3]) > 0) {
		for (int i = 5; i < argc && n < sizeof(nodes) / sizeof(*nodes); i++)
			nodes[n++] = parse_address(argv[i]);
		open_socket(INADDR_ANY, 0);
		return ask_run((size_t)atoi(argv[2]), atoi(argv[3]), argv[4], nodes, n);
	}
	fprintf(stderr, "usage: chord node ADDRESS [JOIN]\n"
			"       chord ask COUNT EVERY_MS LABEL NODE...\n");
	return 2;
}
