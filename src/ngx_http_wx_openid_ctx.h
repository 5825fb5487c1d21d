/*
 * Copyright (C) wx_openid authors
 *
 * A request's state, as all of the glue sees it at request time.
 */

#ifndef NGX_HTTP_WX_OPENID_CTX_H
#define NGX_HTTP_WX_OPENID_CTX_H

#include "ngx_http_wx_openid_conf.h"

#include "core/wx_openid_error.h"
#include "core/wx_openid_http.h"
#include "core/wx_openid_reply.h"
#include "core/wx_openid_result.h"


namespace wx_openid {


enum class State {
    idle,           /* no code is known yet */
    reading,        /* the client's body is being read */
    exchanging,     /* a subrequest asks WeChat */
    repeating,      /* it must be asked again, at once or when a pause ends */
    pausing,
    waiting,        /* another request has the code exchanged */
    looking,        /* what became of that is to be seen */
    settled         /* the result is known and stays */
};

/* $wx_openid_status */

enum class Status { unset, miss, hit, wait, session, none, error };


/*
 * One try to exchange the code: upstream.cpp and balancer.cpp fill it in,
 * judge.cpp judges it.  The last one is there for the log as long as the
 * request is.
 */

struct Attempt {
    ngx_http_request_t *subrequest = nullptr;   /* null: not running */
    HttpReply reply{{}};

    bool fresh_only = false;    /* take no connection that was kept */
    bool kept = false;          /* the connection had been kept idle */
    bool connecting = false;    /* a peer was chosen */
    bool handshaking = false;   /* connected, TLS began */
    bool sent = false;          /* the request is on its way */
    bool answered = false;      /* a byte came back */
    bool timed_out = false;
    bool late = false;          /* a timer of its connection ran out */
    bool early = false;         /* a byte came before the request went */
    bool broken = false;        /* what came is no HTTP, or not all of it */
    bool repeats_code = false;  /* the reply has the code in it */

    ngx_str_t peer{};           /* address last tried, for the log */
    ngx_buf_t *request = nullptr;   /* holds the secret, wiped after use */
};


/*
 * A request's part in the exchange of its code.  In a worker one request a
 * code is the head: it leads the exchange, or watches one that another
 * worker leads; the others follow it.
 */

struct Flight {
    enum class Role { none, lead, watch, follow };

    Role role = Role::none;
    ngx_queue_t queue{};        /* among the heads, or the followers */
    ngx_queue_t followers{};    /* of a head */
    Digest digest{};
    Ticket ticket;              /* in the zone; not valid: not there */
    Owner owner;                /* who leads: we, or whom we watch */
    ngx_msec_t pause = 0;       /* between two looks at the zone */
    ngx_event_t wake{};
};


/*
 * A request's state, in its pool; found again after an internal redirect,
 * which clears nginx's pointer to it.  Owned by the main request.
 */

struct Ctx {
    ngx_http_request_t *request = nullptr;      /* the main one */
    State state = State::idle;

    ngx_str_t code{};
    bool body_read = false;
    bool code_is_safe = false;                  /* not from a link */
    bool body_lost = false;                     /* reading it failed */

    /* the exchange: what was asked, of whom, for which app */

    const LocConf *conf = nullptr;
    const App *app = nullptr;
    Attempt attempt;
    char *reply_body = nullptr;                 /* max_reply_size bytes */
    ngx_int_t busy_seen = 0;
    bool repeated_stale = false;
    ngx_msec_t pause_time = 0;                  /* before repeating */
    ngx_msec_t started = 0;
    ngx_event_t deadline{};
    ngx_event_t pause{};
    Flight flight;
    ngx_http_log_handler_pt log_handler = nullptr;  /* nginx's, while ours
                                                       hides the code */

    /* the result */

    Refusal exchange_refusal = Refusal::none;
    SessionReply session;
    ngx_msec_t exchange_time = 0;
    bool exchanged = false;                     /* there is a result */
    Status source = Status::miss;               /* and whence it came */

    time_t auth_time = 0;                       /* when it was exchanged */

    /* the token that came, and the one that goes */

    ngx_str_t bearer{};
    std::string_view token_fault{};             /* why one was refused */
    time_t token_iat = 0;
    time_t token_exp = 0;
    ngx_str_t token{};                          /* empty: none is due */
    const u_char *token_sent = nullptr;         /* the one in a header */
    ngx_table_elt_t *token_cookie = nullptr;
    ngx_table_elt_t *token_header = nullptr;
    time_t token_expires = 0;
    const LocConf *token_conf = nullptr;

    /* the decision of the location entered last */

    Status status = Status::unset;
    Refusal refusal = Refusal::none;
    Refusal logged = Refusal::none;
    bool counted = false;
    bool identity_visible = false;
    bool no_store = false;                      /* no cache may keep it */
    bool error_page_used = false;               /* a refusal led there */
    ngx_table_elt_t *www_authenticate = nullptr;
    ngx_table_elt_t *retry_after = nullptr;
};


/* ctx.cpp */

/* the request's state or nullptr; "make" makes it, nullptr on no memory */
Ctx *find_ctx(ngx_http_request_t *r) noexcept;
Ctx *make_ctx(ngx_http_request_t *r) noexcept;


}

#endif /* NGX_HTTP_WX_OPENID_CTX_H */
