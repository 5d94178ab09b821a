/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lab.conf is read line by line: NAME[NUMBER]=DOMAIN[/MAC] puts a NIC into a collision domain,
 * NAME[OPTION]=VALUE says something of a device, LAB_...=TEXT and machines="..." of the lab. A
 * domain of two NICs becomes a cable, a larger one a switch.
 */
#include "vbet-server/import/kathara.h"

#include "lib/xalloc.h"
#include "vbet-server/import/command.h"
#include "vbet-server/import/frr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct member {
	const char *domain;
	struct import_end end;
};

struct device {
	struct strvec exec;
};

struct kathara {
	struct import_model *m;
	const struct import_source *src;
	struct err *e;
	unsigned line;
	const char *line_start;
	VEC(struct member) members;
	VEC(struct device) devices; /* as the nodes of the model */
	bool is_netkit;
};

static int wrong(struct kathara *k, const char *at, const char *what)
{
	return err_set(k->e, ERR_USAGE, "%s:%u:%zu: %s", k->m->file, k->line,
		       (size_t)(at - k->line_start) + 1, what);
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static size_t find_device(struct kathara *k, const char *name)
{
	long place = model_find_node(k->m, name);
	size_t i = place >= 0 ? (size_t)place : model_add_node(k->m, name, IMPORT_HOST);

	while (k->devices.n < k->m->nodes.n)
		vec_push_zero(&k->devices);
	return i;
}

/* ---- one line ---- */

/* The value behind "=", without quotes, comment and blanks. */
static char *value_of(struct kathara *k, const char *text)
{
	size_t len;

	text += strspn(text, " \t");
	if (*text == '"' || *text == '\'') {
		const char *end = strchr(text + 1, *text);

		return arena_strndup(&k->m->arena, text + 1,
				     end ? (size_t)(end - text - 1) : strlen(text + 1));
	}
	len = strcspn(text, "#\r");
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return arena_strndup(&k->m->arena, text, len);
}

static int set_domain(struct kathara *k, size_t node, const char *key, const char *value,
		      const char *at)
{
	unsigned long number = strlen(key) < 4 ? strtoul(key, NULL, 10) : IMPORT_MAX_NICS;
	const char *slash = strchr(value, '/');
	struct import_nic *nic = model_nic(k->m, node, number);
	const char *was = k->m->nodes.at[node].was;
	uint8_t mac[6];
	char text[24];

	if (!nic)
		return wrong(k, at, "a device has at most 64 interfaces, numbered from 0");
	if (nic->is_plugged)
		return wrong(k, at, "this interface is in a collision domain already");
	if (!strncmp(value, "tap,", 4)) {
		model_note(k->m, was, "eth%lu to the machine (%s): alloc(outside) is for that",
			   number, value);
		return 0;
	}
	struct member member = {
		arena_strndup(&k->m->arena, value, slash ? (size_t)(slash - value) : strlen(value)),
		{node, number}};

	if (!*member.domain)
		return wrong(k, at, "a collision domain has a name");
	if (slash && addr_parse_mac(slash + 1, strlen(slash + 1), mac, NULL) == 0)
		nic->mac = arena_strdup(&k->m->arena, addr_format_mac(mac, text, sizeof(text)));
	else if (slash)
		return wrong(k, at, "behind '/' must be the MAC of an interface");
	nic->is_plugged = true;
	vec_push(&k->members, member);
	return 0;
}

/* There is no environment of a guest as a whole; a login shell reads the file. */
static void set_env(struct kathara *k, size_t node, const char *value)
{
	static const char path[] = "/etc/profile.d/environment.sh";
	struct import_node *n = &k->m->nodes.at[node];
	const char *equals = strchr(value, '=');
	const char *before = "";

	for (size_t i = 0; i < n->files.n; i++)
		if (!strcmp(n->files.at[i].path, path))
			before = n->files.at[i].text;
	if (!equals || strchr(value, '\'') || strlen(before) > 65536) {
		model_note(k->m, n->was, "env %s", value);
		return;
	}
	struct import_file f = {.path = path,
				.text = arena_printf(&k->m->arena, "%sexport %.*s='%s'\n", before,
						     (int)(equals - value), value, equals + 1)};

	model_add_file(k->m, node, &f);
}

static void set_option(struct kathara *k, size_t node, const char *key, const char *value)
{
	static const char *const silent[] = {"ipv6", "num_terms", "shell", "privileged"};
	struct import_node *n = &k->m->nodes.at[node];

	for (size_t i = 0; i < ARRAY_LEN(silent); i++)
		if (!strcmp(silent[i], key))
			return;
	if (!strcmp(key, "image") || !strcmp(key, "i")) {
		if (strstr(value, "frr") || strstr(value, "quagga"))
			n->kind = IMPORT_ROUTER;
		else
			model_note(k->m, n->was,
				   "image %s: here vbet's Debian, with its own programs", value);
	} else if (!strcmp(key, "exec") || !strcmp(key, "e")) {
		vec_push(&k->devices.at[node].exec, value);
	} else if (!strcmp(key, "sysctl")) {
		command_add(k->m, node, arena_printf(&k->m->arena, "sysctl -w %s", value));
	} else if (!strcmp(key, "env")) {
		set_env(k, node, value);
	} else if (!strcmp(key, "bridged")) {
		model_note(k->m, n->was, "bridged: alloc(internet) is for that");
	} else {
		model_note(k->m, n->was, "%s %s", key, value);
	}
}

/* machines="a b": all devices that there are (Netkit). */
static void set_machines(struct kathara *k, char *value)
{
	char *save = NULL;

	k->is_netkit = true;
	for (char *p = strtok_r(value, " \t,", &save); p; p = strtok_r(NULL, " \t,", &save))
		if (*p != '.' && !strchr(p, '/'))
			find_device(k, p);
}

static void set_lab(struct kathara *k, const char *key, char *value)
{
	if (!strcmp(key, "machines"))
		set_machines(k, value);
	else if (!strcmp(key, "LAB_NAME"))
		model_set_lab(k->m, value);
	else if (!strcmp(key, "LAB_DESCRIPTION"))
		k->m->comment = value;
	else if (strncmp(key, "LAB_", 4) != 0)
		model_note(k->m, NULL, "%s", key);
}

static int read_line(struct kathara *k, const char *line)
{
	const char *p = line + strspn(line, " \t\r");
	const char *name = p;

	k->line_start = line;
	if (!*p || *p == '#')
		return 0;
	while (is_name_char(*p))
		p++;
	char *device = arena_strndup(&k->m->arena, name, (size_t)(p - name));

	/* The name is that of a directory, too. */
	if (p == name || *name == '.')
		return wrong(k, name, "expected NAME[NUMBER]=DOMAIN, or NAME[OPTION]=VALUE");
	if (*p == '=') {
		set_lab(k, device, value_of(k, p + 1));
		return 0;
	}
	if (*p != '[')
		return wrong(k, p, "expected '[' or '='");
	const char *key = p + 1;
	size_t len = strcspn(key, "]");
	const char *equals = key + len + (key[len] == ']');

	equals += strspn(equals, " \t");
	if (!len || key[len] != ']' || *equals != '=')
		return wrong(k, key, "expected NAME[NUMBER]=DOMAIN, or NAME[OPTION]=VALUE");
	char *option = arena_strndup(&k->m->arena, key, len);
	char *value = value_of(k, equals + 1);
	size_t node = find_device(k, device);

	if (k->m->full)
		return 0;
	if (strspn(option, "0123456789") == len)
		return set_domain(k, node, option, value, key);
	set_option(k, node, option, value);
	return 0;
}

static int read_lines(struct kathara *k, const char *text)
{
	for (const char *p = text; p && !k->m->full;) {
		const char *end = strchr(p, '\n');
		char *line = arena_strndup(&k->m->arena, p, end ? (size_t)(end - p) : strlen(p));

		k->line++;
		if (read_line(k, line) < 0)
			return -1;
		p = end ? end + 1 : NULL;
	}
	return 0;
}

/* ---- domains ---- */

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;
	int by_domain = strcmp(x->domain, y->domain);

	if (by_domain)
		return by_domain;
	return x->end.node != y->end.node
		       ? (x->end.node < y->end.node ? -1 : 1)
		       : (x->end.nic < y->end.nic ? -1 : x->end.nic > y->end.nic);
}

