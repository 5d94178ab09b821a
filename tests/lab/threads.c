/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Eight threads that fault, protect and unmap in one address space: each page has the value that
 * was written, and none of it ends the program.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>

enum { THREADS = 8, ROUNDS = 500, BYTES = 1 << 16, PAGE = 4096 };

static void *work(void *wrong)
{
	for (int i = 0; i < ROUNDS; i++) {
		int share = i & 1 ? MAP_SHARED : MAP_PRIVATE;
		volatile char *p =
			mmap(NULL, BYTES, PROT_READ | PROT_WRITE, share | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return wrong;
		char before = p[PAGE];
		p[0] = (char)i;
		p[2 * PAGE] = before;
		if (mprotect((void *)p, PAGE, PROT_READ) < 0 || before || p[0] != (char)i ||
		    munmap((void *)p, BYTES) < 0)
			return wrong;
	}
	return NULL;
}

int main(void)
{
	static char wrong;
	pthread_t thread[THREADS];
	void *result;
	int status = 0;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, &wrong);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		status |= result != NULL;
	}
	puts(status ? "wrong" : "right");
	return status;
}
