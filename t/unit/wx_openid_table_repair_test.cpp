/*
 * Copyright (C) wx_openid authors
 *
 * Processes that die inside the table, between any two of their stores: the
 * next to enter must find all that was whole before, and a table that works.
 */

#include "wx_openid_table.h"

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "killed.h"
#include "table_bench.h"


using namespace table_bench;


namespace {


/* a table with an entry of every kind, and who holds them */

struct Scene : Bench {
    Scene()
    {
        pending = wait(lead(1, 17));

        good = wait(lead(2));
        finish(good, Outcome::good, text_of(2, 640));

        bad = wait(lead(3));
        finish(bad, Outcome::bad, text_of(3, 300));

        failed = wait(lead(4));
        finish(failed, Outcome::failed, text_of(4, 200));

        retired = wait(lead(5));
        finish(retired, Outcome::good, text_of(5, 640));
        lives = {0, 0};
        finish(lead(5), Outcome::failed, "");
        lives = lifetimes;

        add(6, Outcome::good, 70);
        add(7, Outcome::bad, 70);
    }

    Ticket pending, good, bad, failed, retired;
};


/* that each entry is one that somebody made, and made whole */

void
expect_made(const TableMemory &mem)
{
    for (std::uint32_t i = 0; i < mem.root().cells; i++) {
        const auto &c = mem.cell(i);

        if (c.state < TableMemory::pending) {
            continue;
        }

        std::uint32_t n = 0;

        for (std::size_t k = 4; k < 8; k++) {
            n = n << 8 | c.digest[k];
        }

        EXPECT_EQ(c.digest, digest_of(n)) << i;
        EXPECT_TRUE(c.process == 1 || c.process == 17) << i;
        EXPECT_GE(c.time, start) << i;
        EXPECT_GE(c.generation, 1u) << i;
        EXPECT_LE(c.generation, mem.root().generation) << i;
    }
}


/* that nothing of a Scene but the entries named was lost */

void
expect_scene(const Scene &scene, std::span<const std::byte> image,
    std::vector<std::uint32_t> changed = {})
{
    Bench b(image);

    auto same = [&](std::uint32_t n) {
        return std::find(changed.begin(), changed.end(), n) == changed.end();
    };

    auto expect_done = [&](std::uint32_t n, Ticket ticket, std::size_t size) {
        if (same(n)) {
            EXPECT_EQ(b.poll(ticket).state, State::done) << n;
            EXPECT_EQ(b.text, text_of(n, size)) << n;
        }
    };

    b.mem.table.enter();
    b.mem.table.leave();
    ASSERT_EQ(b.mem.problem(), "");
    expect_made(b.mem);

    if (same(1)) {
        Poll poll = b.poll(scene.pending);

        EXPECT_EQ(poll.state, State::pending);
        EXPECT_EQ(poll.owner.process, 17u);
        EXPECT_EQ(b.find(1).found, Found::pending);
    }

    EXPECT_TRUE(!same(2) || b.has(2, 640));
    EXPECT_TRUE(!same(3) || b.has(3, 300));
    EXPECT_TRUE(!same(6) || b.has(6, 70));
    EXPECT_TRUE(!same(7) || b.has(7, 70));
    EXPECT_FALSE(b.mem_has(4));
    EXPECT_TRUE(!same(5) || !b.mem_has(5));

    expect_done(2, scene.good, 640);
    expect_done(3, scene.bad, 300);
    expect_done(4, scene.failed, 200);
    expect_done(5, scene.retired, 640);

    /* and it works on */

    for (std::uint32_t n = 1000; n < 1060; n++) {
        Lookup lookup = b.find(n);

        if (lookup.found == Found::lead) {
            b.finish(lookup.ticket, Outcome::good, text_of(n, n % 641));
        }
    }

    EXPECT_EQ(b.mem.problem(), "");
}


void
trash(TableMemory &mem, std::uint32_t with)
{
    auto &root = mem.root();

    root.busy = 1;
    root.free = with;
    root.entries = with;
    root.pending = root.good = root.bad = {with, with, with};

    std::fill_n(mem.buckets(), root.buckets, with);

    for (std::uint32_t i = 0; i < root.cells; i++) {
        auto &c = mem.cell(i);

        if (c.state == TableMemory::part) {
            continue;
        }

        c.next = c.prev = c.chain = with;

        if (c.state <= TableMemory::pending) {
            c.more = with;
        }
    }
}


}


