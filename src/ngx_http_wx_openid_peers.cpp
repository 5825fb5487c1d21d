/*
 * Copyright (C) wx_openid authors
 *
 * A balancer of the module's own, for wx_openid_pass with a host: addresses
 * in turn, idle connections kept, those that failed left alone for a while.
 * Where addresses come from is resolve.cpp's.
 */

#include "ngx_http_wx_openid_peers.h"


namespace wx_openid {


namespace {


/* what a request holds of a balancer */

struct Pick {
    Peers *peers = nullptr;
    Addresses *addresses = nullptr;
    Address *address = nullptr;
    IdleConnection *kept = nullptr;     /* valid while pc->cached */
    ngx_http_upstream_t *upstream = nullptr;
};


/* the next address in turn that does not rest; all do: the next in turn */

Address *
choose_address(Peers &peers, Addresses &addresses) noexcept
{
    ngx_uint_t first = peers.next++ % addresses.count;

    for (ngx_uint_t i = 0; i < addresses.count; i++) {
        Address &a = addresses.list[(first + i) % addresses.count];

        if (is_rested(a)) {

            /* one request finds out whether it is back, and not all */

            if (a.rests) {
                a.failed = ngx_current_msec;
            }

            peers.next += i;
            return &a;
        }
    }

    return &addresses.list[first];
}


ngx_int_t
get_peer(ngx_peer_connection_t *pc, void *data) noexcept
{
    auto &pick = *static_cast<Pick *>(data);

    pc->cached = 0;
    pc->connection = take_idle(*pick.peers, *pick.addresses, pick.address,
                               pick.kept);

    if (pc->connection == nullptr) {
        pick.address = choose_address(*pick.peers, *pick.addresses);
    }

    pc->sockaddr = pick.address->sockaddr;
    pc->socklen = pick.address->socklen;
    pc->name = &pick.address->name;

    if (pc->connection == nullptr) {
        return NGX_OK;
    }

    resume_connection(pc->connection, pc->log);
    pc->cached = 1;

    return NGX_DONE;
}


/* a kept connection that was closed says nothing against its address */

bool
was_stale(const ngx_peer_connection_t *pc) noexcept
{
    const ngx_connection_t *c = pc->connection;

    return pc->cached && !(c && c->read->timedout);
}


void
note(Address &address, bool failed) noexcept
{
    address.rests = failed;

    if (failed) {
        address.failures++;
        address.failed = ngx_current_msec;
    }
}


/* DNS may have answered since the request began */

void
note_result(const Pick &pick, bool failed) noexcept
{
    note(*pick.address, failed);

    if (pick.addresses == pick.peers->addresses) {
        return;
    }

    Address *latest = find_address(*pick.peers->addresses,
                                   pick.address->sockaddr,
                                   pick.address->socklen);
    if (latest) {
        note(*latest, failed);
    }
}


bool
may_keep(const Pick &pick, ngx_connection_t *c) noexcept
{
    return c && !c->read->eof && !c->read->error && !c->read->timedout
           && !c->write->error && !c->write->timedout
           && pick.upstream->keepalive && pick.upstream->request_body_sent
           && pick.peers->max_idle && !ngx_terminate && !ngx_exiting
           && ngx_handle_read_event(c->read, 0) == NGX_OK;
}


/* of TLS 1.2: it was saved before nginx refused the certificate it is of */

void
forget_session(Peers &peers) noexcept
{
    if (peers.session) {
        ngx_ssl_free_session(peers.session);
        peers.session = nullptr;
    }
}


void
free_peer(ngx_peer_connection_t *pc, void *data, ngx_uint_t state) noexcept
{
    auto &pick = *static_cast<Pick *>(data);

    if (pick.address) {
        if (state & NGX_PEER_FAILED) {
            if (!was_stale(pc)) {
                note_result(pick, true);
                forget_session(*pick.peers);
            }

        } else if (pick.upstream->headers_in.status_n) {
            note_result(pick, false);

            if (may_keep(pick, pc->connection)) {
                keep_connection(*pick.peers, *pick.address,
                                pc->cached ? pick.kept : nullptr,
                                pc->connection);
                pc->connection = nullptr;
            }
        }
    }

    pick.address = nullptr;

    if (pc->tries) {
        pc->tries--;
    }
}


ngx_int_t
set_session(ngx_peer_connection_t *pc, void *data) noexcept
{
    auto &pick = *static_cast<Pick *>(data);

    return ngx_ssl_set_session(pc->connection, pick.peers->session);
}


void
save_session(ngx_peer_connection_t *pc, void *data) noexcept
{
    Peers &peers = *static_cast<Pick *>(data)->peers;

    ngx_ssl_session_t *session = ngx_ssl_get_session(pc->connection);

    if (session == nullptr) {
        return;
    }

    forget_session(peers);
    peers.session = session;
}


/* the request's pool goes */

void
drop_pick(void *data) noexcept
{
    release_addresses(static_cast<Pick *>(data)->addresses);
}


ngx_int_t
init_own_peer(ngx_http_request_t *sr,
    ngx_http_upstream_srv_conf_t *us) noexcept
{
    auto *peers = static_cast<Peers *>(us->peer.data);
    ngx_peer_connection_t &pc = sr->upstream->peer;

    ngx_pool_cleanup_t *cln = ngx_pool_cleanup_add(sr->pool, sizeof(Pick));
    if (cln == nullptr) {
        return NGX_ERROR;
    }

    auto *pick = new (cln->data) Pick;

    pick->peers = peers;
    pick->addresses = peers->addresses;
    pick->upstream = sr->upstream;
    pick->addresses->users++;

    cln->handler = drop_pick;

    pc.data = pick;
    pc.get = get_peer;
    pc.free = free_peer;
    pc.set_session = set_session;
    pc.save_session = save_session;
    pc.tries = pick->addresses->count;

    return NGX_OK;
}


/* the configuration's pool goes, and with it a worker or an old cycle */

void
drop_peers(void *data) noexcept
{
    auto &peers = *static_cast<Peers *>(data);

    if (peers.timer.timer_set) {
        ngx_del_timer(&peers.timer);
    }

    forget_session(peers);
    release_addresses(peers.addresses);
}


}


Peers *
peers_of(const Line &line) noexcept
{
    return line.group ? nullptr : static_cast<Peers *>(line.peers->peer.data);
}


bool
has_address(const Line &line) noexcept
{
    const Peers *peers = peers_of(line);

    return peers == nullptr || peers->addresses->count != 0;
}


ngx_http_upstream_srv_conf_t *
create_peers(ngx_conf_t *cf, const Line &line, const ngx_url_t &url,
    ngx_uint_t max_idle) noexcept
{
    auto *us = static_cast<ngx_http_upstream_srv_conf_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_upstream_srv_conf_t)));
    auto *addresses = pool_new<Addresses>(cf->pool);
    ngx_pool_cleanup_t *cln = ngx_pool_cleanup_add(cf->pool, sizeof(Peers));

    if (us == nullptr || addresses == nullptr || cln == nullptr) {
        return nullptr;
    }

    addresses->users = 1;
    addresses->list = static_cast<Address *>(
        ngx_pcalloc(cf->pool, url.naddrs * sizeof(Address) + 1));
    if (addresses->list == nullptr) {
        return nullptr;
    }

    for (const ngx_addr_t &addr : std::span(url.addrs, url.naddrs)) {
        if (find_address(*addresses, addr.sockaddr, addr.socklen)) {
            continue;
        }

        Address &a = addresses->list[addresses->count++];

        a.sockaddr = addr.sockaddr;
        a.socklen = addr.socklen;
        a.name = addr.name;
    }

    auto *peers = new (cln->data) Peers{};

    peers->line = &line;
    peers->addresses = addresses;
    peers->max_idle = max_idle;
    ngx_queue_init(&peers->idle);

    cln->handler = drop_peers;

    us->peer.init = init_own_peer;
    us->peer.data = peers;

    return us;
}


}
