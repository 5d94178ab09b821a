/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VRFs leave two ways open that are closed here. A packet for which a VRF's table has no route goes
 * on to the main table: so each gets a last route that reaches nothing. And the addresses of the
 * main table are looked up before any VRF is asked: so that rule goes behind the one for VRFs.
 *
 * A program is in a vNet by its control group, as `ip vrf exec` does it: a filter of the group
 * binds every new socket to the device. The groups have the names by which `ip vrf` finds them.
 */
#include "vkernel/init/vnet.h"

#include "lib/netlink.h"
#include "lib/xalloc.h"
#include "vkernel/init/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GROUPS    "/sys/fs/cgroup"
#define HOSTS_DIR "/run/vbet"

enum {
	LOCAL_RULE = 32765,       /* behind that for VRFs (1000), before the main table (32766) */
	LAST_METRIC = 4278198272, /* as networking/vrf.rst has it: any other route goes before */
};

static const int families[] = {AF_INET, AF_INET6};
static const struct conf *conf;

/* --- devices and tables --- */

static int add_device(int fd, const struct conf_vnet *v)
{
	struct netlink_msg m;

	netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	netlink_put(&m, IFLA_IFNAME, v->name, strlen(v->name) + 1);
	size_t info = netlink_begin_nest(&m, IFLA_LINKINFO);

	netlink_put(&m, IFLA_INFO_KIND, "vrf", 4);
	size_t data = netlink_begin_nest(&m, IFLA_INFO_DATA);

	netlink_put_u32(&m, IFLA_VRF_TABLE, v->table);
	netlink_end_nest(&m, data);
	netlink_end_nest(&m, info);
	return netlink_talk(fd, &m);
}

static int add_last_route(int fd, int family, unsigned table)
{
	struct netlink_msg m;
	struct rtmsg *r = netlink_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*r));

	r->rtm_family = (uint8_t)family;
	r->rtm_protocol = RTPROT_STATIC;
	r->rtm_scope = RT_SCOPE_UNIVERSE;
	r->rtm_type = RTN_UNREACHABLE;
	netlink_put_u32(&m, RTA_TABLE, table);
	netlink_put_u32(&m, RTA_PRIORITY, (uint32_t)LAST_METRIC);
	return netlink_talk(fd, &m);
}

/* Programs of the vNet talk to each other by these, as they do by those of lo. */
static int add_loopback(int fd, int index)
{
	static const uint8_t v4[4] = {127, 0, 0, 1};
	static const uint8_t v6[16] = {[15] = 1};

	if (netlink_add_address(fd, index, AF_INET, v4, 8) < 0)
		return -1;
	return netlink_add_address(fd, index, AF_INET6, v6, 128);
}

static int set_local_rule(int fd, int family, int type, int flags, unsigned priority)
{
	struct netlink_msg m;
	struct fib_rule_hdr *r = netlink_begin(&m, type, flags, sizeof(*r));

	r->family = (uint8_t)family;
	r->table = RT_TABLE_LOCAL;
	r->action = FR_ACT_TO_TBL;
	netlink_put_u32(&m, FRA_PRIORITY, priority);
	return netlink_talk(fd, &m);
}

static int move_local_rule(int fd, int family)
{
	if (set_local_rule(fd, family, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, LOCAL_RULE) < 0)
		return -1;
	return set_local_rule(fd, family, RTM_DELRULE, 0, 0);
}

/* --- groups --- */

/* Gives a new socket the device. It may look and write nowhere else (struct bpf_sock). */
static int load_filter(int index)
{
	static const char license[] = "GPL";
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = index},
		{.code = BPF_STX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_2,
		 .off = offsetof(struct bpf_sock, bound_dev_if)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr a = {0};

	a.prog_type = BPF_PROG_TYPE_CGROUP_SOCK;
	a.insns = (uint64_t)(uintptr_t)code;
	a.insn_cnt = sizeof(code) / sizeof(*code);
	a.license = (uint64_t)(uintptr_t)license;
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a));
}

static int attach(int group, int filter)
{
	union bpf_attr a = {0};

	a.target_fd = (uint32_t)group;
	a.attach_bpf_fd = (uint32_t)filter;
	a.attach_type = BPF_CGROUP_INET_SOCK_CREATE;
	return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &a, sizeof(a));
}

