/*
 * Copyright (C) wx_openid authors
 *
 * A small table, a clock, and calls that enter and leave by themselves.
 */

#ifndef WX_OPENID_TABLE_BENCH_H
#define WX_OPENID_TABLE_BENCH_H

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "table_memory.h"
#include "wx_openid_table.h"


namespace table_bench {


using namespace wx_openid;

using Found = Lookup::Found;
using State = Poll::State;


inline constexpr std::uint64_t start = 1000000;
inline constexpr std::uint64_t timeout = 10000;
inline constexpr Lifetimes lifetimes = {10000, 5000};
inline constexpr std::uint64_t minute = 60000;

/* the smallest table, and what of it refused codes may keep */

inline constexpr std::uint32_t small_cells = 62;
inline constexpr std::uint32_t small_share = small_cells / 4;


inline Digest
digest_of(std::uint32_t n)
{
    Digest digest{};
    std::uint32_t bits = n * 2654435761u;

    for (std::size_t i = 0; i < 4; i++) {
        digest[i] = static_cast<unsigned char>(bits >> (24 - 8 * i));
        digest[i + 4] = static_cast<unsigned char>(n >> (24 - 8 * i));
    }

    return digest;
}


/* no two alike, no two bytes in a row alike */

inline std::string
text_of(std::uint32_t n, std::size_t size)
{
    std::string text;

    for (std::size_t i = 0; i < size; i++) {
        text += static_cast<char>(n * 7 + i * 3 + i / 120);
    }

    return text;
}


struct Bench {
    explicit Bench(std::size_t size = Table::min_size) : mem(size) {}
    explicit Bench(std::span<const std::byte> image) : mem(image) {}

    Lookup find(std::uint32_t n, std::uint32_t process = 1)
    {
        char result[max_result_size];

        mem.table.enter();
        Lookup lookup = mem.table.find(digest_of(n), now, lives,
                                       {process, now + timeout}, result);
        mem.table.leave();

        text.assign(result, lookup.size);

        return lookup;
    }

    /* leads, and tells that nobody else did */

    Ticket lead(std::uint32_t n, std::uint32_t process = 1)
    {
        Lookup lookup = find(n, process);

        EXPECT_EQ(lookup.found, Found::lead) << n;
        EXPECT_TRUE(lookup.ticket.valid());

        return lookup.ticket;
    }

    void finish(Ticket ticket, Owner owner, Outcome outcome,
        std::string_view result)
    {
        mem.table.enter();
        mem.table.finish(ticket, owner, now, outcome, result);
        mem.table.leave();
    }

    /* by whoever leads */

    void finish(Ticket ticket, Outcome outcome, std::string_view result)
    {
        Owner owner;

        if (ticket.cell < mem.root().cells) {
            auto &c = mem.cell(ticket.cell);
            owner = {c.process, c.time};
        }

        finish(ticket, owner, outcome, result);
    }

    Ticket add(std::uint32_t n, Outcome outcome, std::size_t size = 69)
    {
        Ticket ticket = lead(n);

        finish(ticket, outcome, text_of(n, size));

        return ticket;
    }

    Ticket wait(Ticket ticket)
    {
        mem.table.enter();
        mem.table.wait(ticket);
        mem.table.leave();

        return ticket;
    }

    Poll poll(Ticket ticket)
    {
        char result[max_result_size];

        mem.table.enter();
        Poll poll = mem.table.poll(ticket, result);
        mem.table.leave();

        text.assign(result, poll.size);

        return poll;
    }

    void forget(Ticket ticket)
    {
        mem.table.enter();
        mem.table.forget(ticket);
        mem.table.leave();
    }

    bool take_over(Ticket ticket, Owner dead, Owner owner)
    {
        mem.table.enter();
        bool taken = mem.table.take_over(ticket, dead, owner);
        mem.table.leave();

        return taken;
    }

    /* whether the code has that result; counts as a use of it */

    bool has(std::uint32_t n, std::size_t size = 69)
    {
        return mem_has(n) && find(n).found == Found::result
               && text == text_of(n, size);
    }

    /* whether find() would meet an entry; no use, no lead */

    bool mem_has(std::uint32_t n)
    {
        for (std::uint32_t i = 0; i < mem.root().cells; i++) {
            auto &c = mem.cell(i);

            if (c.state >= TableMemory::pending
                && c.state != TableMemory::failed
                && c.digest == digest_of(n))
            {
                return true;
            }
        }

        return false;
    }

    std::uint32_t free_cells() { return mem.count(TableMemory::unused); }

    /* takes free cells, but so many, by results that are waited for */

    void fill(std::uint32_t n, std::uint32_t leave = 0)
    {
        while (free_cells() > leave) {
            wait(add(n++, Outcome::good));
        }
    }

    /*
     * As many codes in flight as there may be, from "n" on, and no cell
     * beside them is free, or so many
     */

    std::vector<Ticket> lead_all(std::uint32_t n, std::uint32_t leave = 0)
    {
        std::vector<Ticket> tickets;

        fill(n + 100000, leave + mem.root().cells / 2
                         - mem.count(TableMemory::pending));

        while (free_cells() > leave) {
            tickets.push_back(lead(n++));
        }

        return tickets;
    }

    TableMemory mem;
    Lifetimes lives = lifetimes;
    std::uint64_t now = start;
    std::string text;
};


}

#endif /* WX_OPENID_TABLE_BENCH_H */
