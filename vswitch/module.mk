# SPDX-License-Identifier: GPL-3.0-or-later
LIBVSWITCH := $(B)/vswitch/libvswitch.a
$(LIBVSWITCH): $(patsubst %.c,$(B)/%.o,$(filter-out vswitch/main.c,$(wildcard vswitch/*.c)))
