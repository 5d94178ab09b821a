/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NICs of running labs in Wireshark's own list of interfaces: the program `vbet-extcap` is vbet
 * under another name, and speaks Wireshark's extcap protocol (doc/extcap.4 of Wireshark).
 */
#ifndef VBET_SERVER_COMMAND_EXTCAP_H
#define VBET_SERVER_COMMAND_EXTCAP_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

/* True if the program was called by that name. */
bool extcap_is_meant(const char *argv0);
/* Returns the exit status. */
int extcap_run(int argc, char **argv);

/* A NIC as Wireshark names it: "vbet.LAB.NODE.NIC". */
struct extcap_nic {
	char lab[64];
	char nic[192]; /* "NODE:NIC" */
};
/* 0 or -1. */
int extcap_parse_nic(const char *interface, struct extcap_nic *out, struct err *e);

#endif
