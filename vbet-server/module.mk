# SPDX-License-Identifier: GPL-3.0-or-later
# All but main.c is an archive, so that unit tests can link it. Readline is the console's alone.
LIBSERVER := $(B)/vbet-server/libserver.a
$(LIBSERVER): $(patsubst %.c,$(B)/%.o,$(filter-out vbet-server/command/main.c,$(wildcard vbet-server/*/*.c)))

# What LIBSERVER needs besides.
LIBSERVER_LDLIBS := -lpcap -ljson-c -lmd -lyaml -lexpat -lzstd -lxxhash -lm

VBET := $(if $(filter build,$(B)),vbet,$(B)/vbet)
BINS += $(VBET)
$(VBET): LDLIBS += -lreadline $(LIBSERVER_LDLIBS)
$(VBET): $(B)/vbet-server/command/main.o $(LIBSERVER) $$(LIBTOPO) $$(LIBIMPRINT) $$(LIBVBET)

# Wireshark's extcap: the same program under another name.
programs: $(VBET)-extcap
$(VBET)-extcap: | $(VBET)
	@ln -sf $(notdir $(VBET)) $@
$(B)/vbet-server/command/cmd_version.o: VERSION
