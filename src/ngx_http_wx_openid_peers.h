/*
 * Copyright (C) wx_openid authors
 *
 * A host's addresses and idle connections, as the files that look after the
 * line see them (peers, addresses, idle, resolve, resolver), and status.cpp.
 * A process's own: made with the configuration, changed by each worker for
 * itself.
 */

#ifndef NGX_HTTP_WX_OPENID_PEERS_H
#define NGX_HTTP_WX_OPENID_PEERS_H

#include "ngx_http_wx_openid.h"


namespace wx_openid {


struct Address {
    struct sockaddr *sockaddr;
    socklen_t socklen;
    ngx_str_t name;         /* "127.0.0.1:443" */
    ngx_uint_t failures;    /* all of them */
    ngx_msec_t failed;      /* when it did last */
    bool rests;
};


/*
 * One answer of DNS, or what the configuration knew.  Requests hold on to
 * the one they began with; the last to let go of an old one frees it.
 */

struct Addresses {
    ngx_pool_t *pool;       /* its own; null: the configuration's */
    Address *list;
    ngx_uint_t count;
    ngx_uint_t users;
};


struct Peers {
    const Line *line;
    Addresses *addresses;
    ngx_uint_t next;                /* address to begin with */

    ngx_queue_t idle;               /* of connections, the last used first */
    ngx_uint_t idle_count;
    ngx_uint_t max_idle;
    ngx_ssl_session_t *session;

    ngx_resolver_t *resolver;       /* null: no name, or nobody to ask */
    ngx_resolver_t *resolver_ipv4;  /* asked when that fails, or null */
    bool ipv4;                      /* it is asked now */
    ngx_event_t timer;
    ngx_msec_t retry;               /* pause after the last failure */
    time_t resolved;                /* when it last succeeded, 0: never */
    bool failing;                   /* the last query did not */
};


/* addresses.cpp */

/* nullptr if it is not among them */
Address *find_address(Addresses &addresses, struct sockaddr *sockaddr,
    socklen_t socklen) noexcept;

/* whether the address may be used: it did not fail a moment ago */
bool is_rested(const Address &address) noexcept;

/* takes the place of what was known; "fresh" is counted once */
void replace_addresses(Peers &peers, Addresses *fresh) noexcept;

/* gives one back, which may free it */
void release_addresses(Addresses *addresses) noexcept;

/* idle.cpp */

struct IdleConnection;

/*
 * An idle connection to one of the addresses that may be used, nullptr if
 * there is none; "kept" goes back to keep_connection().
 */
ngx_connection_t *take_idle(Peers &peers, Addresses &addresses,
    Address *&address, IdleConnection *&kept) noexcept;

/* makes a connection that was idle a request's */
void resume_connection(ngx_connection_t *c, ngx_log_t *log) noexcept;

/* takes over a connection; "kept" is null if it was not idle before */
void keep_connection(Peers &peers, const Address &address,
    IdleConnection *kept, ngx_connection_t *c) noexcept;

/* peers.cpp */

Peers *peers_of(const Line &line) noexcept;


}

#endif /* NGX_HTTP_WX_OPENID_PEERS_H */
