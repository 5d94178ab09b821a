/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * write_ahead FILE: writes to pages one after the other, in each kind of memory, and says of each
 * whether anything but what was written has changed. Of anonymous memory it says, too, how many
 * pages were made behind the last one that was written.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 128, WRITTEN = 16 };

static sigjmp_buf out;

static void fault(int sig)
{
	siglongjmp(out, 1);
}

static uint8_t *map(int prot, int flags, int fd)
{
	uint8_t *p = mmap(NULL, PAGES * PAGE, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static void write_pages(uint8_t *p, int n, uint8_t value)
{
	for (int i = 0; i < n; i++)
		p[i * PAGE] = value;
}

/* Whether the first octet of each of the first n pages is `first`, and all others are `rest`. */
static int is(const uint8_t *p, int n, uint8_t first, uint8_t rest)
{
	for (int i = 0; i < PAGES * PAGE; i++)
		if (p[i] != (i % PAGE == 0 && i / PAGE < n ? first : rest))
			return 0;
	return 1;
}

static void say(const char *what, int good)
{
	printf("%s: %s\n", what, good ? "as it should be" : "wrong");
}

/* Pages from at on that are there. */
static int present(const uint8_t *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;
	int n = 0;

	while (pread(fd, &entry, sizeof(entry),
		     (off_t)(((uintptr_t)at / PAGE + (uintptr_t)n) * sizeof(entry))) ==
		       sizeof(entry) &&
	       entry >> 63)
		n++;
	close(fd);
	return n;
}

static void try_anonymous(void)
{
	uint8_t *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	write_pages(p, WRITTEN, 1);
	printf("ahead: %d pages\n", present(p + (size_t)WRITTEN * PAGE));
	say("anonymous", is(p, WRITTEN, 1, 0));
	munmap(p, PAGES * PAGE);
}

static void try_file(const char *path, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	static uint8_t page[PAGE];

	memset(page, 7, PAGE);
	for (int i = 0; i < PAGES; i++)
		if (write(fd, page, PAGE) != PAGE)
			exit(1);
	uint8_t *p = map(PROT_READ | PROT_WRITE, flags, fd);
	uint8_t *q = map(PROT_READ, MAP_SHARED, fd);

	write_pages(p, WRITTEN, 1);
	say(flags == MAP_PRIVATE ? "private file" : "shared file",
	    is(p, WRITTEN, 1, 7) && is(q, flags == MAP_PRIVATE ? 0 : WRITTEN, 1, 7));
	close(fd);
}

/* Both write after the fork; neither sees what the other has written. */
static void try_fork(void)
{
	uint8_t *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int status = 0;

	memset(p, 7, PAGES * PAGE);
	pid_t pid = fork();

	if (pid == 0) {
		write_pages(p, WRITTEN, 2);
		_exit(!is(p, WRITTEN, 2, 7));
	}
	write_pages(p, 3, 3);
	waitpid(pid, &status, 0);
	say("fork", status == 0 && is(p, 3, 3, 7));
}

/* Nothing is made behind the end of what may be written. */
static void try_end(void)
{
	uint8_t *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	volatile int reached = 0;

	mprotect(p + (size_t)WRITTEN * PAGE, PAGE, PROT_NONE);
	signal(SIGSEGV, fault);
	if (sigsetjmp(out, 1) == 0)
		for (int i = 0; i < PAGES; i++, reached = i)
			p[i * PAGE] = 1;
	say("end", reached == WRITTEN);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	try_anonymous();
	try_file(argv[1], MAP_PRIVATE);
	try_file(argv[1], MAP_SHARED);
	try_fork();
	try_end();
	return 0;
}
