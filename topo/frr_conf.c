/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which daemons of FRR a configuration needs: the script has one text, and vbet starts only those
 * daemons that have something to do in it, since each takes memory in every router of a lab.
 *
 * A line's first words say whose it is, nearly always without what stands above it: where the same
 * words mean two daemons, the row says if it is about interfaces. FRR accepts words cut short, so
 * when no row fits exactly, the first row does whose words begin so.
 *
 * Lines of which no row knows anything are everybody's ("hostname", "log ...", route maps), or
 * belong to the block that they stand in, whose first line has said already whose it is. So nothing
 * here has to understand blocks, and a new version of FRR needs new rows at most.
 */
#include "topo/frr_conf.h"

#include "lib/xalloc.h"
#include "topo/service.h"

#include <assert.h>
#include <string.h>

enum context { ANYWHERE, INTERFACE, ELSEWHERE };

struct row {
	const char *words;
	const char *daemon;
	enum context context;
};

/* The commands of FRR 8 to 10 (its doc/user), and vtysh's table of who takes which. */
static const struct row rows[] = {
	{"router ospf", "ospfd", ANYWHERE},
	{"router ospf6", "ospf6d", ANYWHERE},
	{"router rip", "ripd", ANYWHERE},
	{"router ripng", "ripngd", ANYWHERE},
	{"router bgp", "bgpd", ANYWHERE},
	{"router eigrp", "eigrpd", ANYWHERE},
	{"router isis", "isisd", ANYWHERE},
	{"router openfabric", "fabricd", ANYWHERE},
	{"router babel", "babeld", ANYWHERE},
	{"router pim", "pimd", ANYWHERE},
	{"router pim6", "pim6d", ANYWHERE},
	{"ip address", "zebra", ANYWHERE},
	{"ipv6 address", "zebra", ANYWHERE},
	{"ipv6 nd", "zebra", ANYWHERE},
	{"ip forwarding", "zebra", ANYWHERE},
	{"ipv6 forwarding", "zebra", ANYWHERE},
	{"ip nht", "zebra", ANYWHERE},
	{"ip protocol", "zebra", ANYWHERE},
	{"ip import-table", "zebra", ANYWHERE},
	{"link-params", "zebra", ANYWHERE},
	{"mpls lsp", "zebra", ANYWHERE},
	{"mpls label", "zebra", ANYWHERE},
	{"ip route", "staticd", ANYWHERE},
	{"ipv6 route", "staticd", ANYWHERE},
	{"ip mroute", "pimd", INTERFACE},
	{"ipv6 mroute", "pim6d", INTERFACE},
	{"ip mroute", "staticd", ELSEWHERE},
	{"ipv6 mroute", "staticd", ELSEWHERE},
	{"ip ospf", "ospfd", ANYWHERE},
	{"ipv6 ospf6", "ospf6d", ANYWHERE},
	{"ip rip", "ripd", ANYWHERE},
	{"ipv6 ripng", "ripngd", ANYWHERE},
	{"bgp", "bgpd", ANYWHERE},
	{"rpki", "bgpd", ANYWHERE},
	{"dump bgp", "bgpd", ANYWHERE},
	{"ip eigrp", "eigrpd", ANYWHERE},
	{"ip hello-interval eigrp", "eigrpd", ANYWHERE},
	{"ip hold-time eigrp", "eigrpd", ANYWHERE},
	{"ip summary-address eigrp", "eigrpd", ANYWHERE},
	{"ip authentication", "eigrpd", ANYWHERE},
	{"isis", "isisd", ANYWHERE},
	{"ip router isis", "isisd", ANYWHERE},
	{"ipv6 router isis", "isisd", ANYWHERE},
	{"openfabric", "fabricd", ANYWHERE},
	{"ip router openfabric", "fabricd", ANYWHERE},
	{"ipv6 router openfabric", "fabricd", ANYWHERE},
	{"babel", "babeld", ANYWHERE},
	{"bfd", "bfdd", ANYWHERE},
	{"mpls ldp", "ldpd", ANYWHERE},
	{"l2vpn", "ldpd", ANYWHERE},
	{"ip pim", "pimd", ANYWHERE},
	{"ip igmp", "pimd", ANYWHERE},
	{"ip msdp", "pimd", ANYWHERE},
	{"ip multicast", "pimd", ANYWHERE},
	{"ip multicast-routing", "pimd", ANYWHERE},
	{"ip ssmpingd", "pimd", ANYWHERE},
	{"ipv6 pim", "pim6d", ANYWHERE},
	{"ipv6 mld", "pim6d", ANYWHERE},
	{"ipv6 multicast", "pim6d", ANYWHERE},
	{"ipv6 ssmpingd", "pim6d", ANYWHERE},
	{"vrrp", "vrrpd", ANYWHERE},
	{"pbr-map", "pbrd", ANYWHERE},
	{"pbr-policy", "pbrd", ANYWHERE},
	{"pbr", "pbrd", ANYWHERE},
	{"nexthop-group", "pbrd", ANYWHERE},
	{"nhrp", "nhrpd", ANYWHERE},
	{"ip nhrp", "nhrpd", ANYWHERE},
	{"ipv6 nhrp", "nhrpd", ANYWHERE},
	{"tunnel protection", "nhrpd", ANYWHERE},
	{"tunnel source", "nhrpd", ANYWHERE},
	{"traffic-eng", "pathd", ANYWHERE},
	{"debug zebra", "zebra", ANYWHERE},
	{"debug static", "staticd", ANYWHERE},
	{"debug ospf", "ospfd", ANYWHERE},
	{"debug ospf6", "ospf6d", ANYWHERE},
	{"debug rip", "ripd", ANYWHERE},
	{"debug ripng", "ripngd", ANYWHERE},
	{"debug bgp", "bgpd", ANYWHERE},
	{"debug eigrp", "eigrpd", ANYWHERE},
	{"debug isis", "isisd", ANYWHERE},
	{"debug openfabric", "fabricd", ANYWHERE},
	{"debug babel", "babeld", ANYWHERE},
	{"debug bfd", "bfdd", ANYWHERE},
	{"debug mpls ldp", "ldpd", ANYWHERE},
	{"debug pim", "pimd", ANYWHERE},
	{"debug igmp", "pimd", ANYWHERE},
	{"debug msdp", "pimd", ANYWHERE},
	{"debug mroute", "pimd", ANYWHERE},
	{"debug pimv6", "pim6d", ANYWHERE},
	{"debug mld", "pim6d", ANYWHERE},
	{"debug mroute6", "pim6d", ANYWHERE},
	{"debug vrrp", "vrrpd", ANYWHERE},
	{"debug pbr", "pbrd", ANYWHERE},
	{"debug nhrp", "nhrpd", ANYWHERE},
	{"debug pathd", "pathd", ANYWHERE},
};

