/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/plan/plan.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "topo/topo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *files(void *ctx, const char *path, size_t *len, struct err *e)
{
	if (strcmp(path, "/script/rules.nft") != 0) {
		err_set(e, ERR_ENV, "%s: no such file", path);
		return NULL;
	}
	char *text = xstrdup("flush ruleset\n");

	*len = strlen(text);
	return text;
}

static struct plan_env env = {
	.lab_dir = "/run/lab",
	.kernel = "/lib/linux",
	.init = "/lib/vbet-init",
	.launcher = "/lib/vbet-launch",
	.tree = "/lib/tree",
	.base_dir = "/script",
	.cpus = 2,
	.read_file = files,
};

static struct topo_script *script;
static struct graph *graph;

/* The graph of a script; freed by teardown(). */
static const struct graph *graph_of(const char *text)
{
	static const struct topo_options opt = {.lab = "lab"};

	script = topo_parse("test.vbet", text, strlen(text), &opt);
	graph = topo_make_graph(script);
	if (!graph)
		topo_print_errors(stderr, script);
	ck_assert_ptr_nonnull(graph);
	return graph;
}

static void teardown(void)
{
	env.processes = 0;
	env.running = NULL;
	graph_destroy(graph);
	topo_destroy(script);
	graph = NULL;
	script = NULL;
}

static struct plan *plan_of_graph(const struct graph *g)
{
	struct err e = {0};
	struct plan *p = plan_make(g, &env, &e);

	ck_assert_msg(p != NULL, "%s", e.text);
	return p;
}

static struct plan *plan_of(const char *text)
{
	struct plan *p = plan_of_graph(graph_of(text));

	teardown();
	return p;
}

/* The plan as text, malloc'ed. */
static char *print(const struct plan *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	plan_print(f, p);
	fclose(f);
	return text;
}

/* The difference as text: "+", "-" or "~", and what it is about. */
static char *print_diff(const struct plan *from, const struct plan *to)
{
	static const char signs[] = {[PLAN_ADD] = '+', [PLAN_REMOVE] = '-', [PLAN_SET] = '~'};
	static const char *const ops[] = {"process",   "dir",     "file",
					  "substrate", "outside", "guest"};
	struct plan_diff_item *items;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	size_t n = plan_diff(from, to, &items);

	for (size_t i = 0; i < n; i++)
		fprintf(f, "%c %s %s\n", signs[items[i].change], ops[items[i].step->op],
			items[i].step->name);
	fclose(f);
	free(items);
	return text;
}

static void assert_diff(const char *before, const char *after, const char *want)
{
	struct plan *from = plan_of(before);
	struct plan *to = plan_of(after);
	char *got = print_diff(from, to);

	ck_assert_str_eq(got, want);
	free(got);
	plan_destroy(from);
	plan_destroy(to);
}

#define TWO "a = alloc(host) b = alloc(host)\n"
#define MACS                                                                            \
	"link(attach(alloc(host, name = \"a\"), alloc(NIC, mac = 02:00:00:00:00:01)), " \
	"attach(alloc(host, name = \"b\"), alloc(NIC, mac = 02:00:00:00:00:02)), "      \
	"delay = 5ms, up = off, name = \"c\")"

static const char whole[] =
	"process substrate\n"
	"dir n\n"
	"substrate clock real seed=0\n"
	"dir n/a\n"
	"dir n/a/j\n"
	"file n/a/j/init.conf\n"
	"    hostname a\n"
	"    nic eth0 mac=02:00:00:00:00:01 mtu=1500\n"
	"    addr eth0 10.0.0.1/24\n"
	"    host b 10.0.0.2\n"
	"    sysctl net.ipv4.ping_group_range \"0 2147483647\"\n"
	"substrate channel a:agent path=/run/lab/n/a/j/agent stream=/run/lab/n/a/agent guest=a\n"
	"substrate nic a:eth0 vhost path=/run/lab/n/a/j/eth0 mac=02:00:00:00:00:01 mtu=1500 "
	"guest=a\n"
	"dir n/b\n"
	"dir n/b/j\n"
	"file n/b/j/init.conf\n"
	"    hostname b\n"
	"    nic eth0 mac=02:00:00:00:00:02 mtu=1500\n"
	"    addr eth0 10.0.0.2/24\n"
	"    host a 10.0.0.1\n"
	"    sysctl net.ipv4.ping_group_range \"0 2147483647\"\n"
	"substrate channel b:agent path=/run/lab/n/b/j/agent stream=/run/lab/n/b/agent guest=b\n"
	"substrate nic b:eth0 vhost path=/run/lab/n/b/j/eth0 mac=02:00:00:00:00:02 mtu=1500 "
	"guest=b\n"
	"substrate cable c a:eth0 b:eth0 ab.delay=5ms ba.delay=5ms up=0\n"
	"substrate start\n"
	"guest a: /lib/vbet-launch name=a kernel=/lib/linux init=/lib/vbet-init root=/lib/tree "
	"dir=/run/lab/n/a/j memory=50331648 cpu=0 -- mem=48M root=none rootfstype=hostfs "
	"rootflags=/ ro "
	"init=/init con0=fd:0,fd:1 con=null ssl=null quiet noreboot "
	"virtio_net.napi_tx=0 virtio_uml.device=/vbet/agent:3 "
	"virtio_uml.device=/vbet/eth0:1\n"
	"guest b: /lib/vbet-launch name=b kernel=/lib/linux init=/lib/vbet-init root=/lib/tree "
	"dir=/run/lab/n/b/j memory=50331648 cpu=1 -- mem=48M root=none rootfstype=hostfs "
	"rootflags=/ ro "
	"init=/init con0=fd:0,fd:1 con=null ssl=null quiet noreboot "
	"virtio_net.napi_tx=0 virtio_uml.device=/vbet/agent:3 "
	"virtio_uml.device=/vbet/eth0:1\n";

