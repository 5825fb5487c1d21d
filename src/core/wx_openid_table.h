/*
 * Copyright (C) wx_openid authors
 *
 * The table of exchanges that workers share: which code, known only by a
 * digest, is being exchanged by whom, and what came of those that ended.
 * Lives in memory that others map at other addresses, so it holds indices
 * and no pointers.  The caller locks, and knows the time; nothing here
 * knows of nginx, of processes, or of what a result says.
 */

#ifndef WX_OPENID_TABLE_H
#define WX_OPENID_TABLE_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>


namespace wx_openid {


inline constexpr std::size_t digest_size = 16;

using Digest = std::array<unsigned char, digest_size>;


/* names an entry as long as it is this one; an index may be used again */

struct Ticket {
    std::uint32_t cell = UINT32_MAX;
    std::uint32_t generation = 0;

    bool valid() const noexcept { return cell != UINT32_MAX; }
};


enum class Outcome : std::uint32_t {
    good,       /* an identity: answers the same code for a while */
    bad,        /* a refused code: likewise, in a share of its own */
    failed      /* an accident: for those who waited, and nobody else */
};


/* how long a result answers the same code, in milliseconds */

struct Lifetimes {
    std::uint64_t good = 0;
    std::uint64_t bad = 0;
};


/* who exchanges a code: a process, and until when it can at most */

struct Owner {
    std::uint32_t process = 0;
    std::uint64_t deadline = 0;

    bool operator==(const Owner &) const noexcept = default;
};


inline constexpr std::size_t max_result_size = 640;

struct Lookup {
    enum class Found {
        result,     /* in "result" */
        pending,    /* "owner" exchanges it; wait() to be told */
        lead,       /* nobody does, and "ticket" says that now you do */
        full        /* nobody does, and there is no room to say so: half
                       of the table is pending, or all is waited for */
    };

    Found found = Found::full;
    Ticket ticket;
    Owner owner;
    std::size_t size = 0;       /* of the result */
};

struct Poll {
    enum class State {
        pending,
        done,
        lost        /* the entry went: look it up anew */
    };

    State state = State::lost;
    Owner owner;
    std::size_t size = 0;       /* of the result when done */
};


/*
 * All calls but format() and attach() are made under the caller's lock,
 * between enter() and leave(): when a process dies in between, the next
 * one to enter repairs what it left half done.
 */

class Table {
public:
    /*
     * Makes an empty table of the memory, aligned to 8 bytes and of at
     * least min_size bytes, or finds the one that is there.
     */
    static constexpr std::size_t min_size = 8 * 1024;

    static void format(std::span<std::byte> memory) noexcept;
    void attach(std::span<std::byte> memory) noexcept;

    void enter() noexcept;
    void leave() noexcept;

    /* a result goes to "result", which must hold max_result_size bytes */
    Lookup find(const Digest &digest, std::uint64_t now, Lifetimes lifetimes,
        Owner owner, std::span<char> result) noexcept;

    /* counts a waiter in; it keeps the entry until poll() or forget() */
    void wait(Ticket ticket) noexcept;

    /* "done" counts the waiter out */
    Poll poll(Ticket ticket, std::span<char> result) noexcept;
    void forget(Ticket ticket) noexcept;

    /* the leader goes and nothing is spent: who waits finds it lost */
    void abandon(Ticket ticket, Owner owner) noexcept;

    /*
     * Makes "owner" lead what "dead" did, as poll() told, unless somebody
     * else was faster; counts the waiter out if so.
     */
    [[nodiscard]] bool take_over(Ticket ticket, Owner dead,
        Owner owner) noexcept;

    /* another request of the process that leads does so from here on */
    void renew(Ticket ticket, Owner owner, Owner heir) noexcept;

    /*
     * The exchange of "owner" ended; nothing if another one took it over.
     * A result of at most max_result_size bytes; where there is no room for
     * it that is a failure, and who waits gets an empty one: the code is
     * spent.
     */
    void finish(Ticket ticket, Owner owner, std::uint64_t now,
        Outcome outcome, std::string_view result) noexcept;

    std::uint32_t entries() const noexcept;
    std::uint64_t evictions() const noexcept;
    std::uint32_t capacity() const noexcept;    /* cells, of 132 bytes */

private:
    struct Root;
    struct Cell;
    struct List;

    Cell &cell(std::uint32_t i) const noexcept;
    std::uint32_t &bucket(const Digest &digest) const noexcept;
    Cell *cell_of(Ticket ticket) const noexcept;
    List &list_of(const Cell &c) const noexcept;
    static Owner owner_of(const Cell &c) noexcept;

    void repair() noexcept;
    void free_unreferenced() noexcept;

    void link(std::uint32_t i) noexcept;
    void unlink(std::uint32_t i) noexcept;
    void chain(std::uint32_t i) noexcept;
    void unchain(std::uint32_t i) noexcept;

    std::uint32_t allocate(std::uint64_t now) noexcept;
    std::uint32_t allocate_pending(std::uint64_t now) noexcept;
    void free_parts(std::uint32_t part) noexcept;
    void free_cell(std::uint32_t i) noexcept;
    void release(std::uint32_t i) noexcept;
    bool evict_from(const List &list, std::uint64_t now) noexcept;
    bool evict_dead(std::uint64_t now) noexcept;
    bool evict_one(std::uint64_t now) noexcept;

    bool store(std::uint32_t i, std::string_view result,
        std::uint64_t now) noexcept;
    std::size_t load(const Cell &c, std::span<char> result) const noexcept;
    void retire(std::uint32_t i) noexcept;
    void lead(const Digest &digest, std::uint64_t now, Owner owner,
        Lookup &lookup) noexcept;

    Root *root_ = nullptr;
};


}

#endif /* WX_OPENID_TABLE_H */
