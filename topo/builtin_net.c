/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes and their NICs, and what is said of them: alloc, attach, NIC, node, free.
 *
 * A node's NICs come in two ways. Unless the script attaches some, they are made when they are
 * asked for, by NIC(node, n) or by a link. With the first attach() the node has those NICs and no
 * more (is_fixed), except for those that "..." stands for.
 */
#include "lib/addr.h"
#include "lib/vec.h"
#include "topo/builtin.h"
#include "topo/packages.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum { LABEL_MAX = 128 }; /* bytes */

/* ---- parameters of nodes ---- */

/*
 * A size may be given without a unit (memory = 67108864), as many kernels' parameters are; a rate
 * or a time may not, since a bare number of those means nothing.
 */
static bool want_number(struct eval *ev, const struct builtin_field *p, const struct arg *a)
{
	const struct value *given = &a->v;
	char low[32];
	char high[32];

	if (given->kind != VALUE_NUMBER ||
	    (given->unit != p->unit && !(given->unit == UNIT_COUNT && p->unit == UNIT_SIZE))) {
		eval_wrong(ev, a->loc, "%s wants %s, not %s", p->name, unit_example(p->unit),
			   value_kind_name(given));
		return false;
	}
	if (given->number >= p->min && given->number <= p->max)
		return true;
	eval_wrong(ev, a->loc, "%s is between %s and %s", p->name,
		   unit_format(p->unit, p->min, low, sizeof(low)),
		   unit_format(p->unit, p->max, high, sizeof(high)));
	return false;
}

static bool set_number(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		       const struct arg *a)
{
	if (!want_number(ev, p, a))
		return false;
	memcpy((char *)n + p->offset, &a->v.number, sizeof(a->v.number));
	return true;
}

/* Parameters of devices go to the substrate as words, unread; what is set again is the last. */
static void add_word(struct eval *ev, struct world_node *n, const char *key, const char *value)
{
	struct world_pair *pair = n->params;

	while (pair && strcmp(pair->key, key) != 0)
		pair = pair->next;
	if (!pair) {
		pair = arena_alloc(ev->arena, sizeof(*pair));
		pair->key = key;
		world_append(&n->params_end, pair);
	}
	pair->value = value;
}

static bool set_device_number(struct eval *ev, struct world_node *n, const struct builtin_field *p,
			      const struct arg *a)
{
	char text[32];

	if (!want_number(ev, p, a))
		return false;
	unit_format(p->unit, a->v.number, text, sizeof(text));
	add_word(ev, n, p->name, arena_strdup(ev->arena, text));
	return true;
}

/* on or off, or one of the words of the parameter. */
static bool set_device_word(struct eval *ev, struct world_node *n, const struct builtin_field *p,
			    const struct arg *a)
{
	eval_words *words = p->words;
	const struct value *v = &a->v;
	const char *text = v->kind == VALUE_BOOL ? v->truth ? "on" : "off" : v->text;
	bool ok = !words && v->kind == VALUE_BOOL;

	for (size_t i = 0; words && v->kind != VALUE_BOOL && words(i); i++)
		ok |= (v->kind == VALUE_WORD || v->kind == VALUE_STRING) && !strcmp(words(i), text);
	if (!ok) {
		eval_wrong(ev, a->loc, "%s is %s or %s", p->name, words ? words(0) : "on",
			   words ? words(1) : "off");
		return false;
	}
	add_word(ev, n, p->name, text);
	return true;
}

static bool set_text(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		     const struct arg *a)
{
	const char *text;

	if (!builtin_want_text(ev, a, p->name, &text))
		return false;
	memcpy((char *)n + p->offset, &text, sizeof(text));
	return true;
}

static bool set_path(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		     const struct arg *a)
{
	const char *path;

	if (!builtin_want_path(ev, a, &path))
		return false;
	memcpy((char *)n + p->offset, &path, sizeof(path));
	return true;
}

static bool set_packages(struct eval *ev, struct world_node *n, const struct builtin_field *p,
			 const struct arg *a)
{
	return packages_take(ev, a, &n->packages);
}

static bool set_name(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		     const struct arg *a)
{
	struct value v = {.kind = VALUE_NODE, .node = n};
	const char *text;

	return builtin_want_text(ev, a, "a name", &text) && eval_set_name(ev, &v, text, a->loc);
}

