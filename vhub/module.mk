# SPDX-License-Identifier: GPL-3.0-or-later
LIBVHUB := $(B)/vhub/libvhub.a
$(LIBVHUB): $(patsubst %.c,$(B)/%.o,$(filter-out vhub/main.c,$(wildcard vhub/*.c)))
