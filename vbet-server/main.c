/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program vbet: every command is in cmd.c's table. */
#include "vbet-server/cmd.h"

int main(int argc, char **argv)
{
	return cmd_run(argc, argv);
}
