/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Modules of the guest's kernel, of which there are some when the kernel was not built by us:
 * distributions' UML kernels have overlayfs and virtio as modules, in the jail's /usr/lib/uml.
 * Process 1 loads what it needs itself, before the jail's root is left; there is no modprobe at
 * that time.
 *
 * The rest is offered to the guest: the directory is mounted into its tree, with a modprobe if the
 * tree has none.
 */
#include "vkernel/init/kmod.h"

#include "vkernel/init/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MODULES "/usr/lib/uml/modules"

static char *read_dep(const char *release)
{
	char path[160];
	size_t len = 0;

	snprintf(path, sizeof(path), MODULES "/%s/modules.dep", release);
	return files_read(path, &len);
}

static void insert(const char *release, const char *file, size_t len)
{
	char *path = xasprintf(MODULES "/%s/%.*s", release, (int)len, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		syscall(SYS_finit_module, fd, "", 0); /* fails if it is there already */
		close(fd);
	}
	free(path);
}

/*
 * Loads a module by its line "FILE: NEEDED..." of modules.dep: what it needs first, from behind.
 * depmod(8) lists what a module needs from the nearest to the farthest, so the last word goes in
 * first. What is loaded already says EEXIST, and nobody minds.
 */
static void load(const char *release, const char *dep, const char *name)
{
	char *key = xasprintf("/%s.ko:", name);
	const char *at = strstr(dep, key);
	size_t key_len = strlen(key);

	free(key);
	if (!at)
		return; /* built in */
	const char *line = at;
	const char *end = at + strcspn(at, "\n");

	while (line > dep && line[-1] != '\n')
		line--;
	for (const char *p = end; p > at + key_len;) {
		const char *word = p;

		while (word > at + key_len && word[-1] != ' ')
			word--;
		insert(release, word, (size_t)(p - word));
		p = word > at + key_len ? word - 1 : word;
	}
	insert(release, line, (size_t)(at + key_len - 1 - line));
}

/*
 * What process 1 needs itself (the root's file systems, its stream, NICs), as there is nobody yet
 * whom the kernel could ask for a module.
 */
void kmod_load(void)
{
	static const char *const names[] = {"overlay", "virtio_console", "virtio_net", "af_packet",
					    "ipv6",    "loop",           "squashfs",   "ext4"};
	struct utsname u;

	uname(&u);
	char *dep = read_dep(u.release);

	for (size_t i = 0; dep && i < ARRAY_LEN(names); i++)
		load(u.release, dep, names[i]);
	free(dep);
}

void kmod_offer(const char *new_root)
{
	char at[128];
	char modprobe[128];

	if (access(MODULES, F_OK) < 0)
		return;
	snprintf(at, sizeof(at), "%s/usr/lib/modules", new_root);
	snprintf(modprobe, sizeof(modprobe), "%s/usr/sbin/modprobe", new_root);
	mkdir(at, 0755);
	if (mount(MODULES, at, NULL, MS_BIND, NULL) < 0)
		return;
	if (access(modprobe, X_OK) < 0 && symlink("/bin/busybox", modprobe) < 0)
		return; /* then what was loaded must do */
}
