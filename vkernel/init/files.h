/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that the guest starts with. */
#ifndef VKERNEL_INIT_FILES_H
#define VKERNEL_INIT_FILES_H

#include "vkernel/init/conf.h"

/* Writes (replaces) a file of the given content; directories on the way are made. */
int files_write(const struct conf_file *f, struct err *e);
int files_make_dir(const struct conf_file *f, struct err *e);
/* "net.ipv4.ip_forward", or with slashes if a name in it has dots. */
int files_write_sysctl(const char *key, const char *value);
/* /etc/hostname, /etc/hosts, /etc/resolv.conf if there is none, the commands that power off. */
void files_write_names(const struct conf *c);
/* Tells the kernel of a vhost-user NIC that was not there when it started. */
int files_plug_virtio(const char *socket_path, struct err *e);
struct stat;
/* Another text, with owner and mode as in *like; who reads it sees the old one or the new one. */
int files_replace(const char *path, const char *text, const struct stat *like, struct err *e);
/* Reads a file whole: malloc'ed, NUL-terminated; NULL with errno. */
char *files_read(const char *path, size_t *len);

#endif
