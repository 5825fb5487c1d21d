/*
 * Copyright (C) wx_openid authors
 *
 * Every test ends with a look at the memory: each cell in its one place.
 */

#include "wx_openid_table.h"

#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "table_bench.h"
#include "wx_openid_result.h"


using namespace table_bench;


namespace {


class TableTest : public testing::Test {
protected:
    void TearDown() override { EXPECT_EQ(b.mem.problem(), ""); }

    Bench b;
};


}


/* finding */

TEST_F(TableTest, ANewTableIsEmpty)
{
    EXPECT_EQ(b.mem.table.entries(), 0u);
    EXPECT_EQ(b.mem.table.evictions(), 0u);
    EXPECT_EQ(b.mem.table.capacity(), small_cells);
    EXPECT_EQ(b.free_cells(), small_cells);
}


TEST_F(TableTest, TheFirstLeadsAndTheNextOnesAreToldWho)
{
    Ticket ticket = b.lead(1, 17);

    b.now += 3;
    Lookup lookup = b.find(1, 18);

    EXPECT_EQ(lookup.found, Found::pending);
    EXPECT_EQ(lookup.ticket.cell, ticket.cell);
    EXPECT_EQ(lookup.ticket.generation, ticket.generation);
    EXPECT_EQ(lookup.owner.process, 17u);
    EXPECT_EQ(lookup.owner.deadline, start + timeout);
    EXPECT_EQ(b.mem.table.entries(), 1u);
}


TEST_F(TableTest, AnotherCodeIsLedByItself)
{
    b.lead(1);
    b.lead(2);

    EXPECT_EQ(b.mem.table.entries(), 2u);
}


TEST_F(TableTest, CodesOfOneBucketAreToldApart)
{
    Digest one{}, two{};

    one[15] = 1;
    two[15] = 2;

    char result[max_result_size];
    Table &t = b.mem.table;

    t.enter();

    Ticket a = t.find(one, start, lifetimes, {1, start}, result).ticket;
    Ticket c = t.find(two, start, lifetimes, {1, start}, result).ticket;

    t.finish(a, {1, start}, start, Outcome::good, "one");
    t.finish(c, {1, start}, start, Outcome::good, "two");

    Lookup lookup = t.find(one, start, lifetimes, {1, start}, result);

    EXPECT_EQ(std::string(result, lookup.size), "one");

    lookup = t.find(two, start, lifetimes, {1, start}, result);

    EXPECT_EQ(std::string(result, lookup.size), "two");

    t.leave();
}


TEST_F(TableTest, AnotherProcessSeesTheSameAtAnotherAddress)
{
    b.add(1, Outcome::good, 500);
    b.lead(2, 17);

    Bench other(b.mem.memory());

    EXPECT_TRUE(other.has(1, 500));
    EXPECT_EQ(other.find(2).owner.process, 17u);
    EXPECT_EQ(other.mem.problem(), "");
}


TEST_F(TableTest, HalfOfTheCellsPendingMeansFullAndNobodyIsDrivenOut)
{
    auto tickets = b.lead_all(100, small_cells / 2);

    ASSERT_EQ(tickets.size(), small_cells / 2);

    for (std::uint32_t n = 0; n < 5; n++) {
        Lookup lookup = b.find(n);

        EXPECT_EQ(lookup.found, Found::full);
        EXPECT_FALSE(lookup.ticket.valid());
    }

    for (Ticket ticket : tickets) {
        EXPECT_EQ(b.poll(ticket).state, State::pending);
    }

    EXPECT_EQ(b.mem.table.evictions(), 0u);
}


TEST_F(TableTest, WhatIsInFlightFindsRoomForItsResult)
{
    std::vector<Ticket> tickets;

    for (std::uint32_t n = 0; n < small_cells / 2; n++) {
        tickets.push_back(b.wait(b.lead(n)));
    }

    for (std::uint32_t n = 0; n < small_cells / 2; n++) {
        b.finish(tickets[n], Outcome::good, text_of(n, 192));
    }

    for (std::uint32_t n = 0; n < small_cells / 2; n++) {
        EXPECT_EQ(b.poll(tickets[n]).state, State::done);
        EXPECT_EQ(b.text, text_of(n, 192));
        EXPECT_TRUE(b.has(n, 192));
    }
}


