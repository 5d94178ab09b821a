/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any lines at the control of a substrate. Without a server's discipline: the input is the lines.
 * With it: each octet of the input chooses the next word of a line from those that a server says,
 * with a few names, so that things are made, set, cut and removed under each other. Time passes
 * between lines. Whatever comes, each line is done or refused with a reason, and all ends cleanly.
 */
#include "substrate/control/control.h"

#include "lib/container_of.h"
#include "lib/xalloc.h"
#include "vhub/hub.h"
#include "vswitch/switch.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct device_kind *const kinds[] = {&hub_kind, &switch_kind, NULL};
static char dir[] = "/tmp/control-fuzz-XXXXXX";
static struct loop *loop;
static struct substrate *sub;
static int64_t clock_ns;
static FILE *null;

/* What a line may begin with, and what may follow, most often in that order. */
static const char *const commands[] = {
	"device", "port",  "nic",    "cable",   "trunk", "far",   "snode",   "snif",
	"slink",  "vif",   "vbm",    "share",   "vlink", "set",   "reset",   "carrier",
	"remove", "guest", "status", "channel", "start", "pause", "capture", "manager",
	"clock",  "pace",  "run",    "step",    "until", "now",   "disk",    "listen",
};
static const char *const words[] = {
	"\n",
	"a",
	"b",
	"c",
	"d",
	"e",
	"f",
	"g",
	"h",
	"hub",
	"switch",
	"1",
	"2",
	"3",
	"seqpacket",
	"vhost",
	"uml_switch",
	"slirp",
	"path=p",
	"path=q",
	"path=r",
	"path=a,b",
	"path=a",
	"layer=r",
	"layer=s",
	"base=r",
	"size=65536",
	"ro=1",
	"mac=02:00:00:00:00:01",
	"mac=02:00:00:00:00:02",
	"mtu=9000",
	"mtu=100",
	"listen=1",
	"key=x",
	"key=000102030405060708090a0b0c0d0e0f",
	"encap=udp",
	"encap=gre",
	"encap=mpls",
	"encap=ethernet",
	"addr=192.0.2.1",
	"rate=10Mbit",
	"rate=1",
	"link=a",
	"link=b",
	"peer=02:00:00:00:00:02",
	"peer=192.0.2.9",
	"peer=b",
	"multi=1",
	"members=02:00:00:00:00:01,02:00:00:00:00:02",
	"vlan=50",
	"priority=5",
	"vnet=red",
	"vnet=blue",
	"percent=50%",
	"percent=90%",
	"to=a",
	"to=b",
	"to=c",
	"min=1Mbit",
	"max=2Mbit",
	"lan=a",
	"lan=b",
	"group=x",
	"up",
	"down",
	"end=a",
	"end=b",
	"red",
	"blue",
	"file=x.pcapng",
	"snaplen=64",
	"a.up=0",
	"ab.up=0",
	"ba.delay=5ms",
	"ab.rate=1Mbit",
	"ab.loss=50%",
	"ab.queue=10",
	"ab.jitter=1ms",
	"ab.duplicate=10%",
	"ab.reorder=10%",
	"ab.aqm=codel",
	"ab.schedule=missing",
	"stp=1",
	"rstp=1",
	"vlans=1-100",
	"untagged=1",
	"virtual",
	"real",
	"seed=5",
	"time=t",
	"guest=a",
	"stream=s",
	"max",
	"10",
	"1s",
	"10ms",
	"listen=unix:m",
	"connect=unix:m",
	"time=u",
	"ageing=1s",
	"cost=5",
	"edge=1",
};

/* Files only here, and no interfaces or addresses of the machine. */
static bool is_safe(const char *line)
{
	static const char *const no[] = {"/", "\\", "..", "tap", "pcap ", "tcp:", "pcap\t"};

	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (strstr(line, no[i]))
			return false;
	size_t len = strlen(line);

	return len < 4 || strcmp(line + len - 4, "pcap") != 0;
}

static void pass_time(int64_t ns)
{
	struct err e;

	clock_ns += ns;
	if (loop_turn(loop, 0, &e) < 0)
		abort();
	substrate_run(sub);
}

static void run_line(const char *line)
{
	struct err e = {0};

	if (!is_safe(line))
		return;
	if (control_run_line(sub, line, strlen(line), null, &e) < 0 &&
	    (e.kind == ERR_NONE || !e.text[0]))
		abort();
	pass_time(1000000);
}

static void run_text(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		run_line(line);
	free(text);
}

static void run_choices(const uint8_t *data, size_t size)
{
	char line[400] = "";

	for (size_t i = 0; i < size; i++) {
		const char *word = line[0] ? words[data[i] % ARRAY_LEN(words)]
					   : commands[data[i] % ARRAY_LEN(commands)];

		if (*word != '\n')
			snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s",
				 line[0] ? " " : "", word);
		if (*word != '\n' && i + 1 < size && strlen(line) < 300)
			continue;
		run_line(line);
		line[0] = '\0';
		/* Long enough for what is slow: a spanning tree, a silent neighbour. */
		if (data[i] & 0x80)
			pass_time(3000000000);
	}
}

static void tidy(void)
{
	DIR *d = opendir(".");
	struct dirent *e;

	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			unlink(e->d_name);
	closedir(d);
}

static void leave(void)
{
	tidy();
	rmdir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e;

	if (!null) {
		null = fopen("/dev/null", "we");
		if (!mkdtemp(dir) || chdir(dir) < 0)
			abort();
		atexit(leave);
	}
	if (!size)
		return 0;
	loop = loop_create(&e);
	sub = substrate_create(loop, kinds);
	clock_ns = 1000000000;
	sub->clock_ns = &clock_ns;
	sub->seed = 1;
	if (data[0] & 1)
		run_text(data + 1, size - 1);
	else
		run_choices(data + 1, size - 1);
	substrate_destroy(sub);
	loop_destroy(loop);
	tidy();
	return 0;
}
