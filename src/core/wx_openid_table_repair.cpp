/*
 * Copyright (C) wx_openid authors
 *
 * The table made of memory, found in it, and built anew when a process died
 * in the middle of a change.
 */

#include "wx_openid_table_cells.h"

#include <algorithm>
#include <new>


namespace wx_openid {


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


}
