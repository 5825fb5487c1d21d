/*
 * Copyright (C) wx_openid authors
 *
 * Where each cell of the table is: among the free, or in a list and in its
 * bucket's chain; and which go to make room.
 */

#include "wx_openid_table_cells.h"


namespace wx_openid {


namespace {


/* a waiter polls far more often; one that did not for so long is dead */

constexpr std::uint64_t longest_wait = 60000;


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
    free_parts(part);
}


void
Table::free_parts(std::uint32_t part) noexcept
{
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


}
