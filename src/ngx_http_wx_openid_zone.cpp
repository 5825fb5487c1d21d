/*
 * Copyright (C) wx_openid authors
 *
 * The shared zone: made, kept over reloads, locked.  What the table in it
 * means is core/wx_openid_table's, who asks it is flight.cpp's.
 */

#include "ngx_http_wx_openid_zone.h"

#include <openssl/rand.h>


namespace wx_openid {


namespace {


/* another layout gets another name, and so a zone of its own */

constexpr std::string_view zone_name = "wx_openid_1";


class ZoneLock {
public:
    explicit ZoneLock(Zone &zone) noexcept : zone_(zone)
    {
        ngx_shmtx_lock(&zone_.shpool->mutex);
        zone_.table.enter();
    }

    ~ZoneLock()
    {
#if (WX_OPENID_TEST_HOOKS)
        stop_if_asked();
#endif
        zone_.table.leave();
        ngx_shmtx_unlock(&zone_.shpool->mutex);
    }

    ZoneLock(const ZoneLock &) = delete;
    ZoneLock &operator=(const ZoneLock &) = delete;

private:
#if (WX_OPENID_TEST_HOOKS)
    /* the test build alone: holds the lock until the process is killed */

    static void stop_if_asked() noexcept
    {
        const char *file = getenv("WX_OPENID_TEST_STOP");

        if (file && unlink(file) == 0) {
            for ( ;; ) {
                pause();
            }
        }
    }
#endif

    Zone &zone_;
};


/* all that the slab pool has left, in one piece */

void *
allocate_rest(ngx_slab_pool_t *shpool, size_t &size) noexcept
{
    size = static_cast<size_t>(shpool->end - shpool->start)
           & ~(ngx_pagesize - 1);

    shpool->log_nomem = 0;

    while (size >= ngx_pagesize) {
        void *p = ngx_slab_calloc(shpool, size);
        if (p) {
            return p;
        }

        size -= ngx_pagesize;
    }

    return nullptr;
}


std::span<std::byte>
table_memory(ZoneHead &head) noexcept
{
    return {reinterpret_cast<std::byte *>(&head) + head.table_offset,
            head.table_size};
}


ngx_int_t
format_zone(Zone &zone) noexcept
{
    size_t size;

    void *p = allocate_rest(zone.shpool, size);
    if (p == nullptr || size < sizeof(ZoneHead) + Table::min_size) {
        return NGX_ERROR;
    }

    zone.head = new (p) ZoneHead{};

    if (RAND_bytes(zone.head->key.data(), zone.head->key.size()) != 1) {
        return NGX_ERROR;
    }

    zone.head->table_offset = ngx_align(sizeof(ZoneHead), 64);
    zone.head->table_size = size - zone.head->table_offset;

    Table::format(table_memory(*zone.head));

    zone.shpool->data = zone.head;

    return NGX_OK;
}


ngx_int_t
init_zone(ngx_shm_zone_t *shm_zone, void *data) noexcept
{
    auto &zone = *static_cast<Zone *>(shm_zone->data);

    zone.shpool = reinterpret_cast<ngx_slab_pool_t *>(shm_zone->shm.addr);

    if (data || shm_zone->shm.exists) {
        zone.head = static_cast<ZoneHead *>(zone.shpool->data);

    } else if (format_zone(zone) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "\"wx_openid_cache\" zone cannot be made");
        return NGX_ERROR;
    }

    zone.table.attach(table_memory(*zone.head));

    return NGX_OK;
}


void
wipe_zone(void *data) noexcept
{
    static_cast<Zone *>(data)->hasher.wipe();
}


}


Zone *
create_zone(ngx_conf_t *cf, const MainConf &mcf) noexcept
{
    ngx_pool_cleanup_t *cln = ngx_pool_cleanup_add(cf->pool, sizeof(Zone));
    if (cln == nullptr) {
        return nullptr;
    }

    static_assert(std::is_trivially_destructible_v<Zone>);

    auto *zone = new (cln->data) Zone{};

    cln->handler = wipe_zone;

    if (!zone->hasher.init()) {
        log_no_sha256(cf);
        return nullptr;
    }

    ngx_str_t name = to_str(zone_name);

    zone->shm = ngx_shared_memory_add(cf, &name, mcf.cache_size,
                                      &ngx_http_wx_openid_module);
    if (zone->shm == nullptr) {
        return nullptr;
    }

    zone->shm->init = init_zone;
    zone->shm->data = zone;

    return zone;
}