TEST(TableRepair, BuildsAllChainsAndListsAnewFromTheCells)
{
    for (std::uint32_t with : {0u, 3u, 5000u, UINT32_MAX}) {
        Scene scene;

        trash(scene.mem, with);
        expect_scene(scene, scene.mem.memory());
    }
}


TEST(TableRepair, IsDoneOnceAndOnlyWhenNeeded)
{
    Scene scene;
    auto memory = scene.mem.memory();

    std::vector<std::byte> before(memory.begin(), memory.end());

    scene.mem.table.enter();
    EXPECT_EQ(scene.mem.root().busy, 1u);
    scene.mem.table.leave();

    EXPECT_TRUE(std::equal(before.begin(), before.end(), memory.begin()));
}


TEST(TableRepair, FreesPartsThatNoEntryLeadsTo)
{
    Scene scene;
    std::uint32_t free_cells = scene.free_cells();

    for (std::uint32_t i = 0; i < small_cells; i++) {
        auto &c = scene.mem.cell(i);

        if (c.state == TableMemory::unused) {
            c.state = TableMemory::part;
            c.more = (i + 1) % small_cells;
        }
    }

    scene.mem.root().busy = 1;
    scene.mem.table.enter();
    scene.mem.table.leave();

    EXPECT_EQ(scene.free_cells(), free_cells);
    expect_scene(scene, scene.mem.memory());
}


#if (WX_OPENID_HAVE_KILLED)


namespace {


struct Deed {
    const char *name;
    std::vector<std::uint32_t> changed;
    std::function<void(Scene &)> prepare;
    std::function<void(Scene &)> run;
};


std::ostream &
operator<<(std::ostream &os, const Deed &deed)
{
    return os << deed.name;
}


/* prepares that leave no free cell, with good or bad ones to drive out */

void
fill(Scene &s, Outcome outcome, std::size_t size)
{
    s.find(6);
    s.find(7);

    for (std::uint32_t n = 100; s.mem.table.evictions() == 0; n++) {
        s.add(n, outcome, size);
        s.find(6);
        s.find(7);
    }

    s.lead_all(10000);
}


const Deed deeds[] = {
    {"LeadsWithRoom", {},
     [](Scene &) {},
     [](Scene &s) { s.find(50); }},

    {"LeadsInPlaceOfAGoodOne", {},
     [](Scene &s) { fill(s, Outcome::good, 640); },
     [](Scene &s) { s.find(50); }},

    {"LeadsInPlaceOfABadOne", {},
     [](Scene &s) { fill(s, Outcome::bad, 640); },
     [](Scene &s) { s.find(50); }},

    {"HitsAndMovesToTheFront", {},
     [](Scene &) {},
     [](Scene &s) { s.find(2); }},

    {"HitsABadOne", {},
     [](Scene &) {},
     [](Scene &s) { s.find(3); }},

    {"RetiresForAWaiter", {2},
     [](Scene &s) { s.lives = {0, 0}; },
     [](Scene &s) { s.find(2); }},

    {"ReplacesAnExpiredOne", {8},
     [](Scene &s) { s.add(8, Outcome::good, 640); s.lives = {0, 0}; },
     [](Scene &s) { s.find(8); }},

    {"Waits", {},
     [](Scene &) {},
     [](Scene &s) { s.wait(s.pending); }},

    {"TakesOver", {1},
     [](Scene &) {},
     [](Scene &s) {
         EXPECT_TRUE(s.take_over(s.pending, {17, start + timeout},
                                 {1, start + 2 * timeout}));
     }},

    {"PollsAGoodOne", {2},
     [](Scene &) {},
     [](Scene &s) { s.poll(s.good); }},

    {"PollsAFailureLast", {4},
     [](Scene &) {},
     [](Scene &s) { s.poll(s.failed); }},

    {"ForgetsARetiredOneLast", {5},
     [](Scene &) {},
     [](Scene &s) { s.forget(s.retired); }},

    {"FinishesGood", {1},
     [](Scene &) {},
     [](Scene &s) { s.finish(s.pending, Outcome::good, text_of(1, 70)); }},

    {"FinishesGoodWithParts", {1},
     [](Scene &) {},
     [](Scene &s) { s.finish(s.pending, Outcome::good, text_of(1, 640)); }},

    {"FinishesBadWithParts", {1},
     [](Scene &) {},
     [](Scene &s) { s.finish(s.pending, Outcome::bad, text_of(1, 640)); }},

    {"FinishesFailedForAWaiter", {1},
     [](Scene &) {},
     [](Scene &s) { s.finish(s.pending, Outcome::failed, text_of(1, 640)); }},

    {"FinishesFailedForNobody", {1},
     [](Scene &s) { s.forget(s.pending); },
     [](Scene &s) { s.finish(s.pending, Outcome::failed, text_of(1, 640)); }},

    {"FinishesInPlaceOfOthers", {1},
     [](Scene &s) { fill(s, Outcome::good, 80); },
     [](Scene &s) { s.finish(s.pending, Outcome::good, text_of(1, 640)); }},

    {"FinishesWithoutRoom", {1},
     [](Scene &s) {
         s.wait(s.find(6).ticket);
         s.wait(s.find(7).ticket);
         s.lead_all(1000, 2);
     },
     [](Scene &s) { s.finish(s.pending, Outcome::good, text_of(1, 640)); }},

    {"ClearsWhatTheDeadLeft", {1},
     [](Scene &s) {
         s.lead_all(1000);
         s.now = start + timeout + minute + 1;
     },
     [](Scene &s) { s.find(50); }},

    {"Repairs", {},
     [](Scene &s) { trash(s.mem, 7); },
     [](Scene &s) { s.mem.table.enter(); }},
};


class TableKilled : public testing::TestWithParam<Deed> {
};


/* the one entry of the deed: what it was, or what it shall be */

void
expect_either(const Scene &scene, std::span<const std::byte> image)
{
    Bench b(image);
    bool failed = b.mem.cell(scene.pending.cell).state
                  == TableMemory::failed;
    Poll poll = b.poll(scene.pending);

    if (poll.state == State::pending) {
        EXPECT_TRUE(poll.owner.process == 17 || poll.owner.process == 1);
        EXPECT_TRUE(b.take_over(scene.pending, poll.owner, {2, start}));
        EXPECT_EQ(b.find(1).found, Found::pending);

    } else if (poll.state == State::done) {
        EXPECT_TRUE(b.text == text_of(1, 70) || b.text == text_of(1, 640)
                    || (failed && b.text.empty()));
    }

    EXPECT_EQ(b.mem.problem(), "");
}


}


