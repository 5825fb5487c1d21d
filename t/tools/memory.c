/*
 * To be preloaded into an nginx: counts its memory, and makes one of its
 * allocations fail.  Words of 64 bits in the file that WX_MEMORY names, for
 * a test to read and write:
 *
 *     0  fail the N-th allocation from now; counts down to 0
 *     1  not 0: all after it fail as well, until a test writes 0 here
 *     2  allocations that are not freed
 *     3  and their bytes
 *     4  ignore so many calls of free(), as a leak would
 *     5  not 0: nothing fails that OpenSSL or the C library ask for
 *     6  not 0: processes that are forked from now on are none of ours
 *
 * Knows nothing of nginx.  Only what goes through the C library's functions
 * is seen, so nginx has to be built with NGX_DEBUG_PALLOC for each
 * allocation of a pool to count.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


#define caller()  __builtin_return_address(0)

enum { fail_at, fail_on, live, live_bytes, keep, spare, alone, words };

static int64_t unused[words];
static _Atomic int64_t *word = (_Atomic int64_t *) unused;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_memalign)(size_t, size_t);
static void (*real_free)(void *);

/* where the stack goes when one fails */

static char trace[256];

/* dlsym() may want memory before it has found us any */

static char first[4096];
static size_t first_used;


static void *
from_first(size_t size)
{
    void *p = first + first_used;

    first_used += (size + 15) & ~(size_t) 15;

    if (first_used > sizeof(first)) {
        abort();
    }

    return p;
}


static int
is_first(void *p)
{
    return (char *) p >= first && (char *) p < first + sizeof(first);
}


/* where the code is of those that may be spared */

static struct {
    uintptr_t start;
    uintptr_t end;
} spared[16];

static size_t spared_count;


static int
look_at(struct dl_phdr_info *info, size_t size, void *data)
{
    static const char *names[] = {
        "/libcrypto.", "/libssl.", "/libc.", "/ld-linux"
    };

    size_t i;
    int n;

    (void) size;
    (void) data;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strstr(info->dlpi_name, names[i])) {
            break;
        }
    }

    if (i == sizeof(names) / sizeof(names[0])) {
        return 0;
    }

    for (n = 0; n < info->dlpi_phnum && spared_count < 16; n++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[n];

        if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
            spared[spared_count].start = info->dlpi_addr + part->p_vaddr;
            spared[spared_count].end = info->dlpi_addr + part->p_vaddr
                                       + part->p_memsz;
            spared_count++;
        }
    }

    return 0;
}


/* other libraries' constructors may come before ours */

static int
ready(void)
{
    static int finding;

    if (real_free) {
        return 1;
    }

    if (finding) {
        return 0;
    }

    finding = 1;

    real_malloc = dlsym(RTLD_NEXT, "malloc");
    real_calloc = dlsym(RTLD_NEXT, "calloc");
    real_realloc = dlsym(RTLD_NEXT, "realloc");
    real_memalign = dlsym(RTLD_NEXT, "memalign");
    real_free = dlsym(RTLD_NEXT, "free");

    return 1;
}


static void
forked(void)
{
    if (word[alone]) {
        word = (_Atomic int64_t *) unused;
    }
}


__attribute__((constructor)) static void
map_words(void)
{
    const char *file = getenv("WX_MEMORY");
    const char *told = getenv("WX_MEMORY_TRACE");
    void *p, *frame;
    int fd;

    /* nginx forgets its environment */

    if (told && strlen(told) < sizeof(trace)) {
        strcpy(trace, told);
    }

    /* what it loads, it loads now */

    backtrace(&frame, 1);
    dl_iterate_phdr(look_at, NULL);
    pthread_atfork(NULL, NULL, forked);

    fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(unused), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);

    if (p != MAP_FAILED) {
        word = p;
    }
}


/* where it was, for a test that fails */

static void
tell(void)
{
    void *frames[40];
    int fd, n;

    fd = open(trace, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd != -1) {
        n = backtrace(frames, 40);
        backtrace_symbols_fd(frames, n, fd);
        close(fd);
    }
}


static int
is_spared(uintptr_t asks)
{
    size_t i;

    for (i = 0; i < spared_count; i++) {
        if (asks >= spared[i].start && asks < spared[i].end) {
            return 1;
        }
    }

    return 0;
}


static int
fails(void *asks)
{
    if (word[fail_at] > 0) {
        if (word[spare] && is_spared((uintptr_t) asks)) {
            return 0;
        }

        if (--word[fail_at] == 0) {
            tell();
            errno = ENOMEM;
            return 1;
        }

    } else if (word[fail_on] && word[fail_at] == 0) {
        errno = ENOMEM;
        return 1;
    }

    return 0;
}


static void *
counted(void *p)
{
    if (p) {
        word[live]++;
        word[live_bytes] += malloc_usable_size(p);
    }

    return p;
}


static void
uncount(void *p)
{
    word[live]--;
    word[live_bytes] -= malloc_usable_size(p);
}


void *
malloc(size_t size)
{
    if (!ready()) {
        return from_first(size);
    }

    return fails(caller()) ? NULL : counted(real_malloc(size));
}


void *
calloc(size_t n, size_t size)
{
    if (!ready()) {
        return from_first(n * size);
    }

    return fails(caller()) ? NULL : counted(real_calloc(n, size));
}


void *
realloc(void *p, size_t size)
{
    void *moved;

    if (!ready() || is_first(p)) {
        abort();
    }

    if (fails(caller())) {
        return NULL;
    }

    if (p) {
        uncount(p);
    }

    moved = real_realloc(p, size);
    counted(moved ? moved : p);

    return moved;
}


void *
memalign(size_t alignment, size_t size)
{
    return fails(caller()) ? NULL : counted(real_memalign(alignment, size));
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    return fails(caller()) ? NULL : counted(real_memalign(alignment, size));
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    *p = fails(caller()) ? NULL : counted(real_memalign(alignment, size));

    return *p ? 0 : ENOMEM;
}


void
free(void *p)
{
    if (p == NULL || is_first(p)) {
        return;
    }

    if (word[keep] > 0) {
        word[keep]--;
        return;
    }

    uncount(p);
    real_free(p);
}
