/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files laid into the guest, in its private layer over the shared tree. A file is made anew, or
 * renamed into place: to write into the one that is there could go through a link, and would first
 * copy all of it up from the tree, which costs the guest memory. For the same reason a directory
 * that is right already is left alone.
 */
#include "vkernel/init/files.h"

#include "lib/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * By reading until the end: files in /proc and /sys say that they have no size. One byte is kept
 * for a zero, so text can be used as it is.
 */
char *files_read(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t cap = 4096;
	size_t n = 0;

	if (fd < 0)
		return NULL;
	char *buf = xmalloc(cap);

	for (;;) {
		ssize_t got = read(fd, buf + n, cap - n - 1);

		if (got <= 0)
			break;
		n += (size_t)got;
		if (cap - n < 2)
			buf = xrealloc(buf, cap *= 2);
	}
	close(fd);
	buf[n] = '\0';
	*len = n;
	return buf;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static void make_parents(const char *path)
{
	char *copy = xstrdup(path);

	for (char *p = copy + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	free(copy);
}

static int write_data(const char *path, const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0)
		return -1;
	int rc = write_all(fd, text, len);

	if (rc == 0)
		rc = fchmod(fd, mode);
	return close(fd) < 0 ? -1 : rc;
}

static int write_text(const char *path, const char *text, mode_t mode)
{
	return write_data(path, text, strlen(text), mode);
}

int files_write(const struct conf_file *f, struct err *e)
{
	make_parents(f->path);
	unlink(f->path);
	if (write_data(f->path, f->text, f->len, f->mode) < 0)
		return err_sys(e, "write %.200s", f->path);
	if ((f->uid || f->gid) && chown(f->path, f->uid, f->gid) < 0)
		return err_sys(e, "chown %.200s", f->path);
	return 0;
}

/*
 * For files that programs read while they are replaced: whoever has it open keeps the old one. Mode
 * and owner are those of the old file.
 */
int files_replace(const char *path, const char *text, const struct stat *like, struct err *e)
{
	char *fresh = xasprintf("%s.new", path);
	int rc = write_text(fresh, text, like->st_mode & 07777);

	if (rc == 0)
		rc = chown(fresh, like->st_uid, like->st_gid);
	if (rc == 0)
		rc = rename(fresh, path);
	if (rc < 0) {
		err_sys(e, "write %.200s", path);
		unlink(fresh);
	}
	free(fresh);
	return rc;
}

int files_make_dir(const struct conf_file *f, struct err *e)
{
	struct stat st;

	make_parents(f->path);
	if (mkdir(f->path, f->mode) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %.200s", f->path);
	if (stat(f->path, &st) < 0)
		return err_sys(e, "stat %.200s", f->path);
	if ((st.st_mode & 07777) != f->mode && chmod(f->path, f->mode) < 0)
		return err_sys(e, "chmod %.200s", f->path);
	if ((st.st_uid != f->uid || st.st_gid != f->gid) && chown(f->path, f->uid, f->gid) < 0)
		return err_sys(e, "chown %.200s", f->path);
	return 0;
}

int files_write_sysctl(const char *key, const char *value)
{
	char path[256];
	bool slashes = strchr(key, '/');

	if (snprintf(path, sizeof(path), "/proc/sys/%s", key) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *p = path + strlen("/proc/sys/"); *p && !slashes; p++)
		if (*p == '.')
			*p = '/';
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	int rc = write(fd, value, strlen(value)) < 0 ? -1 : 0;
	int saved = errno;

	close(fd);
	errno = saved;
	return rc;
}

/*
 * Ours, when the tree has none or one that would talk to another init. A tree made for systemd has
 * links to systemctl there, which would ask a process 1 that is not ours. The four names are links
 * to one file: it costs one page of the guest's memory.
 */
static void write_power_commands(void)
{
	static const char *const names[] = {"poweroff", "halt", "reboot", "shutdown"};
	static const char script[] = "#!/bin/sh\n"
				     "# Asks process 1 to end this guest.\n"
				     "case \"$0 $*\" in\n"
				     "*reboot*|*shutdown*-r*) exec kill -TERM 1 ;;\n"
				     "*) exec kill -USR2 1 ;;\n"
				     "esac\n";
	char path[64];
	char link_to[256];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "/usr/sbin/%s", names[i]);
		ssize_t n = readlink(path, link_to, sizeof(link_to) - 1);

		if (n < 0 && errno != ENOENT)
			continue;
		link_to[n > 0 ? n : 0] = '\0';
		if (n >= 0 && !strstr(link_to, "systemctl"))
			continue;
		unlink(path);
		if (i == 0 || link("/usr/sbin/poweroff", path) < 0)
			write_text(path, script, 0755);
	}
}

/*
 * Names of the lab's nodes, and of the guest itself as Debian does it (127.0.1.1). /etc/resolv.conf
 * may be a link to a file that systemd would have made: an empty file takes its place, to which
 * programs can write.
 */
void files_write_names(const struct conf *c)
{
	const char *name = c->hostname ? c->hostname : "guest";
	const struct conf_host *h;
	char *text = NULL;
	size_t len;
	FILE *f = xmemstream(&text, &len);

	fprintf(f, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
	fprintf(f, "127.0.1.1 %s\n", name);
	VEC_FOREACH (h, &c->hosts)
		fprintf(f, "%s %s\n", h->address, h->name);
	fclose(f);
	write_text("/etc/hosts", text, 0644);
	free(text);
	text = xasprintf("%s\n", name);
	write_text("/etc/hostname", text, 0644);
	free(text);
	if (access("/etc/resolv.conf", F_OK) < 0) {
		unlink("/etc/resolv.conf");
		write_text("/etc/resolv.conf", "", 0644);
	}
	write_power_commands();
}

/*
 * The module parameter is the kernel's way to add a device while it runs; our kernel has it also
 * for vhost-user devices (vkernel/README.md). The write returns when the device is connected or
 * could not be.
 */
int files_plug_virtio(const char *socket_path, struct err *e)
{
	static const char param[] = "/sys/module/virtio_uml/parameters/device";
	char value[160];
	int fd = open(param, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", param);
	int len = snprintf(value, sizeof(value), "%s:1", socket_path);
	int rc = write(fd, value, (size_t)len) == len ? 0 : -1;

	if (rc < 0)
		err_sys(e, "the kernel cannot connect to %s", socket_path);
	close(fd);
	return rc;
}
