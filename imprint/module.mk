# SPDX-License-Identifier: GPL-3.0-or-later
# Imprints of processes.
LIBIMPRINT := $(B)/imprint/libimprint.a
$(LIBIMPRINT): $(patsubst %.c,$(B)/%.o,$(wildcard imprint/*.c))

# It runs where nothing else of the program is: no calls of functions, no data, no guards.
$(B)/imprint/jump.o: CFLAGS := $(filter-out -fsanitize=% -fno-sanitize-recover=all -O%,$(CFLAGS)) -O2 -fPIC \
 -fno-stack-protector -fno-builtin -fno-jump-tables -fcf-protection=none \
 $(if $(filter clang,$(CC)),,-fno-tree-loop-distribute-patterns)
