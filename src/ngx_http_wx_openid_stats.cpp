/*
 * Copyright (C) wx_openid authors
 *
 * Counters in the zone: what is counted, and when.  Atomics, no lock; how
 * they are shown is status.cpp's.
 */

#include "ngx_http_wx_openid_zone.h"

#include <csignal>


namespace wx_openid {


namespace {


void
add(ngx_atomic_t &counter, ngx_atomic_int_t n = 1) noexcept
{
    (void) ngx_atomic_fetch_add(&counter, n);
}


/*
 * This process's slot: the one it has, or one of the dead.  Who had none when
 * it counted up shall have none when it counts down.
 */

WorkerSlot *
worker_slot(Stats &stats, ngx_int_t change) noexcept
{
    auto self = static_cast<ngx_atomic_uint_t>(ngx_pid);

    for (WorkerSlot &slot : stats.workers) {
        if (slot.process == self) {
            return &slot;
        }
    }

    if (change < 0) {
        return nullptr;
    }

    for (WorkerSlot &slot : stats.workers) {
        ngx_atomic_uint_t process = slot.process;

        if ((process == 0 || !is_alive(static_cast<ngx_pid_t>(process)))
            && ngx_atomic_cmp_set(&slot.process, process, self))
        {
            slot.in_flight = 0;
            return &slot;
        }
    }

    return nullptr;
}


}


void
count_request(const MainConf &mcf, Ctx &ctx) noexcept
{
    Stats *stats = zone_stats(mcf);

    if (stats == nullptr || ctx.counted) {
        return;
    }

    ctx.counted = true;

    add(stats->results[static_cast<std::size_t>(ctx.status)]);

    if (ctx.status == Status::error) {
        add(stats->errors[static_cast<std::size_t>(ctx.refusal)]);
    }
}


void
count_reply(const MainConf &mcf, int errcode) noexcept
{
    Stats *stats = zone_stats(mcf);

    if (stats == nullptr) {
        return;
    }

    std::size_t i = 0;

    while (i < std::size(counted_errcodes) && counted_errcodes[i] != errcode) {
        i++;
    }

    add(stats->errcodes[i]);
}


void
count_exchange(const MainConf &mcf, ngx_msec_t time) noexcept
{
    Stats *stats = zone_stats(mcf);

    if (stats == nullptr) {
        return;
    }

    std::size_t i = 0;

    while (i < std::size(exchange_bounds) && time > exchange_bounds[i]) {
        i++;
    }

    add(stats->exchanges[i]);
    add(stats->exchange_msec, static_cast<ngx_atomic_int_t>(time));
}


void
count_connection(const MainConf &mcf) noexcept
{
    if (Stats *stats = zone_stats(mcf)) {
        add(stats->connections);
    }
}


void
count_in_flight(const MainConf &mcf, ngx_int_t change) noexcept
{
    Stats *stats = zone_stats(mcf);
    WorkerSlot *slot = stats ? worker_slot(*stats, change) : nullptr;

    if (slot) {
        add(slot->in_flight, change);
    }
}


ngx_uint_t
in_flight(const Stats &stats) noexcept
{
    ngx_uint_t n = 0;

    for (const WorkerSlot &slot : stats.workers) {
        if (slot.process && slot.in_flight
            && is_alive(static_cast<ngx_pid_t>(slot.process)))
        {
            n += slot.in_flight;
        }
    }

    return n;
}


}