/* A switch has the domain's name, so that the two can be told together. */
static void add_domain(struct kathara *k, const struct member *at, size_t n)
{
	struct import_link *l;

	for (size_t i = 0; i < n; i++)
		k->m->nodes.at[at[i].end.node].nics.at[at[i].end.nic].is_plugged = true;
	if (n == 2) {
		l = model_add_link(k->m, at[0].end, at[1].end);
		if (l)
			l->comment = at->domain;
	} else {
		/*
		 * One alone has a carrier there, too. A device may have the name of a domain.
		 */
		bool is_taken = model_find_node(k->m, at->domain) >= 0;
		size_t sw = model_add_node(
			k->m,
			is_taken ? arena_printf(&k->m->arena, "lan-%s", at->domain) : at->domain,
			IMPORT_SWITCH);

		for (size_t i = 0; i < n && !k->m->full; i++) {
			if (!model_nic(k->m, sw, i)) {
				k->m->full = true;
				return;
			}
			model_add_link(k->m, (struct import_end){sw, i}, at[i].end);
		}
	}
}

/* Sorted by domain, node and NIC: the cables do not depend on the order of the lines. */
static void add_domains(struct kathara *k)
{
	size_t i = 0;

	if (k->members.n)
		qsort(k->members.at, k->members.n, sizeof(*k->members.at), compare_members);
	while (i < k->members.n && !k->m->full) {
		size_t n = 1;

		while (i + n < k->members.n &&
		       !strcmp(k->members.at[i].domain, k->members.at[i + n].domain))
			n++;
		add_domain(k, &k->members.at[i], n);
		i += n;
	}
}

