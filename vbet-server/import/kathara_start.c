/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What runs in a device: its tree, and the commands of its .startup.
 *
 * Services are not commands here: FRR and dnsmasq are started by vbet itself when a configuration
 * is there, the others by a command that does the same in our Debian without systemd. Which are
 * started must be known before the tree is laid, as files of FRR are configurations only then; so
 * the scripts are looked through first and added last.
 */
#include "lib/xalloc.h"
#include "vbet-server/import/command.h"
#include "vbet-server/import/frr.h"
#include "vbet-server/import/interfaces.h"
#include "vbet-server/import/kathara.h"
#include "vbet-server/import/tree.h"

#include <stdlib.h>
#include <string.h>

/* What the commands start that vbet starts by itself, given a configuration. */
enum { STARTS_FRR = 1 << 0, STARTS_DNSMASQ = 1 << 1, STARTS_NETWORKING = 1 << 2 };

static const char start_named[] = "named -c /etc/bind/named.conf";
static const char start_sshd[] = "ssh-keygen -A && mkdir -p /run/sshd && /usr/sbin/sshd";
static const char start_nftables[] = "nft -f /etc/nftables.conf";
static const char start_httpd[] = "mkdir -p /var/www/html && busybox httpd -h /var/www/html";

/* Started by vbet (bit), or by this command, which may not be quite the same (instead). */
static const struct start {
	const char *name;
	unsigned bit;
	const char *command, *instead;
} services[] = {
	{.name = "frr", .bit = STARTS_FRR},
	{.name = "quagga", .bit = STARTS_FRR},
	{.name = "zebra", .bit = STARTS_FRR},
	{.name = "dnsmasq", .bit = STARTS_DNSMASQ},
	{.name = "named", .command = start_named},
	{.name = "bind", .command = start_named},
	{.name = "bind9", .command = start_named},
	{.name = "ssh", .command = start_sshd},
	{.name = "sshd", .command = start_sshd},
	{.name = "networking", .bit = STARTS_NETWORKING},
	{.name = "nftables", .command = start_nftables},
	{.name = "apache2", .command = start_httpd, .instead = "httpd of busybox"},
	{.name = "nginx", .command = start_httpd, .instead = "httpd of busybox"},
};

static bool is_start(const char *verb)
{
	return !strcmp(verb, "start") || !strcmp(verb, "restart") || !strcmp(verb, "reload");
}

/* At boot there is nothing to stop, and nothing is started by being enabled. */
static bool is_no_start(const char *verb)
{
	return !strcmp(verb, "stop") || !strcmp(verb, "enable") || !strcmp(verb, "daemon-reload");
}

/*
 * "systemctl start X...", "systemctl enable --now X...", "service X start", "/etc/init.d/X start":
 * adds the names. false: this is another command. Text is taken apart.
 */
static bool read_start(struct arena *a, char *text, struct strvec *names)
{
	char *save = NULL;
	char *first = strtok_r(text, " \t\r&", &save);
	char *second = first ? strtok_r(NULL, " \t\r&", &save) : NULL;
	char *word = second ? strtok_r(NULL, " \t\r&", &save) : NULL;

	if (!first || *first == '#')
		return true;
	if (!second)
		return false;
	if (!strncmp(first, "/etc/init.d/", 12) || !strcmp(first, "service")) {
		bool is_path = *first == '/';
		const char *name = is_path ? first + 12 : second;
		const char *verb = is_path ? second : word;

		if (!verb || !*name || (!is_start(verb) && !is_no_start(verb)))
			return false;
		if (is_start(verb))
			vec_push(names, arena_strdup(a, name));
		return true;
	}
	if (strcmp(first, "systemctl") != 0 || (!is_start(second) && !is_no_start(second)))
		return false;
	bool is_now = is_start(second) || (word && !strcmp(word, "--now"));

	for (; word && *word != '#' && *word != '>'; word = strtok_r(NULL, " \t\r&", &save))
		if (*word != '-' && is_now)
			vec_push(names, arena_strdup(a, word));
	return true;
}

/* The services that a line starts. false: it does something else, or that as well. */
static bool read_starts(struct arena *a, const char *line, struct strvec *names)
{
	char *rest = arena_strdup(a, line + strspn(line, " \t"));

	if (!*rest || *rest == '#')
		return false;
	while (rest) {
		char *end = strpbrk(rest, ";&");

		/* Of "2>&1", the '&' ends nothing; a last one sends to the background. */
		while (end && *end == '&' && end[1] != '&')
			end = strpbrk(end + 1, ";&");
		if (end) {
			size_t len = *end == '&' ? 2 : 1;

			memset(end, '\0', len);
			end += len;
		}
		if (!read_start(a, rest, names))
			return false;
		rest = end;
	}
	return true;
}

static const struct start *find_start(const char *name)
{
	size_t len = strcspn(name, ".");

	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (strlen(services[i].name) == len && !strncmp(services[i].name, name, len))
			return &services[i];
	return NULL;
}

static unsigned find_started(struct arena *a, const char *text)
{
	struct strvec names = {0};
	unsigned bits = 0;

	for (const char *p = text; p && *p;) {
		size_t len = strcspn(p, "\n");

		read_starts(a, arena_strndup(a, p, len), &names);
		p += len + (p[len] == '\n');
	}
	for (size_t i = 0; i < names.n; i++) {
		const struct start *s = find_start(names.at[i]);

		bits |= s ? s->bit : 0;
	}
	vec_free(&names);
	return bits;
}

/* The command that starts a service here, or NULL; tells of what is not carried over. */
static const char *command_of(struct import_model *m, size_t node, const char *name)
{
	const char *was = m->nodes.at[node].was;
	const struct start *s = find_start(name);

	if (!s)
		model_note(m, was, "start of %s", name);
	else if (s->instead)
		model_note(m, was, "%s: here %s", name, s->instead);
	return s ? s->command : NULL;
}