TEST_P(TableKilled, LeavesNothingTornBetweenAnyTwoStores)
{
    const Deed &deed = GetParam();
    Scene scene;

    deed.prepare(scene);

    auto images = Killed::images(scene.mem.memory(),
                                 [&] { deed.run(scene); });

    /* busy at least, and one more */
    ASSERT_GE(images.size(), 3u);

    /* the first is before busy was set, the last after it was cleared */

    for (std::size_t i = 1; i + 1 < images.size(); i++) {
        SCOPED_TRACE(i);
        ASSERT_EQ(TableMemory(images[i]).root().busy, 1u);
        expect_scene(scene, images[i], deed.changed);
        expect_either(scene, images[i]);

        if (HasFatalFailure() || HasNonfatalFailure()) {
            return;
        }
    }
}


TEST(TableRepair, CutShortIsMadeGoodByTheNext)
{
    Scene scene;

    trash(scene.mem, 7);

    auto images = Killed::images(scene.mem.memory(),
                                 [&] { scene.mem.table.enter(); });

    /* each cell is at least linked or freed */
    ASSERT_GE(images.size(), small_cells);

    for (std::size_t i = 0; i < images.size(); i += 7) {
        Bench second(images[i]);

        auto again = Killed::images(second.mem.memory(),
                                    [&] { second.mem.table.enter(); });

        for (std::size_t k = 0; k < again.size(); k += 31) {
            SCOPED_TRACE(i);
            SCOPED_TRACE(k);
            expect_scene(scene, again[k]);

            if (HasFatalFailure() || HasNonfatalFailure()) {
                return;
            }
        }
    }
}


INSTANTIATE_TEST_SUITE_P(, TableKilled, testing::ValuesIn(deeds),
                         [](const auto &param) {
                             return std::string(param.param.name);
                         });

#endif