/* ---- the directory ---- */

/* Devices of which there is only a file. */
static void find_startups(struct kathara *k)
{
	struct strvec names = {0};

	k->src->list(k->src->ctx, ".", &k->m->arena, &names);
	for (size_t i = 0; i < names.n && !k->m->full; i++) {
		const char *dot = strrchr(names.at[i], '.');

		if (!strcmp(names.at[i], "lab.dep"))
			model_note(k->m, NULL, "lab.dep: all nodes boot at once");
		else if (!strcmp(names.at[i], "lab.ext"))
			model_note(k->m, NULL, "lab.ext: alloc(outside) is for that");
		if (!dot || dot == names.at[i])
			continue;
		char *stem = arena_strndup(&k->m->arena, names.at[i], (size_t)(dot - names.at[i]));

		if (!strcmp(dot, ".startup") && strcmp(stem, "shared") != 0 && *stem != '.')
			find_device(k, stem);
		else if (!strcmp(dot, ".shutdown"))
			model_note(k->m, NULL, "%s", names.at[i]);
	}
	vec_free(&names);
}

/* Every device passes packets on there; here, those with several cables do. */
static void choose_routers(struct import_model *m)
{
	for (size_t i = 0; i < m->nodes.n; i++) {
		struct import_node *n = &m->nodes.at[i];
		size_t plugged = 0;

		for (size_t j = 0; j < n->nics.n; j++)
			plugged += n->nics.at[j].is_plugged;
		if (n->kind == IMPORT_HOST && plugged > 1)
			n->kind = IMPORT_ROUTER;
	}
}

int kathara_read(struct import_model *m, const struct import_source *src, const char *text,
		 size_t len, struct err *e)
{
	struct kathara k = {.m = m, .src = src, .e = e};
	bool has_content = false;
	int rc = memchr(text, '\0', len) ? err_set(e, ERR_USAGE, "%s:1:1: this is no text", m->file)
					 : read_lines(&k, text);

	if (rc == 0) {
		find_startups(&k);
		size_t devices = m->nodes.n;

		add_domains(&k);
		choose_routers(m);
		for (size_t i = 0; i < devices && i < k.devices.n && !m->full; i++) {
			kathara_add_contents(m, src, i, &k.devices.at[i].exec, k.is_netkit);
			has_content |= m->nodes.at[i].has_frr || m->nodes.at[i].commands.n;
		}
		m->keep_auto_address = !has_content;
		rc = model_check_size(m, e);
	}
	for (size_t i = 0; i < k.devices.n; i++)
		vec_free(&k.devices.at[i].exec);
	vec_free(&k.devices);
	vec_free(&k.members);
	return rc;
}