/* An interface of the host: a NIC of the substrate, and what the process outside is told. */
START_TEST(host_interface)
{
	struct plan *p = plan_of(
		"lab0 = attach(alloc(outside, where = own), alloc(NIC, address = 10.1.0.254/24))\n"
		"pc = attach(alloc(host), alloc(NIC, address = 10.1.0.1/24)) link(lab0, pc)\n"
		"route(lab0, 10.2.0.0/16, 10.1.0.1)\n"
		"u = attach(alloc(outside), alloc(NIC, backend = pcap, name = \"eth1\"),\n"
		"	alloc(NIC, backend = uml_switch, path = \"/tmp/ctl\"))\n");
	char *text = print(p);

	ck_assert_ptr_nonnull(
		strstr(text, "nic lab0:lab0 tap mtu=1500 path=/run/lab/n/lab0/lab0\n"));
	ck_assert_ptr_nonnull(strstr(text, "outside tap lab0 path=/run/lab/n/lab0/lab0 mac=02:"));
	ck_assert_ptr_nonnull(strstr(text, " mtu=1500 where=own addr=10.1.0.254/24\n"));
	ck_assert_ptr_nonnull(strstr(text, "outside route 10.2.0.0/16 via=10.1.0.1\n"));
	ck_assert_ptr_nonnull(strstr(text, "nic u:eth1 pcap mtu=1500 interface=eth1\n"));
	ck_assert_ptr_nonnull(strstr(text, "nic u:socket1 uml_switch mtu=1500 path=/tmp/ctl\n"));
	free(text);
	plan_destroy(p);
	/* Another address: the interface is made anew. The route, once gone, is taken away. */
	assert_diff("lab0 = attach(alloc(outside), alloc(NIC, address = 10.1.0.254/24))\n"
		    "link(lab0, alloc(hub)) route(lab0, 10.2.0.0/16, 10.1.0.1)",
		    "lab0 = attach(alloc(outside), alloc(NIC, address = 10.1.0.253/24))\n"
		    "link(lab0, alloc(hub))",
		    "- outside route 10.2.0.0/16 via=10.1.0.1\n- outside lab0\n+ outside lab0\n");
}
END_TEST

/* The way out is a NIC of the substrate: with its addresses, and closed unless the script says. */
START_TEST(internet)
{
	struct plan *p = plan_of("out = alloc(internet) near = alloc(internet, loopback = on)\n"
				 "link(out, alloc(host)) link(near, alloc(host))");
	char *text = print(p);

	ck_assert_ptr_nonnull(strstr(text, "nic out:eth0 slirp mtu=1500 addr=10.0.2.2/24 "
					   "addr6=fec0::2/64\n"));
	ck_assert_ptr_nonnull(strstr(text, "nic near:eth0 slirp mtu=1500 addr=10.0.3.2/24 "
					   "addr6=fec0:0:0:1::2/64 loopback=1\n"));
	ck_assert_ptr_nonnull(strstr(text, "route default via=10.0.2.2 dev=eth0"));
	free(text);
	plan_destroy(p);
}
END_TEST

START_TEST(a_small_lab_has_this_plan)
{
	struct plan *p = plan_of(MACS);
	char *got = print(p);

	ck_assert_str_eq(got, whole);
	free(got);
	plan_destroy(p);
}
END_TEST

START_TEST(the_same_graph_has_the_same_plan)
{
	const struct graph *g = graph_of("link(alloc(switch), alloc(host), alloc(router))");
	struct plan *one = plan_of_graph(g);
	struct plan *two = plan_of_graph(g);
	char *a = print(one);
	char *b = print(two);

	ck_assert_str_eq(a, b);
	free(a);
	free(b);
	plan_destroy(one);
	plan_destroy(two);
}
END_TEST

