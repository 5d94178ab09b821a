# SPDX-License-Identifier: GPL-3.0-or-later
# Unit tests: every tests/unit/PREFIX_name_test.c is a program of its own. The part of its name before
# the first "_" says which archives it is linked with; a room that does not exist yet adds nothing.
UNIT_PROGS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c))
TESTS      += $(UNIT_PROGS)

# Archives per prefix, highest first. The variables are set by the rooms' module.mk, in any order.
UNIT_LIBS_imprint   = $(LIBIMPRINT) $(LIBVBET)
UNIT_LIBS_lib       = $(LIBVBET)
UNIT_LIBS_topo      = $(LIBTOPO) $(LIBVBET)
UNIT_LIBS_substrate = $(LIBSUBSTRATE) $(LIBVBET)
UNIT_LIBS_vhub      = $(LIBVHUB) $(LIBSUBSTRATE) $(LIBVBET)
UNIT_LIBS_vswitch   = $(LIBVSWITCH) $(LIBSUBSTRATE) $(LIBVBET)
UNIT_LIBS_vkernel   = $(LIBVKERNEL) $(LIBVBET)
UNIT_LIBS_server    = $(LIBSERVER) $(LIBVKERNEL) $(LIBVHUB) $(LIBVSWITCH) $(LIBSUBSTRATE) $(LIBTOPO) \
                      $(LIBIMPRINT) $(LIBVBET)
UNIT_LIBS_outside   = $(LIBOUTSIDE) $(LIBVBET)
UNIT_LIBS_vnet      = $(LIBTRELLIS) $(LIBMUX) $(LIBVNET) $(LIBVBET)

CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null || echo -lcheck -lsubunit -lrt -lm) -lpthread
$(UNIT_PROGS): LDLIBS += $(CHECK_LIBS)
$(filter $(B)/tests/unit/server_%,$(UNIT_PROGS)): LDLIBS += $(LIBSERVER_LDLIBS)

# A kernel that has no room.
$(B)/tests/unit/substrate_channel_test: LDFLAGS += -Wl,--wrap=epoll_ctl

# A kernel that has no memory for what is written into a pipe.
$(B)/tests/unit/substrate_vhost_test: LDFLAGS += -Wl,--wrap=write

# Who is faster, a process or its fork.
$(B)/tests/unit/imprint_imprint_test: LDFLAGS += -Wl,--wrap=fork
# The lab that it talks to is the test itself; so are the endpoint, the daemon and the clock of a stream.
$(B)/tests/unit/server_expect_test: LDFLAGS += -Wl,--wrap=client_ask
TRELLIS_STAND_INS := library_now_ns library_left library_table library_route library_resolve library_bind \
                     library_send library_receive library_wait vnet_table_version
$(B)/tests/unit/vnet_trellis_wait_test: LDFLAGS += $(TRELLIS_STAND_INS:%=-Wl,--wrap=%)

