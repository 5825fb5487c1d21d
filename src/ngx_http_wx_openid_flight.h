/*
 * Copyright (C) wx_openid authors
 *
 * What flight.cpp and heads.cpp share: the flights of a process.
 */

#ifndef NGX_HTTP_WX_OPENID_FLIGHT_H
#define NGX_HTTP_WX_OPENID_FLIGHT_H

#include "ngx_http_wx_openid.h"


namespace wx_openid {


/* a process's own: its heads, and how many of them ask WeChat */

struct Worker {
    ngx_queue_t heads;
    ngx_uint_t in_flight;
};


inline const MainConf &
main_conf_of(const Ctx &ctx) noexcept
{
    return *main_conf(ctx.request);
}

inline Worker &
worker_of(const Ctx &ctx) noexcept
{
    return *main_conf_of(ctx).worker;
}


/* heads.cpp */

/* who leads or watches the exchange of this digest, or nullptr */
Ctx *find_head(Worker &worker, const Digest &digest) noexcept;

/* "role" is lead or watch; there is no head of this digest yet */
void become_head(Ctx &ctx, Flight::Role role) noexcept;

/* a head that watched leads from here on */
void begin_to_lead(Ctx &ctx) noexcept;

/* gets the head's result, or is woken when the head goes without one */
void join_head(Ctx &ctx, Ctx &head) noexcept;

/* flight.cpp */

/* who an exchange of this request's belongs to, and for how long */
Owner owner_for(const Ctx &ctx) noexcept;


}

#endif /* NGX_HTTP_WX_OPENID_FLIGHT_H */