/* The length of the UTF-8 character at p, or 0 if there is none that can stand on a line. */
static size_t label_char(const unsigned char *p)
{
	size_t n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3 : 4;

	if (*p < ' ' || *p == 0x7f || *p == '"' || (*p >= 0x80 && *p < 0xc2) || *p > 0xf4)
		return 0;
	/* U+0080 to U+009F are control characters, too. */
	if (*p == 0xc2 && p[1] < 0xa0)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* What people call a node, where a host name cannot hold it: "Zürich 2". */
static bool set_label(struct eval *ev, struct world_node *n, const struct builtin_field *f,
		      const struct arg *a)
{
	const char *text;
	size_t len = 0;
	size_t next;

	if (!builtin_want_text(ev, a, "a label", &text))
		return false;
	while ((next = label_char((const unsigned char *)text + len)))
		len += next;
	if (len && !text[len] && len <= LABEL_MAX && len == strlen(text)) {
		n->label = text;
		return true;
	}
	eval_wrong(ev, a->loc, "a label is one line of UTF-8 without quotes, of 1 to %d bytes",
		   LABEL_MAX);
	return false;
}

static bool set_room(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		     const struct arg *a)
{
	int64_t number;

	if (!builtin_want_count(ev, a, 0, WORLD_MAX_NODES, &number))
		return false;
	n->room = (int)number;
	return true;
}

static const char *where_word(size_t i)
{
	static const char *const words[] = {"own", "host"};

	return i < ARRAY_LEN(words) ? words[i] : NULL;
}

static const char *medium_word(size_t i)
{
	static const char *const words[] = {"plain", "shared"};

	return i < ARRAY_LEN(words) ? words[i] : NULL;
}

/* ---- parameters of NICs ---- */

static bool set_mac(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
		    const struct arg *a)
{
	const char *text;
	struct err e;

	nic->has_mac = true;
	if (a->v.kind == VALUE_MAC) {
		memcpy(nic->mac, a->v.mac, sizeof(nic->mac));
		return true;
	}
	if (!builtin_want_text(ev, a, "a MAC address", &text))
		return false;
	if (addr_parse_mac(text, a->v.len, nic->mac, &e) == 0)
		return true;
	eval_wrong(ev, a->loc, "%s", e.text);
	return false;
}

/* A size and a count mean the same here: people write 1500, 9000 or 9k. */
static bool set_mtu(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
		    const struct arg *a)
{
	struct arg mtu = *a;
	int64_t n;

	if (mtu.v.kind == VALUE_NUMBER && mtu.v.unit == UNIT_SIZE)
		mtu.v.unit = UNIT_COUNT;
	if (!builtin_want_count(ev, &mtu, 68, 65535, &n))
		return false;
	nic->mtu = (unsigned)n;
	nic->has_mtu = true;
	return true;
}

static bool set_speed(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
		      const struct arg *a)
{
	static const int64_t most = INT64_C(800000000000);

	if (a->v.kind == VALUE_NUMBER && a->v.unit == UNIT_RATE && a->v.number >= 1000000 &&
	    a->v.number <= most) {
		nic->speed_bps = a->v.number;
		return true;
	}
	eval_wrong(ev, a->loc, "speed wants a rate from 1Mbit to 800Gbit");
	return false;
}

static const char *duplex_word(size_t i)
{
	i += NIC_DUPLEX_HALF;
	return i < NIC_DUPLEXES ? nic_duplex_name((enum nic_duplex)i) : NULL;
}

static bool set_duplex(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
		       const struct arg *a)
{
	bool is_word = a->v.kind == VALUE_WORD || a->v.kind == VALUE_STRING;

	for (int d = NIC_DUPLEX_HALF; is_word && d < NIC_DUPLEXES; d++) {
		nic->duplex = (enum nic_duplex)d;
		if (!strcmp(a->v.text, nic_duplex_name(nic->duplex)))
			return true;
	}
	eval_wrong(ev, a->loc, "duplex is half or full");
	return false;
}

/* ---- both ---- */

#define NUMBER(n, k, u, f, lo, hi)                                                 \
	{                                                                          \
		.name = (n), .kinds = (k), .set_node = set_number, .unit = (u),    \
		.offset = offsetof(struct world_node, f), .min = (lo), .max = (hi) \
	}
#define DEVICE(n, k, u, lo, hi)                                                             \
	{                                                                                   \
		.name = (n), .kinds = 1 << (k), .set_node = set_device_number, .unit = (u), \
		.min = (lo), .max = (hi)                                                    \
	}
#define WORD(n, k, w)                                                                     \
	{                                                                                 \
		.name = (n), .kinds = 1 << (k), .set_node = set_device_word, .words = (w) \
	}

/*
 * The bounds are those of what stands behind: memory is at least what a guest's kernel boots with,
 * the priority of a switch is one of 802.1D, and so on. A value out of range is better refused
 * here, with its place, than by a kernel that does not start.
 */
static const struct builtin_field fields[] = {
	{.name = "name", .kinds = BUILTIN_ALL, .set_node = set_name},
	{.name = "label", .kinds = BUILTIN_ALL, .set_node = set_label},
	{.name = "room", .kinds = 1 << NODE_SUBSTRATE, .set_node = set_room},
	DEVICE("measure", NODE_SUBSTRATE, UNIT_TIME, 1000000, INT64_C(60000000000)),
	DEVICE("idle", NODE_SUBSTRATE, UNIT_TIME, 1000000, INT64_C(3600000000000)),
	DEVICE("raise_above", NODE_SUBSTRATE, UNIT_PPM, 800000, 1000000),
	DEVICE("lower_below", NODE_SUBSTRATE, UNIT_PPM, 0, 800000),
	NUMBER("memory", BUILTIN_GUESTS, UNIT_SIZE, memory_bytes, INT64_C(21) << 20,
	       INT64_C(64) << 30),
	{.name = "root",
	 .kinds = BUILTIN_GUESTS,
	 .set_node = set_path,
	 .offset = offsetof(struct world_node, root)},
	{.name = "packages", .kinds = BUILTIN_GUESTS, .set_node = set_packages},
	{.name = "vbet", .kinds = BUILTIN_GUESTS, .set_node = packages_set_vbet},
	{.name = "shell",
	 .kinds = BUILTIN_GUESTS,
	 .set_node = set_text,
	 .offset = offsetof(struct world_node, shell)},
	DEVICE("ageing", NODE_SWITCH, UNIT_TIME, 1000000, INT64_C(86400000000000)),
	WORD("wire", NODE_SWITCH, NULL),
	WORD("rstp", NODE_SWITCH, NULL),
	DEVICE("priority", NODE_SWITCH, UNIT_COUNT, 0, 61440),
	WORD("where", NODE_OUTSIDE, where_word),
	WORD("loopback", NODE_INTERNET, NULL),
	WORD("medium", NODE_HUB, medium_word),
	DEVICE("rate", NODE_HUB, UNIT_RATE, 1000, INT64_C(100000000000)),
	DEVICE("propagation", NODE_HUB, UNIT_TIME, 1, 1000000000),
	DEVICE("queue", NODE_HUB, UNIT_COUNT, 1, 65536),
	DEVICE("max_entries", NODE_SWITCH, UNIT_COUNT, 1, 1000000),
	{.name = "mac", .set_nic = set_mac},
	{.name = "mtu", .set_nic = set_mtu},
	{.name = "speed", .set_nic = set_speed},
	{.name = "duplex", .set_nic = set_duplex, .words = duplex_word},
};

/* ---- alloc, attach ---- */

/*
 * A node that had a name in an earlier graph of this script gets it back before it is assigned to
 * anything: names are kept by number, and are known then to node("...") at once.
 */
struct world_node *builtin_make_node(struct eval *ev, enum node_kind kind, struct loc loc)
{
	if (ev->world->n_nodes >= WORLD_MAX_NODES) {
		eval_wrong(ev, loc, "more than %d nodes", WORLD_MAX_NODES);
		ev->is_stopped = true;
		return NULL;
	}
	if (kind == NODE_SUBSTRATE && ev->world->n_substrate >= WORLD_MAX_SUBSTRATE) {
		eval_wrong(ev, loc, "more than %d substrate nodes", WORLD_MAX_SUBSTRATE);
		ev->is_stopped = true;
		return NULL;
	}
	struct world_node *n = world_add_node(ev->world, kind, loc);

	if (n->number < ev->n_kept_names && ev->kept_names[n->number]) {
		n->name = arena_strdup(ev->arena, ev->kept_names[n->number]);
		names_put(&ev->world->names, ev->arena, n->name,
			  (struct value){.kind = VALUE_NODE, .node = n});
	}
	return n;
}

/*
 * A NIC belongs to nobody yet. What is said of it that only some nodes can have (an address, a
 * VLAN) is checked when it is attached, or when the script is through.
 */
static struct value alloc_nic(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_NIC, .nic = world_add_nic(ev->world, c->loc)};

	for (size_t i = 0; i < c->n_fields; i++)
		if (!builtin_nic_field(ev, v.nic, &c->fields[i]))
			return value_wrong;
	return v;
}

