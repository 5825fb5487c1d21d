/*
 * Copyright (C) wx_openid authors
 *
 * Between nginx and the balancer of a line, ours or a group's: what is noted
 * of a peer for the exchange, and which kept connections may be used.  Knows
 * nothing of what is sent.  Our own balancer is peers.cpp's.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* what a balancer wants back when it is asked for a peer */

struct Peer {
    const Line *line = nullptr;
    Ctx *ctx = nullptr;

    void *data = nullptr;
    ngx_event_get_peer_pt get = nullptr;
    ngx_event_free_peer_pt free = nullptr;
    ngx_event_set_peer_session_pt set_session = nullptr;
    ngx_event_save_peer_session_pt save_session = nullptr;
    ngx_event_notify_peer_pt notify = nullptr;
};


/*
 * A group's idle connections are kept by address alone, so one may have
 * been opened by a proxy_pass with other TLS settings, or with none.
 */

bool
is_ours(const Line &line, const ngx_connection_t *c) noexcept
{
    if (line.ssl == nullptr) {
        return c->ssl == nullptr;
    }

    return c->ssl
           && SSL_get_SSL_CTX(c->ssl->connection) == line.ssl->ctx
           && (!line.tls.verify
               || SSL_get_verify_result(c->ssl->connection) == X509_V_OK);
}


/*
 * A kept connection that may not be used is closed; NGX_OK then has nginx
 * connect anew to the same peer.
 */

ngx_int_t
get_peer(ngx_peer_connection_t *pc, void *data) noexcept
{
    auto *peer = static_cast<Peer *>(data);
    Attempt &attempt = peer->ctx->attempt;

    ngx_int_t rc = peer->get(pc, peer->data);

    attempt.kept = false;

    if (pc->name && (rc == NGX_OK || rc == NGX_DONE)) {
        attempt.connecting = true;

        /* a group's may lie in its zone, and go with the peer */

        if (!dup(peer->ctx->request->pool, view(*pc->name), attempt.peer)) {
            attempt.peer = ngx_str_t{};
        }
    }

    if (rc == NGX_OK) {
        count_connection(*main_conf(peer->ctx->request));
    }

    if (rc != NGX_DONE || pc->connection == nullptr) {
        return rc;
    }

    if (!attempt.fresh_only && is_ours(*peer->line, pc->connection)) {
        attempt.kept = true;
        return NGX_DONE;
    }

    close_connection(pc->connection);
    count_connection(*main_conf(peer->ctx->request));

    pc->connection = nullptr;
    pc->cached = 0;

    return NGX_OK;
}


void
free_peer(ngx_peer_connection_t *pc, void *data, ngx_uint_t state) noexcept
{
    auto *peer = static_cast<Peer *>(data);

    const Attempt &attempt = peer->ctx->attempt;

    /* nginx takes such a peer, or one our deadline stopped, for a good one */

    if (attempt.broken && !peer->line->group) {
        state |= NGX_PEER_FAILED;
    }

    if (attempt.timed_out && !peer->line->group) {
        state |= NGX_PEER_FAILED;

        if (pc->connection) {
            pc->connection->read->timedout = 1;
        }
    }

    peer->free(pc, peer->data, state);
}


ngx_int_t
set_session(ngx_peer_connection_t *pc, void *data) noexcept
{
    auto *peer = static_cast<Peer *>(data);

    return peer->set_session(pc, peer->data);
}


void
save_session(ngx_peer_connection_t *pc, void *data) noexcept
{
    auto *peer = static_cast<Peer *>(data);

    peer->save_session(pc, peer->data);
}


void
notify_peer(ngx_peer_connection_t *pc, void *data, ngx_uint_t type) noexcept
{
    auto *peer = static_cast<Peer *>(data);

    peer->notify(pc, peer->data, type);
}


}


ngx_int_t
init_peer(ngx_http_request_t *sr, ngx_http_upstream_srv_conf_t *us) noexcept
{
    auto *line = static_cast<const Line *>(us->peer.data);
    ngx_peer_connection_t &pc = sr->upstream->peer;

    auto *peer = pool_new<Peer>(sr->pool);
    if (peer == nullptr) {
        return NGX_ERROR;
    }

    if (line->peers->peer.init(sr, line->peers) != NGX_OK) {
        return NGX_ERROR;
    }

    peer->line = line;
    peer->ctx = static_cast<Ctx *>(
        ngx_http_get_module_ctx(sr, ngx_http_wx_openid_module));

    peer->data = pc.data;
    peer->get = pc.get;
    peer->free = pc.free;
    peer->set_session = pc.set_session;
    peer->save_session = pc.save_session;
    peer->notify = pc.notify;

    pc.data = peer;
    pc.get = get_peer;
    pc.free = free_peer;
    pc.set_session = set_session;
    pc.save_session = save_session;

    /* least_time and sticky have one; without, nginx asks for none */

    if (pc.notify) {
        pc.notify = notify_peer;
    }

    return NGX_OK;
}


}
