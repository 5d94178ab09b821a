/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A device (device.h) as an object of the substrate, and its ports. */
#ifndef SUBSTRATE_DEVICE_DEVNODE_H
#define SUBSTRATE_DEVICE_DEVNODE_H

#include "substrate/core/substrate.h"
#include "substrate/device/device.h"

/* words: "key=value". NULL with the error set. */
struct object *devnode_create(struct substrate *s, const char *name, const char *kind,
			      char *const *words, size_t n, struct err *e);
/* number from 1. */
struct object *devport_create(struct substrate *s, const char *name, struct object *device,
			      unsigned number, char *const *words, size_t n, struct err *e);

#endif