static struct value alloc_cable(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_CABLE, .cable = builtin_make_cable(ev, c->loc)};

	if (!v.cable || !builtin_cable_fields(ev, v.cable, c))
		return value_wrong;
	return v;
}

static struct value run_alloc(struct eval *ev, const struct call *c)
{
	const struct value *what = &c->args[0].v;
	int kind = builtin_node_kind(what);
	struct value v = {.kind = VALUE_NODE};

	if (!eval_spend(ev, c->loc, 1, sizeof(struct world_node)))
		return value_wrong;
	if (what->kind == VALUE_WORD && !strcmp(what->text, "NIC"))
		return alloc_nic(ev, c);
	if (what->kind == VALUE_WORD && !strcmp(what->text, "cable"))
		return alloc_cable(ev, c);
	if (kind < 0)
		return eval_wrong(ev, c->args[0].loc,
				  "a kind is router, host, firewall, server, hub, switch, outside, "
				  "internet, substrate, endsystem, NIC or cable");
	v.node = builtin_make_node(ev, (enum node_kind)kind, c->loc);
	for (size_t i = 0; v.node && i < c->n_fields; i++) {
		bool known;

		if (!builtin_node_field(ev, v.node, &c->fields[i], &known))
			return value_wrong;
		if (!known) {
			builtin_unknown_node_field(ev, v.node->kind, &c->fields[i]);
			return value_wrong;
		}
	}
	return v.node ? v : value_wrong;
}

