/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vhub: a hub in a process of its own. */
#include "substrate/device/plug.h"
#include "vhub/hub.h"

int main(int argc, char **argv)
{
	return plug_main(&hub_kind, argc, argv);
}