TEST_F(TableTest, AFullTableStillTellsOfWhatIsPending)
{
    b.lead_all(100);

    EXPECT_EQ(b.find(100).found, Found::pending);
}


TEST_F(TableTest, AFullTableHasRoomAgainWhenOneEnds)
{
    auto tickets = b.lead_all(100);

    b.finish(tickets[7], Outcome::good, "x");

    EXPECT_EQ(b.find(1).found, Found::lead);
    EXPECT_EQ(b.find(2).found, Found::full);
}


/* lifetimes */

TEST_F(TableTest, AGoodResultAnswersUntilItsLifetimeEnds)
{
    b.add(1, Outcome::good);

    b.now = start + lifetimes.good - 1;
    EXPECT_TRUE(b.has(1));

    b.now = start + lifetimes.good;
    EXPECT_EQ(b.find(1).found, Found::lead);
}


TEST_F(TableTest, ABadResultHasALifetimeOfItsOwn)
{
    b.add(1, Outcome::bad);

    b.now = start + lifetimes.bad - 1;
    EXPECT_TRUE(b.has(1));

    b.now = start + lifetimes.bad;
    EXPECT_EQ(b.find(1).found, Found::lead);
}


TEST_F(TableTest, AnAnswerDoesNotMakeALifetimeLonger)
{
    b.add(1, Outcome::good);

    for (b.now = start; b.now < start + lifetimes.good; b.now += 1000) {
        EXPECT_TRUE(b.has(1));
    }

    EXPECT_EQ(b.find(1).found, Found::lead);
}


TEST_F(TableTest, ALifetimeBeginsWhenTheExchangeEnds)
{
    Ticket ticket = b.lead(1);

    b.now += 9000;
    b.finish(ticket, Outcome::good, text_of(1, 69));

    b.now += lifetimes.good - 1;
    EXPECT_TRUE(b.has(1));
}


TEST_F(TableTest, NoLifetimeAnswersNobodyNewButThoseWhoWait)
{
    b.lives = {0, 0};

    for (Outcome outcome : {Outcome::good, Outcome::bad}) {
        Ticket ticket = b.wait(b.lead(1));

        b.finish(ticket, outcome, "r");
        Ticket next = b.lead(1);

        EXPECT_EQ(b.poll(ticket).state, State::done);
        EXPECT_EQ(b.text, "r");

        b.finish(next, Outcome::failed, "");
    }
}


TEST_F(TableTest, AClockBehindTheOneThatFinishedFindsAFreshResult)
{
    b.add(1, Outcome::good);
    b.add(2, Outcome::bad);

    b.now -= 5;

    EXPECT_TRUE(b.has(1));
    EXPECT_TRUE(b.has(2));

    b.lives = {0, 0};

    EXPECT_EQ(b.find(1).found, Found::lead);
    EXPECT_EQ(b.find(2).found, Found::lead);
}


TEST_F(TableTest, AClockBehindDrivesOutNoneThatIsWaitedFor)
{
    Ticket ticket = b.wait(b.lead(1));

    b.finish(ticket, Outcome::good, "r");
    b.now -= 5;
    b.fill(100);

    EXPECT_EQ(b.find(2).found, Found::full);
    EXPECT_EQ(b.poll(ticket).state, State::done);
}


TEST_F(TableTest, LifetimesEndWhereTheClockGoesRound)
{
    b.now = UINTPTR_MAX - 5000;
    b.add(1, Outcome::good);

    b.now = static_cast<std::uintptr_t>(b.now + lifetimes.good - 1);
    EXPECT_LT(b.now, lifetimes.good);
    EXPECT_TRUE(b.has(1));

    b.now++;
    EXPECT_EQ(b.find(1).found, Found::lead);
}


TEST_F(TableTest, ADeadlineBehindWhereTheClockGoesRoundIsToCome)
{
    b.now = UINTPTR_MAX - timeout / 2;

    Ticket ticket = b.lead(1);
    b.mem.cell(ticket.cell).time = timeout / 2;

    b.fill(100);

    EXPECT_EQ(b.find(2).found, Found::full);
    EXPECT_EQ(b.poll(ticket).state, State::pending);

    b.now = timeout / 2 + minute + 1;
    b.lead(3);

    EXPECT_EQ(b.poll(ticket).state, State::lost);
}


