/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words of the command line, and the kernel's argv made of them. Paths are resolved here,
 * before any namespace is entered: afterwards they would mean something else. The kernel is opened
 * here, too, and looked at: a dynamic one needs the host's libraries in the jail.
 */
#include "vkernel/launch/launch.h"

#include "lib/xalloc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_path(const char **out, const char *value, struct err *e)
{
	*out = realpath(value, NULL);
	return *out ? 0 : err_sys(e, "%s", value);
}

static int set_kernel(struct launch *l, const char *v, struct err *e)
{
	return set_path(&l->kernel, v, e);
}

static int set_init(struct launch *l, const char *v, struct err *e)
{
	return set_path(&l->init, v, e);
}

static int set_root(struct launch *l, const char *v, struct err *e)
{
	struct stat st;

	if (set_path(&l->root, v, e) < 0)
		return -1;
	if (stat(l->root, &st) < 0)
		return err_sys(e, "%s", v);
	l->root_is_image = !S_ISDIR(st.st_mode);
	return 0;
}

static int set_dir(struct launch *l, const char *v, struct err *e)
{
	return set_path(&l->dir, v, e);
}

static int set_name(struct launch *l, const char *v, struct err *e)
{
	l->name = v;
	return 0;
}

static int set_memory(struct launch *l, const char *v, struct err *e)
{
	char *end;

	l->memory = strtoull(v, &end, 10);
	return end == v || *end ? err_set(e, ERR_USAGE, "bad memory=%s", v) : 0;
}

static int set_cpu(struct launch *l, const char *v, struct err *e)
{
	l->cpu = atoi(v);
	return 0;
}

static int set_nice(struct launch *l, const char *v, struct err *e)
{
	l->nice = atoi(v);
	return 0;
}

static int set_processes(struct launch *l, const char *v, struct err *e)
{
	l->processes = strtoull(v, NULL, 10);
	return 0;
}

static int set_insecure(struct launch *l, const char *v, struct err *e)
{
	l->insecure = atoi(v) != 0;
	return 0;
}

static int set_state(struct launch *l, const char *v, struct err *e)
{
	l->state = v;
	l->state_fd = (int)strtol(v, NULL, 10);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct launch *l, const char *value, struct err *e);
	bool needed;
} keys[] = {
	{"name", set_name, true},    {"kernel", set_kernel, true},
	{"init", set_init, true},    {"root", set_root, true},
	{"dir", set_dir, true},      {"memory", set_memory, true},
	{"cpu", set_cpu, false},     {"insecure", set_insecure, false},
	{"nice", set_nice, false},   {"processes", set_processes, false},
	{"state", set_state, false},
};

/* A key counts only as a whole: "dir" is not "d". */
static int set_key(struct launch *l, const char *word, unsigned *seen, struct err *e)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strncmp(keys[i].key, word, len) != 0 || keys[i].key[len] || !word[len])
			continue;
		*seen |= 1U << i;
		return keys[i].set(l, word + len + 1, e);
	}
	return err_set(e, ERR_USAGE, "unknown word %s", word);
}

/* Does it ask for a dynamic linker? */
static int inspect_kernel(struct launch *l, struct err *e)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	l->kernel_fd = open(l->kernel, O_RDONLY | O_CLOEXEC);
	if (l->kernel_fd < 0)
		return err_sys(e, "%s", l->kernel);
	if (pread(l->kernel_fd, &eh, sizeof(eh), 0) != sizeof(eh) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(e, ERR_ENV, "%s is no kernel", l->kernel);
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		off_t at = (off_t)(eh.e_phoff + i * sizeof(ph));

		if (pread(l->kernel_fd, &ph, sizeof(ph), at) != sizeof(ph))
			return err_set(e, ERR_ENV, "%s is no kernel", l->kernel);
		l->kernel_dynamic |= ph.p_type == PT_INTERP;
	}
	return 0;
}

/* Who we are is asked now: in a new user namespace without a map everybody is nobody. */
int launch_parse(struct launch *l, int argc, char **argv, struct err *e)
{
	unsigned seen = 0;
	int i;

	memset(l, 0, sizeof(*l));
	l->cpu = l->state_fd = -1;
	l->uid = geteuid();
	l->gid = getegid();
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (set_key(l, argv[i], &seen, e) < 0)
			return -1;
	l->args = argv + (i < argc ? i + 1 : argc);
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (keys[k].needed && !(seen & 1U << k))
			return err_set(e, ERR_USAGE, "%s= is missing", keys[k].key);
	return inspect_kernel(l, e);
}

/*
 * "virtio_uml.device=/vbet/eth0:1", "time-travel=ext:/vbet/time", with the path that /vbet stands
 * for.
 */
static char *put_right(const struct launch *l, char *arg)
{
	static const char vbet[] = "/vbet/";
	const char *at = strstr(arg, vbet);

	if (!strcmp(arg, "init=/init"))
		return xasprintf("init=%s", l->init);
	if (!at || at == arg || !strchr("=:", at[-1]))
		return arg;
	return xasprintf("%.*s%s/%s", (int)(at - arg), arg, l->dir, at + strlen(vbet));
}

char **launch_make_argv(const struct launch *l, bool confined)
{
	size_t n = 0;
	size_t i = 1;

	while (l->args[n])
		n++;
	char **argv = xcalloc(n + 5, sizeof(char *));

	argv[0] = xstrdup("linux");
	for (char **arg = l->args; *arg; arg++)
		argv[i++] = confined ? *arg : put_right(l, *arg);
	if (!confined) {
		/* The kernel hands these to process 1 as its environment. */
		argv[i++] = xasprintf("vbet_root=%s", l->root);
		argv[i++] = xasprintf("vbet_dir=%s", l->dir);
	}
	if (l->state_fd >= 0)
		argv[i++] = xasprintf("resume=%s", l->state);
	return argv;
}