START_TEST(nothing_comes_before_what_it_needs)
{
	struct plan *p = plan_of("link(alloc(switch, name = \"s\"), alloc(host, name = \"h\"))");
	int clock = -1;
	int cable = -1;
	int nic = -1;
	int port = -1;
	int start = -1;
	int guest = -1;

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];
		int at = (int)i;

		if (s->op == PLAN_GUEST)
			guest = at;
		if (s->op != PLAN_SUBSTRATE)
			continue;
		if (!strncmp(s->text, "clock ", 6))
			clock = at;
		else if (!strncmp(s->text, "cable ", 6))
			cable = at;
		else if (!strncmp(s->text, "nic ", 4))
			nic = at;
		else if (!strncmp(s->text, "port ", 5))
			port = at;
		else if (!strcmp(s->text, "start"))
			start = at;
	}
	ck_assert_int_ge(clock, 0);
	ck_assert_int_gt(port, clock);
	ck_assert_int_gt(nic, clock);
	ck_assert_int_gt(cable, nic);
	ck_assert_int_gt(cable, port);
	ck_assert_int_gt(start, cable);
	ck_assert_int_gt(guest, start);
	plan_destroy(p);
}
END_TEST

/* ---- virtual networks ---- */

#define TWO_PLACES                                                                   \
	"s1 = attach(alloc(substrate), alloc(NIC, mac = 02:00:00:00:01:01), "        \
	"alloc(NIC, mac = 02:00:00:00:01:02), ...)\n"                                \
	"s2 = attach(alloc(substrate), alloc(NIC, mac = 02:00:00:00:02:01), "        \
	"alloc(NIC, mac = 02:00:00:00:02:02), ...)\n"                                \
	"w = slink(s1, s2, forward = {rate = 10Mbit}, back = {rate = 4Mbit})\n"      \
	"lan = slan(alloc(switch, name = \"sw\"), s1, s2, rate = 8Mbit, vlan = 7)\n" \
	"x = slink(s1, s2, over = lan)\n"                                            \
	"red = vnet(share = 30%)\n"                                                  \
	"a = alloc(host, vnet = red, on = s1) b = alloc(host, vnet = red, on = s2)\n"

/* Those lines for the substrate process that are about virtual networks. */
static char *print_virtual(const struct plan *p)
{
	static const char *const verbs[] = {"snode ", "snif ", "slink ", "vbm ",
					    "share ", "vif ",  "vlink "};
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; i < p->n_steps; i++)
		for (size_t k = 0; k < ARRAY_LEN(verbs); k++)
			if (p->steps[i].op == PLAN_SUBSTRATE &&
			    !strncmp(p->steps[i].text, verbs[k], strlen(verbs[k])))
				fprintf(f, "%s\n", p->steps[i].text);
	fclose(f);
	return text;
}

static const char virtual_whole[] =
	"snode s1 key=00000000000000000000000000000000\n"
	"snif s1:1 s1 mac=02:00:00:00:01:01 rate=10Mbit\n"
	"snif s1:2 s1 mac=02:00:00:00:01:02 rate=8Mbit\n"
	"snode s2 key=00000000000000000000000000000000\n"
	"snif s2:1 s2 mac=02:00:00:00:02:01 rate=4Mbit\n"
	"snif s2:2 s2 mac=02:00:00:00:02:02 rate=8Mbit\n"
	"vif a:eth0@s1 s1 vnet=red mtu=1500\n"
	"vif b:eth0@s2 s2 vnet=red mtu=1500\n"
	"vif a:eth1@s1 s1 vnet=red mtu=1500\n"
	"vif b:eth1@s2 s2 vnet=red mtu=1500\n"
	"slink w@s1 s1:1 link=w peer=02:00:00:00:02:01\n"
	"slink w@s2 s2:1 link=w peer=02:00:00:00:01:01\n"
	"slink lan@s1 s1:2 link=lan multi=1 members=02:00:00:00:02:02\n"
	"slink lan@s2 s2:2 link=lan multi=1 members=02:00:00:00:01:02\n"
	"slink x@s1 s1:2 link=x peer=02:00:00:00:02:02 vlan=7 priority=5\n"
	"slink x@s2 s2:2 link=x peer=02:00:00:00:01:02 vlan=7 priority=5\n"
	"vbm vbm@lan s1 link=lan rate=8Mbit\n"
	"share vbm@lan red percent=30%\n"
	"vlink v:ab a:eth0@s1 vnet=red path=x to=b:eth0@s2 min=1Mbit max=8Mbit\n"
	"vlink v:ba b:eth0@s2 vnet=red path=x to=a:eth0@s1 max=2Mbit\n"
	"vlink m:a:eth1 a:eth1@s1 vnet=red lan=lan group=m\n"
	"vlink m:b:eth1 b:eth1@s2 vnet=red lan=lan group=m\n";

START_TEST(a_virtual_network_has_this_plan)
{
	struct plan *p =
		plan_of(TWO_PLACES "v = vlink(a, b, forward = {min = 1Mbit}, back = {max = 2Mbit}, "
				   "via = x) m = vlink(lan, a, b)");
	char *got = print_virtual(p);

	ck_assert_str_eq(got, virtual_whole);
	free(got);
	plan_destroy(p);
}
END_TEST

