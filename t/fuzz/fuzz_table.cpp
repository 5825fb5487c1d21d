/*
 * Copyright (C) wx_openid authors
 *
 * Input: four bytes for each operation on a small table.  A model that is
 * slow and plain does the same, and after each the two must hold the same
 * entries in the same order, and every cell must be in its place.  Some
 * operations die between two of their stores: then all that they did not
 * work on must be as it was, and the model goes on from there.
 */

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../unit/killed.h"
#include "../unit/table_memory.h"
#include "wx_openid_table.h"


using namespace wx_openid;


namespace {


constexpr Lifetimes lifetimes = {3000, 1500};
constexpr std::uint64_t minute = 60000;


void
check(bool right, int line = __builtin_LINE())
{
    if (!right) {
        fprintf(stderr, "fuzz_table.cpp:%d\n", line);
        abort();
    }
}


struct Entry {
    std::uint32_t state;
    int code;
    std::uint32_t generation;
    std::uint32_t process;
    std::uint16_t waiters;
    std::uint64_t time;
    std::string text;

    bool operator==(const Entry &) const = default;
};


/* entries by the number of their use, hence from the least recent on */

struct Model {
    std::map<unsigned, Entry> entries;
    std::uint32_t cells = 0;
    std::uint32_t generation = 0;
    std::uint64_t evictions = 0;
    unsigned uses = 0;

    static std::uint32_t size(const Entry &e)
    {
        return 1 + TableMemory::parts_for(e.text.size());
    }

    std::uint32_t bad_cells() const
    {
        std::uint32_t n = 0;

        for (auto &[use, e] : entries) {
            n += e.state >= TableMemory::bad ? size(e) : 0;
        }

        return n;
    }

    bool free_cell(std::uint32_t taken) const
    {
        for (auto &[use, e] : entries) {
            taken += size(e);
        }

        return taken < cells;
    }

    bool evict(bool good, std::uint64_t now)
    {
        for (auto &[use, e] : entries) {
            if (e.state == TableMemory::pending
                || (e.state == TableMemory::good) != good)
            {
                continue;
            }

            if (e.waiters == 0 || now > e.time + minute) {
                entries.erase(use);
                evictions++;
                return true;
            }
        }

        return false;
    }

    std::uint32_t pending()
    {
        return static_cast<std::uint32_t>(std::count_if(
            entries.begin(), entries.end(), [](auto &e) {
                return e.second.state == TableMemory::pending;
            }));
    }

    bool evict_dead(std::uint64_t now, unsigned but)
    {
        for (auto &[use, e] : entries) {
            if (e.state != TableMemory::pending || use == but) {
                continue;
            }

            if (now > e.time + minute) {
                entries.erase(use);
                evictions++;
                return true;
            }

            return false;
        }

        return false;
    }

    /* room for one more cell beside those of entries and "taken" */

    bool make_room(std::uint32_t taken, std::uint64_t now, unsigned but = 0)
    {
        if (free_cell(taken) || evict_dead(now, but)) {
            return true;
        }

        bool good = bad_cells() < cells / 4;

        return evict(good, now) || evict(!good, now);
    }

    std::map<unsigned, Entry>::iterator by_generation(std::uint32_t g)
    {
        return std::find_if(entries.begin(), entries.end(),
                            [g](auto &e) { return e.second.generation == g; });
    }

    std::map<unsigned, Entry>::iterator by_code(int code)
    {
        return std::find_if(entries.begin(), entries.end(), [code](auto &e) {
            return e.second.code == code
                   && e.second.state != TableMemory::failed;
        });
    }

    void use(std::map<unsigned, Entry>::iterator it)
    {
        entries[++uses] = it->second;
        entries.erase(it);
    }

    struct Answer {
        Lookup::Found found;
        std::string text;
    };

