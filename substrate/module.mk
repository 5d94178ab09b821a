# SPDX-License-Identifier: GPL-3.0-or-later
LIBSUBSTRATE := $(B)/substrate/libsubstrate.a
$(LIBSUBSTRATE): $(patsubst %.c,$(B)/%.o,$(wildcard substrate/*.c))