START_TEST(an_end_system_has_this_plan)
{
	struct plan *p = plan_of("s = alloc(substrate) t = alloc(substrate) slink(s, t)\n"
				 "v = vnet()\n"
				 "e = attach(alloc(endsystem, vnet = v, on = s), alloc(NIC, mac = "
				 "02:00:00:00:00:01, mtu = 1400))\n"
				 "f = alloc(endsystem, vnet = v, on = t) vlink(e, f)\n"
				 "exec(e, \"one | two\", \"three\")");
	char *got = print(p);

	ck_assert_ptr_nonnull(strstr(got,
				     "file n/e/vnet.conf\n    node e\n    vnet v\n    nic eth0 "
				     "path=/run/lab/n/e/j/eth0 mac=02:00:00:00:00:01 mtu=1400\n"));
	ck_assert_ptr_nonnull(strstr(got, "nic e:eth0 seqpacket path=/run/lab/n/e/j/eth0"));
	/* Last of all: when they begin, all is there. */
	ck_assert_ptr_nonnull(strstr(got, "start\nprogram e#1: one | two\nprogram e#2: three\n"));
	ck_assert_ptr_null(strstr(got, "guest e"));
	free(got);
	plan_destroy(p);
}
END_TEST

START_TEST(a_changed_rate_is_set)
{
	assert_diff(TWO_PLACES "v = vlink(a, b, min = 1Mbit, via = w)",
		    TWO_PLACES "v = vlink(a, b, min = 2Mbit, via = w)",
		    "~ substrate v:ab\n~ substrate v:ba\n");
	/* The wire, and what is in front of it. */
	assert_diff(TWO_PLACES "v = vlink(a, b, via = w, max = 1Mbit)",
		    TWO_PLACES "v = vlink(a, b, via = w, max = 1Mbit) impair(w, rate = 3Mbit)",
		    "~ substrate s1:1\n~ substrate s2:1\n~ substrate w\n");
	assert_diff(TWO_PLACES "v = vlink(a, b, via = x)",
		    TWO_PLACES "v = vlink(a, b, via = x) set(red, share = 40%)",
		    "~ substrate vbm@lan red\n");
}
END_TEST

/* Another way, another place: what began there is undone, and begins anew. */
START_TEST(a_changed_way_is_laid_anew)
{
	assert_diff(TWO_PLACES "v = vlink(a, b, max = 1Mbit, via = w)",
		    TWO_PLACES "v = vlink(a, b, max = 1Mbit, via = x)",
		    "- substrate v:ba\n- substrate v:ab\n+ substrate vbm@lan red\n"
		    "+ substrate v:ab\n+ substrate v:ba\n");
	assert_diff(TWO_PLACES "v = vlink(a, b)", TWO_PLACES "v = vlink(a, b) set(b, on = s1)",
		    "- substrate v:ba\n- substrate v:ab\n- substrate b:eth0-b:eth0@s2\n"
		    "- substrate b:eth0@s2\n+ substrate b:eth0@s1\n"
		    "+ substrate b:eth0-b:eth0@s1\n+ substrate v:ab\n+ substrate v:ba\n");
}
END_TEST

/* The far direction is told anew too: where it ends began anew. */
START_TEST(what_a_line_needs_takes_it_along)
{
	assert_diff(TWO_PLACES
		    "v = vlink(a, attach(b, alloc(NIC, mac = 02:00:00:00:00:0b)), via = w)",
		    TWO_PLACES "v = vlink(a, attach(b, alloc(NIC, mac = 02:00:00:00:00:0b, "
			       "mtu = 1400)), via = w)",
		    "- substrate v:ba\n- substrate v:ab\n- substrate b:eth0-b:eth0@s2\n"
		    "- substrate b:eth0@s2\n- substrate b:eth0\n~ file n/b/j/init.conf\n"
		    "+ substrate b:eth0\n+ substrate b:eth0@s2\n"
		    "+ substrate b:eth0-b:eth0@s2\n+ substrate v:ab\n+ substrate v:ba\n");
}
END_TEST

START_TEST(a_virtual_network_goes_alone)
{
	assert_diff(TWO_PLACES "v = vlink(a, b, via = w)",
		    TWO_PLACES "v = vlink(a, b, via = w) free(red)",
		    "- guest b\n- guest a\n- substrate v:ba\n- substrate v:ab\n"
		    "- substrate b:eth0-b:eth0@s2\n- substrate a:eth0-a:eth0@s1\n"
		    "- substrate b:eth0@s2\n- substrate a:eth0@s1\n- substrate b:eth0\n"
		    "- substrate b:agent\n- file n/b/j/init.conf\n- dir n/b/j\n- dir n/b\n"
		    "- substrate a:eth0\n- substrate a:agent\n- file n/a/j/init.conf\n"
		    "- dir n/a/j\n- dir n/a\n");
}
END_TEST

