/*
 * Copyright (C) wx_openid authors
 *
 * What a look at the zone costs when it holds so many entries, and what an
 * entry that takes the place of an older one does: zone_growth ENTRIES.
 * Prints nanoseconds; t/bench/growth counts the instructions of look_up()
 * and replace().
 */

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "wx_openid_table.h"


using namespace wx_openid;


namespace {


constexpr std::size_t entry_size = 132;
constexpr std::uint32_t looks = 20000;
constexpr std::uint64_t now = 1000000;
constexpr Lifetimes lives = {60000, 5000};
constexpr Owner owner = {1, now + 10000};

/* as long as an openid's result is */

constexpr std::string_view result =
    "0123456789012345678901234567890123456789012345678901234567890123";


/* the same for the same number, and spread as a hash is */

Digest
digest_of(std::uint64_t n)
{
    Digest digest;

    for (std::size_t half = 0; half < 2; half++) {
        std::uint64_t x = (2 * n + half + 1) * 0x9e3779b97f4a7c15;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        x ^= x >> 31;
        memcpy(digest.data() + half * sizeof(x), &x, sizeof(x));
    }

    return digest;
}


void
must(bool good, const char *what)
{
    if (!good) {
        printf("%s\n", what);
        exit(1);
    }
}


void
add(Table &table, std::uint64_t n)
{
    char text[max_result_size];

    table.enter();
    Lookup lookup = table.find(digest_of(n), now, lives, owner, text);
    must(lookup.found == Lookup::Found::lead, "a new code was known");
    table.finish(lookup.ticket, owner, now, Outcome::good, result);
    table.leave();
}


}


extern "C" {


/* any of the codes "from" to "to", each as likely */

[[gnu::noinline]] void
look_up(Table &table, std::uint64_t from, std::uint64_t to)
{
    char text[max_result_size];

    for (std::uint64_t i = 0; i < looks; i++) {
        std::uint64_t n = from + i * 2654435761u % (to - from);

        table.enter();
        Lookup lookup = table.find(digest_of(n), now, lives, owner, text);
        table.leave();

        must(lookup.found == Lookup::Found::result
             && lookup.size == result.size(), "a known code was not found");
    }
}


[[gnu::noinline]] void
replace(Table &table, std::uint64_t from)
{
    for (std::uint64_t i = 0; i < looks; i++) {
        add(table, from + i);
    }
}


}


namespace {


double
cpu_ns()
{
    std::timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9
           + static_cast<double>(t.tv_nsec);
}


}


int
main(int argc, char **argv)
{
    must(argc == 2, "usage: zone_growth ENTRIES");

    auto entries = strtoull(argv[1], nullptr, 10);
    std::size_t size = (entries + 2) * entry_size;

    void *p = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(p != MAP_FAILED, "no memory");

    std::span<std::byte> memory(static_cast<std::byte *>(p), size);
    Table table;

    Table::format(memory);
    table.attach(memory);

    std::uint64_t n = table.capacity();

    for (std::uint64_t i = 0; i < n; i++) {
        add(table, i);
    }

    must(table.entries() >= entries && table.evictions() == 0,
         "the table is not as large as it should be");

    double start = cpu_ns();
    look_up(table, 0, n);
    double looked = cpu_ns();
    replace(table, n);
    double replaced = cpu_ns();

    must(table.evictions() > 0, "a full table was not full");

    printf("%u %.0f %.0f\n", table.entries(), (looked - start) / looks,
           (replaced - looked) / looks);
}