/* results */

TEST_F(TableTest, ResultsOfEverySizeAreReadAsTheyWereWritten)
{
    for (std::size_t size = 0; size <= max_result_size; size++) {
        auto n = static_cast<std::uint32_t>(size);

        Ticket ticket = b.wait(b.lead(n));

        b.finish(ticket, Outcome::good, text_of(n, size));

        ASSERT_TRUE(b.has(n, size)) << size;
        ASSERT_EQ(b.poll(ticket).state, State::done) << size;
        ASSERT_EQ(b.text, text_of(n, size)) << size;
        ASSERT_EQ(b.mem.problem(), "") << size;
    }
}


TEST_F(TableTest, AResultTakesNoMoreCellsThanItNeeds)
{
    constexpr struct {
        std::size_t size;
        std::uint32_t cells;
    } rows[] = {{0, 1}, {72, 1}, {73, 2}, {192, 2}, {193, 3}, {640, 6}};

    std::uint32_t n = 0;

    for (auto row : rows) {
        std::uint32_t before = b.free_cells();

        b.add(n++, Outcome::good, row.size);
        EXPECT_EQ(before - b.free_cells(), row.cells) << row.size;
    }
}


TEST_F(TableTest, AResultThatIsTooLargeIsNotKept)
{
    Ticket ticket = b.wait(b.lead(1));

    b.finish(ticket, Outcome::good, text_of(1, max_result_size + 1));

    EXPECT_EQ(b.poll(ticket).state, State::done);
    EXPECT_EQ(b.text, "");
    EXPECT_EQ(b.free_cells(), small_cells);
    EXPECT_EQ(b.find(1).found, Found::lead);
}


TEST_F(TableTest, WhoWaitsForAResultWithoutRoomGetsAnEmptyOne)
{
    auto tickets = b.lead_all(100);

    b.wait(tickets[0]);
    b.finish(tickets[0], Outcome::good, text_of(1, max_result_size));

    EXPECT_EQ(b.poll(tickets[0]).state, State::done);
    EXPECT_EQ(b.text, "");
    EXPECT_EQ(b.free_cells(), 1u);
    EXPECT_EQ(b.mem.table.entries(), small_cells - 1);
}


TEST_F(TableTest, WhereThereIsRoomForHalfAResultTheEntryGoesWhole)
{
    auto tickets = b.lead_all(100, 3);

    b.finish(tickets[0], Outcome::good, text_of(1, max_result_size));

    EXPECT_EQ(b.poll(tickets[0]).state, State::lost);
    EXPECT_EQ(b.free_cells(), 4u);
}


TEST_F(TableTest, NoMoreIsReadThanThereIsRoomFor)
{
    Ticket ticket = b.wait(b.add(1, Outcome::good, 640));

    for (std::size_t room : {0u, 5u, 72u, 73u, 200u}) {
        std::vector<char> result(room);
        Table &t = b.mem.table;

        t.enter();
        Lookup lookup = t.find(digest_of(1), b.now, lifetimes, {}, result);
        t.leave();

        EXPECT_EQ(lookup.size, room);
        EXPECT_EQ(std::string(result.data(), room),
                  text_of(1, 640).substr(0, room));
    }

    b.forget(ticket);
}


/* finishing */

TEST_F(TableTest, AFailureIsForThoseWhoWaitAndNobodyElse)
{
    Ticket ticket = b.wait(b.wait(b.lead(1)));

    b.finish(ticket, Outcome::failed, text_of(9, 300));

    Ticket next = b.lead(1);

    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(b.poll(ticket).state, State::done);
        EXPECT_EQ(b.text, text_of(9, 300));
    }

    EXPECT_EQ(b.poll(ticket).state, State::lost);
    EXPECT_EQ(b.poll(next).state, State::pending);
    EXPECT_EQ(b.free_cells(), small_cells - 1);
}


TEST_F(TableTest, AFailureNobodyWaitsForIsGoneAtOnce)
{
    b.add(1, Outcome::failed, 640);

    EXPECT_EQ(b.mem.table.entries(), 0u);
    EXPECT_EQ(b.free_cells(), small_cells);
    EXPECT_EQ(b.mem.table.evictions(), 0u);
    EXPECT_EQ(b.find(1).found, Found::lead);
}


