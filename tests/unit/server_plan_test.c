/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/plan_help.h"

static const char whole[] =
	"process substrate: memory=2147483648\n"
	"dir n\n"
	"substrate clock real seed=0\n"
	"dir n/a\n"
	"dir n/a/j\n"
	"file n/a/j/init.conf\n"
	"    hostname a\n"
	"    root fixed\n"
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
	"    root fixed\n"
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
	"virtio_net.napi_tx=0 freeze=/vbet/freeze virtio_uml.device=/vbet/agent:3 "
	"virtio_uml.device=/vbet/eth0:1 workqueue.no_rescuers\n"
	"guest b: /lib/vbet-launch name=b kernel=/lib/linux init=/lib/vbet-init root=/lib/tree "
	"dir=/run/lab/n/b/j memory=50331648 cpu=1 -- mem=48M root=none rootfstype=hostfs "
	"rootflags=/ ro "
	"init=/init con0=fd:0,fd:1 con=null ssl=null quiet noreboot "
	"virtio_net.napi_tx=0 freeze=/vbet/freeze virtio_uml.device=/vbet/agent:3 "
	"virtio_uml.device=/vbet/eth0:1 workqueue.no_rescuers\n";

/* Of a directory that the script names nobody knows whether it stays as it is. */
START_TEST(only_our_trees_are_fixed)
{
	struct plan *p = plan_of("a = alloc(host, root = \"/some/tree\") b = alloc(host)\n"
				 "link(a, b)\n");
	char *text = print(p);

	ck_assert_ptr_null(strstr(text, "hostname a\n    root fixed\n"));
	ck_assert_ptr_nonnull(strstr(text, "hostname b\n    root fixed\n"));
	free(text);
	plan_destroy(p);
}
END_TEST

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
		ck_assert(plan_has(scripts[i], "service zebra frr=1 "));
		ck_assert(plan_has(scripts[i], "service bgpd after=zebra frr=1 "));
		ck_assert(plan_has(scripts[i], "service bfdd after=zebra frr=1 "));
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

/* Neither of its own accord, nor because of frr.conf, does the daemon run that would read the file.
 */
START_TEST(a_configuration_that_nobody_reads_is_refused)
{
	static const char *const scripts[] = {
		"r = alloc(router)\nwrite(r, \"/etc/frr/ospfd.conf\", \"router ospf\\n\")\n",
		"r = alloc(router)\nconfig(r, frr, \"router rip\\n\")\n"
		"write(r, \"/etc/frr/ospfd.conf\", \"router ospf\\n\")\n",
		"r = alloc(host)\nwrite(r, \"/etc/frr/zebra.conf\", \"ip forwarding\\n\")\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		struct err e = {0};

		ck_assert_ptr_null(plan_make(graph_of(scripts[i]), &env, &e));
		ck_assert_msg(strstr(e.text, " does not run: service(r, ") != NULL, "%s", e.text);
		teardown();
	}
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

/* The line for the disk of node `name`, or NULL. */
static const char *disk_line(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == PLAN_SUBSTRATE && !strcmp(p->steps[i].name, name))
			return p->steps[i].text;
	return NULL;
}

START_TEST(a_disk_is_kept_only_where_it_is_said)
{
	const struct graph *g =
		graph_of("a = alloc(host, name = \"a\", disk_size = 1M)\n"
			 "b = alloc(host, name = \"b\", disk = \"b c\", disk_read_only = on)\n"
			 "c = alloc(host, name = \"c\", disk = \"/img\", disk_size = 2M)\n"
			 "d = alloc(host, name = \"d\")\n");
	struct plan *p = plan_of_graph(g);

	ck_assert_str_eq(disk_line(p, "a:disk"),
			 "disk a:disk path=/run/lab/n/a/j/disk size=1048576 guest=a");
	ck_assert_str_eq(disk_line(p, "b:disk"), "disk b:disk path=/run/lab/n/b/j/disk "
						 "base=\"/script/b c\" ro=1 guest=b");
	ck_assert_ptr_null(disk_line(p, "d:disk"));
	plan_destroy(p);
	env.keep_disks = "/kept";
	p = plan_of_graph(g);
	env.keep_disks = NULL;
	ck_assert_str_eq(disk_line(p, "b:disk"), "disk b:disk path=/run/lab/n/b/j/disk "
						 "base=\"/script/b c\" ro=1 guest=b");
	ck_assert_str_eq(disk_line(p, "c:disk"),
			 "disk c:disk path=/run/lab/n/c/j/disk "
			 "size=2097152 base=/img layer=/kept/c.disk guest=c");
	plan_destroy(p);
}
END_TEST

/* The step of that operation and name; NULL: there is none. */
static const struct plan_step *step_of(const struct plan *p, enum plan_op op, const char *name)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == op && !strcmp(p->steps[i].name, name))
			return &p->steps[i];
	return NULL;
}

