/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which statement a command is. A lab in which addresses and routes are statements can be checked,
 * drawn and pinged by name; one in which they are commands only runs. So the plain forms are
 * understood, and nothing else: a command is taken only if every word of it was, for half
 * understood is wrong. All others stay as they are, and run in the node.
 *
 * "up" is dropped, as NICs of a guest are up by themselves.
 *
 * A script is taken apart into its lines only if no line can depend on another; a word of the
 * shell's language or an open quote keeps it whole. To be wrong on the side of keeping it costs
 * nothing.
 */
#include "vbet-server/import/command.h"

#include "lib/xalloc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_WORDS = 16 };

struct words {
	const char *at[MAX_WORDS + 1];
	size_t n;
};

/* What reads a form of a command: true if it understood all of it. */
struct reader {
	struct import_model *m;
	size_t node;
	struct import_command *out;
	bool is_done; /* the guest is so by itself: nothing to be said */
};

/* Without any letter that a shell gives a meaning to, words are what stands between blanks. */
static bool is_plain(const char *text)
{
	return !strpbrk(text, ";&|<>$`()*?\"'\\{}[]!#~\n");
}

static bool split(struct arena *a, const char *text, struct words *w)
{
	char *copy = arena_strdup(a, text);
	char *save = NULL;

	w->n = 0;
	for (char *p = strtok_r(copy, " \t", &save); p; p = strtok_r(NULL, " \t", &save)) {
		if (w->n == MAX_WORDS)
			return false;
		w->at[w->n++] = p;
	}
	w->at[w->n] = NULL;
	return w->n > 0;
}

static bool is(const char *word, const char *a)
{
	return word && !strcmp(word, a);
}

/* The NIC of that name; -1: there is none. */
static long find_nic(const struct reader *r, const char *name)
{
	const struct import_node *n = &r->m->nodes.at[r->node];

	for (size_t i = 0; name && i < n->nics.n; i++)
		if (n->nics.at[i].was && !strcmp(n->nics.at[i].was, name))
			return (long)i;
	if (!name || strncmp(name, "eth", 3) != 0 || !isdigit((unsigned char)name[3]) ||
	    strlen(name) > 5)
		return -1;
	size_t i = strtoul(name + 3, NULL, 10);

	return i < n->nics.n && !n->nics.at[i].was ? (long)i : -1;
}

static bool want_addr(const char *text, struct addr *out)
{
	return text && addr_parse(text, strlen(text), out, NULL) == 0;
}

/* 255.255.255.0 -> 24; -1: this is no mask. */
static int mask_length(const char *text)
{
	struct addr mask;
	int n = 0;

	if (!want_addr(text, &mask) || mask.family != AF_INET || mask.prefix != ADDR_NO_PREFIX)
		return -1;
	uint32_t bits = (uint32_t)mask.bytes[0] << 24 | (uint32_t)mask.bytes[1] << 16 |
			(uint32_t)mask.bytes[2] << 8 | mask.bytes[3];

	for (; bits & 0x80000000u; bits <<= 1)
		n++;
	return bits ? -1 : n;
}

/* The prefix of an address without one, of the times when addresses had classes. */
static unsigned class_length(const struct addr *a)
{
	return a->bytes[0] < 128 ? 8 : a->bytes[0] < 192 ? 16 : 24;
}

static bool set_address(struct reader *r, const char *name, const struct addr *addr)
{
	long nic = find_nic(r, name);

	if (nic < 0)
		return false;
	r->out->meaning = IMPORT_ADDRESS;
	r->out->nic = (size_t)nic;
	r->out->addr = *addr;
	return true;
}

/* ip address add A/N [brd X] dev D */
static bool read_ip_address(struct reader *r, const struct words *w, size_t i)
{
	const char *dev = NULL;
	struct addr addr;

	if (!is(w->at[i], "add") && !is(w->at[i], "a") && !is(w->at[i], "replace"))
		return false;
	if (!want_addr(w->at[++i], &addr))
		return false;
	for (i++; i + 1 < w->n; i += 2) {
		if (is(w->at[i], "dev"))
			dev = w->at[i + 1];
		else if (!is(w->at[i], "brd") && !is(w->at[i], "broadcast"))
			return false;
	}
	if (i != w->n)
		return false;
	if (addr.prefix == ADDR_NO_PREFIX)
		addr.prefix = addr_bits(&addr);
	return set_address(r, dev, &addr);
}

