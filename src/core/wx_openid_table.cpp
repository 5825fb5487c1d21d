/*
 * Copyright (C) wx_openid authors
 *
 * Cells of one size, some of them free.  An entry is a cell and as many
 * more as its result needs.  What a cell is, its "state" says, which is
 * written last; chains and lists follow from the cells, so that repair()
 * can build them anew.
 */

#include "wx_openid_table.h"

#include <algorithm>
#include <atomic>
#include <new>


namespace wx_openid {


namespace {


constexpr std::uint32_t none = UINT32_MAX;

constexpr std::size_t inline_size = 72;
constexpr std::size_t part_size = 120;

/* a waiter polls far more often; one that did not for so long is dead */

constexpr std::uint64_t longest_wait = 60000;

enum CellState : std::uint32_t {
    cell_free,
    cell_part,          /* more of a result */
    cell_kept,          /* a part while repair() runs */
    cell_pending,
    cell_good,
    cell_bad,
    cell_failed         /* for those who waited, found by ticket alone */
};


/*
 * All that was written before is there when the state is, and nothing that
 * is written later: the fence holds the compiler, and a process that is
 * killed has made its stores in the order of its instructions.
 */

void
set_state(std::uint32_t &state, std::uint32_t value) noexcept
{
    std::atomic_ref<std::uint32_t>(state).store(value,
                                                std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
}


std::uint32_t
state_of(Outcome outcome) noexcept
{
    switch (outcome) {
    case Outcome::good:
        return cell_good;
    case Outcome::bad:
        return cell_bad;
    case Outcome::failed:
        break;
    }

    return cell_failed;
}


/* processes read the clock at different moments: not before it began */

std::uint64_t
age(std::uint64_t since, std::uint64_t now) noexcept
{
    return now > since ? now - since : 0;
}


std::uint32_t
parts_for(std::size_t size) noexcept
{
    if (size <= inline_size) {
        return 0;
    }

    return static_cast<std::uint32_t>((size - inline_size + part_size - 1)
                                      / part_size);
}


}


struct Table::List {
    std::uint32_t first;        /* the one used last */
    std::uint32_t last;
    std::uint32_t cells;        /* parts included */
};


struct Table::Root {
    std::uint32_t busy;
    std::uint32_t cells;
    std::uint32_t buckets;      /* a power of two */
    std::uint32_t generation;
    std::uint32_t free;         /* first of the free cells */
    std::uint32_t entries;
    std::uint64_t evictions;

    List pending;
    List good;
    List bad;                   /* and failed */

    std::uint32_t reserved;
};


struct Table::Cell {
    std::uint32_t state;
    std::uint32_t more;         /* first part, or the next one */
    std::uint32_t next;         /* in its list, or of the free */
    std::uint32_t prev;
    std::uint32_t chain;        /* next in its bucket */
    std::uint32_t generation;
    Digest digest;
    std::uint32_t process;
    std::uint16_t size;
    std::uint16_t waiters;
    std::uint64_t time;         /* pending: deadline; else when it ended */

    std::array<char, inline_size> text;

    /* a part holds text behind "more" */

    char *part_text() noexcept
    {
        return reinterpret_cast<char *>(&next);
    }