.SECONDEXPANSION:
$(UNIT_PROGS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $$(UNIT_LIBS_$$(firstword $$(subst _, ,$$*)))

# The control daemon, and a further instance, that the tests of the multiplexer start.
VNET_DAEMON := $(B)/tests/support/vnet_daemon $(B)/tests/support/vnet_worker
TESTS       += $(VNET_DAEMON)
$(VNET_DAEMON): %: %.o $$(LIBVNET)
$(filter $(B)/tests/unit/vnet_%,$(UNIT_PROGS)): LDLIBS += -lpcap -lseccomp
$(B)/tests/unit/vnet_mux_test $(B)/tests/unit/vnet_mux_instance_test: | $(VNET_DAEMON) $(B)/vnet-mux
$(B)/tests/unit/vnet_trellis_lab_test: $(B)/tests/support/vlab.o | $(B)/vsubstrate $(B)/vnet-mux $(B)/trellisd $(B)/trellis
$(B)/tests/unit/vnet_nic_test: $(B)/tests/support/vlab.o | $(B)/vsubstrate

# `make check-unit [UNIT="lib_words topo_parse"]` runs all of them, or those named.
UNIT ?= $(patsubst $(B)/tests/unit/%_test,%,$(UNIT_PROGS))
.PHONY: check-unit
check-unit: $(patsubst %,$(B)/tests/unit/%_test,$(UNIT))
	@tests/each.sh $^

# Golden tests: each tests/golden/*.sh compares what a program prints with what is kept beside it.
# A script gets the build directory; `make check-golden UPDATE=1` rewrites the kept files.
TOPO_DUMP    := $(B)/tests/golden/topo-dump
GOLDEN_PROGS := $(TOPO_DUMP)
TESTS        += $(TOPO_DUMP)
$(TOPO_DUMP): $(B)/tests/golden/topo_dump.o $$(LIBTOPO) $$(LIBVBET)
.PHONY: check-golden
check-golden: $$(GOLDEN_PROGS)
	@B=$(B) tests/each.sh $(wildcard tests/golden/*.sh) -- $(if $(UPDATE),--update)

# Fuzzers: every tests/fuzz/PREFIX_fuzz.c becomes `make fuzz-PREFIX [FUZZ_SECONDS=60]`, built by clang with
# ASan and UBSan in a tree of its own. It starts from FUZZ_SEEDS_PREFIX and all that earlier runs found.
FUZZ_SECONDS ?= 60
FUZZ_SAN     := fuzzer-no-link,address,undefined
FUZZ_FLAGS   := CC=clang SAN=$(FUZZ_SAN) OPT='-O1 -g'
FUZZ_NAMES   := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SEEDS_vnet_needs = /bin/true /etc/ld.so.cache
FUZZ_SEEDS_server_import = $(filter-out %.vbet %.notes %.warn %.err,$(wildcard tests/golden/import/*.* tests/golden/import/*/lab.conf))
FUZZ_SEEDS_topo = $(wildcard examples/*.vbet tests/golden/lang/*.vbet)

$(FUZZ_NAMES:%=$(B)/tests/fuzz/%_fuzz): $(B)/tests/fuzz/%_fuzz: $(B)/tests/fuzz/%_fuzz.o \
		$$(UNIT_LIBS_$$(firstword $$(subst _, ,$$*)))
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer $(filter %.o %.a,$^) -o $@ $(LDLIBS)

# With devices, which need the substrate once more.
$(B)/tests/fuzz/substrate_control_fuzz: $$(LIBVHUB) $$(LIBVSWITCH)
$(B)/tests/fuzz/substrate_control_fuzz: LDLIBS += $(LIBVHUB) $(LIBVSWITCH) $(LIBSUBSTRATE) $(LIBVBET) -lslirp -lpcap
$(filter $(B)/tests/fuzz/vnet_%,$(FUZZ_NAMES:%=$(B)/tests/fuzz/%_fuzz)): LDLIBS += -lpcap -lseccomp
$(filter $(B)/tests/fuzz/server_%,$(FUZZ_NAMES:%=$(B)/tests/fuzz/%_fuzz)): LDLIBS += -lreadline $(LIBSERVER_LDLIBS)

# What is kept (tests/fuzz/corpus), beside what earlier runs found here.
fuzz_inputs = mkdir -p build/fuzz/$*/corpus build/fuzz/$*/seeds; \
	[ ! -f tests/fuzz/corpus/$*.tar.xz ] || tar -xJf tests/fuzz/corpus/$*.tar.xz -C build/fuzz/$*/seeds; \
	$(if $(FUZZ_SEEDS_$*),cp --backup=numbered $(FUZZ_SEEDS_$*) build/fuzz/$*/seeds,:)

.PHONY: fuzz fuzz-programs $(FUZZ_NAMES:%=fuzz-%)
# All are built at once, by all processors, and run one after the other.
fuzz: fuzz-programs $(FUZZ_NAMES:%=fuzz-%)
fuzz-programs:
	+@$(MAKE) -s -j "$$(nproc)" $(FUZZ_FLAGS) $(FUZZ_NAMES:%=build-fuzz-%)
$(FUZZ_NAMES:%=fuzz-%): fuzz-%:
	+$(MAKE) $(FUZZ_FLAGS) FUZZ_NAMES=$* build-fuzz-$*
	@$(fuzz_inputs)
	build/$(subst $(comma),-,$(FUZZ_SAN))/clang/tests/fuzz/$*_fuzz -max_total_time=$(FUZZ_SECONDS) \
		-timeout=25 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
		-artifact_prefix=$(CURDIR)/build/fuzz/$*/ $(addprefix -dict=$(CURDIR)/,$(wildcard tests/fuzz/$*.dict)) \
		$(CURDIR)/build/fuzz/$*/corpus $(CURDIR)/build/fuzz/$*/seeds
.PHONY: $(FUZZ_NAMES:%=build-fuzz-%)
$(FUZZ_NAMES:%=build-fuzz-%): build-fuzz-%: $(B)/tests/fuzz/%_fuzz

# How much of its reader each fuzzer reaches, by lines: `make fuzz-coverage [FUZZ_NAMES=topo]`. `make fuzz-corpus` keeps of
# what was found the least that reaches as much.
.PHONY: fuzz-coverage fuzz-corpus $(FUZZ_NAMES:%=fuzz-inputs-%) $(FUZZ_NAMES:%=fuzz-corpus-%)
FUZZ_COVERED  := build/fuzzer-no-link/clang/tests/fuzz
fuzz_counting  = +$(MAKE) -s CC=clang SAN=fuzzer-no-link OPT='-O1 -g -fprofile-instr-generate -fcoverage-mapping'
$(FUZZ_NAMES:%=fuzz-inputs-%): fuzz-inputs-%:
	@$(fuzz_inputs)
fuzz-coverage: $(FUZZ_NAMES:%=fuzz-inputs-%)
	$(fuzz_counting) $(FUZZ_NAMES:%=build-fuzz-%)
	@tools/fuzz-coverage.sh $(FUZZ_COVERED) $(FUZZ_NAMES)
fuzz-corpus: $(FUZZ_NAMES:%=fuzz-corpus-%)
$(FUZZ_NAMES:%=fuzz-corpus-%): fuzz-corpus-%: fuzz-inputs-%
	$(fuzz_counting) build-fuzz-$*
	@rm -rf build/fuzz/$*/least && mkdir -p build/fuzz/$*/least tests/fuzz/corpus
	@LLVM_PROFILE_FILE=/dev/null $(FUZZ_COVERED)/$*_fuzz -merge=1 -use_counters=0 -timeout=25 \
		$(addprefix $(CURDIR)/build/fuzz/$*/,least corpus seeds) 2>/dev/null
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C build/fuzz/$*/least -cJf tests/fuzz/corpus/$*.tar.xz .

# What the benchmarks drive themselves: guests aside, our switch, another one, and the memory.
BENCH_PROGS := $(patsubst %,$(B)/tests/bench/%,substrate_frames vde_frames memory_copy)
TESTS       += $(filter-out %/substrate_frames,$(BENCH_PROGS))
$(B)/tests/bench/vde_frames: $(B)/tests/bench/vde_frames.o
$(B)/tests/bench/memory_copy: $(B)/tests/bench/memory_copy.o
