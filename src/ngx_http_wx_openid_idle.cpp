/*
 * Copyright (C) wx_openid authors
 *
 * Idle connections to WeChat, of one worker: kept, watched for their end,
 * taken up again.  Which may be kept and who is connected to is peers.cpp's.
 */

#include "ngx_http_wx_openid_peers.h"


namespace wx_openid {


/*
 * Lies in the connection's own pool, so it goes when that does; made once,
 * for a pool frees nothing and a connection may be kept for ever.
 */

struct IdleConnection {
    ngx_queue_t queue;
    ngx_connection_t *connection;
    Peers *peers;
    socklen_t socklen;
    ngx_sockaddr_t sockaddr;
};


namespace {


constexpr ngx_msec_t idle_time = 60000;


IdleConnection &
idle_of(ngx_queue_t *q) noexcept
{
    return *ngx_queue_data(q, IdleConnection, queue);
}


void
drop_idle(IdleConnection &idle) noexcept
{
    ngx_queue_remove(&idle.queue);
    idle.peers->idle_count--;

    close_connection(idle.connection);
}


/*
 * Whether the server has said nothing since its last reply.  What it says
 * unasked is good-bye, or would be taken for the next reply; but TLS 1.3 has
 * tickets to say, which OpenSSL keeps to itself.
 */

bool
is_quiet(ngx_connection_t *c) noexcept
{
    char byte;

    if (recv(c->fd, &byte, 1, MSG_PEEK) == -1) {
        return ngx_socket_errno == NGX_EAGAIN;
    }

    if (c->ssl == nullptr) {
        return false;
    }

    ERR_clear_error();

    int n = SSL_peek(c->ssl->connection, &byte, 1);
    int err = SSL_get_error(c->ssl->connection, n);

    ERR_clear_error();

    return n <= 0 && err == SSL_ERROR_WANT_READ;
}


void
on_idle(ngx_event_t *ev) noexcept
{
    auto *c = static_cast<ngx_connection_t *>(ev->data);
    auto &idle = *static_cast<IdleConnection *>(c->data);

    if (!c->close && !c->read->timedout && is_quiet(c)) {
        ev->ready = 0;

        if (ngx_handle_read_event(c->read, 0) == NGX_OK) {
            return;
        }
    }

    drop_idle(idle);
}


void
on_idle_write(ngx_event_t *ev) noexcept
{
}


}


void
close_connection(ngx_connection_t *c) noexcept
{
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }

    ngx_destroy_pool(c->pool);
    ngx_close_connection(c);
}


ngx_connection_t *
take_idle(Peers &peers, Addresses &addresses, Address *&address,
    IdleConnection *&kept) noexcept
{
    while (!ngx_queue_empty(&peers.idle)) {
        IdleConnection &idle = idle_of(ngx_queue_head(&peers.idle));

        address = find_address(addresses, &idle.sockaddr.sockaddr,
                               idle.socklen);

        /*
         * One to an address that failed since is no way to find out whether
         * it is back: the code would be lost, which a new connection saves.
         * And what the server has said may be an event yet to come.
         */

        if (address == nullptr || address->rests
            || !is_quiet(idle.connection))
        {
            drop_idle(idle);
            continue;
        }

        ngx_queue_remove(&idle.queue);
        peers.idle_count--;
        kept = &idle;

        return idle.connection;
    }

    return nullptr;
}


void
resume_connection(ngx_connection_t *c, ngx_log_t *log) noexcept
{
    c->idle = 0;
    c->sent = 0;
    c->data = nullptr;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->pool->log = log;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }
}


void
keep_connection(Peers &peers, const Address &address, IdleConnection *idle,
    ngx_connection_t *c) noexcept
{
    if (idle == nullptr) {
        idle = pool_new<IdleConnection>(c->pool);
    }

    if (idle == nullptr) {
        close_connection(c);
        return;
    }

    if (peers.idle_count >= peers.max_idle) {
        drop_idle(idle_of(ngx_queue_last(&peers.idle)));
    }

    idle->connection = c;
    idle->peers = &peers;
    idle->socklen = address.socklen;
    ngx_memcpy(&idle->sockaddr, address.sockaddr, idle->socklen);

    ngx_queue_insert_head(&peers.idle, &idle->queue);
    peers.idle_count++;

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->read->delayed = 0;
    ngx_add_timer(c->read, idle_time);

    c->read->handler = on_idle;
    c->write->handler = on_idle_write;

    c->data = idle;
    c->idle = 1;
    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;
    c->pool->log = ngx_cycle->log;

    if (c->read->ready) {
        on_idle(c->read);
    }
}


}
