/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The services and start-up commands of init.conf, and when each is ready. */
#ifndef VKERNEL_INIT_SERVICE_H
#define VKERNEL_INIT_SERVICE_H

#include "lib/loop.h"
#include "vkernel/init/conf.h"

/*
 * What happened: "ready" NAME, "failed" NAME WHY, "tolerated" NAME WHY (it has failed, and may),
 * "ready-all" (then name and why are NULL).
 */
typedef void service_event(const char *what, const char *name, const char *why);

/* Starts all; goes on in the loop. conf is borrowed for good. */
void service_start_all(struct loop *l, struct conf *c, service_event *event);
/* No restarts any more. */
void service_stop_all(void);

#endif
