# SPDX-License-Identifier: GPL-3.0-or-later
# The program has the name of its room, so its objects live beside it, not in a directory of that name.
LIBVHUB := $(B)/obj/vhub/libvhub.a
$(LIBVHUB): $(patsubst vhub/%.c,$(B)/obj/vhub/%.o,$(filter-out vhub/main.c,$(wildcard vhub/*.c)))

$(B)/obj/vhub/%.o: vhub/%.c
	@mkdir -p $(@D)
	@[ ! -d $(B)/vhub ] || rm -r $(B)/vhub
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

BINS += $(B)/vhub
$(B)/vhub: $(B)/obj/vhub/main.o $(LIBVHUB) $(B)/substrate/libsubstrate.a $(LIBVBET)
