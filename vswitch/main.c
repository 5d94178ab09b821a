/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vswitch: a switch in a process of its own. */
#include "substrate/device/plug.h"
#include "vswitch/switch.h"

int main(int argc, char **argv)
{
	return plug_main(&switch_kind, argc, argv);
}
