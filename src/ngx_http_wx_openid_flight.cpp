/*
 * Copyright (C) wx_openid authors
 *
 * One code, one exchange: whoever comes first leads, the others of the
 * worker follow, and where another worker leads one watches the zone for
 * all.  Knows nothing of how WeChat is asked or of what a result allows.
 */

#include "ngx_http_wx_openid_flight.h"


namespace wx_openid {


namespace {


using Role = Flight::Role;

static_assert(max_result_text <= max_result_size);

/* the pauses between two looks at the zone double between these */

constexpr ngx_msec_t first_pause = 5;
constexpr ngx_msec_t last_pause = 100;

/* an exchange is over by its own deadline; what is not has lost its owner */

constexpr ngx_msec_t deadline_grace = 1000;


/* false: what lies in the zone is no result, which cannot be */

bool
use_result(Ctx &ctx, std::span<char> text, Status source) noexcept
{
    ExchangeResult result;
    auto &session_key = result.session.session_key;

    WipedAtEnd wiped_text(text.data(), text.size());
    WipedAtEnd wiped_key(&session_key, sizeof(session_key));

    if (!read_result({text.data(), text.size()}, result)) {
        return false;
    }

    ctx.session = result.session;
    ctx.auth_time = result.time;
    ctx.source = source;

    settle(ctx, result.refusal);

    return true;
}


/* a process that is gone, or an exchange that outlived its deadline */

bool
is_dead(const Owner &owner) noexcept
{
    auto late = static_cast<ngx_msec_int_t>(
        ngx_current_msec - static_cast<ngx_msec_t>(owner.deadline));

    return late > 0 || !is_alive(static_cast<ngx_pid_t>(owner.process));
}


bool
is_overloaded(const Ctx &ctx) noexcept
{
    return worker_of(ctx).in_flight >= main_conf_of(ctx).max_exchanges;
}


ngx_int_t
overload(Ctx &ctx) noexcept
{
    ctx.source = Status::none;
    settle(ctx, Refusal::overloaded);

    return NGX_OK;
}


ngx_int_t
lead(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    bool overloaded = is_overloaded(ctx);

    become_head(ctx, Role::lead);

    if (overloaded) {
        return overload(ctx);
    }

    start_deadline(ctx);

    return begin_exchange(r, ctx);
}


void
on_look(ngx_event_t *ev) noexcept
{
    auto &ctx = *static_cast<Ctx *>(ev->data);

    ctx.state = State::looking;
    resume(ctx);
}


/* with some jitter, lest all workers look at once */

void
look_later(Ctx &ctx) noexcept
{
    ngx_msec_t pause = ctx.flight.pause;

    ctx.state = State::waiting;
    ctx.flight.pause = ngx_min(pause * 2, last_pause);

    ctx.pause.handler = on_look;
    ctx.pause.data = &ctx;
    ctx.pause.log = ctx.request->connection->log;

    ngx_add_timer(&ctx.pause, pause - static_cast<ngx_msec_t>(ngx_random())
                                      % (pause / 4 + 1));
}


ngx_int_t
watch(Ctx &ctx, const Lookup &lookup) noexcept
{
    become_head(ctx, Role::watch);

    ctx.source = Status::wait;
    ctx.flight.ticket = lookup.ticket;
    ctx.flight.owner = lookup.owner;
    ctx.flight.pause = first_pause;

    start_deadline(ctx);
    look_later(ctx);

    return NGX_AGAIN;
}


ngx_int_t
follow(Ctx &ctx, Ctx &head) noexcept
{
    ctx.source = Status::wait;
    ctx.state = State::waiting;

    join_head(ctx, head);
    start_deadline(ctx);

    return NGX_AGAIN;
}


/* no flight yet: finds one to join, or a result, or leads */

ngx_int_t
join(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    const MainConf &mcf = main_conf_of(ctx);

    Ctx *head = find_head(*mcf.worker, ctx.flight.digest);
    if (head) {
        return follow(ctx, *head);
    }

    char text[max_result_size];

    ctx.flight.owner = owner_for(ctx);
    ctx.flight.ticket = Ticket{};

    Lookup lookup = zone_find(mcf, ctx.flight.digest, ctx.flight.owner, text);

    switch (lookup.found) {

    case Lookup::Found::result:
        return use_result(ctx, {text, lookup.size}, Status::hit) ? NGX_OK
                                                                 : NGX_ERROR;

    case Lookup::Found::pending:
        return watch(ctx, lookup);

    case Lookup::Found::lead:
        ctx.flight.ticket = lookup.ticket;
        break;

    case Lookup::Found::full:
        zone_full(mcf, r);
        break;
    }

    return lead(r, ctx);
}


/*
 * The leader's worker died, or stalled and has no say any more: who is first
 * leads, whoever follows us stays.
 */

ngx_int_t
take_over(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    const MainConf &mcf = main_conf_of(ctx);

    Owner owner = owner_for(ctx);

    if (!zone_take_over(mcf, ctx.flight.ticket, ctx.flight.owner, owner)) {
        look_later(ctx);
        return NGX_AGAIN;
    }

    bool overloaded = is_overloaded(ctx);

    ctx.flight.owner = owner;
    begin_to_lead(ctx);

    return overloaded ? overload(ctx) : begin_exchange(r, ctx);
}


}


Owner
owner_for(const Ctx &ctx) noexcept
{
    return {static_cast<std::uint32_t>(ngx_pid),
            ngx_current_msec + ctx.conf->timeout + deadline_grace};
}


ngx_int_t
get_result(ngx_http_request_t *r, const LocConf &conf, const App &app,
    Ctx &ctx) noexcept
{
    ctx.conf = &conf;
    ctx.app = &app;
    ctx.started = ngx_current_msec;

    /* whom a token said the request was for is another matter */

    ctx.session = SessionReply{};
    ctx.token = ngx_str_t{};

    if (!zone_digest(main_conf_of(ctx), ctx, ctx.flight.digest)) {
        return NGX_ERROR;
    }

    return join(r, ctx);
}


ngx_int_t
look_again(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    if (ctx.flight.role == Role::none) {
        return join(r, ctx);
    }

    char text[max_result_size];

    Poll poll = zone_poll(main_conf_of(ctx), ctx.flight.ticket, text);

    switch (poll.state) {

    case Poll::State::pending:
        ctx.flight.owner = poll.owner;

        if (is_dead(poll.owner)) {
            return take_over(r, ctx);
        }

        look_later(ctx);
        return NGX_AGAIN;

    case Poll::State::done:
        ctx.flight.ticket = Ticket{};

        /* the zone had no room for it, and the code is spent */

        if (poll.size == 0) {
            settle(ctx, Refusal::bad_gateway);
            return NGX_OK;
        }

        return use_result(ctx, {text, poll.size}, Status::wait) ? NGX_OK
                                                                : NGX_ERROR;

    case Poll::State::lost:
        break;
    }

    /* those who follow look for themselves, and find one another again */

    leave_flight(ctx);

    return join(r, ctx);
}


}
