/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of protocols and types as iproute2 and FRR name them (rtnetlink.h; zebra/rt_netlink.h).
 */
#include "vbet-server/plan/judge.h"

#include "lib/vec.h"
#include "lib/xalloc.h"
#include "vbet-server/plan/judge_priv.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	unsigned number;
} protocols[] = {
	{"redirect", 1}, {"kernel", 2}, {"boot", 3},         {"static", 4}, {"static", 196},
	{"ra", 9},       {"bird", 12},  {"dhcp", 16},        {"babel", 42}, {"bgp", 186},
	{"isis", 187},   {"ospf", 188}, {"rip", 189},        {"rip", 190},  {"eigrp", 192},
	{"ldp", 193},    {"pbr", 195},  {"openfabric", 197},
};

static const char *const types[] = {
	[RTN_LOCAL] = "local",       [RTN_BLACKHOLE] = "blackhole",
	[RTN_PROHIBIT] = "prohibit", [RTN_UNREACHABLE] = "unreachable",
	[RTN_THROW] = "throw",
};

/* True also of a number. */
static bool is_protocol(const char *want, unsigned number)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (protocols[i].number == number && !strcmp(protocols[i].name, want))
			return true;
	return *want >= '0' && *want <= '9' && strtoul(want, NULL, 10) == number;
}

static unsigned number_of(const struct words *w, const char *key)
{
	const char *v = words_get(w, key);

	return v ? (unsigned)strtoul(v, NULL, 10) : 0;
}

bool judge_same_address(const char *a, const char *b)
{
	struct addr x;
	struct addr y;

	return addr_parse(a, strlen(a), &x, NULL) == 0 && addr_parse(b, strlen(b), &y, NULL) == 0 &&
	       addr_same(&x, &y);
}

/* Its place in "A,B", or -1. */
static int place_in(const char *list, const char *address)
{
	for (int i = 0; *list; i++) {
		size_t len = strcspn(list, ",");
		char *one = xstrndup(list, len);
		bool is_same = judge_same_address(one, address);

		free(one);
		if (is_same)
			return i;
		list += len + (list[len] == ',');
	}
	return -1;
}

static bool is_set(const char *via)
{
	return via && strchr(via, ',');
}

static bool is_route(const struct words *want, const struct words *seen)
{
	const char *v = words_get(want, "via");
	const char *s = words_get(seen, "via");

	if (v && !is_set(v) && !(s && judge_same_address(v, s)))
		return false;
	v = words_get(want, "dev");
	s = words_get(seen, "dev");
	if (v && !(s && !strcmp(v, s)))
		return false;
	v = words_get(want, "proto");
	if (v && !is_protocol(v, number_of(seen, "proto")))
		return false;
	v = words_get(want, "metric");
	return !v || strtoul(v, NULL, 10) == number_of(seen, "metric");
}

/* As "ip route" has it. */
static void print_route(FILE *out, const char *node, const char *dest, const struct words *seen)
{
	unsigned type = number_of(seen, "type");
	unsigned proto = number_of(seen, "proto");
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_LEN(protocols) && !name; i++)
		if (protocols[i].number == proto)
			name = protocols[i].name;
	fprintf(out, "%s: ", node);
	if (type < ARRAY_LEN(types) && types[type])
		fprintf(out, "%s ", types[type]);
	fputs(dest, out);
	if (words_get(seen, "via"))
		fprintf(out, " via %s", words_get(seen, "via"));
	if (words_get(seen, "dev"))
		fprintf(out, " dev %s", words_get(seen, "dev"));
	if (name)
		fprintf(out, " proto %s", name);
	else
		fprintf(out, " proto %u", proto);
	fprintf(out, " metric %u\n", number_of(seen, "metric"));
}

struct judge_hops judge_hops_of(const char *via)
{
	struct judge_hops set = {is_set(via) ? via : NULL, 0, false};
	unsigned n = 1;

	for (const char *p = set.via; p && *p; p++)
		n += *p == ',';
	if (set.via)
		set.missing = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
	return set;
}

void judge_hops_see(struct judge_hops *set, const char *via)
{
	int place = set->via && via ? place_in(set->via, via) : -1;

	if (place >= 0 && place < 64)
		set->missing &= ~(UINT64_C(1) << place);
	else
		set->has_other = true;
}

bool judge_hops_hold(const struct judge_hops *set)
{
	return !set->via || (!set->missing && !set->has_other);
}

bool judge_routes(const struct words *want, const char *text, FILE *out)
{
	const char *node = want->at[2];
	const char *dest = want->at[3];
	struct judge_hops set = judge_hops_of(words_get(want, "via"));
	bool holds = false;
	bool is_any = false;

	while (*text) {
		size_t len = strcspn(text, "\n");
		struct arena a = {0};
		struct words seen;

		if (words_split(text, len, &a, &seen, NULL) == 0 && seen.n) {
			is_any = true;
			bool is_one = is_route(want, &seen);

			holds |= is_one;
			if (is_one)
				judge_hops_see(&set, words_get(&seen, "via"));
			print_route(out, node, dest, &seen);
		}
		arena_finish(&a);
		text += len + (text[len] == '\n');
	}
	if (!is_any)
		fprintf(out, "%s: no route to %s\n", node, dest);
	return holds && judge_hops_hold(&set);
}