TEST_F(TableTest, WhoForgetsAFailureLastClearsIt)
{
    Ticket ticket = b.wait(b.wait(b.lead(1)));

    b.finish(ticket, Outcome::failed, text_of(1, 640));
    b.forget(ticket);

    EXPECT_EQ(b.mem.table.entries(), 1u);
    b.forget(ticket);

    EXPECT_EQ(b.free_cells(), small_cells);
}


TEST_F(TableTest, AResultStaysForOthersWhenThoseWhoWaitedHaveIt)
{
    for (Outcome outcome : {Outcome::good, Outcome::bad}) {
        auto n = static_cast<std::uint32_t>(outcome);
        Ticket ticket = b.wait(b.lead(n));

        b.finish(ticket, outcome, text_of(n, 69));

        EXPECT_EQ(b.poll(ticket).state, State::done);
        EXPECT_TRUE(b.has(n));
    }
}


TEST_F(TableTest, ASecondEndChangesNothing)
{
    Ticket ticket = b.add(1, Outcome::good);

    b.finish(ticket, Outcome::bad, "another");
    b.finish(ticket, Outcome::failed, "another");

    EXPECT_TRUE(b.has(1));
}


TEST_F(TableTest, ATicketOfAnEntryThatWentNamesNothing)
{
    Ticket old = b.add(1, Outcome::failed);
    Ticket now = b.lead(2);

    ASSERT_EQ(old.cell, now.cell);

    b.finish(old, Outcome::good, "x");
    b.wait(old);

    EXPECT_EQ(b.poll(old).state, State::lost);
    EXPECT_FALSE(b.take_over(old, {1, start + timeout}, {2, start}));
    EXPECT_EQ(b.poll(now).state, State::pending);
    EXPECT_EQ(b.mem.cell(now.cell).waiters, 0);
}


TEST_F(TableTest, ATicketOfACellThatIsPartOfAResultNamesNothing)
{
    b.add(1, Outcome::good, 640);

    for (std::uint32_t i = 0; i < small_cells; i++) {
        if (b.mem.cell(i).state != TableMemory::part) {
            continue;
        }

        Ticket ticket = {i, b.mem.cell(i).generation};

        EXPECT_EQ(b.poll(ticket).state, State::lost);
        b.forget(ticket);
        b.finish(ticket, Outcome::bad, "x");
    }

    EXPECT_TRUE(b.has(1, 640));
}


TEST_F(TableTest, TicketsThatNameNoCellDoNoHarm)
{
    Ticket none;
    Ticket far = {small_cells, 1};

    EXPECT_FALSE(none.valid());

    for (Ticket ticket : {none, far}) {
        b.wait(ticket);
        b.forget(ticket);
        b.finish(ticket, Outcome::good, "x");

        EXPECT_EQ(b.poll(ticket).state, State::lost);
        EXPECT_FALSE(b.take_over(ticket, {}, {}));
    }
}


TEST_F(TableTest, GenerationsStayApartWhenTheyWrap)
{
    b.mem.root().generation = UINT32_MAX - 1;

    Ticket one = b.add(1, Outcome::failed);
    Ticket two = b.add(2, Outcome::failed);
    Ticket three = b.lead(3);

    EXPECT_EQ(one.generation, UINT32_MAX);
    EXPECT_EQ(two.generation, 0u);
    EXPECT_EQ(b.poll(one).state, State::lost);
    EXPECT_EQ(b.poll(two).state, State::lost);
    EXPECT_EQ(b.poll(three).state, State::pending);
}


/* taking over */

TEST_F(TableTest, OnlyTheFirstTakesOverFromTheDead)
{
    Ticket ticket = b.wait(b.wait(b.lead(1, 17)));
    Owner dead = b.poll(ticket).owner;

    EXPECT_TRUE(b.take_over(ticket, dead, {18, start + 20000}));
    EXPECT_FALSE(b.take_over(ticket, dead, {19, start + 30000}));

    Poll poll = b.poll(ticket);

    EXPECT_EQ(poll.state, State::pending);
    EXPECT_EQ(poll.owner.process, 18u);
    EXPECT_EQ(poll.owner.deadline, start + 20000);
    EXPECT_EQ(b.mem.cell(ticket.cell).waiters, 1);
}