static bool take_start(struct import_model *m, size_t node, const char *line)
{
	struct strvec names = {0};
	bool is_known = read_starts(&m->arena, line, &names);

	for (size_t i = 0; is_known && i < names.n; i++) {
		const char *command = command_of(m, node, names.at[i]);

		if (command)
			model_add_command(m, node, &(struct import_command){.text = command});
	}
	vec_free(&names);
	return is_known;
}

/* The same within a script, whose lines stay in their places. True: the line is another now. */
static bool put_line(struct import_model *m, size_t node, const char *line, FILE *out)
{
	struct strvec names = {0};
	bool is_start = read_starts(&m->arena, line, &names);

	if (is_start)
		fprintf(out, "%.*s:", (int)strspn(line, " \t"), line);
	else
		fputs(line, out);
	for (size_t i = 0; is_start && i < names.n; i++) {
		const char *command = command_of(m, node, names.at[i]);

		if (command)
			fprintf(out, "; %s", command);
	}
	fputc('\n', out);
	vec_free(&names);
	return is_start;
}

/* NULL: it starts nothing, and stays the file that it is. */
static const char *with_our_starts(struct import_model *m, size_t node, const char *text)
{
	const char *copy = NULL;
	char *out = NULL;
	size_t size = 0;
	FILE *f = xmemstream(&out, &size);
	bool is_changed = false;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");

		is_changed |= put_line(m, node, arena_strndup(&m->arena, p, len), f);
		p += len + (p[len] == '\n');
	}
	fclose(f);
	if (is_changed)
		copy = arena_strdup(&m->arena, out);
	free(out);
	return copy;
}

/* Of the tree, files of dnsmasq become its configuration where it is started. */
static void take_dnsmasq(struct import_model *m, size_t node)
{
	struct import_node *n = &m->nodes.at[node];

	for (size_t i = 0; i < n->files.n; i++)
		if (!strcmp(n->files.at[i].path, "/etc/dnsmasq.conf"))
			n->files.at[i].daemon = "dnsmasq";
}

/* NULL: it is not there, or no text. */
static void read_text(struct import_model *m, const struct import_source *src, const char *was,
		      const char *path, char **text)
{
	size_t len;

	*text = src->read(src->ctx, path, &len, NULL);
	if (*text && memchr(*text, '\0', len)) {
		model_note(m, was, "%s is no text", path);
		free(*text);
		*text = NULL;
	}
}

static void add_interfaces(struct import_model *m, const struct import_source *src, size_t node)
{
	const char *was = m->nodes.at[node].was;
	char *text;

	read_text(m, src, was, arena_printf(&m->arena, "%s/etc/network/interfaces", was), &text);
	if (text)
		interfaces_add(m, node, text);
	free(text);
}

static bool has_frr_config(const struct tree *t)
{
	for (size_t i = 0; i < t->files.n; i++) {
		const char *path = t->files.at[i].path;
		size_t len = strlen(path);

		if (frr_is_file(path) && len > 5 && !strcmp(path + len - 5, ".conf") &&
		    !strstr(path, "/vtysh.conf"))
			return true;
	}
	return false;
}

static void add_script(struct import_model *m, size_t node, const char *path, const char *text)
{
	if (command_is_plain_script(text)) {
		command_add_script(m, node, text, take_start);
		return;
	}
	/* Its lines depend on each other: it stays a script. */
	struct import_file f = {.path = arena_printf(&m->arena, "/root/%s", path),
				.source = path,
				.text = with_our_starts(m, node, text),
				.is_executable = true};

	if (strchr(path, '/'))
		return;
	model_add_file(m, node, &f);
	model_add_command(m, node,
			  &(struct import_command){
				  .text = arena_printf(&m->arena, "cd / && bash /root/%s", path)});
}

void kathara_add_contents(struct import_model *m, const struct import_source *src, size_t node,
			  const struct strvec *exec, bool netkit)
{
	const char *was = m->nodes.at[node].was;
	const char *paths[] = {"shared.startup", arena_printf(&m->arena, "%s.startup", was)};
	char *texts[ARRAY_LEN(paths)];
	struct strvec names = {0};
	struct tree t = {0};
	unsigned started = 0;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		read_text(m, src, was, paths[i], &texts[i]);
		started |= find_started(&m->arena, texts[i]);
	}
	for (size_t i = 0; i < exec->n; i++)
		started |= find_started(&m->arena, exec->at[i]);
	/* A directory, not a file that happens to have the name. */
	if (src->list(src->ctx, "shared", &m->arena, &names) == 0)
		tree_add(m, src, was, "shared", netkit ? "/" : "/shared", &t);
	if (src->list(src->ctx, was, &m->arena, &names) == 0)
		tree_add(m, src, was, was, "/", &t);
	vec_free(&names);
	if (!(started & STARTS_FRR) && has_frr_config(&t)) {
		model_note(m, was, "FRR waits for somebody to start it there; here it runs");
		started |= STARTS_FRR;
	}
	tree_lay(m, src, node, &t, started & STARTS_FRR);
	tree_finish(&t);
	if (started & STARTS_FRR)
		m->nodes.at[node].kind = IMPORT_ROUTER;
	if (started & STARTS_DNSMASQ)
		take_dnsmasq(m, node);
	if (started & STARTS_NETWORKING)
		add_interfaces(m, src, node);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (texts[i])
			add_script(m, node, paths[i], texts[i]);
		free(texts[i]);
	}
	for (size_t i = 0; i < exec->n; i++)
		if (!take_start(m, node, exec->at[i]))
			command_add(m, node, exec->at[i]);
}
