/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directory of a snapshot. The file "snapshot" in it is the first that is made and the last
 * that is removed, so whatever was begun and not finished is known for what it is.
 */
#ifndef VBET_SERVER_STORE_SNAPSHOT_DIR_H
#define VBET_SERVER_STORE_SNAPSHOT_DIR_H

#include <stdbool.h>

/* Is it one, whole or not? Only such a directory is ever replaced or removed. */
bool snapshot_dir_is(const char *dir);
/* Removes one, also if this was begun before; an empty directory, too; nothing else. */
void snapshot_dir_remove(const char *dir);

#endif
