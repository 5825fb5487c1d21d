/*
 * Copyright (C) wx_openid authors
 *
 * The zone as zone, stats and status see it: what lies in shared memory,
 * and the process's way to it.
 */

#ifndef NGX_HTTP_WX_OPENID_ZONE_H
#define NGX_HTTP_WX_OPENID_ZONE_H

#include "ngx_http_wx_openid.h"


namespace wx_openid {


/* upper bounds of the histogram, in milliseconds; one more for the rest */

inline constexpr ngx_msec_t exchange_bounds[] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000
};

inline constexpr std::size_t exchange_buckets =
    std::size(exchange_bounds) + 1;

inline constexpr std::size_t refusals =
    static_cast<std::size_t>(last_refusal) + 1;

/* the errcodes that have a counter of their own */

inline constexpr int counted_errcodes[] = {
    -1, 40002, 40013, 40029, 40125, 40163, 40164, 40226, 40243, 41002,
    41004, 41008, 45009, 45011
};


/* exchanges in flight of one worker; those of a dead one do not count */

struct WorkerSlot {
    ngx_atomic_t process;
    ngx_atomic_t in_flight;
};

inline constexpr std::size_t worker_slots = 256;


struct Stats {
    ngx_atomic_t results[7];    /* by Status */
    ngx_atomic_t errors[refusals];
    ngx_atomic_t errcodes[std::size(counted_errcodes) + 1];
    ngx_atomic_t exchanges[exchange_buckets];
    ngx_atomic_t exchange_msec;
    ngx_atomic_t connections;
    WorkerSlot workers[worker_slots];
};


struct ZoneHead {
    Sha256 key;                 /* made with the zone, never leaves it */
    ngx_atomic_t full_warned;   /* when, in seconds */
    Stats stats;
    size_t table_size;
    ngx_uint_t table_offset;    /* from the head */
};


struct Zone {
    ngx_shm_zone_t *shm;
    ngx_slab_pool_t *shpool;
    ZoneHead *head;
    Table table;
    Hasher hasher;              /* each process has its own */
};


}

#endif /* NGX_HTTP_WX_OPENID_ZONE_H */
