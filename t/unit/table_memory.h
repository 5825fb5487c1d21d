/*
 * Copyright (C) wx_openid authors
 *
 * A table in memory of its own, and a look at that memory from outside:
 * whether every cell is where it belongs.  The layout is told here a second
 * time, since the table shows it to nobody.
 */

#ifndef WX_OPENID_TABLE_MEMORY_H
#define WX_OPENID_TABLE_MEMORY_H

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "wx_openid_table.h"


class TableMemory {
public:
    enum State : std::uint32_t { unused, part, kept, pending, good, bad,
                                 failed };

    static constexpr std::uint32_t none = UINT32_MAX;

    struct List {
        std::uint32_t first, last, cells;
    };

    struct Root {
        std::uint32_t busy, cells, buckets, generation, free, entries;
        std::uint64_t evictions;
        List pending, good, bad;
        std::uint32_t reserved;
    };

    struct Cell {
        std::uint32_t state, more, next, prev, chain, generation;
        wx_openid::Digest digest;
        std::uint32_t process;
        std::uint16_t size, waiters;
        std::uint64_t time;
        char text[72];
    };

    static_assert(sizeof(Cell) == 128 && sizeof(Root) == 72);

    explicit TableMemory(std::size_t size) : size_(size)
    {
        map();
        wx_openid::Table::format(memory());
        table.attach(memory());
    }

    /* memory as another process left it, at another address */

    explicit TableMemory(std::span<const std::byte> image)
        : size_(image.size())
    {
        map();
        memcpy(base_, image.data(), size_);
        table.attach(memory());
    }

    ~TableMemory()
    {
        munmap(base_, mapped_);
    }

    TableMemory(const TableMemory &) = delete;
    TableMemory &operator=(const TableMemory &) = delete;

    std::span<std::byte> memory() const
    {
        return {static_cast<std::byte *>(base_), size_};
    }

    Root &root() const
    {
        return *static_cast<Root *>(base_);
    }

    std::uint32_t *buckets() const
    {
        return reinterpret_cast<std::uint32_t *>(&root() + 1);
    }

    Cell &cell(std::uint32_t i) const
    {
        return reinterpret_cast<Cell *>(buckets() + root().buckets)[i];
    }

    std::uint32_t count(State state) const
    {
        std::uint32_t n = 0;

        for (std::uint32_t i = 0; i < root().cells; i++) {
            n += cell(i).state == state;
        }

        return n;
    }

    /* from the one used last to the one used longest ago */

    std::vector<std::uint32_t> listed(const List &list) const
    {
        std::vector<std::uint32_t> cells;

        for (std::uint32_t i = list.first;
             i < root().cells && cells.size() < root().cells;
             i = cell(i).next)
        {
            cells.push_back(i);
        }

        return cells;
    }

    static std::uint32_t parts_for(std::size_t size)
    {
        return size <= 72
               ? 0 : static_cast<std::uint32_t>((size - 72 + 119) / 120);
    }

    /* what is wrong with it, or an empty string */

    std::string problem() const
    {
        std::string what;

        std::vector<char> seen(root().cells);

        check_free(seen, what);
        check_list(root().pending, seen, what, "pending");
        check_list(root().good, seen, what, "good");
        check_list(root().bad, seen, what, "bad");
        check_chains(what);

        std::uint32_t entries = 0;

        for (std::uint32_t i = 0; i < root().cells; i++) {
            entries += cell(i).state >= pending;

            if (seen[i] != 1) {
                add(what, "cell %u is in %d places", i, seen[i]);
            }
        }

        if (entries != root().entries) {
            add(what, "%u entries, %d counted", entries,
                static_cast<int>(root().entries));
        }

        return what;
    }

    wx_openid::Table table;

private:
    void map()
    {
        auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

        mapped_ = (size_ + page - 1) / page * page;
        base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (base_ == MAP_FAILED) {
            abort();
        }
    }

    static void add(std::string &what, const char *format, std::uint32_t i,
        int n = 0)
    {
        char line[100];

        snprintf(line, sizeof(line), format, i, n);
        what += line;
        what += "\n";
    }