static bool set_route(struct reader *r, const char *to, const char *via)
{
	r->out->is_default = is(to, "default") || is(to, "0.0.0.0/0") || is(to, "::/0");
	if (!want_addr(via, &r->out->via) || r->out->via.prefix != ADDR_NO_PREFIX ||
	    (!r->out->is_default && !want_addr(to, &r->out->addr)))
		return false;
	if (r->out->addr.prefix == ADDR_NO_PREFIX)
		r->out->addr.prefix = addr_bits(&r->out->addr);
	r->out->meaning = IMPORT_ROUTE;
	return true;
}

/* ip route add NET via G [dev D] */
static bool read_ip_route(struct reader *r, const struct words *w, size_t i)
{
	const char *to;
	const char *via = NULL;

	if (!is(w->at[i], "add") && !is(w->at[i], "a") && !is(w->at[i], "replace"))
		return false;
	to = w->at[++i];
	if (!to)
		return false;
	for (i++; i + 1 < w->n; i += 2) {
		if (is(w->at[i], "via"))
			via = w->at[i + 1];
		else if (!is(w->at[i], "dev") || find_nic(r, w->at[i + 1]) < 0)
			return false;
	}
	return i == w->n && set_route(r, to, via);
}

/* ip link set [dev] D up: all NICs are. */
static bool read_ip_link(struct reader *r, const struct words *w, size_t i)
{
	if (!is(w->at[i], "set"))
		return false;
	i += is(w->at[i + 1], "dev") ? 2 : 1;
	if (i >= w->n || (find_nic(r, w->at[i]) < 0 && !is(w->at[i], "lo")))
		return false;
	r->is_done = i + 2 == w->n && is(w->at[i + 1], "up");
	return r->is_done;
}

static bool is_short_for(const char *word, const char *full)
{
	return word && *word && !strncmp(word, full, strlen(word));
}

static bool read_ip(struct reader *r, const struct words *w)
{
	size_t i = is(w->at[1], "-4") || is(w->at[1], "-6") ? 2 : 1;

	if (i + 2 >= w->n)
		return false;
	if (is_short_for(w->at[i], "address") || is(w->at[i], "addr"))
		return read_ip_address(r, w, i + 1);
	if (is_short_for(w->at[i], "route"))
		return read_ip_route(r, w, i + 1);
	return is_short_for(w->at[i], "link") && read_ip_link(r, w, i + 1);
}

/* ifconfig D [A[/N] [netmask M] [broadcast B]] [up] */
static bool read_ifconfig(struct reader *r, const struct words *w)
{
	struct addr addr;
	int length = -1;
	size_t i = 2;

	if (w->n == 3 && is(w->at[2], "up") && (find_nic(r, w->at[1]) >= 0 || is(w->at[1], "lo"))) {
		r->is_done = true;
		return true;
	}
	if (w->n < 3 || !want_addr(w->at[i++], &addr) || addr.family != AF_INET)
		return false;
	for (; i < w->n && !is(w->at[i], "up"); i += 2) {
		if (is(w->at[i], "netmask") && i + 1 < w->n)
			length = mask_length(w->at[i + 1]);
		else if (!is(w->at[i], "broadcast"))
			return false;
		if (is(w->at[i], "netmask") && length < 0)
			return false;
	}
	if (i < w->n && i + 1 != w->n)
		return false;
	if (length >= 0)
		addr.prefix = (unsigned)length;
	else if (addr.prefix == ADDR_NO_PREFIX)
		addr.prefix = class_length(&addr);
	return set_address(r, w->at[1], &addr);
}

/* route add default gw G | route add -net N[/L] [netmask M] gw G [dev D] */
static bool read_route(struct reader *r, const struct words *w)
{
	const char *to = NULL;
	const char *via = NULL;
	int length = -1;
	size_t i = 2;

	if (!is(w->at[1], "add"))
		return false;
	if (is(w->at[i], "-net"))
		i++;
	to = w->at[i++];
	for (; to && i + 1 < w->n; i += 2) {
		if (is(w->at[i], "gw"))
			via = w->at[i + 1];
		else if (is(w->at[i], "netmask"))
			length = mask_length(w->at[i + 1]);
		else if (!is(w->at[i], "dev") || find_nic(r, w->at[i + 1]) < 0)
			return false;
	}
	if (!to || i != w->n || !set_route(r, to, via))
		return false;
	if (length >= 0)
		r->out->addr.prefix = (unsigned)length;
	return true;
}

/* net.ipv4.conf.NAME.x: it can be set only when the interface is there, at its place among
 * commands. */
static bool is_of_interface(const char *key)
{
	static const char *const groups[] = {"net.ipv4.conf.", "net.ipv6.conf.", "net.ipv4.neigh.",
					     "net.ipv6.neigh."};

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		size_t len = strlen(groups[i]);

		if (strncmp(key, groups[i], len) != 0)
			continue;
		key += len;
		return strncmp(key, "all.", 4) != 0 && strncmp(key, "default.", 8) != 0;
	}
	return false;
}

