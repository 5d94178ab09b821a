/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables for people: every column as wide as what stands in it. */
#ifndef LIB_COLUMNS_H
#define LIB_COLUMNS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns that a text takes on a terminal, as far as each letter (UTF-8) takes one. */
size_t columns_of(const char *text);
/*
 * Prints a text whose lines are rows: cells with a tab between them, two blanks apart in the end.
 * Bit i of `right` aligns cell i to the right. A line without a tab is no row: it stays, and counts
 * for nothing. Nothing follows the last cell of a row.
 */
void columns_put(FILE *out, const char *text, uint32_t right);

#endif
