/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_CONTAINER_OF_H
#define LIB_CONTAINER_OF_H

#include <stddef.h>

/* The struct whose member of that name `ptr` points to. As in the kernel's linux/container_of.h. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
