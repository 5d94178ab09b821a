/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unix sockets: short paths only (107 bytes), stale sockets replaced, descriptors passed. */
#ifndef LIB_SOCK_H
#define LIB_SOCK_H

#include "lib/err.h"

#include <stddef.h>
#include <sys/types.h>

enum { SOCK_PATH_MAX = 107, SOCK_FDS_MAX = 16 };

/*
 * Listens at path (mode 0600), type SOCK_STREAM or SOCK_SEQPACKET. A socket that nobody listens at
 * is replaced; one that somebody does is an error. Returns a non-blocking descriptor, or -1.
 */
int sock_listen(const char *path, int type, struct err *e);
/* Connects; returns a blocking close-on-exec descriptor, or -1 (errno kept). */
int sock_connect(const char *path, int type, struct err *e);
/* Sends data with up to SOCK_FDS_MAX descriptors; as sendmsg(2), without SIGPIPE. */
ssize_t sock_send_fds(int sock, const void *data, size_t len, const int *fds, size_t n_fds);
/* The same with at most one (-1: none). */
ssize_t sock_send_fd(int sock, const void *data, size_t len, int fd);
/* Receives data and up to max_fds close-on-exec descriptors; *n_fds says how many came. */
ssize_t sock_recv_fds(int sock, void *data, size_t len, int *fds, size_t max_fds, size_t *n_fds,
		      int flags);
/*
 * The process at the other end, as it was when that connected, listened or made the pair (unix(7),
 * SO_PEERCRED); 0: not known, or no socket.
 */
pid_t sock_peer_pid(int fd);
/* Makes a descriptor non-blocking. */
void sock_set_nonblock(int fd);
/* Writes everything, waiting as needed; 0 or -1. */
int sock_write_all(int fd, const void *data, size_t len);

#endif
