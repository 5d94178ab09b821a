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
#include "vbet-server/import/kathara.h"
#include "vbet-server/import/tree.h"

#include <stdlib.h>
#include <string.h>

/* What the commands start that vbet starts by itself, given a configuration. */
enum { STARTS_FRR = 1 << 0, STARTS_DNSMASQ = 1 << 1 };

static const char start_named[] = "named -c /etc/bind/named.conf";
static const char start_sshd[] = "ssh-keygen -A && mkdir -p /run/sshd && /usr/sbin/sshd";
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
	{.name = "apache2", .command = start_httpd, .instead = "httpd of busybox"},
	{.name = "nginx", .command = start_httpd, .instead = "httpd of busybox"},
};

/*
 * The name of the service that a line starts: "systemctl start X", "service X start",
 * "/etc/init.d/X start"; NULL: it does something else.
 */
static const char *started_service(struct arena *a, const char *line)
{
	char *copy = arena_strdup(a, line);
	char *save = NULL;
	const char *word[4] = {NULL};
	size_t n = 0;

	for (char *p = strtok_r(copy, " \t\r\n;&", &save); p && n < ARRAY_LEN(word);
	     p = strtok_r(NULL, " \t\r\n;&", &save))
		word[n++] = p;
	if (n < 2)
		return NULL;
	if (!strcmp(word[0], "systemctl") && n > 2 &&
	    (!strcmp(word[1], "start") || !strcmp(word[1], "restart")))
		return word[2];
	if (!strcmp(word[0], "service") && n > 2 &&
	    (!strcmp(word[2], "start") || !strcmp(word[2], "restart")))
		return word[1];
	if (!strncmp(word[0], "/etc/init.d/", 12) &&
	    (!strcmp(word[1], "start") || !strcmp(word[1], "restart")))
		return word[0] + 12;
	return NULL;
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
	unsigned bits = 0;

	for (const char *p = text; p && *p;) {
		size_t len = strcspn(p, "\n");
		const char *line = arena_strndup(a, p, len);
		const char *name = started_service(a, line + strspn(line, " \t"));

		const struct start *s = name ? find_start(name) : NULL;

		bits |= s ? s->bit : 0;
		p += len + (p[len] == '\n');
	}
	return bits;
}

/* Lines that start services: those that we know are started, the rest is told of. */
static bool take_start(struct import_model *m, size_t node, const char *line)
{
	const char *name = started_service(&m->arena, line);
	const struct start *s = name ? find_start(name) : NULL;
	const char *was = m->nodes.at[node].was;

	if (!name)
		return false;
	if (!s)
		model_note(m, was, "start of %s", name);
	else if (s->instead)
		model_note(m, was, "%s: here %s", name, s->instead);
	if (s && s->command)
		model_add_command(m, node, &(struct import_command){.text = s->command});
	return true;
}

static void add_script(struct import_model *m, const struct import_source *src, size_t node,
		       const char *path, const char *text)
{
	if (command_is_plain_script(text)) {
		command_add_script(m, node, text, take_start);
		return;
	}
	/* Its lines depend on each other: it stays a script. */
	struct import_file f = {.path = arena_printf(&m->arena, "/root/%s", path),
				.source = path,
				.is_executable = true};

	if (strchr(path, '/'))
		return;
	model_add_file(m, node, &f);
	model_add_command(m, node,
			  &(struct import_command){
				  .text = arena_printf(&m->arena, "cd / && bash /root/%s", path)});
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
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (texts[i])
			add_script(m, src, node, paths[i], texts[i]);
		free(texts[i]);
	}
	for (size_t i = 0; i < exec->n; i++)
		if (!take_start(m, node, exec->at[i]))
			command_add(m, node, exec->at[i]);
}