enum { SHORTEST = 2 }; /* letters of a word that is cut short */

struct word {
	const char *at;
	size_t len;
};

/* Takes the next word off the text; its length is 0 at the end. */
static struct word next_word(const char **text, const char *end)
{
	const char *p = *text;
	struct word w;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	w.at = p;
	while (p < end && *p != ' ' && *p != '\t')
		p++;
	w.len = (size_t)(p - w.at);
	*text = p;
	return w;
}

static bool is_word(struct word w, const char *word)
{
	return strlen(word) == w.len && !memcmp(w.at, word, w.len);
}

/* Does the line begin with the words, or (may_cut) with beginnings of them? */
static bool begins_with(const char *line, const char *end, const char *words, bool may_cut)
{
	const char *words_end = words + strlen(words);

	while (words < words_end) {
		struct word want = next_word(&words, words_end);
		struct word have = next_word(&line, end);

		if (have.len > want.len || !have.len || memcmp(have.at, want.at, have.len) != 0 ||
		    (have.len < want.len && (!may_cut || have.len < SHORTEST)))
			return false;
	}
	return true;
}

/*
 * A row that fits exactly is looked for first, in the whole table, so that a word that is cut short
 * never wins over one that is written out.
 */
static const struct row *find_row(const char *line, const char *end, bool in_interface,
				  bool may_cut)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool here = rows[i].context == ANYWHERE ||
			    (rows[i].context == INTERFACE) == in_interface;

		if (here && begins_with(line, end, rows[i].words, may_cut))
			return &rows[i];
	}
	return NULL;
}

