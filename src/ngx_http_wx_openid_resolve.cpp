/*
 * Copyright (C) wx_openid authors
 *
 * Names of wx_openid_pass at run time: each worker asks again when an answer
 * ends, in the background, and keeps the last good one while DNS fails.
 * Who is asked is resolver.cpp's, how addresses are used peers.cpp's.
 */

#include "ngx_http_wx_openid_peers.h"

#include "core/wx_openid_resolvconf.h"


namespace wx_openid {


namespace {


/* nginx asks the next nameserver after 5 s: time for each to be asked once */

constexpr ngx_msec_t query_timeout = max_nameservers * 5000;
constexpr ngx_msec_t first_retry = 1000;
constexpr ngx_msec_t last_retry = 30000;

constexpr time_t longest_ttl = 86400;


void
schedule(Peers &peers, ngx_msec_t time) noexcept
{
    if (!ngx_exiting && !ngx_terminate) {
        ngx_add_timer(&peers.timer, time);
    }
}


void
retry_later(Peers &peers) noexcept
{
    peers.failing = true;
    peers.ipv4 = false;
    peers.retry = peers.retry ? ngx_min(peers.retry * 2, last_retry)
                              : first_retry;

    schedule(peers, peers.retry);
}


/* whether packets to the address would go anywhere: none is sent */

bool
has_route(struct sockaddr *sockaddr, socklen_t socklen) noexcept
{
    ngx_socket_t s = ngx_socket(sockaddr->sa_family, SOCK_DGRAM, 0);

    if (s == static_cast<ngx_socket_t>(-1)) {
        return false;
    }

    bool ok = connect(s, sockaddr, socklen) == 0;

    (void) ngx_close_socket(s);

    return ok;
}


bool
copy_address(ngx_pool_t *pool, const ngx_resolver_addr_t &from,
    in_port_t port, Address &to) noexcept
{
    to = Address{};
    to.socklen = from.socklen;
    to.sockaddr = static_cast<struct sockaddr *>(
        ngx_palloc(pool, from.socklen));
    to.name.data = static_cast<u_char *>(
        ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN));

    if (to.sockaddr == nullptr || to.name.data == nullptr) {
        return false;
    }

    ngx_memcpy(to.sockaddr, from.sockaddr, from.socklen);
    ngx_inet_set_port(to.sockaddr, port);

    to.name.len = ngx_sock_ntop(to.sockaddr, to.socklen, to.name.data,
                                NGX_SOCKADDR_STRLEN, 1);
    return true;
}


/*
 * Leaves those that can be reached; if none can, then all, since to have
 * tried says more than to have nothing to try.  Returns whether one can.
 */

bool
drop_unreachable(Addresses &addresses) noexcept
{
    ngx_uint_t n = 0;

    for (ngx_uint_t i = 0; i < addresses.count; i++) {
        const Address &a = addresses.list[i];

        if (has_route(a.sockaddr, a.socklen)) {
            addresses.list[n++] = a;
        }
    }

    if (n) {
        addresses.count = n;
    }

    return n != 0;
}


Addresses *
copy_answer(ngx_pool_t *pool, const ngx_resolver_ctx_t &answer,
    in_port_t port) noexcept
{
    auto *addresses = pool_new<Addresses>(pool);
    if (addresses == nullptr) {
        return nullptr;
    }

    addresses->pool = pool;
    addresses->users = 1;
    addresses->list = static_cast<Address *>(
        ngx_palloc(pool, answer.naddrs * sizeof(Address)));
    if (addresses->list == nullptr) {
        return nullptr;
    }

    for (ngx_uint_t i = 0; i < answer.naddrs; i++) {
        Address a;

        if (!copy_address(pool, answer.addrs[i], port, a)) {
            return nullptr;
        }

        /* twice in the answer it would rest by halves */

        if (find_address(*addresses, a.sockaddr, a.socklen) == nullptr) {
            addresses->list[addresses->count++] = a;
        }
    }

    return addresses;
}


bool
use_answer(Peers &peers, const ngx_resolver_ctx_t &answer) noexcept
{
    ngx_pool_t *pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == nullptr) {
        return false;
    }

    Addresses *fresh = copy_answer(pool, answer, peers.line->pass->url.port);

    /* half of an answer does not take the place of what can be reached */

    if (fresh == nullptr || (!drop_unreachable(*fresh) && peers.ipv4)) {
        ngx_destroy_pool(pool);
        return false;
    }

    replace_addresses(peers, fresh);

    return true;
}


/* false: it was asked already, or there is none to ask */

bool
ask_ipv4(Peers &peers) noexcept
{
    if (peers.ipv4 || peers.resolver_ipv4 == nullptr) {
        return false;
    }

    peers.ipv4 = true;
    schedule(peers, 1);

    return true;
}


void
on_answer(ngx_resolver_ctx_t *answer) noexcept
{
    auto &peers = *static_cast<Peers *>(answer->data);

    if (answer->state || !use_answer(peers, *answer)) {

        if (ask_ipv4(peers)) {
            ngx_resolve_name_done(answer);
            return;
        }

        /* one line an outage: WeChat may still be where it was */

        ngx_uint_t level = peers.failing ? NGX_LOG_INFO : NGX_LOG_WARN;

        ngx_log_error(level, ngx_cycle->log, 0,
                      "wx_openid: \"%V\" could not be resolved (%i: %s), "
                      "%ui known addresses stay in use", &answer->name,
                      answer->state, ngx_resolver_strerror(answer->state),
                      peers.addresses->count);

        ngx_resolve_name_done(answer);
        retry_later(peers);
        return;
    }

    /* a timer of 32 bits takes 24 days at most */

    time_t left = ngx_min(answer->valid - ngx_time(), longest_ttl);

    peers.failing = false;
    peers.ipv4 = false;
    peers.retry = 0;
    peers.resolved = ngx_time();

    ngx_resolve_name_done(answer);

    schedule(peers, left > 0 ? static_cast<ngx_msec_t>(left) * 1000
                             : first_retry);
}


void
on_timer(ngx_event_t *ev) noexcept
{
    auto &peers = *static_cast<Peers *>(ev->data);

    if (ngx_exiting || ngx_terminate) {
        return;
    }

    ngx_resolver_ctx_t *query = ngx_resolve_start(
        peers.ipv4 ? peers.resolver_ipv4 : peers.resolver, nullptr);

    if (query == nullptr || query == NGX_NO_RESOLVER) {
        retry_later(peers);
        return;
    }

    query->name = peers.line->pass->url.host;
    query->handler = on_answer;
    query->data = &peers;
    query->timeout = query_timeout;
    query->cancelable = 1;

    if (ngx_resolve_name(query) != NGX_OK) {
        retry_later(peers);
    }
}


}


ngx_int_t
start_resolving(ngx_cycle_t *cycle) noexcept
{
    auto *mcf = static_cast<MainConf *>(
        ngx_http_cycle_get_module_main_conf(cycle,
                                            ngx_http_wx_openid_module));

    if (mcf == nullptr
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    for (Line *line : elements<Line *>(&mcf->lines)) {
        Peers *peers = peers_of(*line);

        if (peers == nullptr) {
            continue;
        }

        if (peers->addresses->count > 1) {
            (void) drop_unreachable(*peers->addresses);
        }

        if (peers->resolver == nullptr) {
            continue;
        }

        peers->timer.handler = on_timer;
        peers->timer.data = peers;
        peers->timer.log = cycle->log;
        peers->timer.cancelable = 1;

        ngx_add_timer(&peers->timer, 1);
    }

    return NGX_OK;
}


}
