/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A snapshot that is a directory of its own, with all of its pages: it can be copied. */
#ifndef VBET_SERVER_SHELF_BUNDLE_H
#define VBET_SERVER_SHELF_BUNDLE_H

#include "lib/err.h"
#include "vbet-server/shelf/stage.h"
#include "vbet-server/shelf/unpack.h"

/*
 * Of a snapshot as a lab wrote it, on the stage, which is on the same file system as dir; takes the
 * place of what is there in one step. 0 or -1.
 */
int bundle_make(const char *from, const struct stage *stage, const char *dir, struct err *e);
/* As unpack(). */
int bundle_unpack(const char *dir, struct unpacked *u, const char *to, struct err *e);

#endif