START_TEST(names_of_other_networks_are_unknown)
{
	struct plan *p =
		plan_of(TWO_PLACES "vlink(a, b) blue = vnet()\n"
				   "c = alloc(host, vnet = blue, on = s1)\n"
				   "vlink(c, alloc(host, vnet = blue, on = s2, name = \"d\"))");
	const char *text = "";

	for (size_t i = 0; i < p->n_steps; i++)
		if (!strcmp(p->steps[i].name, "n/c/j/init.conf"))
			text = p->steps[i].text;
	ck_assert_ptr_nonnull(strstr(text, "addr eth0 10.0.0.1/24"));
	ck_assert_ptr_nonnull(strstr(text, "host d 10.0.0.2"));
	ck_assert_ptr_null(strstr(text, "host a "));
	plan_destroy(p);
}
END_TEST

START_TEST(a_file_of_the_script_is_read)
{
	struct plan *p = plan_of("fw = alloc(firewall)\nconfig(fw, nft, file(\"rules.nft\"))\n");
	char *got = print(p);

	ck_assert_ptr_nonnull(strstr(got, "file /etc/nftables.conf mode=0640 owner=0:0 "
					  "\"flush ruleset\\n\""));
	ck_assert_ptr_nonnull(strstr(got, "service nft "));
	free(got);
	plan_destroy(p);
}
END_TEST

START_TEST(a_file_that_is_missing_is_an_error_of_the_node)
{
	struct err e = {0};
	const struct graph *g =
		graph_of("fw = alloc(firewall)\nconfig(fw, nft, file(\"gone.nft\"))\n");

	ck_assert_ptr_null(plan_make(g, &env, &e));
	ck_assert_str_eq(e.text, "fw: /script/gone.nft: no such file");
}
END_TEST

START_TEST(a_service_keeps_the_configuration_of_its_file_system)
{
	struct plan *p = plan_of("s = alloc(server)\nservice(s, httpd)\n");
	char *got = print(p);

	ck_assert_ptr_nonnull(strstr(got, "service httpd "));
	ck_assert_ptr_null(strstr(got, "file /etc/lighttpd"));
	free(got);
	plan_destroy(p);
}
END_TEST

static bool plan_has(const char *script_text, const char *part)
{
	struct plan *p = plan_of(script_text);
	char *got = print(p);
	bool has = strstr(got, part) != NULL;

	free(got);
	plan_destroy(p);
	teardown();
	return has;
}

#define FRR_CONF "router bgp 1\\n neighbor 10.0.0.2 bfd\\n"

/* It is found out from the text what runs, and the text is given to them when all of them do. */
START_TEST(one_frr_conf_starts_what_it_speaks_of)
{
	static const char *const scripts[] = {
		"r = alloc(router)\nconfig(r, frr, \"" FRR_CONF "\")\n",
		"r = alloc(router)\nwrite(r, \"/etc/frr/frr.conf\", \"" FRR_CONF "\")\n",
		"r = alloc(host)\nwrite(r, \"/etc/frr/frr.conf\", \"" FRR_CONF "\")\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		ck_assert(plan_has(scripts[i], "file /etc/frr/frr.conf "));
		ck_assert(plan_has(scripts[i], "service zebra -- "));
		ck_assert(plan_has(scripts[i], "service bgpd after=zebra -- "));
		ck_assert(plan_has(scripts[i], "service bfdd after=zebra -- "));
		ck_assert(!plan_has(scripts[i], "service ospfd"));
		ck_assert(plan_has(scripts[i], "service frr after=zebra,mgmtd,bgpd,bfdd -- "));
	}
}
END_TEST

START_TEST(daemons_keep_their_own_files_beside_frr_conf)
{
	static const char both[] = "r = alloc(router)\nconfig(r, frr, \"router rip\\n\")\n"
				   "config(r, ospfd, \"router ospf\\n\")\nservice(r, bgpd)\n"
				   "write(r, \"/etc/frr/zebra.conf\", \"ip forwarding\\n\")\n";

	ck_assert(plan_has(both, "service frr after=zebra,mgmtd,ospfd,ripd,bgpd -- "));
	ck_assert(plan_has(both, " frr /etc/frr/zebra.conf /etc/frr/ospfd.conf\n"));
	ck_assert(!plan_has("r = alloc(router)\nconfig(r, ospfd, \"router ospf\\n\")\n",
			    "service frr"));
}
END_TEST

START_TEST(no_change_is_no_difference)
{
	assert_diff(TWO "link(a, b)", TWO "link(a, b)", "");
}
END_TEST

START_TEST(from_nothing_everything_is_added)
{
	static const struct plan nothing;
	struct plan *p = plan_of(TWO "link(a, b)");
	struct plan_diff_item *items;
	size_t n = plan_diff(&nothing, p, &items);

	ck_assert_uint_eq(n, p->n_steps);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(items[i].change, PLAN_ADD);
		ck_assert_ptr_eq(items[i].step, &p->steps[i]);
	}
	free(items);
	plan_destroy(p);
}
END_TEST

START_TEST(to_nothing_everything_is_removed_backwards)
{
	static const struct plan nothing;
	struct plan *p = plan_of(TWO "link(a, b)");
	struct plan_diff_item *items;
	size_t n = plan_diff(p, &nothing, &items);

	ck_assert_uint_eq(n, p->n_steps);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(items[i].change, PLAN_REMOVE);
		ck_assert_ptr_eq(items[i].step, &p->steps[n - 1 - i]);
	}
	free(items);
	plan_destroy(p);
}
END_TEST