static bool has_word(const struct plan_step *s, const char *word)
{
	bool found = false;

	for (size_t i = 0; i < s->argc; i++)
		found = found || !strcmp(s->argv[i], word);
	return found;
}

START_TEST(what_is_bounded_has_a_group_and_so_has_every_guest)
{
	struct plan *p = plan_of("a = alloc(host, cpu = 20%, processes = 40)\n"
				 "b = alloc(host, cpu_weight = 50) c = alloc(host)\n");
	const struct plan_step *guest = step_of(p, PLAN_GUEST, "a");

	ck_assert_str_eq(step_of(p, PLAN_BOUND, "lab")->text, "");
	ck_assert_ptr_nonnull(step_of(p, PLAN_BOUND, "server"));
	ck_assert_str_eq(step_of(p, PLAN_BOUND, "n.a")->text,
			 "\"cpu.max=20000 100000\" pids.max=48");
	ck_assert_str_eq(step_of(p, PLAN_BOUND, "n.b")->text, "cpu.weight=50");
	ck_assert_str_eq(step_of(p, PLAN_BOUND, "n.c")->text, "");
	/* A process is placed in a group as it starts. */
	ck_assert(step_of(p, PLAN_BOUND, "n.a") < guest);
	ck_assert(step_of(p, PLAN_BOUND, "server") < step_of(p, PLAN_PROCESS, "substrate"));
	/* What the launcher does where there is no group. */
	ck_assert(has_word(guest, "processes=40"));
	ck_assert(!has_word(guest, "nice=3"));
	ck_assert(has_word(step_of(p, PLAN_GUEST, "b"), "nice=3"));
	plan_destroy(p);
	p = plan_of("a = alloc(host)\n");
	ck_assert_ptr_null(step_of(p, PLAN_BOUND, "lab"));
	plan_destroy(p);
}
END_TEST

START_TEST(the_bounds_of_a_lab_leave_its_guests_what_is_theirs)
{
	static const char two[] = "alloc(host, memory = 512M) alloc(host, memory = 512M)\n";

	env.cpu_ppm = 1500000;
	env.memory_bytes = INT64_C(2) << 30;
	struct plan *p = plan_of(two);

	ck_assert_str_eq(step_of(p, PLAN_BOUND, "lab")->text,
			 "\"cpu.max=150000 100000\" memory.max=2147483648");
	ck_assert_str_eq(step_of(p, PLAN_BOUND, "n.host1")->text, "memory.oom.group=1");
	ck_assert_str_eq(step_of(p, PLAN_PROCESS, "substrate")->text, "memory=1073741824");
	plan_destroy(p);
	/* Less than it cannot work with, whatever the guests want. */
	env.memory_bytes = INT64_C(1) << 30;
	p = plan_of(two);
	ck_assert_str_eq(step_of(p, PLAN_PROCESS, "substrate")->text, "memory=335544320");
	plan_destroy(p);
	env.cpu_ppm = env.memory_bytes = 0;
}
END_TEST

START_TEST(a_node_more_is_bounded_as_it_comes)
{
	assert_diff("a = alloc(host, cpu = 20%)\n", "a = alloc(host, cpu = 20%) b = alloc(host)\n",
		    "+ dir n/b\n+ dir n/b/j\n+ file n/b/j/init.conf\n+ substrate b:agent\n"
		    "+ bound n.b\n+ guest b\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, internet);
	tcase_add_test(tc, only_our_trees_are_fixed);
	tcase_add_test(tc, host_interface);
	tcase_add_test(tc, a_small_lab_has_this_plan);
	tcase_add_test(tc, the_same_graph_has_the_same_plan);
	tcase_add_test(tc, nothing_comes_before_what_it_needs);
	tcase_add_test(tc, a_file_of_the_script_is_read);
	tcase_add_test(tc, a_file_that_is_missing_is_an_error_of_the_node);
	tcase_add_test(tc, a_service_keeps_the_configuration_of_its_file_system);
	tcase_add_test(tc, one_frr_conf_starts_what_it_speaks_of);
	tcase_add_test(tc, daemons_keep_their_own_files_beside_frr_conf);
	tcase_add_test(tc, a_configuration_that_nobody_reads_is_refused);
	tcase_add_test(tc, a_configuration_that_nobody_reads_is_refused);
	tcase_add_test(tc, a_nic_says_its_speed_and_can_be_told_another);
	tcase_add_test(tc, nodes_with_equal_packages_share_a_tree);
	tcase_add_test(tc, a_disk_is_kept_only_where_it_is_said);
	tcase_add_test(tc, what_is_bounded_has_a_group_and_so_has_every_guest);
	tcase_add_test(tc, the_bounds_of_a_lab_leave_its_guests_what_is_theirs);
	tcase_add_test(tc, a_node_more_is_bounded_as_it_comes);
	tcase_add_test(tc, packages_that_are_not_built_are_an_error_that_says_what_to_do);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
