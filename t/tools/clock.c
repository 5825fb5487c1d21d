/*
 * Copyright (C) wx_openid authors
 *
 * A library to preload: the clocks of a program go ahead of the machine's,
 * or behind them, by what stands in the file that WX_OPENID_TEST_CLOCK
 * names.  Two numbers of 64 bits, in seconds: for the time of day, and for
 * the time that only goes on.  Whoever writes the file moves the clocks of
 * all processes at once.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


static const volatile int64_t *ahead;


__attribute__((constructor)) static void
map_file(void)
{
    const char *name = getenv("WX_OPENID_TEST_CLOCK");
    int fd = name ? open(name, O_RDONLY) : -1;

    if (fd != -1) {
        void *p = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd,
                       0);
        if (p != MAP_FAILED) {
            ahead = p;
        }

        close(fd);
    }
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    long rc = syscall(SYS_clock_gettime, id, ts);

    if (rc == 0 && ahead) {
        switch (id) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE:
            ts->tv_sec += ahead[0];
            break;
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_COARSE:
            ts->tv_sec += ahead[1];
            break;
        }
    }

    return (int) rc;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec ts;

    (void) zone;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *t)
{
    struct timespec ts;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    if (t) {
        *t = ts.tv_sec;
    }

    return ts.tv_sec;
}