#define FIXED "address(a, 10.0.0.1/24) address(b, 10.0.0.2/24)\n"

START_TEST(a_changed_cable_is_set)
{
	assert_diff(TWO FIXED "link(a, b, name = \"c\")",
		    TWO FIXED "link(a, b, name = \"c\", loss = 1%)", "~ substrate c\n");
	assert_diff(TWO FIXED "link(a, b, name = \"c\")",
		    TWO FIXED "link(a, b, name = \"c\", up = off)", "~ substrate c\n");
}
END_TEST

/* A running cable is told all that it is from now on: what it was before does not stay. */
START_TEST(a_changed_cable_is_told_what_it_is)
{
	struct plan *p = plan_of(TWO FIXED "link(a, b, name = \"c\", delay = 5ms, up = off)");
	const char *set = NULL;

	for (size_t i = 0; i < p->n_steps; i++)
		if (!strcmp(p->steps[i].name, "c"))
			set = p->steps[i].set;
	ck_assert_str_eq(set, "reset c up=1 ab.delay=5ms ba.delay=5ms up=0");
	plan_destroy(p);
}
END_TEST

START_TEST(what_is_added_to_a_lab_is_all_that_happens)
{
	assert_diff(
		TWO FIXED "link(a, b, name = \"c\")",
		TWO FIXED "link(a, b, name = \"c\") d = alloc(host)",
		"+ dir n/d\n+ dir n/d/j\n+ file n/d/j/init.conf\n+ substrate d:agent\n+ guest d\n");
}
END_TEST

START_TEST(what_is_taken_away_goes_backwards)
{
	assert_diff(
		TWO FIXED "link(a, b, name = \"c\") d = alloc(host)",
		TWO FIXED "link(a, b, name = \"c\")",
		"- guest d\n- substrate d:agent\n- file n/d/j/init.conf\n- dir n/d/j\n- dir n/d\n");
}
END_TEST

/* The lines of a plan that begin with a word, malloc'ed. */
static char *lines_of(const struct plan *p, const char *word)
{
	char *all = print(p);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, word, strlen(word)))
			fprintf(f, "%s\n", line);
	fclose(f);
	free(all);
	return text;
}

static void assert_lines(const struct plan *p, const char *word, const char *want)
{
	char *got = lines_of(p, word);

	ck_assert_str_eq(got, want);
	free(got);
}

/* Guests that are joined by a cable, in two processes. */
START_TEST(a_cable_between_processes_has_an_end_in_each)
{
	const struct graph *g = graph_of(MACS);

	env.processes = 2;
	struct plan *p = plan_of_graph(g);

	assert_lines(p, "process ", "process substrate\nprocess substrate.2\n");
	assert_lines(p, "dir t", "dir t\n");
	assert_lines(p, "substrate trunk", "substrate trunk 1>2 path=/run/lab/t/1-2 listen=1\n");
	assert_lines(p, "substrate.2 trunk", "substrate.2 trunk 2>1 path=/run/lab/t/1-2\n");
	assert_lines(p, "substrate far", "substrate far b:eth0 1>2 key=c\n");
	assert_lines(p, "substrate.2 far", "substrate.2 far a:eth0 2>1 key=c\n");
	assert_lines(p, "substrate cable",
		     "substrate cable c a:eth0 b:eth0 ab.delay=5ms ba.delay=5ms up=0\n");
	assert_lines(p, "substrate.2 cable",
		     "substrate.2 cable c a:eth0 b:eth0 ab.delay=5ms ba.delay=5ms up=0\n");
	assert_lines(p, "substrate.2 start", "substrate.2 start\n");
	ck_assert_uint_eq(plan_process_of(p, "a:eth0"), 1);
	ck_assert_uint_eq(plan_process_of(p, "b:eth0"), 2);
	ck_assert_uint_eq(plan_process_of(p, "b:agent"), 2);
	ck_assert_uint_eq(plan_process_of(p, "x"), 0);
	plan_destroy(p);
}
END_TEST

/* A NIC shows what a hub in another process does to it; a switch does nothing. */
START_TEST(a_far_end_says_that_it_is_a_hub)
{
	const struct graph *g =
		graph_of("h = alloc(hub, medium = shared, rate = 5Mbit, name = \"h\")\n"
			 "p = alloc(hub, name = \"p\")\n"
			 "s = alloc(switch, name = \"s\")\n"
			 "for i in 1..9 { x[i] = alloc(host, name = \"x${i}\") }\n"
			 "link(h, x[1], x[2], x[3]) link(p, x[4], x[5], x[6])\n"
			 "link(s, x[7], x[8], x[9])\n"
			 "r = alloc(router, name = \"r\") link(r, h) link(r, p) link(r, s)\n");

	env.processes = 4;
	struct plan *p = plan_of_graph(g);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	plan_print(f, p);
	fclose(f);
	bool told[3] = {0};

	for (const char *at = text; (at = strstr(at, "far ")); at++) {
		const char *end = strchr(at, '\n');
		int n = (int)(end - at);
		const char *shared = strstr(at, " shared=1");

		if (at[4] == 'h')
			told[0] = shared && shared < end && !strncmp(end - 11, " rate=5Mbit", 11);
		else if (at[4] == 'p')
			told[1] = shared && shared + 9 == end;
		else if (shared && shared < end)
			ck_abort_msg("%.*s", n, at);
		told[2] |= at[4] == 's';
	}
	ck_assert_msg(told[0] || plan_process_of(p, "h") == plan_process_of(p, "r"), "%s", text);
	ck_assert_msg(told[1] || plan_process_of(p, "p") == plan_process_of(p, "r"), "%s", text);
	ck_assert_msg(told[0] + told[1] + told[2] >= 2, "%s", text);
	free(text);
	plan_destroy(p);
}
END_TEST

