/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is in a file, into another one. */
#ifndef LIB_FILE_COPY_H
#define LIB_FILE_COPY_H

/*
 * Makes the file `to`, which is empty, equal to the file `from`, with its holes; where the file
 * system can, they share their blocks until one of them is written. Offsets of the descriptors are
 * moved. 0, or -1 with errno.
 */
int file_copy(int from, int to);

#endif