TEST_F(TableTest, TheSameProcessWithAnotherDeadlineIsNotTheDeadOne)
{
    Ticket ticket = b.wait(b.lead(1, 17));

    EXPECT_FALSE(b.take_over(ticket, {17, start}, {18, start}));
    EXPECT_FALSE(b.take_over(ticket, {16, start + timeout}, {18, start}));
    EXPECT_EQ(b.poll(ticket).owner.process, 17u);
}


TEST_F(TableTest, NobodyTakesOverWhatHasEnded)
{
    Ticket ticket = b.wait(b.lead(1, 17));
    Owner owner = b.poll(ticket).owner;

    b.finish(ticket, Outcome::good, "r");

    EXPECT_FALSE(b.take_over(ticket, owner, {18, start}));
    EXPECT_EQ(b.poll(ticket).state, State::done);
}


TEST_F(TableTest, WhoInheritsHasATimeOfItsOwnAndKeepsTheWaiters)
{
    Ticket ticket = b.wait(b.lead(1, 17));

    Owner owner = b.poll(ticket).owner;

    b.mem.table.renew(ticket, {18, start}, {18, start + 30000});
    b.mem.table.renew(ticket, owner, {17, start + 20000});

    Poll poll = b.poll(ticket);

    EXPECT_EQ(poll.state, State::pending);
    EXPECT_EQ(poll.owner.process, 17u);
    EXPECT_EQ(poll.owner.deadline, start + 20000);
    EXPECT_EQ(b.mem.cell(ticket.cell).waiters, 1);
}


TEST_F(TableTest, NobodyInheritsWhatHasEnded)
{
    Ticket ticket = b.wait(b.lead(1, 17));

    Owner owner = b.poll(ticket).owner;

    b.finish(ticket, Outcome::good, "r");
    b.mem.table.renew(ticket, owner, {18, start + 20000});
    b.mem.table.renew(Ticket{}, owner, {18, start + 20000});

    EXPECT_EQ(b.poll(ticket).state, State::done);
    EXPECT_EQ(b.find(1).found, Found::result);
}


TEST_F(TableTest, WhatIsAbandonedIsLostToWhoWaitsAndLedAnew)
{
    Ticket ticket = b.wait(b.lead(1, 17));

    Owner owner = b.poll(ticket).owner;

    b.mem.table.abandon(ticket, {18, start});
    EXPECT_EQ(b.poll(ticket).state, State::pending);

    b.mem.table.abandon(ticket, owner);
    EXPECT_EQ(b.poll(ticket).state, State::lost);
    EXPECT_EQ(b.find(1).found, Found::lead);

    b.mem.table.abandon(ticket, owner);
    b.mem.table.abandon(Ticket{}, owner);
    EXPECT_EQ(b.find(1).found, Found::pending);
}


TEST_F(TableTest, WhatHasEndedIsNotAbandoned)
{
    Ticket ticket = b.wait(b.lead(1, 17));

    Owner owner = b.poll(ticket).owner;

    b.finish(ticket, Outcome::good, "r");
    b.mem.table.abandon(ticket, owner);

    EXPECT_EQ(b.poll(ticket).state, State::done);
    EXPECT_EQ(b.find(1).found, Found::result);
}


TEST_F(TableTest, WhoTookOverFinishesForAll)
{
    Ticket ticket = b.wait(b.wait(b.lead(1, 17)));

    ASSERT_TRUE(b.take_over(ticket, b.poll(ticket).owner, {18, start}));
    b.finish(ticket, Outcome::failed, "r");

    EXPECT_EQ(b.poll(ticket).state, State::done);
    EXPECT_EQ(b.mem.table.entries(), 0u);
}


TEST_F(TableTest, WhoWasTakenOverFromHasNoSay)
{
    Ticket ticket = b.wait(b.wait(b.lead(1, 17)));
    Owner late = b.poll(ticket).owner;
    Owner next = {17, start + 20000};

    ASSERT_TRUE(b.take_over(ticket, late, next));

    for (Outcome outcome : {Outcome::good, Outcome::bad, Outcome::failed}) {
        b.finish(ticket, late, outcome, "late");
        EXPECT_EQ(b.poll(ticket).state, State::pending);
    }

    b.finish(ticket, next, Outcome::good, text_of(1, 69));
    b.finish(ticket, late, Outcome::failed, "late");

    EXPECT_EQ(b.poll(ticket).state, State::done);
    EXPECT_TRUE(b.has(1));
}