START_TEST(a_nic_says_its_speed_and_can_be_told_another)
{
	const struct graph *g =
		graph_of("a = attach(alloc(host, name = \"a\"), alloc(NIC, speed = 1Gbit, duplex "
			 "= half))\n"
			 "b = alloc(host, name = \"b\") link(a, b)\n");
	struct plan *p = plan_of_graph(g);

	for (size_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];

		if (!strcmp(s->name, "a:eth0")) {
			ck_assert_ptr_nonnull(strstr(s->text, " speed=1Gbit duplex=half"));
			ck_assert_str_eq(s->set, "set a:eth0 speed=1Gbit duplex=half");
			ck_assert_ptr_null(strstr(s->fixed, "speed"));
		} else if (!strcmp(s->name, "b:eth0")) {
			ck_assert_ptr_null(strstr(s->text, "speed"));
			ck_assert_str_eq(s->set, "set b:eth0");
		}
	}
	plan_destroy(p);
}
END_TEST

START_TEST(a_switch_keeps_its_guests)
{
	const struct graph *g = graph_of("s = alloc(switch, name = \"s\")\n"
					 "t = alloc(switch, name = \"t\")\n"
					 "for i in 1..4 { h[i] = alloc(host, name = \"h${i}\") }\n"
					 "link(s, h[1], h[2]) link(t, h[3], h[4]) link(s, t)\n");

	env.processes = 2;
	struct plan *p = plan_of_graph(g);

	ck_assert_uint_eq(p->n_places, 6);
	for (size_t i = 0; i < p->n_places; i++) {
		const char *n = p->places[i].node;
		bool first = !strcmp(n, "s") || !strcmp(n, "h1") || !strcmp(n, "h2");

		ck_assert_msg(p->places[i].process == (first ? 1 : 2), "%s is in %u", n,
			      p->places[i].process);
	}
	plan_destroy(p);
}
END_TEST

START_TEST(a_substrate_node_has_a_process_of_its_own)
{
	const struct graph *g = graph_of("s1 = alloc(substrate, name = \"s1\")\n"
					 "s2 = alloc(substrate, name = \"s2\")\n"
					 "s3 = alloc(substrate, name = \"s3\")\n"
					 "slink(s1, s2) slink(s2, s3)\n"
					 "v = vnet()\n"
					 "a = alloc(host, vnet = v, on = s1, name = \"a\")\n"
					 "b = alloc(host, vnet = v, on = s3, name = \"b\")\n"
					 "vlink(a, b)\n");
	unsigned process[6] = {0};
	unsigned seen = 0;

	env.processes = 3;
	struct plan *p = plan_of_graph(g);

	for (size_t i = 0; i < 3; i++)
		seen |= 1u << p->places[i].process;
	ck_assert_uint_eq(seen, 2 | 4 | 8);
	for (size_t i = 0; i < p->n_places; i++)
		process[i] = p->places[i].process;
	/* What it holds is with it. */
	ck_assert_str_eq(p->places[3].node, "a");
	ck_assert_uint_eq(process[3], process[0]);
	ck_assert_uint_eq(process[4], process[2]);
	plan_destroy(p);
}
END_TEST

START_TEST(each_process_gets_a_share_of_a_ring)
{
	const struct graph *g = graph_of("for i in 1..12 { r[i] = alloc(router) }\n"
					 "for i in 1..11 { link(r[i], r[i + 1]) }\n"
					 "link(r[12], r[1])\n");
	unsigned load[5] = {0};
	unsigned between = 0;

	env.processes = 4;
	struct plan *p = plan_of_graph(g);

	for (size_t i = 0; i < p->n_places; i++)
		load[p->places[i].process]++;
	for (unsigned k = 1; k <= 4; k++)
		ck_assert_uint_eq(load[k], 3);
	for (size_t i = 0; i < p->n_steps; i++)
		between +=
			p->steps[i].op == PLAN_SUBSTRATE && !strncmp(p->steps[i].text, "far ", 4);
	/* A ring in four pieces: as few cables between them as there can be, told to both ends. */
	ck_assert_uint_le(between, 2 * 6);
	plan_destroy(p);
}
END_TEST

