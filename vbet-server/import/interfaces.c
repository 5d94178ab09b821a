/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each "iface" begins a stanza, whose lines become commands of ip(8) at its end: the mask may come
 * after the address. What these mean is for command.h to say.
 */
#include "vbet-server/import/interfaces.h"

#include "lib/xalloc.h"
#include "vbet-server/import/command.h"

#include <string.h>

struct stanza {
	const char *name; /* NULL: not within a stanza whose address is static */
	const char *address, *netmask, *gateway;
};

/* ifconfig(8) reads masks of both forms, and has none for IPv6; ip(8) wants the length. */
static void end_stanza(struct import_model *m, size_t node, struct stanza *s)
{
	struct arena *a = &m->arena;
	bool is_done = !s->name || !s->address;

	if (!is_done && s->netmask && strchr(s->netmask, '.'))
		command_add(m, node,
			    arena_printf(a, "ifconfig %s %s netmask %s", s->name, s->address,
					 s->netmask));
	else if (!is_done)
		command_add(m, node,
			    arena_printf(a, "ip address add %s%s%s dev %s", s->address,
					 s->netmask ? "/" : "", s->netmask ? s->netmask : "",
					 s->name));
	if (!is_done && s->gateway)
		command_add(m, node, arena_printf(a, "ip route add default via %s", s->gateway));
	*s = (struct stanza){0};
}

/* The next word of a line; "" at its end. */
static const char *next_word(struct arena *a, const char **p)
{
	const char *from = *p + strspn(*p, " \t\r");
	size_t len = strcspn(from, " \t\r");

	*p = from + len;
	return arena_strndup(a, from, len);
}

static void begin_stanza(struct import_model *m, size_t node, struct stanza *s, const char *p)
{
	const char *name = next_word(&m->arena, &p);
	const char *family = next_word(&m->arena, &p);
	const char *method = next_word(&m->arena, &p);

	if (!strcmp(method, "static"))
		s->name = name;
	else if (strcmp(method, "loopback") != 0 && strcmp(method, "manual") != 0)
		model_note(m, m->nodes.at[node].was,
			   "/etc/network/interfaces: %.16s %.16s of %.16s", family, method, name);
}

static void read_line(struct import_model *m, size_t node, struct stanza *s, const char *p)
{
	static const char *const commands[] = {"up", "post-up", "pre-up"};
	const char *key = next_word(&m->arena, &p);
	const char *rest = p + strspn(p, " \t\r");

	if (!strcmp(key, "iface") || !strcmp(key, "auto") || !strncmp(key, "allow-", 6)) {
		end_stanza(m, node, s);
		if (!strcmp(key, "iface"))
			begin_stanza(m, node, s, p);
	} else if (!strcmp(key, "address")) {
		s->address = next_word(&m->arena, &p);
	} else if (!strcmp(key, "netmask")) {
		s->netmask = next_word(&m->arena, &p);
	} else if (!strcmp(key, "gateway")) {
		s->gateway = next_word(&m->arena, &p);
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(key, commands[i]))
			command_add(m, node, rest);
}

void interfaces_add(struct import_model *m, size_t node, const char *text)
{
	struct stanza s = {0};

	for (const char *p = text; *p && !m->full;) {
		size_t len = strcspn(p, "\n");
		const char *line = arena_strndup(&m->arena, p, len);

		if (line[strspn(line, " \t\r")] != '#')
			read_line(m, node, &s, line);
		p += len + (p[len] == '\n');
	}
	end_stanza(m, node, &s);
}