    void check_free(std::vector<char> &seen, std::string &what) const
    {
        for (std::uint32_t i = root().free; i != none; i = cell(i).next) {
            if (i >= root().cells || seen[i]++) {
                add(what, "free list is torn at %u", i);
                return;
            }

            if (cell(i).state != unused) {
                add(what, "free cell %u has state %d", i,
                    static_cast<int>(cell(i).state));
            }

            if (!is_blank(cell(i))) {
                add(what, "free cell %u has something in it", i);
            }
        }
    }

    static bool is_blank(Cell c)
    {
        static constexpr Cell blank{};

        c.next = 0;

        return memcmp(&c, &blank, sizeof(Cell)) == 0;
    }

    const List &list_of(const Cell &c) const
    {
        return c.state == pending ? root().pending
                                  : c.state == good ? root().good
                                                    : root().bad;
    }

    void check_list(const List &list, std::vector<char> &seen,
        std::string &what, const char *name) const
    {
        std::uint32_t last = none;
        std::uint32_t cells = 0;

        for (std::uint32_t i = list.first; i != none; i = cell(i).next) {
            if (i >= root().cells || seen[i]++) {
                what += name;
                add(what, " list is torn at %u", i);
                return;
            }

            const Cell &c = cell(i);

            if (c.state < pending || c.state > failed || &list_of(c) != &list
                || c.prev != last)
            {
                what += name;
                add(what, " list holds %u of state %d", i,
                    static_cast<int>(c.state));
            }

            cells += 1 + check_parts(i, seen, what);
            last = i;
        }

        if (list.last != last || list.cells != cells) {
            what += name;
            add(what, " list has %u cells, %d counted", cells,
                static_cast<int>(list.cells));
        }
    }

    std::uint32_t check_parts(std::uint32_t i, std::vector<char> &seen,
        std::string &what) const
    {
        std::uint32_t parts = 0;

        for (std::uint32_t p = cell(i).more; p != none; p = cell(p).more) {
            if (p >= root().cells || seen[p]++ || cell(p).state != part) {
                add(what, "parts of %u are torn at %d", i,
                    static_cast<int>(p));
                return parts;
            }

            parts++;
        }

        if (parts != parts_for(cell(i).size)
            || (cell(i).state == pending && cell(i).size != 0))
        {
            add(what, "entry %u has %d parts", i, static_cast<int>(parts));
        }

        return parts;
    }

    void check_chains(std::string &what) const
    {
        std::vector<char> chained(root().cells);
        std::set<wx_openid::Digest> digests;

        for (std::uint32_t b = 0; b < root().buckets; b++) {
            for (std::uint32_t i = buckets()[b]; i != none;
                 i = cell(i).chain)
            {
                if (i >= root().cells || chained[i]++) {
                    add(what, "bucket %u is torn at %d", b,
                        static_cast<int>(i));
                    return;
                }

                if (!digests.insert(cell(i).digest).second) {
                    add(what, "entry %u is there twice", i);
                }

                if (bucket_of(cell(i).digest) != b) {
                    add(what, "entry %u is in the wrong bucket", i);
                }
            }
        }

        for (std::uint32_t i = 0; i < root().cells; i++) {
            bool found = cell(i).state >= pending && cell(i).state != failed;

            if (found != static_cast<bool>(chained[i])) {
                add(what, "cell %u is chained %d times", i, chained[i]);
            }
        }
    }

    std::uint32_t bucket_of(const wx_openid::Digest &digest) const
    {
        std::uint32_t n = static_cast<std::uint32_t>(digest[0]) << 24
                          | static_cast<std::uint32_t>(digest[1]) << 16
                          | static_cast<std::uint32_t>(digest[2]) << 8
                          | digest[3];

        return n & (root().buckets - 1);
    }

    void *base_ = nullptr;
    std::size_t size_;
    std::size_t mapped_ = 0;
};

#endif /* WX_OPENID_TABLE_MEMORY_H */