/* sysctl [-q] [-w] KEY=VALUE */
static bool read_sysctl(struct reader *r, const struct words *w)
{
	size_t i = 1;

	while (is(w->at[i], "-w") || is(w->at[i], "-q"))
		i++;
	const char *equals = w->at[i] ? strchr(w->at[i], '=') : NULL;
	bool ok = equals && i + 1 == w->n && equals != w->at[i] && equals[1];

	for (const char *p = ok ? w->at[i] : equals; p < equals; p++)
		ok = ok && (isalnum((unsigned char)*p) || strchr("._-", *p));
	if (!ok || !isalpha((unsigned char)*w->at[i]) || !strchr(w->at[i], '.') ||
	    strstr(w->at[i], "..") || strchr(w->at[i], '/') || is_of_interface(w->at[i]))
		return false;
	r->out->meaning = IMPORT_SYSCTL;
	r->out->key = arena_strndup(&r->m->arena, w->at[i], (size_t)(equals - w->at[i]));
	r->out->value = equals + 1;
	return true;
}

static const struct {
	const char *name;
	bool (*read)(struct reader *r, const struct words *w);
} forms[] = {
	{"ip", read_ip},
	{"ifconfig", read_ifconfig},
	{"route", read_route},
	{"sysctl", read_sysctl},
};

static const char *without_directory(const char *word)
{
	static const char *const directories[] = {"/sbin/", "/usr/sbin/", "/bin/", "/usr/bin/"};

	for (size_t i = 0; i < ARRAY_LEN(directories); i++)
		if (!strncmp(word, directories[i], strlen(directories[i])))
			return word + strlen(directories[i]);
	return word;
}

void command_add(struct import_model *m, size_t node, const char *text)
{
	struct import_command c = {.text = arena_strdup(&m->arena, text)};
	struct reader r = {.m = m, .node = node, .out = &c};
	struct words w;

	if (is_plain(text) && split(&m->arena, text, &w)) {
		for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
			if (strcmp(without_directory(w.at[0]), forms[i].name) != 0)
				continue;
			if (!forms[i].read(&r, &w))
				c = (struct import_command){.text = c.text};
			break;
		}
	}
	if (!r.is_done)
		model_add_command(m, node, &c);
}

/* ---- scripts ---- */

static bool begins_with_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(line, word, len) && !isalnum((unsigned char)line[len]) && line[len] != '_';
}

/* A line on which more depends than the line itself. */
static bool is_entangled(const char *line, size_t len)
{
	static const char *const words[] = {
		"if",     "for",  "while", "until",    "case",   "do",     "done",
		"then",   "fi",   "else",  "elif",     "esac",   "cd",     "export",
		"set",    "trap", "exit",  "function", "select", "return", ".",
		"source", "exec", "umask", "sleep",    "alias",
	};
	unsigned quotes = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (begins_with_word(line, words[i]))
			return true;
	for (size_t i = 0; i < len; i++)
		quotes += line[i] == '"' || line[i] == '\'';
	return (len && (line[len - 1] == '\\' || line[len - 1] == '|' || line[len - 1] == '{' ||
			line[len - 1] == '&')) ||
	       *line == '}' || *line == '(' || *line == ')' || memmem(line, len, "<<", 2) ||
	       quotes % 2 ||
	       (memchr(line, '=', len) && strcspn(line, "= \t") < len &&
		line[strcspn(line, "= \t")] == '=');
}

/* The next line without blanks around it; NULL past the end. */
static const char *next_line(const char **p, size_t *len)
{
	const char *line = *p;

	if (!line)
		return NULL;
	const char *end = strchr(line, '\n');

	*p = end ? end + 1 : NULL;
	end = end ? end : line + strlen(line);
	while (line < end && isspace((unsigned char)*line))
		line++;
	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	*len = (size_t)(end - line);
	return line;
}

bool command_is_plain_script(const char *text)
{
	const char *line;
	size_t len;

	while ((line = next_line(&text, &len)))
		if (len && *line != '#' && is_entangled(line, len))
			return false;
	return true;
}

void command_add_script(struct import_model *m, size_t node, const char *text,
			bool (*start)(struct import_model *m, size_t node, const char *line))
{
	const char *line;
	size_t len;

	while (!m->full && (line = next_line(&text, &len))) {
		if (!len || *line == '#')
			continue;
		const char *copy = arena_strndup(&m->arena, line, len);

		if (!start || !start(m, node, copy))
			command_add(m, node, copy);
	}
}