static bool attach_nic(struct eval *ev, const struct arg *item, void *ctx)
{
	struct world_node *node = ctx;
	struct world_nic *nic = item->v.nic;

	if (item->v.kind != VALUE_NIC) {
		eval_wrong(ev, item->loc, "only NICs can be attached, not %s",
			   value_kind_name(&item->v));
		return false;
	}
	if (nic->node) {
		eval_wrong(ev, item->loc, "%s is attached already",
			   world_describe_nic(ev->world, nic));
		return false;
	}
	if (nic->has_backend && !nic_backend_fits(nic->backend, node->kind))
		return builtin_attach_elsewhere(ev, node, nic, item->loc);
	if (node_kind_is_device(node->kind) && (nic->addrs || nic->has_mac)) {
		eval_wrong(ev, item->loc, "a port of a %s has no address",
			   node_kind_name(node->kind));
		return false;
	}
	if (!world_attach(ev->world, node, nic)) {
		eval_wrong(ev, item->loc, "%s has %zu %ss, and can have no more",
			   world_describe_node(ev->world, node), node->n_nics,
			   world_nic_word(node->kind));
		return false;
	}
	node->is_fixed = true;
	return true;
}

static struct value run_attach(struct eval *ev, const struct call *c)
{
	struct value v = c->args[0].v;

	if (v.kind != VALUE_NODE)
		return eval_wrong(ev, c->args[0].loc, "NICs are attached to a node, not to %s",
				  value_kind_name(&v));
	for (size_t i = 1; i < c->n_args; i++)
		if (!builtin_each(ev, &c->args[i], attach_nic, v.node))
			return value_wrong;
	if (!c->more)
		return v;
	if (c->n_args < 2 || c->args[c->n_args - 1].v.kind != VALUE_NIC)
		return eval_wrong(ev, c->more->loc, "'...' repeats the NIC before it");
	v.node->more = c->args[c->n_args - 1].v.nic;
	return v;
}

/* ---- NICs, names ---- */