/* wiping */

TEST_F(TableTest, NothingIsLeftOfAnEntryThatWent)
{
    Digest secret;
    secret.fill('s');

    char result[max_result_size];
    Table &t = b.mem.table;

    t.enter();
    Ticket ticket = t.find(secret, start, lifetimes, {1, start},
                           result).ticket;
    t.finish(ticket, {1, start}, start, Outcome::good,
             std::string(max_result_size, 's'));
    t.leave();

    auto held = [&] {
        auto memory = b.mem.memory();
        std::string_view text(reinterpret_cast<char *>(memory.data()),
                              memory.size());

        return text.find("ssss") != text.npos;
    };

    EXPECT_TRUE(held());

    b.fill(1);
    b.lead(1000);

    EXPECT_EQ(b.mem.table.evictions(), 1u);
    EXPECT_FALSE(held());
}


/* waiting */

TEST_F(TableTest, AnExpiredResultStaysForThoseWhoWait)
{
    Ticket ticket = b.wait(b.wait(b.lead(1)));

    b.finish(ticket, Outcome::good, text_of(1, 640));
    b.now += lifetimes.good;

    Ticket next = b.lead(1);

    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(b.poll(ticket).state, State::done);
        EXPECT_EQ(b.text, text_of(1, 640));
    }

    b.finish(next, Outcome::failed, "");
    EXPECT_EQ(b.free_cells(), small_cells);
}


TEST_F(TableTest, WhatIsWaitedForIsNotDrivenOutWithinAMinute)
{
    constexpr Outcome outcomes[] = {Outcome::good, Outcome::bad,
                                    Outcome::failed};

    std::vector<Ticket> tickets;

    for (std::uint32_t n = 0; n < 3; n++) {
        Ticket ticket = b.wait(b.lead(n));

        b.finish(ticket, outcomes[n], text_of(n, 300));
        tickets.push_back(ticket);
    }

    b.now += minute;

    b.fill(100);
    EXPECT_EQ(b.find(50).found, Found::full);

    for (std::uint32_t n = 0; n < 3; n++) {
        EXPECT_EQ(b.poll(tickets[n]).state, State::done);
        EXPECT_EQ(b.text, text_of(n, 300));
    }
}


TEST_F(TableTest, WhoWaitsForMoreThanAMinuteIsTakenForDead)
{
    constexpr Outcome outcomes[] = {Outcome::good, Outcome::bad,
                                    Outcome::failed};

    for (std::uint32_t n = 0; n < 3; n++) {
        b.finish(b.wait(b.lead(n)), outcomes[n], "r");
    }

    b.now += minute + 1;
    b.fill(100);

    for (std::uint32_t n = 0; n < 3; n++) {
        EXPECT_EQ(b.find(50 + n).found, Found::lead);
    }

    EXPECT_EQ(b.find(60).found, Found::full);
    EXPECT_EQ(b.mem.table.evictions(), 3u);
}


TEST_F(TableTest, MoreWaitersThanCanBeCountedKeepTheEntry)
{
    Ticket ticket = b.lead(1);

    for (int i = 0; i < UINT16_MAX + 1; i++) {
        b.wait(ticket);
    }

    b.finish(ticket, Outcome::failed, "r");
    b.fill(100);

    EXPECT_EQ(b.find(2).found, Found::full);
    EXPECT_EQ(b.poll(ticket).state, State::done);
}


/* making room */

TEST_F(TableTest, WhatWasUsedLongestAgoGoesFirst)
{
    for (std::uint32_t n = 0; n < small_cells; n++) {
        b.add(n, Outcome::good);
    }

    /* all used again, in an order that is not that of the cells */

    std::vector<std::uint32_t> order;

    for (std::uint32_t i = 0; i < small_cells; i++) {
        order.push_back(i * 23 % small_cells);
        EXPECT_TRUE(b.has(order.back()));
    }

    for (std::uint32_t i = 0; i < small_cells; i++) {
        EXPECT_TRUE(b.mem_has(order[i]));
        b.wait(b.add(1000 + i, Outcome::good));
        EXPECT_FALSE(b.mem_has(order[i]));
    }

    EXPECT_EQ(b.mem.table.evictions(), small_cells);
}


