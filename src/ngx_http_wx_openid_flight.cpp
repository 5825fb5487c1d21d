/*
 * Copyright (C) wx_openid authors
 *
 * One code, one exchange: whoever comes first leads, the others of the
 * worker follow, and where another worker leads one watches the zone for
 * all.  Knows nothing of how WeChat is asked or of what a result allows.
 */

#include "ngx_http_wx_openid.h"

#include <csignal>


namespace wx_openid {


/* a process's own: its heads, and how many of them ask WeChat */

struct Worker {
    ngx_queue_t heads;
    ngx_uint_t in_flight;
};


namespace {


using Role = Flight::Role;

/* the pauses between two looks at the zone double between these */

constexpr ngx_msec_t first_pause = 5;
constexpr ngx_msec_t last_pause = 100;

/* an exchange is over by its own deadline; what is not has lost its owner */

constexpr ngx_msec_t deadline_grace = 1000;


Ctx &
ctx_of(ngx_queue_t *q) noexcept
{
    return *ngx_queue_data(q, Ctx, flight.queue);
}


Worker &
worker_of(const Ctx &ctx) noexcept
{
    return *main_conf(ctx.request)->worker;
}


const MainConf &
main_conf_of(const Ctx &ctx) noexcept
{
    return *main_conf(ctx.request);
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
    Worker &worker = worker_of(ctx);

    ctx.flight.role = role;
    ngx_queue_init(&ctx.flight.followers);
    ngx_queue_insert_head(&worker.heads, &ctx.flight.queue);

    if (role == Role::lead) {
        worker.in_flight++;
        count_in_flight(main_conf_of(ctx), 1);
    }
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

    ngx_explicit_memzero(text, sizeof(text));
    ngx_explicit_memzero(&result, sizeof(result));
}


/* false: what lies in the zone is no result, which cannot be */

bool
use_result(Ctx &ctx, std::string_view text, Status source) noexcept
{
    ExchangeResult result;

    if (!read_result(text, result)) {
        return false;
    }

    ctx.session = result.session;
    ctx.auth_time = result.time;
    ctx.source = source;

    settle(ctx, result.refusal);

    return true;
}


Owner
owner_for(const Ctx &ctx) noexcept
{
    return {static_cast<std::uint32_t>(ngx_pid),
            ngx_current_msec + ctx.conf->timeout + deadline_grace};
}


/* a process that is gone, or an exchange that outlived its deadline */

bool
is_dead(const Owner &owner) noexcept
{
    if (ngx_current_msec > owner.deadline) {
        return true;
    }

    return kill(static_cast<pid_t>(owner.process), 0) == -1
           && ngx_errno == NGX_ESRCH;
}


ngx_int_t
lead(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    const MainConf &mcf = main_conf_of(ctx);

    bool overloaded = worker_of(ctx).in_flight >= mcf.max_exchanges;

    become_head(ctx, Role::lead);

    if (overloaded) {
        ctx.source = Status::none;
        settle(ctx, Refusal::overloaded);
        return NGX_OK;
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
    ctx.flight.role = Role::follow;
    ctx.source = Status::wait;
    ctx.state = State::waiting;

    ngx_queue_insert_tail(&head.flight.followers, &ctx.flight.queue);
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

    ctx.flight.role = Role::lead;
    ctx.flight.owner = owner;
    worker_of(ctx).in_flight++;
    count_in_flight(mcf, 1);

    return begin_exchange(r, ctx);
}


/* WeChat is to be asked again, for a client that has gone meanwhile */

bool
is_heritable(const Ctx &ctx) noexcept
{
    return (ctx.state == State::repeating || ctx.state == State::pausing)
           && !ngx_queue_empty(&ctx.flight.followers);
}


/* the first of the followers leads the others from here on */

void
hand_over(Ctx &ctx) noexcept
{
    ngx_queue_t &followers = ctx.flight.followers;
    Ctx &heir = ctx_of(ngx_queue_head(&followers));

    leave_queue(ctx);
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


ngx_int_t
get_result(ngx_http_request_t *r, const LocConf &conf, const App &app,
    Ctx &ctx) noexcept
{
    ctx.conf = &conf;
    ctx.app = &app;
    ctx.started = ngx_current_msec;

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
        return use_result(ctx, {text, poll.size}, Status::wait) ? NGX_OK
                                                                : NGX_ERROR;

    case Poll::State::lost:
        break;
    }

    /* those who follow look for themselves, and find one another again */

    leave_flight(ctx);

    return join(r, ctx);
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
        if (is_heritable(ctx)) {
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
