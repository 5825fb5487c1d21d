/*
 * Copyright (C) wx_openid authors
 *
 * The queues of a worker: the heads of its flights and who follows each, how
 * a result reaches them all, and who inherits when a head goes.  Knows
 * nothing of how a code's first leader is found, which is flight.cpp's.
 */

#include "ngx_http_wx_openid_flight.h"


namespace wx_openid {


namespace {


using Role = Flight::Role;


Ctx &
ctx_of(ngx_queue_t *q) noexcept
{
    return *ngx_queue_data(q, Ctx, flight.queue);
}


/* out of all queues; the followers stay with the caller */

void
leave_queue(Ctx &ctx) noexcept
{
    if (ctx.flight.role == Role::none) {
        return;
    }

    if (ctx.flight.role == Role::lead) {
        worker_of(ctx).in_flight--;
        count_in_flight(main_conf_of(ctx), -1);
    }

    ngx_queue_remove(&ctx.flight.queue);
    ctx.flight.role = Role::none;
}


void
on_wake(ngx_event_t *ev) noexcept
{
    resume(*static_cast<Ctx *>(ev->data));
}


/* soon, and not from within the call that a head is in */

void
wake(Ctx &ctx) noexcept
{
    ngx_event_t &ev = ctx.flight.wake;

    ev.handler = on_wake;
    ev.data = &ctx;
    ev.log = ctx.request->connection->log;

    ngx_post_event(&ev, &ngx_posted_events);
}


/* takes each follower out of the queue and gives it to "f" */

template <typename F>
void
for_each_follower(ngx_queue_t &followers, F f) noexcept
{
    while (!ngx_queue_empty(&followers)) {
        Ctx &follower = ctx_of(ngx_queue_head(&followers));

        ngx_queue_remove(&follower.flight.queue);
        follower.flight.role = Role::none;
        f(follower);
    }
}


void
give_result(Ctx &follower, const Ctx &head) noexcept
{
    follower.session = head.session;
    follower.auth_time = head.auth_time;
    follower.attempt.repeats_code = head.attempt.repeats_code;
    follower.source = Status::wait;

    settle(follower, head.exchange_refusal);
    wake(follower);
}


Outcome
outcome_of(const MainConf &mcf, const Ctx &ctx) noexcept
{
    if (!mcf.cache_results) {
        return Outcome::failed;
    }

    switch (ctx.exchange_refusal) {
    case Refusal::none:
        return Outcome::good;
    case Refusal::invalid_code:
        return Outcome::bad;
    default:
        return Outcome::failed;
    }
}


void
finish_in_zone(const MainConf &mcf, const Ctx &ctx) noexcept
{
    if (!ctx.flight.ticket.valid()) {
        return;
    }

    char text[max_result_text];
    ExchangeResult result;
    WipedAtEnd wiped_text(text, sizeof(text));
    WipedAtEnd wiped_result(&result, sizeof(result));

    result.refusal = ctx.exchange_refusal;
    result.time = ctx.auth_time;
    result.session = ctx.session;

    /* the zone holds no code, and errmsg may repeat it */

    if (ctx.attempt.repeats_code) {
        result.session.errmsg = {};
    }

    std::size_t size = write_result(result, mcf.keep_session_key, text);

    zone_finish(mcf, ctx.flight.ticket, ctx.flight.owner,
                outcome_of(mcf, ctx), {text, size});
}


/* WeChat is to be asked again, for a client that has gone meanwhile */

bool
is_unspent(const Ctx &ctx) noexcept
{
    return ctx.state == State::repeating || ctx.state == State::pausing;
}


/*
 * The first of the followers leads the others from here on.  Without any,
 * whoever waits in another worker looks anew.
 */

void
hand_over(Ctx &ctx) noexcept
{
    ngx_queue_t &followers = ctx.flight.followers;

    leave_queue(ctx);

    if (ngx_queue_empty(&followers)) {
        zone_abandon(main_conf_of(ctx), ctx.flight.ticket, ctx.flight.owner);
        return;
    }

    Ctx &heir = ctx_of(ngx_queue_head(&followers));

    ngx_queue_remove(&heir.flight.queue);
    become_head(heir, Role::lead);

    if (!ngx_queue_empty(&followers)) {
        ngx_queue_add(&heir.flight.followers, &followers);
    }

    heir.flight.ticket = ctx.flight.ticket;
    heir.flight.owner = owner_for(heir);
    zone_renew(main_conf_of(heir), heir.flight.ticket, ctx.flight.owner,
               heir.flight.owner);

    heir.source = Status::miss;
    heir.busy_seen = ctx.busy_seen;
    heir.repeated_stale = ctx.repeated_stale;
    heir.pause_time = ctx.pause_time;
    heir.state = State::repeating;

    wake(heir);
}


}


Worker *
create_worker(ngx_conf_t *cf) noexcept
{
    auto *worker = pool_new<Worker>(cf->pool);

    if (worker) {
        ngx_queue_init(&worker->heads);
    }

    return worker;
}


Ctx *
find_head(Worker &worker, const Digest &digest) noexcept
{
    for (ngx_queue_t *q = ngx_queue_head(&worker.heads);
         q != ngx_queue_sentinel(&worker.heads); q = ngx_queue_next(q))
    {
        if (ctx_of(q).flight.digest == digest) {
            return &ctx_of(q);
        }
    }

    return nullptr;
}


void
become_head(Ctx &ctx, Role role) noexcept
{
    ctx.flight.role = role;
    ngx_queue_init(&ctx.flight.followers);
    ngx_queue_insert_head(&worker_of(ctx).heads, &ctx.flight.queue);

    if (role == Role::lead) {
        begin_to_lead(ctx);
    }
}


void
begin_to_lead(Ctx &ctx) noexcept
{
    ctx.flight.role = Role::lead;
    worker_of(ctx).in_flight++;
    count_in_flight(main_conf_of(ctx), 1);
}


void
join_head(Ctx &ctx, Ctx &head) noexcept
{
    ctx.flight.role = Role::follow;
    ngx_queue_insert_tail(&head.flight.followers, &ctx.flight.queue);
}


void
publish(Ctx &ctx) noexcept
{
    Flight &flight = ctx.flight;
    Role role = flight.role;

    if (role == Role::watch && flight.ticket.valid()) {
        leave_flight(ctx);
        return;
    }

    if (role == Role::lead) {
        finish_in_zone(main_conf_of(ctx), ctx);
    }

    leave_queue(ctx);

    if (role == Role::lead || role == Role::watch) {
        for_each_follower(flight.followers, [&ctx](Ctx &follower) {
            give_result(follower, ctx);
        });
    }
}


/*
 * A leader that goes may have sent the code: its followers get a failure
 * rather than a second exchange, unless one was due.  Who merely watched is
 * not missed.
 */

void
leave_flight(Ctx &ctx) noexcept
{
    Flight &flight = ctx.flight;

    if (flight.wake.posted) {
        ngx_delete_posted_event(&flight.wake);
    }

    if (flight.role == Role::lead) {
        if (is_unspent(ctx)) {
            hand_over(ctx);
            return;
        }

        ctx.exchange_refusal = Refusal::bad_gateway;
        ctx.session = SessionReply{};
        publish(ctx);
        return;
    }

    bool watched = flight.role == Role::watch;

    leave_queue(ctx);

    if (!watched) {
        return;
    }

    zone_forget(main_conf_of(ctx), flight.ticket);

    for_each_follower(flight.followers, [](Ctx &follower) {
        follower.state = State::looking;
        wake(follower);
    });
}


}