TEST_F(TableTest, RefusedCodesAlsoGoInTheOrderOfTheirUse)
{
    for (std::uint32_t n = 0; n < small_cells; n++) {
        b.add(n, Outcome::bad);
    }

    EXPECT_TRUE(b.has(0));

    b.lead(1000);

    EXPECT_TRUE(b.mem_has(0));
    EXPECT_FALSE(b.mem_has(1));
}


TEST_F(TableTest, RefusedCodesBeyondTheirShareGoBeforeGoodOnes)
{
    std::uint32_t n = 0;

    while (n < small_cells - small_share) {
        b.add(n++, Outcome::good);
    }

    while (n < small_cells) {
        b.add(n++, Outcome::bad);
    }

    b.lead(1000);

    EXPECT_TRUE(b.mem_has(0));
    EXPECT_FALSE(b.mem_has(small_cells - small_share));
}


TEST_F(TableTest, RefusedCodesWithinTheirShareAreKept)
{
    std::uint32_t n = 0;

    while (n < small_share - 1) {
        b.add(n++, Outcome::bad);
    }

    while (n < small_cells) {
        b.add(n++, Outcome::good);
    }

    b.lead(1000);

    EXPECT_TRUE(b.mem_has(0));
    EXPECT_FALSE(b.mem_has(small_share - 1));
}


TEST_F(TableTest, TheShareCountsThePartsOfResults)
{
    /* three entries of six cells are more than a quarter */

    for (std::uint32_t n = 0; n < 3; n++) {
        b.add(n, Outcome::bad, 640);
    }

    for (std::uint32_t n = 3; b.free_cells(); n++) {
        b.add(n, Outcome::good);
    }

    b.lead(1000);

    EXPECT_FALSE(b.mem_has(0));
    EXPECT_TRUE(b.mem_has(3));
}


TEST_F(TableTest, AResultMakesRoomForItsPartsButNotOfItself)
{
    for (std::uint32_t n = 0; n < small_cells; n++) {
        b.add(n, Outcome::good, 640);
        ASSERT_TRUE(b.has(n, 640));
        ASSERT_EQ(b.mem.problem(), "");
    }

    EXPECT_EQ(b.mem.table.entries(), small_cells / 6);
    EXPECT_EQ(b.mem.table.evictions(), small_cells - small_cells / 6);
}


TEST_F(TableTest, EntriesInFlightStayUnderAFlood)
{
    std::vector<Ticket> tickets;

    for (std::uint32_t n = 0; n < 30; n++) {
        tickets.push_back(b.lead(n));
    }

    for (std::uint32_t n = 1000; n < 6000; n++) {
        b.add(n, n % 3 ? Outcome::bad : Outcome::good, n % 641);
    }

    for (std::uint32_t n = 0; n < 30; n++) {
        EXPECT_EQ(b.poll(tickets[n]).state, State::pending);
        EXPECT_EQ(b.find(n).found, Found::pending);
    }
}


TEST_F(TableTest, WhatTheDeadLeftPendingGoesAMinuteAfterItsDeadline)
{
    auto tickets = b.lead_all(100);

    b.now = start + timeout + minute;
    EXPECT_EQ(b.find(1).found, Found::full);

    b.now++;

    for (std::uint32_t n = 0; n < small_cells / 2; n++) {
        EXPECT_EQ(b.find(n).found, Found::lead);
    }

    EXPECT_EQ(b.find(small_cells).found, Found::full);
    EXPECT_EQ(b.poll(tickets[0]).state, State::lost);
}


TEST_F(TableTest, WhatTheDeadLeftPendingGoesBeforeResults)
{
    b.lead(1);
    b.now = start + timeout + minute + 1;

    for (std::uint32_t n = 2; b.free_cells(); n++) {
        b.add(n, Outcome::good);
    }

    b.lead(1000);

    EXPECT_FALSE(b.mem_has(1));
    EXPECT_TRUE(b.mem_has(2));
}


