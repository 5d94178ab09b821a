/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lab without a server: vsubstrate as a child, told what there is (docs/protocols.md, "Substrate
 * control"). */
#ifndef TESTS_SUPPORT_VLAB_H
#define TESTS_SUPPORT_VLAB_H

#include <sys/types.h>

/* Where the programs of this build are: "build". */
const char *vlab_build(void);
/* A directory of its own for the sockets, made by vlab_start(). */
const char *vlab_dir(void);
void vlab_start(void);
/* Ends it, and removes the directory. */
void vlab_stop(void);
/* Sends one command; the test fails unless it is answered with "ok". The answer is valid until the
 * next one. */
const char *vlab_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Starts a program of the build in the background, with VNET_CONF set; it dies with the test. */
pid_t vlab_spawn(const char *vnet_conf, char *const *argv, const char *output);
/* Kills it and waits for it. */
void vlab_kill(pid_t pid);

#endif
