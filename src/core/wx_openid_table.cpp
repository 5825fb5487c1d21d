/*
 * Copyright (C) wx_openid authors
 *
 * What is asked of the table: a code is looked up, led, waited for, and has
 * a result.  How cells are kept together is wx_openid_table_cells.cpp's.
 */

#include "wx_openid_table_cells.h"

#include <algorithm>
#include <utility>


namespace wx_openid {


namespace {


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

        if (c.prev != none) {
            unlink(i);
            link(i);
        }

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


/*
 * Half of the cells are for results alone: one that takes another cell finds
 * it, and nobody has to ask WeChat for it again.
 */

std::uint32_t
Table::allocate_pending(std::uint64_t now) noexcept
{
    if (root_->pending.cells >= root_->cells / 2 && !evict_dead(now)) {
        return none;
    }

    return allocate(now);
}


void
Table::lead(const Digest &digest, std::uint64_t now, Owner owner,
    Lookup &lookup) noexcept
{
    std::uint32_t i = allocate_pending(now);

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
Table::renew(Ticket ticket, Owner owner, Owner heir) noexcept
{
    Cell *c = cell_of(ticket);

    if (c && c->state == cell_pending && owner_of(*c) == owner) {
        c->process = heir.process;
        c->time = heir.deadline;
    }
}


void
Table::abandon(Ticket ticket, Owner owner) noexcept
{
    Cell *c = cell_of(ticket);

    if (c && c->state == cell_pending && owner_of(*c) == owner) {
        release(ticket.cell);
    }
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
        free_parts(std::exchange(c->more, none));
        c->text.fill('\0');
        c->size = 0;
        outcome = Outcome::failed;
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