    Answer find(int code, std::uint64_t now, Owner owner)
    {
        auto it = by_code(code);

        if (it != entries.end()) {
            Entry &e = it->second;

            if (e.state == TableMemory::pending) {
                return {Lookup::Found::pending, ""};
            }

            if (now < e.time + (e.state == TableMemory::good
                                ? lifetimes.good : lifetimes.bad))
            {
                std::string text = e.text;
                use(it);
                return {Lookup::Found::result, text};
            }

            if (e.waiters) {
                e.state = TableMemory::failed;
                use(it);
            } else {
                entries.erase(it);
            }
        }

        if ((pending() >= cells / 2 && !evict_dead(now, 0))
            || !make_room(0, now))
        {
            return {Lookup::Found::full, ""};
        }

        entries[++uses] = {TableMemory::pending, code, ++generation,
                           owner.process, 0, owner.deadline, ""};

        return {Lookup::Found::lead, ""};
    }

    void forget(std::uint32_t g)
    {
        auto it = by_generation(g);

        if (it == entries.end()) {
            return;
        }

        Entry &e = it->second;

        e.waiters = static_cast<std::uint16_t>(e.waiters - (e.waiters > 0));

        if (e.state == TableMemory::failed && e.waiters == 0) {
            entries.erase(it);
        }
    }

    /* what "owner" leads, if it is that */

    std::map<unsigned, Entry>::iterator led_by(std::uint32_t g, Owner owner)
    {
        auto it = by_generation(g);

        return it != entries.end()
               && it->second.state == TableMemory::pending
               && it->second.process == owner.process
               && it->second.time == owner.deadline ? it : entries.end();
    }

    void abandon(std::uint32_t g, Owner owner)
    {
        auto it = led_by(g, owner);

        if (it != entries.end()) {
            entries.erase(it);
        }
    }

    void finish(std::uint32_t g, Owner owner, std::uint64_t now,
        Outcome outcome, const std::string &text)
    {
        auto it = led_by(g, owner);

        if (it == entries.end()) {
            return;
        }

        bool fits = text.size() <= max_result_size;
        std::uint32_t parts = fits ? TableMemory::parts_for(text.size()) : 0;

        for (std::uint32_t n = 0; fits && n < parts; n++) {
            fits = make_room(n, now, it->first);
        }

        if (!fits) {
            outcome = Outcome::failed;
        }

        Entry &e = it->second;

        e.state = TableMemory::good + static_cast<std::uint32_t>(outcome);
        e.time = now;
        e.text = fits ? text : "";

        if (outcome == Outcome::failed && e.waiters == 0) {
            entries.erase(it);
        } else {
            use(it);
        }
    }
};


/* what the table holds, seen from outside */

Entry
entry_at(const TableMemory &mem, std::uint32_t i)
{
    auto &c = mem.cell(i);
    std::string text(c.text, std::min<std::size_t>(c.size, 72));

    for (std::uint32_t p = c.more; p != TableMemory::none;
         p = mem.cell(p).more)
    {
        text.append(reinterpret_cast<const char *>(&mem.cell(p).next),
                    std::min<std::size_t>(c.size - text.size(), 120));
    }

    return {c.state, c.digest[5], c.generation, c.process, c.waiters, c.time,
            text};
}


std::vector<Entry>
listed(const TableMemory &mem, const TableMemory::List &list)
{
    std::vector<Entry> entries;

    for (auto i : mem.listed(list)) {
        entries.insert(entries.begin(), entry_at(mem, i));
    }

    return entries;
}


std::vector<Entry>
listed(const Model &model, std::uint32_t first, std::uint32_t last)
{
    std::vector<Entry> entries;

    for (auto &[use, e] : model.entries) {
        if (e.state >= first && e.state <= last) {
            entries.push_back(e);
        }
    }

    return entries;
}


class Run {
public:
    Run() : mem_(new TableMemory(Table::min_size))
    {
        model_.cells = mem_->root().cells;
    }

    void step(const std::uint8_t *op);

private:
    enum { kinds = 8 };

    void act(const std::uint8_t *op);
    void act_model(const std::uint8_t *op);
    void die(const std::uint8_t *op);
    void compare() const;
    void take_model_from_table();

    Digest digest(int code) const
    {
        Digest d{};

        d[3] = static_cast<unsigned char>(code & 3);    /* few buckets */
        d[5] = static_cast<unsigned char>(code);

        return d;
    }

    Ticket ticket(std::uint8_t which) const
    {
        return tickets_.empty() ? Ticket{}
                                : tickets_[which % tickets_.size()];
    }

    /* who finishes or renews: mostly whoever leads, else one that did not */

