/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is made of names and commands of other tools; whole labs are in tests/golden/import. */
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "vbet-server/import/command.h"
#include "vbet-server/import/name.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const struct {
	const char *text, *legal, *variable, *lab;
} names[] = {
	{"r1", "r1", "r1", "r1"},
	{"web-1", "web-1", "web_1", "web-1"},
	{"S\xc3\xa3o Paulo, SP", "Sao_Paulo_SP", "Sao_Paulo_SP", "sao-paulo-sp"},
	{"\xc5\x81\xc3\xb3"
	 "d\xc5\xba",
	 "Lodz", "Lodz", "lodz"},
	{"10.0.0.1", "n10_0_0_1", "n10_0_0_1", "n10-0-0-1"},
	{"", "n", "n", "n"},
	{"???", "n", "n", "n"},
	{"--", "n", "n", "n"},
	{"\xff\xfe", "n", "n", "n"},
	{"\xe6\x9d\xb1\xe4\xba\xac tokyo", "tokyo", "tokyo", "tokyo"},
	{"for", "for", "for_node", "for"},
	{"switch", "switch", "switch_node", "switch"},
	{"lab", "lab", "lab_node", "lab"},
	{"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd", "aaaaaaaaaabbbbbbbbbbccccccccccdd",
	 "aaaaaaaaaabbbbbbbbbbccccccccccdd", "aaaaaaaaaabbbbbbbbbbccccccccccdd"},
};

START_TEST(names_become_legal)
{
	struct arena a = {0};
	char *legal = name_make_legal(&a, names[_i].text);

	ck_assert_str_eq(legal, names[_i].legal);
	ck_assert_str_eq(name_make_variable(&a, legal), names[_i].variable);
	ck_assert_str_eq(name_make_lab(&a, names[_i].text), names[_i].lab);
	arena_finish(&a);
}
END_TEST

START_TEST(names_become_unique)
{
	struct arena a = {0};
	struct name_set s = {0};
	char text[16];

	ck_assert_str_eq(name_take(&s, &a, "x"), "x");
	ck_assert_str_eq(name_take(&s, &a, "x_2"), "x_2");
	ck_assert_str_eq(name_take(&s, &a, "x"), "x_3");
	ck_assert_str_eq(name_take(&s, &a, "X"), "X");
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		ck_assert_str_eq(name_take(&s, &a, arena_strdup(&a, text)), text);
	}
	ck_assert_str_eq(name_take(&s, &a, "n999"), "n999_2");
	name_set_finish(&s);
	arena_finish(&a);
}
END_TEST

/* What is said: "address 1 10.0.0.1/24", "route 10.0.0.0/8 via 10.0.0.1", "sysctl k v", "run", "".
 */
static const struct {
	const char *text, *meaning;
} commands[] = {
	{"ip addr add 10.0.0.1/24 dev eth1", "address 1 10.0.0.1/24"},
	{"ip a add 10.0.0.1/24 dev eth1", "address 1 10.0.0.1/24"},
	{"/sbin/ip -6 address add fd00::1/64 dev eth0", "address 0 fd00::1/64"},
	{"ip address add 10.0.0.1 dev eth1", "address 1 10.0.0.1/32"},
	{"ip address add 10.0.0.1/24 brd + dev eth1", "address 1 10.0.0.1/24"},
	{"ip address add 10.0.0.1/24 dev net0", "address 2 10.0.0.1/24"},
	{"ip address add 10.0.0.1/24 dev eth2", "run"},
	{"ip address add 10.0.0.1/24 dev lo", "run"},
	{"ip address add 10.0.0.1/24 dev eth1 scope link", "run"},
	{"ip address del 10.0.0.1/24 dev eth1", "run"},
	{"ip address add $A dev eth1", "run"},
	{"ip link set eth1 up", ""},
	{"ip link set dev net0 up", ""},
	{"ip link set lo up", ""},
	{"ip link set eth1 down", "run"},
	{"ip link set eth1 mtu 9000", "run"},
	{"ip route add default via 10.0.0.254", "route default via 10.0.0.254"},
	{"ip route replace 0.0.0.0/0 via 10.0.0.254 dev eth1", "route default via 10.0.0.254"},
	{"ip route add 10.9.0.0/16 via 10.0.0.254", "route 10.9.0.0/16 via 10.0.0.254"},
	{"ip r add 10.9.0.1 via 10.0.0.254", "route 10.9.0.1/32 via 10.0.0.254"},
	{"ip route add 10.9.0.0/16 via 10.0.0.254 metric 5", "run"},
	{"ip route add 10.9.0.0/16 dev eth1", "run"},
	{"ip route add default via 10.0.0.254; true", "run"},
	{"ifconfig eth1 10.0.0.1 netmask 255.255.255.0 up", "address 1 10.0.0.1/24"},
	{"ifconfig eth1 10.0.0.1/30 up", "address 1 10.0.0.1/30"},
	{"ifconfig eth1 192.168.0.1 netmask 255.255.255.252 broadcast 192.168.0.3",
	 "address 1 192.168.0.1/30"},
	{"ifconfig eth1 10.0.0.1", "address 1 10.0.0.1/8"},
	{"ifconfig eth1 192.168.0.1 netmask 255.0.255.0", "run"},
	{"ifconfig eth1 up", ""},
	{"ifconfig eth1 down", "run"},
	{"route add default gw 10.0.0.254", "route default via 10.0.0.254"},
	{"route add -net 10.9.0.0 netmask 255.255.0.0 gw 10.0.0.254 dev eth1",
	 "route 10.9.0.0/16 via 10.0.0.254"},
	{"route add -net 10.9.0.0/16 gw 10.0.0.254", "route 10.9.0.0/16 via 10.0.0.254"},
	{"sysctl -w net.ipv4.ip_forward=1", "sysctl net.ipv4.ip_forward 1"},
	{"sysctl -w net.ipv4.conf.eth1.rp_filter=0", "run"},
	{"sysctl -p", "run"},
	{"ip", "run"},
	{"echo hello", "run"},
};

