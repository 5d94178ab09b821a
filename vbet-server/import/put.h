/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a string, a comment or a here-document of our language. */
#ifndef VBET_SERVER_IMPORT_PUT_H
#define VBET_SERVER_IMPORT_PUT_H

#include <stdbool.h>
#include <stdio.h>

/* "..." with all escapes that it takes; bytes that are no UTF-8 as \xHH. */
void put_string(FILE *out, const char *text);
/* On one line, without what would end it or harm a terminal. */
void put_comment(FILE *out, const char *text);
enum { PUT_MAX_LABEL = 128 }; /* bytes: topo/builtin_net.c */

/* Can the text be the label of a node (docs/language.md, "Nodes")? */
bool put_is_label(const char *text);
/* What opens a here-document, and, after the rest of its line, its lines and its end. */
void put_here_document(FILE *out, const char *text);
void put_here_document_body(FILE *out, const char *text);

#endif
