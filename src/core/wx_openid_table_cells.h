/*
 * Copyright (C) wx_openid authors
 *
 * The table's memory, for its own files alone.  Cells of one size, some of
 * them free.  An entry is a cell and as many more as its result needs.  What
 * a cell is, its "state" says, which is written last; chains and lists follow
 * from the cells, so that repair() can build them anew.
 */

#ifndef WX_OPENID_TABLE_CELLS_H
#define WX_OPENID_TABLE_CELLS_H

#include "wx_openid_table.h"

#include <atomic>


namespace wx_openid {


inline constexpr std::uint32_t none = UINT32_MAX;

inline constexpr std::size_t inline_size = 72;
inline constexpr std::size_t part_size = 120;


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

inline void
set_state(std::uint32_t &state, std::uint32_t value) noexcept
{
    std::atomic_ref<std::uint32_t>(state).store(value,
                                                std::memory_order_release);
    std::atomic_signal_fence(std::memory_order_seq_cst);
}


/*
 * Milliseconds since then; 0 if it is to come, be it a deadline or that
 * processes read the clock at different moments.  The clock is as wide as
 * a pointer, nginx's ngx_msec_t, and goes round: an eighth of it is future.
 */

inline std::uintptr_t
age(std::uint64_t since, std::uint64_t now) noexcept
{
    auto ms = static_cast<std::uintptr_t>(now - since);

    return ms <= UINTPTR_MAX - UINTPTR_MAX / 8 ? ms : 0;
}


inline std::uint32_t
parts_for(std::size_t size) noexcept
{
    if (size <= inline_size) {
        return 0;
    }

    return static_cast<std::uint32_t>((size - inline_size + part_size - 1)
                                      / part_size);
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


inline Table::Cell &
Table::cell(std::uint32_t i) const noexcept
{
    static_assert(sizeof(Cell) == 128 && sizeof(Root) % 8 == 0);

    auto *cells = reinterpret_cast<Cell *>(
        reinterpret_cast<std::byte *>(root_ + 1)
        + root_->buckets * sizeof(std::uint32_t));

    return cells[i];
}


inline std::uint32_t &
Table::bucket(const Digest &digest) const noexcept
{
    auto *buckets = reinterpret_cast<std::uint32_t *>(root_ + 1);

    std::uint32_t n = 0;

    for (std::size_t i = 0; i < sizeof(n); i++) {
        n = n << 8 | digest[i];
    }

    return buckets[n & (root_->buckets - 1)];
}


/* of one that is pending */

inline Owner
Table::owner_of(const Cell &c) noexcept
{
    return {c.process, c.time};
}


}

#endif /* WX_OPENID_TABLE_CELLS_H */
