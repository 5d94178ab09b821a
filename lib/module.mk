# SPDX-License-Identifier: GPL-3.0-or-later
LIBVBET := $(B)/lib/libvbet.a
$(LIBVBET): $(patsubst %.c,$(B)/%.o,$(wildcard lib/*.c))