static struct value run_nic(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_NIC};
	const struct value *of = &c->args[0].v;
	int64_t i = 0;

	if (of->kind != VALUE_NODE)
		return eval_wrong(ev, c->args[0].loc, "%s has no NICs; a node has",
				  value_kind_name(of));
	if (of->node->is_removed)
		return builtin_is_gone(ev, c->args[0].loc, of->node);
	if (c->n_args > 1 && !builtin_want_count(ev, &c->args[1], 1, WORLD_MAX_LINKS, &i))
		return value_wrong;
	v.nic = c->n_args > 1 ? world_get_nic(ev->world, of->node, (size_t)i - 1, c->loc)
			      : world_free_nic(ev->world, of->node, c->loc);
	if (v.nic)
		return v;
	const char *what = world_nic_word(of->node->kind);
	size_t n = of->node->n_nics;

	if (c->n_args > 1)
		return eval_wrong(ev, c->args[1].loc,
				  "%s has %zu %s%s: there is no %s %" PRId64 "%s",
				  world_describe_node(ev->world, of->node), n, what,
				  n == 1 ? "" : "s", what, i, builtin_more_nics(ev, of->node));
	return eval_wrong(
		ev, c->loc,
		"%s has no free %s: %zu %s plugged; to mean one of them, write its number%s",
		world_describe_node(ev->world, of->node), what, n, n == 1 ? "is" : "are",
		builtin_more_nics(ev, of->node));
}

/*
 * Substrate links are searched only if nothing else has the name: most are named after their
 * cables, and have no entry in the table.
 */
static struct value run_node(struct eval *ev, const struct call *c)
{
	const char *name;
	const struct value *v;

	if (!builtin_want_text(ev, &c->args[0], "a name", &name))
		return value_wrong;
	v = names_get(&ev->world->names, name);
	if (v && v->kind != VALUE_NONE)
		return *v;
	size_t slinks = ev->world->n_slinks;

	if (!eval_spend(ev, c->loc, slinks / 8, slinks * 64))
		return value_wrong;
	struct value link = {.kind = VALUE_SLINK, .slink = world_find_slink(ev->world, name)};

	return link.slink ? link : eval_wrong(ev, c->args[0].loc, "there is no node '%.64s'", name);
}

/* ---- what goes ---- */

/*
 * Its cables go with it, its virtual links lose an end, and each part takes away what it hangs on
 * the node (node_goes). The node itself stays in the list, marked, and its number is not used
 * again.
 */
void builtin_remove_node(struct eval *ev, struct world_node *n)
{
	n->is_removed = true;
	eval_spend(ev, n->loc, ev->world->n_slinks / 8, 0);
	builtin_node_goes(ev, n);
	for (size_t i = 0; i < n->n_nics; i++) {
		struct world_cable *cable = n->nics[i]->cable;

		world_leave(n->nics[i]);
		if (cable) {
			world_unplug(cable, 0);
			world_unplug(cable, 1);
			cable->is_removed = true;
		}
	}
}

static bool free_node(struct eval *ev, const struct arg *a)
{
	if (a->v.kind != VALUE_NODE)
		return false;
	builtin_remove_node(ev, a->v.node);
	return true;
}

/* The name becomes free: another node may be called that from here on. */
static struct value run_free(struct eval *ev, const struct call *c)
{
	for (size_t i = 0; i < c->n_args; i++) {
		const struct value *v = &c->args[i].v;
		struct world_label label;

		if (!builtin_free_thing(ev, &c->args[i]))
			return eval_wrong(ev, c->args[i].loc,
					  "expected a node, a link or a vNet, not %s",
					  value_kind_name(v));
		if (world_label(v, &label) && *label.name)
			names_put(&ev->world->names, ev->arena, *label.name, value_none);
	}
	return value_none;
}

static const struct builtin functions[] = {
	{.name = "alloc",
	 .run = run_alloc,
	 .min = 1,
	 .max = 1,
	 .has_fields = true,
	 .usage = "alloc(KIND, name = value, ...)",
	 .words = {builtin_kinds},
	 .words_name = "kind"},
	{.name = "attach",
	 .run = run_attach,
	 .min = 1,
	 .max = -1,
	 .has_more = true,
	 .usage = "attach(node, alloc(NIC), ...)"},
	{.name = "NIC",
	 .run = run_nic,
	 .min = 1,
	 .max = 2,
	 .usage = "NIC(node) or NIC(node, number)"},
	{.name = "node", .run = run_node, .min = 1, .max = 1, .usage = "node(\"name\")"},
	{.name = "free", .run = run_free, .min = 1, .max = -1, .usage = "free(node or cable, ...)"},
};

const struct builtin_part builtin_net_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.free = free_node,
};