static void describe(const struct import_model *m, char *out, size_t size)
{
	const struct import_command *c = m->nodes.at[0].commands.at;
	char addr[64];
	char via[64];

	if (!m->nodes.at[0].commands.n) {
		*out = '\0';
		return;
	}
	addr_format(&c->addr, true, addr, sizeof(addr));
	addr_format(&c->via, false, via, sizeof(via));
	if (c->meaning == IMPORT_ADDRESS)
		snprintf(out, size, "address %zu %s", c->nic, addr);
	else if (c->meaning == IMPORT_ROUTE)
		snprintf(out, size, "route %s via %s", c->is_default ? "default" : addr, via);
	else if (c->meaning == IMPORT_SYSCTL)
		snprintf(out, size, "sysctl %s %s", c->key, c->value);
	else
		snprintf(out, size, "run");
}

START_TEST(commands_are_understood)
{
	struct import_model m;
	char text[256];

	model_init(&m, "x", "test");
	model_add_node(&m, "r1", IMPORT_HOST);
	model_nic(&m, 0, 2)->was = "net0";
	command_add(&m, 0, commands[_i].text);
	describe(&m, text, sizeof(text));
	ck_assert_str_eq(text, commands[_i].meaning);
	model_finish(&m);
}
END_TEST

static const struct {
	const char *text;
	bool is_plain;
} scripts[] = {
	{"ip link set eth0 up\n\n# a comment's\nsystemctl start frr\n", true},
	{"for i in 1 2; do\necho $i\ndone\n", false},
	{"if true; then\necho\nfi\n", false},
	{"A=1\necho $A\n", false},
	{"ip addr add 10.0.0.1/24 \\\n dev eth0\n", false},
	{"cat >/etc/x <<EOF\na\nEOF\n", false},
	{"cd /srv\npython3 -m http.server\n", false},
	{"echo 'one\ntwo'\n", false},
	{"sysctl -w net.ipv4.ip_forward=1\n", true},
	{"", true},
};

START_TEST(scripts_are_lists_of_commands_or_not)
{
	ck_assert_int_eq(command_is_plain_script(scripts[_i].text), scripts[_i].is_plain);
}
END_TEST

/* Two nodes with one address, and a gateway that is nobody's neighbour: both stay commands. */
START_TEST(what_the_language_refuses_stays_a_command)
{
	struct import_model m;

	model_init(&m, "x", "test");
	for (size_t i = 0; i < 3; i++) {
		static const char *const was[] = {"a", "b", "c"};

		model_add_node(&m, was[i], IMPORT_HOST);
		model_nic(&m, i, 0);
	}
	command_add(&m, 0, "ip address add 10.0.0.1/24 dev eth0");
	command_add(&m, 1, "ip address add 10.0.0.1/24 dev eth0");
	command_add(&m, 2, "ip address add 10.0.0.3/24 dev eth0");
	command_add(&m, 2, "ip route add default via 10.0.0.1");
	command_add(&m, 2, "ip route add default via 10.0.0.2");
	command_add(&m, 2, "ip route add 10.1.0.0/16 via 10.7.0.1");
	command_add(&m, 2, "ip route add 10.1.0.1/16 via 10.0.0.1");
	model_settle(&m);
	ck_assert_int_eq(m.nodes.at[0].commands.at[0].meaning, IMPORT_RUN);
	ck_assert_int_eq(m.nodes.at[1].commands.at[0].meaning, IMPORT_RUN);
	ck_assert_uint_eq(m.nodes.at[0].nics.at[0].addrs.n, 0);
	const struct import_command *c = m.nodes.at[2].commands.at;

	ck_assert_int_eq(c[0].meaning, IMPORT_ADDRESS);
	ck_assert_uint_eq(m.nodes.at[2].nics.at[0].addrs.n, 1);
	ck_assert_int_eq(c[1].meaning, IMPORT_ROUTE);
	ck_assert_int_eq(c[2].meaning, IMPORT_RUN);
	ck_assert_int_eq(c[3].meaning, IMPORT_RUN);
	ck_assert_int_eq(c[4].meaning, IMPORT_RUN);
	model_finish(&m);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, names_become_legal, 0, (int)ARRAY_LEN(names));
	tcase_add_test(t, names_become_unique);
	tcase_add_loop_test(t, commands_are_understood, 0, (int)ARRAY_LEN(commands));
	tcase_add_loop_test(t, scripts_are_lists_of_commands_or_not, 0, (int)ARRAY_LEN(scripts));
	tcase_add_test(t, what_the_language_refuses_stays_a_command);
}

int main(void)
{
	return suite_run_case("import", add_tests);
}