/* at the size people use */

namespace {


void
survive_flood(std::size_t size)
{
    Bench b(size);

    b.lives = {10 * minute, 10 * minute};

    for (std::uint32_t n = 0; n < 1000; n++) {
        b.add(n, Outcome::good);
    }

    for (std::uint32_t n = 0; n < 100000; n++) {
        b.now = start + n / 5;      /* 5,000 a second */
        b.add(1000000 + n, Outcome::bad);
    }

    for (std::uint32_t n = 0; n < 1000; n++) {
        ASSERT_TRUE(b.has(n)) << n;
    }

    EXPECT_GE(b.mem.table.evictions(), 90000u);
    EXPECT_EQ(b.mem.problem(), "");
}


}


TEST(TableFlood, ThousandGoodEntriesOutliveMadeUpCodesInAMegabyte)
{
    survive_flood(1024 * 1024);
}


TEST(TableFlood, AndInTheSmallestTableThatCanHoldThem)
{
    /* three quarters and the one in flight: 1,000 + 1 */

    std::size_t size = Table::min_size;

    for ( ;; ) {
        Bench b(size);

        std::uint32_t cells = b.mem.table.capacity();

        if (cells - cells / 4 > 1000) {
            break;
        }

        size += 8;
    }

    survive_flood(size);
}


TEST(TableFlood, AMillionCodesLeaveATableThatIsWhole)
{
    Bench b(1024 * 1024);
    std::uint32_t cells = b.mem.table.capacity();

    for (std::uint32_t n = 0; n < 1000000; n++) {
        Ticket ticket = b.lead(n);

        b.now = start + n / 5;
        b.finish(ticket, n % 4 == 0 ? Outcome::bad
                                    : n % 4 == 1 ? Outcome::failed
                                                 : Outcome::good,
                 {"0123456789", n % 11});

        if (n % 100000 == 0) {
            ASSERT_EQ(b.mem.problem(), "") << n;
        }
    }

    EXPECT_EQ(b.mem.problem(), "");
    EXPECT_EQ(b.mem.table.capacity(), cells);
    EXPECT_EQ(b.mem.table.entries() + b.free_cells(), cells);
    EXPECT_EQ(b.mem.table.evictions(), 750000 - b.mem.table.entries());
}


TEST(TableSize, ATypicalEntryTakesAtMost160Bytes)
{
    ExchangeResult result;

    ASSERT_TRUE(result.session.openid.assign(std::string(28, 'o')));
    ASSERT_TRUE(result.session.unionid.assign(std::string(29, 'u')));

    char out[max_result_text];
    std::size_t length = write_result(result, true, out);

    for (std::size_t size : {1u << 20, 4u << 20, 10u << 20}) {
        Bench b(size);

        for (std::uint32_t n = 0; b.mem.table.evictions() == 0; n++) {
            b.finish(b.lead(n), Outcome::good, {out, length});
        }

        std::size_t each = size / b.mem.table.entries();

        printf("%zu bytes: %u entries of %zu bytes\n", size,
               b.mem.table.entries(), each);

        EXPECT_LE(each, 160u) << size;
    }
}


TEST(TableSize, MemoryOfAnySizeIsUsedAndNoByteBehindIt)
{
    for (std::size_t size = Table::min_size; size < 20000; size += 8) {
        /* the sanitizer watches what lies behind */

        std::vector<std::uint64_t> memory(size / 8);
        auto bytes = std::as_writable_bytes(std::span(memory));

        Table::format(bytes);

        Table table;
        Owner owner = {1, start + timeout};

        table.attach(bytes);

        EXPECT_LE(table.capacity() * 128, size);
        EXPECT_GE((table.capacity() + 2) * 132, size);

        table.enter();

        for (std::uint32_t n = 0; n < table.capacity(); n++) {
            Lookup lookup = table.find(digest_of(n), start, lifetimes, owner,
                                       {});

            ASSERT_EQ(lookup.found, Found::lead);

            table.wait(lookup.ticket);
            table.finish(lookup.ticket, owner, start, Outcome::good, "r");
        }

        ASSERT_EQ(table.find(digest_of(10000), start, lifetimes, owner, {})
                      .found, Found::full);
        table.leave();
    }
}
