# SPDX-License-Identifier: GPL-3.0-or-later
# The program has the name of its room, so its objects live beside it, not in a directory of that name.
BINS += $(B)/vsubstrate
$(B)/obj/vsubstrate/%.o: vsubstrate/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/vsubstrate: $(patsubst vsubstrate/%.c,$(B)/obj/vsubstrate/%.o,$(wildcard vsubstrate/*.c))
$(B)/vsubstrate: LDLIBS += -lslirp -lpcap
$(B)/vsubstrate: $(B)/obj/vswitch/libvswitch.a $(B)/obj/vhub/libvhub.a $(B)/substrate/libsubstrate.a $$(LIBIMPRINT) $(LIBVBET)