/*
 * "neighbor 10.0.0.1 bfd", "ip ospf bfd profile fast", "bfd all-interfaces", ... In a description
 * "bfd" is only a word.
 */
static bool speaks_of_bfd(const char *line, const char *end)
{
	struct word w = next_word(&line, end);

	if (is_word(w, "description") || is_word(w, "debug"))
		return false;
	while ((w = next_word(&line, end)).len) {
		if (is_word(w, "description"))
			return false;
		if (is_word(w, "bfd"))
			return true;
	}
	return false;
}

/*
 * Lines inside of a block are indented, but need not be; what ends the block of an interface is the
 * line that opens another. This is for the few rows only that depend on it.
 */
static bool opens_block(struct word first)
{
	static const char *const openers[] = {
		"router",          "vrf",   "line", "route-map", "pbr-map",       "bfd", "key",
		"segment-routing", "l2vpn", "mpls", "rpki",      "nexthop-group", "exit"};

	for (size_t i = 0; i < ARRAY_LEN(openers); i++)
		if (is_word(first, openers[i]))
			return true;
	return false;
}

/* A line can be told twice, as its daemon's and as one that needs bfdd. */
void frr_conf_scan(const char *text, size_t len,
		   void (*fn)(void *ctx, const struct frr_conf_line *line), void *ctx)
{
	const char *end = text + len;
	bool in_interface = false;
	unsigned number = 0;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const char *line = text;
		const char *rest = text;

		stop = stop ? stop : end;
		text = stop + (stop < end);
		number++;
		while (stop > line && strchr(" \t\r", stop[-1]))
			stop--;
		struct word first = next_word(&rest, stop);

		if (!first.len || *first.at == '!' || *first.at == '#' || is_word(first, "no"))
			continue;
		if (is_word(first, "interface"))
			in_interface = true;
		else if (opens_block(first))
			in_interface = false;
		const struct row *row = find_row(line, stop, in_interface, false);
		struct frr_conf_line told = {
			.number = number, .text = first.at, .len = (size_t)(stop - first.at)};

		told.is_short = !row;
		if (!row)
			row = find_row(line, stop, in_interface, true);
		if (row) {
			told.daemon = row->daemon;
			fn(ctx, &told);
		}
		if (speaks_of_bfd(line, stop)) {
			told.daemon = "bfdd";
			told.is_needed = true;
			told.is_short = false;
			fn(ctx, &told);
		}
	}
}

static size_t place_of(const char *daemon)
{
	for (size_t i = 0; service_at(i); i++)
		if (!strcmp(service_at(i)->name, daemon))
			return i;
	assert(!"a daemon that is no service");
	return 0;
}

static void add_needed(void *ctx, const struct frr_conf_line *line)
{
	struct frr_conf_set *set = ctx;

	set->bits |= 1ULL << place_of(line->daemon);
}

void frr_conf_add_needed(const char *text, size_t len, struct frr_conf_set *set)
{
	frr_conf_scan(text, len, add_needed, set);
}

bool frr_conf_is_needed(const struct frr_conf_set *set, size_t service)
{
	return service < 64 && (set->bits >> service & 1);
}

bool frr_conf_is_lost(const struct frr_conf_line *line, const char *mine, bool staticd_is_bare)
{
	bool is_route =
		staticd_is_bare && !strcmp(mine, "zebra") && !strcmp(line->daemon, "staticd");

	return !line->is_needed && !line->is_short && !is_route && strcmp(line->daemon, mine) != 0;
}
