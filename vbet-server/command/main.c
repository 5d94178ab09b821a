/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program vbet: every command is in cmd.c's table. Under another name, Wireshark's extcap. */
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/extcap.h"

int main(int argc, char **argv)
{
	return argc > 0 && extcap_is_meant(argv[0]) ? extcap_run(argc, argv) : cmd_run(argc, argv);
}
