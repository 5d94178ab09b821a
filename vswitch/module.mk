# SPDX-License-Identifier: GPL-3.0-or-later
# The program has the name of its room, so its objects live beside it, not in a directory of that name.
LIBVSWITCH := $(B)/obj/vswitch/libvswitch.a
$(LIBVSWITCH): $(patsubst vswitch/%.c,$(B)/obj/vswitch/%.o,$(filter-out vswitch/main.c,$(wildcard vswitch/*.c)))

$(B)/obj/vswitch/%.o: vswitch/%.c
	@mkdir -p $(@D)
	@[ ! -d $(B)/vswitch ] || rm -r $(B)/vswitch
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

BINS += $(B)/vswitch
$(B)/vswitch: $(B)/obj/vswitch/main.o $(LIBVSWITCH) $(B)/substrate/libsubstrate.a $(LIBVBET)

# `make bench-switch`: decisions a second of the switch and of cables, nothing else.
BENCH_SWITCH := $(B)/tests/bench/vswitch_forward
TESTS        += $(BENCH_SWITCH)
$(BENCH_SWITCH): $(B)/tests/bench/vswitch_forward.o $(LIBVSWITCH) $(B)/substrate/libsubstrate.a $(LIBVBET)
.PHONY: bench-switch
bench-switch: $(BENCH_SWITCH)
	$<