static int add_group(const char *name, int index)
{
	char path[64];

	snprintf(path, sizeof(path), GROUPS "/vrf/%s", name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	int group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int filter = group < 0 ? -1 : load_filter(index);
	int rc = filter < 0 ? -1 : attach(group, filter);
	int saved = errno;

	if (filter >= 0)
		close(filter);
	if (group >= 0)
		close(group);
	errno = saved;
	return rc;
}

/* --- all --- */

static int start_one(int fd, const struct conf_vnet *v)
{
	if (add_device(fd, v) < 0)
		return -1;
	int index = (int)if_nametoindex(v->name);

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (add_last_route(fd, families[i], v->table) < 0)
			return -1;
	if (netlink_set_up(fd, index, true) < 0 || add_loopback(fd, index) < 0)
		return -1;
	return add_group(v->name, index);
}

void vnet_start(int netlink_fd, const struct conf *c, net_failed *failed)
{
	const struct conf_vnet *v;

	conf = c;
	if (!c->vnets.n)
		return;
	if (mount("cgroup2", GROUPS, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ||
	    (mkdir(GROUPS "/vrf", 0755) < 0 && errno != EEXIST))
		failed("vNets", strerror(errno));
	VEC_FOREACH (v, &c->vnets)
		if (start_one(netlink_fd, v) < 0)
			failed(v->name, strerror(errno));
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (move_local_rule(netlink_fd, families[i]) < 0)
			failed("vNets: rules", strerror(errno));
}

int vnet_index(const char *name)
{
	return name ? (int)if_nametoindex(name) : 0;
}

uint32_t vnet_table(const char *name)
{
	const struct conf_vnet *v = conf ? conf_find_vnet(conf, name) : NULL;

	return v ? v->table : 0;
}

/* --- names --- */

/* The name of a line "ADDRESS NAME", and the vNet behind its last dot, or NULL. */
static const struct conf_vnet *vnet_of_line(const struct conf *c, const char *line, size_t len,
					    const char **name, size_t *name_len)
{
	size_t address = 0;
	size_t end = len;
	char vnet[16];

	while (address < len && line[address] != ' ')
		address++;
	*name = line + address + (address < len);
	*name_len = address < len ? len - address - 1 : 0;
	while (end > address && line[end - 1] != '.' && line[end - 1] != ' ')
		end--;
	if (*line == '#' || end <= address + 1 || line[end - 1] != '.' || len - end >= sizeof(vnet))
		return NULL;
	memcpy(vnet, line + end, len - end);
	vnet[len - end] = '\0';
	*name_len = (size_t)(line + end - 1 - *name);
	return conf_find_vnet(c, vnet);
}

/* Is there a line that has the name in any of the vNets? */
static bool is_in_some(const char *text, const struct conf *c, const char *name, size_t len)
{
	for (const char *at = text; *at; at += *at == '\n') {
		size_t n = strcspn(at, "\n");
		const char *other;
		size_t other_len;

		if (vnet_of_line(c, at, n, &other, &other_len) && other_len == len &&
		    !memcmp(other, name, len))
			return true;
		at += n;
	}
	return false;
}

char *vnet_hosts(const char *text, const struct conf *c, const char *name)
{
	char *out = NULL;
	size_t size;
	FILE *f = xmemstream(&out, &size);

	for (const char *at = text; *at; at += *at == '\n') {
		size_t n = strcspn(at, "\n");
		const char *who;
		size_t len;
		const struct conf_vnet *v = vnet_of_line(c, at, n, &who, &len);

		if (v && !strcmp(v->name, name))
			fprintf(f, "%.*s %.*s\n", (int)n, at, (int)len, who);
		else if (!v && !is_in_some(text, c, who, len))
			fprintf(f, "%.*s\n", (int)n, at);
		at += n;
	}
	fclose(f);
	return out;
}

/* Written anew each time: the guest's own /etc/hosts may have changed. */
static int write_hosts(const char *path, const char *name)
{
	size_t len;
	char *text = files_read("/etc/hosts", &len);

	if (!text)
		return -1;
	char *mine = vnet_hosts(text, conf, name);
	struct conf_file file = {.path = path, .text = mine, .len = strlen(mine), .mode = 0644};
	int rc = files_write(&file, NULL);

	free(mine);
	free(text);
	return rc;
}

int vnet_find_entry(const char *name, struct vnet_entry *to, struct err *e)
{
	memset(to, 0, sizeof(*to));
	if (!name)
		return 0;
	if (!conf || !conf_find_vnet(conf, name))
		return err_set(e, ERR_USAGE,
			       "this guest is not in several vNets, of which '%.64s' "
			       "would be one",
			       name);
	snprintf(to->procs, sizeof(to->procs), GROUPS "/vrf/%.15s/cgroup.procs", name);
	snprintf(to->hosts, sizeof(to->hosts), HOSTS_DIR "/hosts.%.15s", name);
	if (write_hosts(to->hosts, name) < 0)
		to->hosts[0] = '\0';
	return 0;
}