    Owner owner(const std::uint8_t *op) const
    {
        for (auto &[use, e] : model_.entries) {
            if (e.generation == ticket(op[1]).generation) {
                return {e.process + (op[0] % 64 > 60), e.time};
            }
        }

        return {};
    }

    /* whoever leads hands it on, where another would take it */

    static bool renews(const std::uint8_t *op) { return op[3] & 128; }

    static bool abandons(const std::uint8_t *op) { return op[3] & 64; }

    static std::string text(const std::uint8_t *op)
    {
        std::size_t size = op[2] * 3u;
        std::string text;

        for (std::size_t i = 0; i < size; i++) {
            text += static_cast<char>(i + op[1] + i / 120);
        }

        return text;
    }

    std::unique_ptr<TableMemory> mem_;
    Model model_;
    std::uint64_t now_ = 100000;
    std::vector<Ticket> tickets_;

    /* what the table answered */
    Lookup lookup_;
    Poll poll_;
    bool taken_ = false;
    char result_[max_result_size];
};


/* op: kind and how to die, code or ticket, size or time, where to die */

void
Run::act(const std::uint8_t *op)
{
    Table &t = mem_->table;
    Ticket which = ticket(op[1]);
    std::uint32_t process = op[2] % 4u;

    switch (op[0] % kinds) {

    case 0:
    case 1:
        lookup_ = t.find(digest(op[1] % 96), now_, lifetimes,
                         {process, now_ + 1000}, result_);
        break;

    case 2:
        t.wait(which);
        break;

    case 3:
        poll_ = t.poll(which, result_);
        break;

    case 4:
        t.forget(which);
        break;

    case 5:
        if (renews(op)) {
            t.renew(which, owner(op), {process, now_ + 1000});
            break;
        }

        taken_ = t.take_over(which, {op[2] / 4u % 4u, lookup_.owner.deadline},
                             {process, now_ + 1000});
        break;

    default:
        if (abandons(op)) {
            t.abandon(which, owner(op));
            break;
        }

        t.finish(which, owner(op), now_, static_cast<Outcome>(op[3] % 3),
                 text(op));
        break;
    }
}


void
Run::act_model(const std::uint8_t *op)
{
    std::uint32_t g = ticket(op[1]).valid() ? ticket(op[1]).generation : 0;
    std::uint32_t process = op[2] % 4u;

    auto it = model_.by_generation(g);
    bool there = it != model_.entries.end();
    bool pending = there && it->second.state == TableMemory::pending;

    switch (op[0] % kinds) {

    case 0:
    case 1: {
        auto answer = model_.find(op[1] % 96, now_, {process, now_ + 1000});

        check(answer.found == lookup_.found);
        check(answer.found != Lookup::Found::result
              || answer.text == std::string(result_, lookup_.size));
        check(lookup_.ticket.valid()
              == (answer.found != Lookup::Found::full));

        if (lookup_.ticket.valid()) {
            tickets_.push_back(lookup_.ticket);
        }

        break;
    }

    case 2:
        if (there) {
            it->second.waiters++;
        }

        break;

    case 3:
        check((poll_.state == Poll::State::lost) == !there);
        check((poll_.state == Poll::State::pending) == pending);

        if (pending) {
            check(poll_.owner.process == it->second.process
                  && poll_.owner.deadline == it->second.time);
        } else if (there) {
            check(it->second.text == std::string(result_, poll_.size));
            model_.forget(g);
        }

        break;

    case 4:
        model_.forget(g);
        break;

    case 5:
        if (renews(op)) {
            if (pending && Owner{it->second.process, it->second.time}
                           == owner(op))
            {
                it->second.process = process;
                it->second.time = now_ + 1000;
            }

            break;
        }

        check(taken_ == (pending && it->second.process == op[2] / 4u % 4u
                         && it->second.time == lookup_.owner.deadline));

        if (taken_) {
            it->second.process = process;
            it->second.time = now_ + 1000;
            it->second.waiters = static_cast<std::uint16_t>(
                it->second.waiters - (it->second.waiters > 0));
        }

        break;

    default:
        if (abandons(op)) {
            model_.abandon(g, owner(op));
            break;
        }

        model_.finish(g, owner(op), now_, static_cast<Outcome>(op[3] % 3),
                      text(op));
        break;
    }
}


void
Run::compare() const
{
    auto &root = mem_->root();

    if (auto problem = mem_->problem(); !problem.empty()) {
        fprintf(stderr, "%s", problem.c_str());
        abort();
    }

    check(listed(*mem_, root.pending)
          == listed(model_, TableMemory::pending, TableMemory::pending));
    check(listed(*mem_, root.good)
          == listed(model_, TableMemory::good, TableMemory::good));
    check(listed(*mem_, root.bad)
          == listed(model_, TableMemory::bad, TableMemory::failed));

    check(mem_->table.entries() == model_.entries.size());
    check(mem_->table.evictions() == model_.evictions);
}


void
Run::take_model_from_table()
{
    auto &root = mem_->root();

    model_.entries.clear();

    for (auto *list : {&root.pending, &root.good, &root.bad}) {
        for (auto &e : listed(*mem_, *list)) {
            model_.entries[++model_.uses] = e;
        }
    }

    model_.generation = root.generation;
    model_.evictions = root.evictions;
}


/*
 * An entry that the operation was not about is as it was or, where room
 * was made, gone; and those in flight or waited for are not gone.
 */

void
Run::die(const std::uint8_t *op)
{
#if (WX_OPENID_HAVE_KILLED)

    std::size_t last = op[3] * (op[0] & 64 ? 4u : 1u);
    std::vector<std::byte> image;
    auto memory = mem_->memory();

    mem_->table.enter();

    Killed::at_each_store(memory, [&] { act(op); }, [&](std::size_t n) {
        if (n <= last) {
            image.assign(memory.begin(), memory.end());
        }
    });

    if (image.empty()) {
        image.assign(memory.begin(), memory.end());
    }

    mem_.reset(new TableMemory(image));
    mem_->table.enter();
    mem_->table.leave();

    if (auto problem = mem_->problem(); !problem.empty()) {
        fprintf(stderr, "%s", problem.c_str());
        abort();
    }

    std::map<std::uint32_t, Entry> now;

    for (std::uint32_t i = 0; i < mem_->root().cells; i++) {
        if (mem_->cell(i).state >= TableMemory::pending) {
            Entry e = entry_at(*mem_, i);
            check(now.emplace(e.generation, e).second);
        }
    }

    bool finds = op[0] % kinds < 2;
    bool finishes = op[0] % kinds > 5;
    std::uint32_t g = ticket(op[1]).valid() ? ticket(op[1]).generation : 0;

    for (auto &[use, e] : model_.entries) {
        if (finds ? e.code == op[1] % 96 && e.state != TableMemory::failed
                  : e.generation == g)
        {
            continue;
        }

        auto it = now.find(e.generation);

        if (it != now.end()) {
            check(it->second == e);
            now.erase(it);
            continue;
        }

        check(finds || finishes);
        check((e.state != TableMemory::pending && e.waiters == 0)
              || now_ > e.time + minute);
    }

    /* left is what the operation was about, maybe retired and led anew */
    check(now.size() <= 2);

    for (auto &[generation, e] : now) {
        check(finds ? e.code == op[1] % 96 : e.generation == g);
        check(!finishes || e.state == TableMemory::pending
              || (e.state == TableMemory::failed && e.text.empty())
              || e.text == text(op) || model_.by_generation(g)->second == e);
    }

    take_model_from_table();

#else
    (void) op;
#endif
}


void
Run::step(const std::uint8_t *op)
{
    /* the clock: mostly on, at times far, at times a little back */

    now_ += op[0] & 8 ? op[2] * 4u : 0;
    now_ += (op[0] & 0x30) == 0x30 && op[3] == 255 ? 70000 : 0;
    now_ -= (op[0] & 0x30) == 0x20 ? 3 : 0;

    if (op[0] & 128) {
        die(op);
        compare();
        return;
    }

    mem_->table.enter();
    act(op);
    mem_->table.leave();

    act_model(op);
    compare();
}


}


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Run run;

    for (size = std::min<std::size_t>(size, 1200); size >= 4; size -= 4) {
        run.step(data);
        data += 4;
    }

    return 0;
}