    const char *part_text() const noexcept
    {
        return reinterpret_cast<const char *>(&next);
    }
};


Table::Cell &
Table::cell(std::uint32_t i) const noexcept
{
    static_assert(sizeof(Cell) == 128 && sizeof(Root) % 8 == 0);

    auto *cells = reinterpret_cast<Cell *>(
        reinterpret_cast<std::byte *>(root_ + 1)
        + root_->buckets * sizeof(std::uint32_t));

    return cells[i];
}


std::uint32_t &
Table::bucket(const Digest &digest) const noexcept
{
    auto *buckets = reinterpret_cast<std::uint32_t *>(root_ + 1);

    std::uint32_t n = 0;

    for (std::size_t i = 0; i < sizeof(n); i++) {
        n = n << 8 | digest[i];
    }

    return buckets[n & (root_->buckets - 1)];
}


void
Table::format(std::span<std::byte> memory) noexcept
{
    auto *root = new (memory.data()) Root{};
    std::size_t room = memory.size() - sizeof(Root);

    /* at most as many buckets as cells, and at least half as many */

    root->buckets = 2;

    while (root->buckets * 2 * (sizeof(Cell) + sizeof(std::uint32_t))
           <= room)
    {
        root->buckets *= 2;
    }

    room -= root->buckets * sizeof(std::uint32_t);
    root->cells = static_cast<std::uint32_t>(room / sizeof(Cell));

    Table table;

    table.root_ = root;

    for (std::uint32_t i = 0; i < root->cells; i++) {
        new (&table.cell(i)) Cell{};
    }

    table.repair();
}


void
Table::attach(std::span<std::byte> memory) noexcept
{
    root_ = reinterpret_cast<Root *>(memory.data());
}


void
Table::enter() noexcept
{
    if (root_->busy) {
        repair();
    }

    set_state(root_->busy, 1);
}


void
Table::leave() noexcept
{
    set_state(root_->busy, 0);
}


/*
 * Whoever died may have left a chain or a list torn; the states of cells
 * are whole.  Parts that no entry leads to were not linked to it yet.
 */

void
Table::repair() noexcept
{
    constexpr List empty = { none, none, 0 };

    root_->pending = empty;
    root_->good = empty;
    root_->bad = empty;
    root_->free = none;
    root_->entries = 0;

    std::fill_n(reinterpret_cast<std::uint32_t *>(root_ + 1), root_->buckets,
                none);

    for (std::uint32_t i = 0; i < root_->cells; i++) {
        Cell &c = cell(i);

        if (c.state == cell_pending) {
            c.more = none;
            c.size = 0;
        }

        if (c.state >= cell_pending) {
            link(i);

            if (c.state != cell_failed) {
                chain(i);
            }
        }
    }

    free_unreferenced();
}


/* marks the parts that entries lead to, then frees what is not marked */

void
Table::free_unreferenced() noexcept
{
    for (std::uint32_t i = 0; i < root_->cells; i++) {
        const Cell &c = cell(i);

        if (c.state < cell_pending) {
            continue;
        }

        for (std::uint32_t part = c.more; part != none;
             part = cell(part).more)
        {
            cell(part).state = cell_kept;
        }
    }

    for (std::uint32_t i = root_->cells; i-- > 0; ) {
        Cell &c = cell(i);

        if (c.state == cell_kept) {
            c.state = cell_part;

        } else if (c.state < cell_pending) {
            free_cell(i);
        }
    }
}


Table::List &
Table::list_of(const Cell &c) const noexcept
{
    switch (c.state) {
    case cell_pending:
        return root_->pending;
    case cell_good:
        return root_->good;
    default:
        return root_->bad;
    }
}


void
Table::link(std::uint32_t i) noexcept
{
    Cell &c = cell(i);
    List &list = list_of(c);

    c.prev = none;
    c.next = list.first;

    if (list.first == none) {
        list.last = i;
    } else {
        cell(list.first).prev = i;
    }

    list.first = i;
    list.cells += 1 + parts_for(c.size);
    root_->entries++;
}


void
Table::unlink(std::uint32_t i) noexcept
{
    Cell &c = cell(i);
    List &list = list_of(c);

    (c.prev == none ? list.first : cell(c.prev).next) = c.next;
    (c.next == none ? list.last : cell(c.next).prev) = c.prev;

    list.cells -= 1 + parts_for(c.size);
    root_->entries--;
}


void
Table::chain(std::uint32_t i) noexcept
{
    Cell &c = cell(i);
    std::uint32_t &first = bucket(c.digest);

    c.chain = first;
    first = i;
}


/* no harm if it is in no chain */

void
Table::unchain(std::uint32_t i) noexcept
{
    std::uint32_t *at = &bucket(cell(i).digest);

    while (*at != none && *at != i) {
        at = &cell(*at).chain;
    }

    if (*at == i) {
        *at = cell(i).chain;
    }
}


std::uint32_t
Table::allocate(std::uint64_t now) noexcept
{
    if (root_->free == none && !evict_one(now)) {
        return none;
    }

    std::uint32_t i = root_->free;

    root_->free = cell(i).next;

    return i;
}


/* what it held is somebody's identity, and goes with it */

void
Table::free_cell(std::uint32_t i) noexcept
{
    Cell &c = cell(i);

    set_state(c.state, cell_free);

    c = Cell{};
    c.next = root_->free;
    root_->free = i;
}


void
Table::release(std::uint32_t i) noexcept
{
    unchain(i);
    unlink(i);

    std::uint32_t part = cell(i).more;

    free_cell(i);

    while (part != none) {
        std::uint32_t next = cell(part).more;

        free_cell(part);
        part = next;
    }
}


/* the entry used longest ago that nobody, or only the dead, wait for */

bool
Table::evict_from(const List &list, std::uint64_t now) noexcept
{
    for (std::uint32_t i = list.last; i != none; i = cell(i).prev) {
        if (cell(i).waiters == 0 || age(cell(i).time, now) > longest_wait) {
            release(i);
            root_->evictions++;
            return true;
        }
    }

    return false;
}


/*
 * Nobody may ever ask again for a code whose leader was killed.  The entry
 * pending longest is enough to look at: it is there for the next call too.
 */

bool
Table::evict_dead(std::uint64_t now) noexcept
{
    std::uint32_t i = root_->pending.last;

    if (i == none || age(cell(i).time, now) <= longest_wait) {
        return false;
    }

    release(i);
    root_->evictions++;

    return true;
}


/*
 * Refused codes are anybody's to make up: beyond their quarter they make
 * room for one another, so that no flood of them drives the good ones out.
 */

bool
Table::evict_one(std::uint64_t now) noexcept
{
    if (evict_dead(now)) {
        return true;
    }

    if (root_->bad.cells >= root_->cells / 4) {
        return evict_from(root_->bad, now) || evict_from(root_->good, now);
    }

    return evict_from(root_->good, now) || evict_from(root_->bad, now);
}


bool
Table::store(std::uint32_t i, std::string_view result,
    std::uint64_t now) noexcept
{
    Cell &c = cell(i);

    std::size_t n = std::min(result.size(), inline_size);

    std::copy_n(result.data(), n, c.text.data());
    c.more = none;

    auto size = static_cast<std::uint16_t>(result.size());

    /* parts go in front of one another: from the last piece to the first */

    for (std::uint32_t left = parts_for(size); left > 0; left--) {
        std::uint32_t part = allocate(now);

        if (part == none) {
            return false;
        }

        std::size_t from = inline_size + (left - 1) * part_size;
        std::size_t length = std::min(part_size, result.size() - from);

        cell(part).more = c.more;
        std::copy_n(result.data() + from, length, cell(part).part_text());
        set_state(cell(part).state, cell_part);

        c.more = part;
    }

    c.size = size;

    return true;
}


std::size_t
Table::load(const Cell &c, std::span<char> result) const noexcept
{
    std::size_t size = std::min<std::size_t>(c.size, result.size());
    std::size_t done = std::min(size, inline_size);

    std::copy_n(c.text.data(), done, result.data());

    for (std::uint32_t part = c.more; part != none && done < size;
         part = cell(part).more)
    {
        std::size_t n = std::min(part_size, size - done);

        std::copy_n(cell(part).part_text(), n, result.data() + done);
        done += n;
    }

    return size;
}


/* of one that is pending */

Owner
Table::owner_of(const Cell &c) noexcept
{
    return {c.process, c.time};
}


Table::Cell *
Table::cell_of(Ticket ticket) const noexcept
{
    if (ticket.cell >= root_->cells) {
        return nullptr;
    }

    Cell &c = cell(ticket.cell);

    return c.state >= cell_pending && c.generation == ticket.generation
           ? &c : nullptr;
}


Lookup
Table::find(const Digest &digest, std::uint64_t now, Lifetimes lifetimes,
    Owner owner, std::span<char> result) noexcept
{
    Lookup lookup;

    std::uint32_t i = bucket(digest);

    while (i != none && cell(i).digest != digest) {
        i = cell(i).chain;
    }

    if (i == none) {
        lead(digest, now, owner, lookup);
        return lookup;
    }

    Cell &c = cell(i);

    lookup.ticket = {i, c.generation};

    if (c.state == cell_pending) {
        lookup.found = Lookup::Found::pending;
        lookup.owner = owner_of(c);
        return lookup;
    }

    if (age(c.time, now) < (c.state == cell_good ? lifetimes.good
                                                 : lifetimes.bad))
    {
        lookup.found = Lookup::Found::result;
        lookup.size = load(c, result);

        unlink(i);
        link(i);

        return lookup;
    }

    retire(i);
    lead(digest, now, owner, lookup);

    return lookup;
}


/* a result too old for new requests stays for those who still wait */

void
Table::retire(std::uint32_t i) noexcept
{
    Cell &c = cell(i);

    if (c.waiters == 0) {
        release(i);
        return;
    }

    unchain(i);
    unlink(i);
    set_state(c.state, cell_failed);
    link(i);
}


void
Table::lead(const Digest &digest, std::uint64_t now, Owner owner,
    Lookup &lookup) noexcept
{
    std::uint32_t i = allocate(now);

    if (i == none) {
        lookup.found = Lookup::Found::full;
        lookup.ticket = Ticket{};
        return;
    }

    Cell &c = cell(i);

    c.more = none;
    c.generation = ++root_->generation;
    c.digest = digest;
    c.process = owner.process;
    c.time = owner.deadline;
    c.size = 0;
    c.waiters = 0;
    set_state(c.state, cell_pending);

    link(i);
    chain(i);

    lookup.found = Lookup::Found::lead;
    lookup.ticket = {i, c.generation};
}


void
Table::wait(Ticket ticket) noexcept
{
    Cell *c = cell_of(ticket);

    if (c && c->waiters < UINT16_MAX) {
        c->waiters++;
    }
}


Poll
Table::poll(Ticket ticket, std::span<char> result) noexcept
{
    Poll poll;

    const Cell *c = cell_of(ticket);

    if (c == nullptr) {
        return poll;
    }

    if (c->state == cell_pending) {
        poll.state = Poll::State::pending;
        poll.owner = owner_of(*c);
        return poll;
    }

    poll.state = Poll::State::done;
    poll.size = load(*c, result);

    forget(ticket);

    return poll;
}


void
Table::forget(Ticket ticket) noexcept
{
    Cell *c = cell_of(ticket);

    if (c == nullptr) {
        return;
    }

    if (c->waiters) {
        c->waiters--;
    }

    if (c->state == cell_failed && c->waiters == 0) {
        release(ticket.cell);
    }
}


bool
Table::take_over(Ticket ticket, Owner dead, Owner owner) noexcept
{
    Cell *c = cell_of(ticket);

    if (c == nullptr || c->state != cell_pending || owner_of(*c) != dead) {
        return false;
    }

    c->process = owner.process;
    c->time = owner.deadline;

    if (c->waiters) {
        c->waiters--;
    }

    return true;
}


void
Table::finish(Ticket ticket, Owner owner, std::uint64_t now, Outcome outcome,
    std::string_view result) noexcept
{
    Cell *c = cell_of(ticket);

    if (c == nullptr || c->state != cell_pending || owner_of(*c) != owner) {
        return;
    }

    unlink(ticket.cell);

    if (result.size() > max_result_size || !store(ticket.cell, result, now)) {
        link(ticket.cell);
        release(ticket.cell);
        return;
    }

    c->time = now;
    set_state(c->state, state_of(outcome));

    if (outcome == Outcome::failed) {
        unchain(ticket.cell);
    }

    link(ticket.cell);

    if (outcome == Outcome::failed && c->waiters == 0) {
        release(ticket.cell);
    }
}


std::uint32_t
Table::entries() const noexcept
{
    return root_->entries;
}


std::uint64_t
Table::evictions() const noexcept
{
    return root_->evictions;
}


std::uint32_t
Table::capacity() const noexcept
{
    return root_->cells;
}


}