bool
zone_digest(const MainConf &mcf, const Ctx &ctx, Digest &digest) noexcept
{
    /*
     * All parts but the last are of one size: no two lists run together.  128
     * bits of line and app, as of the digest, keep a code of WeChat's length
     * within two blocks.
     */

    u_char text[sha256_size + 2 * sizeof(Digest) + max_code_length];
    Sha256 sha;

    u_char *p = ngx_cpymem(text, mcf.zone->head->key.data(), sha256_size);
    p = ngx_cpymem(p, ctx.conf->line->digest.data(), sizeof(Digest));
    p = ngx_cpymem(p, ctx.app->digest.data(), sizeof(Digest));
    p = ngx_cpymem(p, ctx.code.data, ctx.code.len);

    if (!mcf.zone->hasher.hash({chars(text),
                                static_cast<std::size_t>(p - text)}, sha))
    {
        return false;
    }

    ngx_memcpy(digest.data(), sha.data(), digest.size());

    return true;
}


Lookup
zone_find(const MainConf &mcf, const Digest &digest, Owner owner,
    std::span<char> result) noexcept
{
    ZoneLock lock(*mcf.zone);
    Table &table = mcf.zone->table;

    Lookup lookup = table.find(digest, ngx_current_msec, mcf.cache, owner,
                               result);

    if (lookup.found == Lookup::Found::pending) {
        table.wait(lookup.ticket);
    }

    return lookup;
}


Poll
zone_poll(const MainConf &mcf, Ticket ticket, std::span<char> result) noexcept
{
    ZoneLock lock(*mcf.zone);

    return mcf.zone->table.poll(ticket, result);
}


bool
zone_take_over(const MainConf &mcf, Ticket ticket, Owner dead,
    Owner owner) noexcept
{
    ZoneLock lock(*mcf.zone);

    return mcf.zone->table.take_over(ticket, dead, owner);
}


void
zone_renew(const MainConf &mcf, Ticket ticket, Owner owner,
    Owner heir) noexcept
{
    ZoneLock lock(*mcf.zone);

    mcf.zone->table.renew(ticket, owner, heir);
}


void
zone_forget(const MainConf &mcf, Ticket ticket) noexcept
{
    ZoneLock lock(*mcf.zone);

    mcf.zone->table.forget(ticket);
}


void
zone_abandon(const MainConf &mcf, Ticket ticket, Owner owner) noexcept
{
    ZoneLock lock(*mcf.zone);

    mcf.zone->table.abandon(ticket, owner);
}


void
zone_finish(const MainConf &mcf, Ticket ticket, Owner owner, Outcome outcome,
    std::string_view result) noexcept
{
    ZoneLock lock(*mcf.zone);

    mcf.zone->table.finish(ticket, owner, ngx_current_msec, outcome, result);
}


void
zone_full(const MainConf &mcf, ngx_http_request_t *r) noexcept
{
    constexpr ngx_atomic_uint_t interval = 60;

    ngx_atomic_t &warned = mcf.zone->head->full_warned;
    ngx_atomic_uint_t last = warned;
    auto now = static_cast<ngx_atomic_uint_t>(ngx_time());

    if ((last == 0 || now - last >= interval)
        && ngx_atomic_cmp_set(&warned, last, now))
    {
        log_line(r, NGX_LOG_WARN, "zone of \"wx_openid_cache\" is full of "
                                  "exchanges in flight");
    }
}


Stats *
zone_stats(const MainConf &mcf) noexcept
{
    return mcf.zone && mcf.zone->head ? &mcf.zone->head->stats : nullptr;
}


void
zone_usage(const MainConf &mcf, ngx_uint_t &entries,
    ngx_uint_t &evictions) noexcept
{
    if (zone_stats(mcf) == nullptr) {
        entries = 0;
        evictions = 0;
        return;
    }

    ZoneLock lock(*mcf.zone);

    entries = mcf.zone->table.entries();
    evictions = mcf.zone->table.evictions();
}


}
