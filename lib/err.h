/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An error as a value. The function that fails sets it, each caller may wrap context around it, and
 * the top prints it once. The buffer is fixed: no allocation on an error path.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

/* What kind of failure: decides the exit code of a command (vbet(1), "Exit status"). */
enum err_kind {
	ERR_NONE = 0,
	ERR_EXPECT = 1,  /* an expectation of the user's did not hold */
	ERR_USAGE = 2,   /* wrong use of a command, or an error in a script */
	ERR_ENV = 3,     /* the machine or the system said no */
	ERR_TIMEOUT = 4, /* time ran out */
};

struct err {
	enum err_kind kind;
	char text[1024];
};

/* Sets `e` (may be NULL) and returns -1. err_sys() appends strerror(errno). */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the text; returns -1 so that it can be returned. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