START_TEST(what_runs_stays_where_it_is)
{
	struct plan *from, *to;

	env.processes = 2;
	from = plan_of_graph(graph_of(TWO FIXED "link(a, b, name = \"c\")"));
	graph_destroy(graph);
	topo_destroy(script);
	env.running = from;
	/* Alone, b would be placed beside d. */
	to = plan_of_graph(
		graph_of("d = alloc(host)\n" TWO FIXED "link(a, b, name = \"c\") link(d, b)"));
	for (size_t i = 0; i < from->n_places; i++)
		for (size_t k = 0; k < to->n_places; k++)
			if (!strcmp(from->places[i].node, to->places[k].node))
				ck_assert_uint_eq(from->places[i].process, to->places[k].process);
	plan_destroy(from);
	plan_destroy(to);
}
END_TEST

/* The tree that the node of that name boots from: what its launcher is told. */
static const char *tree_of(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];

		for (size_t k = 0; s->op == PLAN_GUEST && !strcmp(s->name, name) && k < s->argc;
		     k++)
			if (!strncmp(s->argv[k], "root=", 5))
				return s->argv[k] + 5;
	}
	ck_abort_msg("no guest %s", name);
	return NULL;
}

START_TEST(nodes_with_equal_packages_share_a_tree)
{
	env.sets = (char *)"/cache/sets";
	struct plan *p =
		plan_of("a = alloc(host, packages = [\"nginx\", \"tshark\"])\n"
			"b = alloc(router, packages = [\"tshark\", \"nginx\", \"nginx\"])\n"
			"c = alloc(host, packages = [\"nginx\"]) d = alloc(host)\n");

	env.sets = NULL;
	ck_assert_str_eq(tree_of(p, "a"), tree_of(p, "b"));
	ck_assert_str_ne(tree_of(p, "a"), tree_of(p, "c"));
	ck_assert_int_eq(strncmp(tree_of(p, "c"), "/cache/sets/", 12), 0);
	ck_assert_str_eq(tree_of(p, "d"), "/lib/tree");
	plan_destroy(p);
}
END_TEST

START_TEST(packages_that_are_not_built_are_an_error_that_says_what_to_do)
{
	struct err e;

	env.sets = (char *)"/nowhere";
	int rc = plan_env_check_trees(
		&env, graph_of("a = alloc(host, packages = [\"tshark\", \"nginx\"])\n"), &e);

	env.sets = NULL;
	ck_assert_int_eq(rc, -1);
	ck_assert_ptr_nonnull(strstr(e.text, "vbet packages nginx tshark"));
	teardown();
	ck_assert_int_eq(plan_env_check_trees(&env, graph_of("a = alloc(host)\n"), &e), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, internet);
	tcase_add_test(tc, host_interface);
	tcase_add_test(tc, a_small_lab_has_this_plan);
	tcase_add_test(tc, the_same_graph_has_the_same_plan);
	tcase_add_test(tc, nothing_comes_before_what_it_needs);
	tcase_add_test(tc, a_file_of_the_script_is_read);
	tcase_add_test(tc, a_file_that_is_missing_is_an_error_of_the_node);
	tcase_add_test(tc, a_service_keeps_the_configuration_of_its_file_system);
	tcase_add_test(tc, one_frr_conf_starts_what_it_speaks_of);
	tcase_add_test(tc, daemons_keep_their_own_files_beside_frr_conf);
	tcase_add_test(tc, no_change_is_no_difference);
	tcase_add_test(tc, from_nothing_everything_is_added);
	tcase_add_test(tc, to_nothing_everything_is_removed_backwards);
	tcase_add_test(tc, a_changed_cable_is_set);
	tcase_add_test(tc, a_changed_cable_is_told_what_it_is);
	tcase_add_test(tc, what_is_added_to_a_lab_is_all_that_happens);
	tcase_add_test(tc, what_is_taken_away_goes_backwards);
	tcase_add_test(tc, a_cable_between_processes_has_an_end_in_each);
	tcase_add_test(tc, a_far_end_says_that_it_is_a_hub);
	tcase_add_test(tc, a_nic_says_its_speed_and_can_be_told_another);
	tcase_add_test(tc, a_switch_keeps_its_guests);
	tcase_add_test(tc, a_substrate_node_has_a_process_of_its_own);
	tcase_add_test(tc, each_process_gets_a_share_of_a_ring);
	tcase_add_test(tc, what_runs_stays_where_it_is);
	tcase_add_test(tc, a_virtual_network_has_this_plan);
	tcase_add_test(tc, an_end_system_has_this_plan);
	tcase_add_test(tc, a_changed_rate_is_set);
	tcase_add_test(tc, a_changed_way_is_laid_anew);
	tcase_add_test(tc, what_a_line_needs_takes_it_along);
	tcase_add_test(tc, a_virtual_network_goes_alone);
	tcase_add_test(tc, names_of_other_networks_are_unknown);
	tcase_add_test(tc, nodes_with_equal_packages_share_a_tree);
	tcase_add_test(tc, packages_that_are_not_built_are_an_error_that_says_what_to_do);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
