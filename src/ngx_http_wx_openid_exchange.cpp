/*
 * Copyright (C) wx_openid authors
 *
 * The exchange of one code: its subrequests, its deadline and its pauses.
 * Knows nothing of where the code came from, of what ends an exchange, or
 * of what its result allows.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


void
stop_timer(ngx_event_t &ev) noexcept
{
    if (ev.timer_set) {
        ngx_del_timer(&ev);
    }
}


/* the reply's body holds the session_key */

void
wipe_reply(Ctx &ctx) noexcept
{
    std::string_view body = ctx.attempt.reply.body();

    if (ctx.reply_body && !body.empty()) {
        ngx_explicit_memzero(ctx.reply_body, body.size());
    }
}


/*
 * The end of a subrequest, whatever became of it.  NGX_OK keeps nginx from
 * answering the client by it: the access handler does, when it is resumed.
 */

ngx_int_t
attempt_done(ngx_http_request_t *sr, void *data, ngx_int_t rc) noexcept
{
    auto &ctx = *static_cast<Ctx *>(data);

    if (ctx.attempt.subrequest == sr) {
        ctx.attempt.subrequest = nullptr;
        judge(ctx, rc);
    }

    return NGX_OK;
}


/* in place of phases: the subrequest goes nowhere but to WeChat */

void
run_subrequest(ngx_http_request_t *sr) noexcept
{
    /* the client's connection becomes writable more than once */

    sr->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_finalize_request(sr, ask_wechat(sr));
}


/* NGX_AGAIN, NGX_ERROR, or NGX_DONE when the connection has to be closed */

ngx_int_t
start_attempt(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    ngx_http_request_t *sr;
    ngx_str_t name = to_str("/wx_openid");

    auto *ps = pool_new<ngx_http_post_subrequest_t>(r->pool);
    auto *no_body = pool_new<ngx_http_request_body_t>(r->pool);

    if (ctx.reply_body == nullptr) {
        ctx.reply_body = static_cast<char *>(
            ngx_palloc(r->pool, max_reply_size));
    }

    if (ps == nullptr || no_body == nullptr || ctx.reply_body == nullptr) {
        return NGX_ERROR;
    }

    ps->handler = attempt_done;
    ps->data = &ctx;

    ctx.session = SessionReply{};
    ctx.attempt = Attempt{};
    ctx.attempt.fresh_only = ctx.repeated_stale;
    ctx.attempt.reply = HttpReply({ctx.reply_body, max_reply_size});

    if (ngx_http_subrequest(r, &name, nullptr, &sr, ps,
                            NGX_HTTP_SUBREQUEST_WAITED
                            | NGX_HTTP_SUBREQUEST_IN_MEMORY)
        != NGX_OK)
    {
        /* half of it may be in the tree, where it would hold any answer */

        ngx_http_finalize_request(r, NGX_ERROR);
        return NGX_DONE;
    }

    /*
     * The method is nginx's only means to tell a request that it may send
     * again from one that it may not; it appears nowhere else.
     */

    sr->method = NGX_HTTP_POST;

    /*
     * It has no body, nothing of the client's to read or to discard, and its
     * loc_conf stays the server's: a location's filters are not for it.
     */

    sr->request_body = no_body;
    sr->discard_body = 0;
    sr->read_event_handler = ngx_http_block_reading;
    sr->write_event_handler = run_subrequest;

    ngx_http_set_ctx(sr, &ctx, ngx_http_wx_openid_module);

    ctx.attempt.subrequest = sr;
    ctx.state = State::exchanging;
    hide_arguments(r, ctx);

    return NGX_AGAIN;
}


/*
 * Ends a subrequest from outside.  The upstream's cleanup closes the
 * connection and gives back one count of the request; the subrequest itself
 * still holds another.
 */

void
abort_attempt(Ctx &ctx) noexcept
{
    ngx_http_request_t *sr = ctx.attempt.subrequest;
    ngx_http_upstream_t *u = sr->upstream;

    ctx.attempt.timed_out = true;

    if (u && u->cleanup) {
        sr->main->count++;
        (*u->cleanup)(sr);
    }

    ngx_http_finalize_request(sr, NGX_HTTP_GATEWAY_TIME_OUT);
}


void
on_deadline(ngx_event_t *ev) noexcept
{
    auto &ctx = *static_cast<Ctx *>(ev->data);
    ngx_connection_t *c = ctx.request->connection;

    if (ctx.attempt.subrequest == nullptr) {
        settle(ctx, Refusal::wechat_timeout);
        resume(ctx);
        return;
    }

    ngx_http_set_log_request(c->log, ctx.request);
    abort_attempt(ctx);
    ngx_http_run_posted_requests(c);
}


void
on_pause_end(ngx_event_t *ev) noexcept
{
    auto &ctx = *static_cast<Ctx *>(ev->data);

    repeat_after(ctx, 0);
    resume(ctx);
}


void
start_timer(Ctx &ctx, ngx_event_t &ev, ngx_event_handler_pt handler,
    ngx_msec_t time) noexcept
{
    ev.handler = handler;
    ev.data = &ctx;
    ev.log = ctx.request->connection->log;

    ngx_add_timer(&ev, time);
}


}


void
settle(Ctx &ctx, Refusal refusal) noexcept
{
    ctx.state = State::settled;
    ctx.exchanged = true;
    ctx.exchange_refusal = refusal;
    ctx.exchange_time = ngx_current_msec - ctx.started;

    stop_timer(ctx.deadline);
    stop_timer(ctx.pause);
    wipe_reply(ctx);
    show_arguments(ctx.request, ctx);

    if (ctx.source == Status::miss) {
        count_exchange(*main_conf(ctx.request), ctx.exchange_time);
    }

    publish(ctx);
}


void
repeat_after(Ctx &ctx, ngx_msec_t pause) noexcept
{
    ctx.state = State::repeating;
    ctx.pause_time = pause;
}


void
wipe_request(Attempt &attempt) noexcept
{
    ngx_buf_t *b = attempt.request;

    if (b) {
        ngx_explicit_memzero(b->start, b->end - b->start);
        attempt.request = nullptr;
    }
}


void
resume(Ctx &ctx) noexcept
{
    ngx_connection_t *c = ctx.request->connection;

    ngx_http_set_log_request(c->log, ctx.request);

    if (ngx_http_post_request(ctx.request, nullptr) != NGX_OK) {
        ngx_http_finalize_request(ctx.request, NGX_ERROR);
    }

    ngx_http_run_posted_requests(c);
}


void
start_deadline(Ctx &ctx) noexcept
{
    if (!ctx.deadline.timer_set) {
        start_timer(ctx, ctx.deadline, on_deadline,
                    ctx.started + ctx.conf->timeout - ngx_current_msec);
    }
}


ngx_int_t
begin_exchange(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    ctx.source = Status::miss;

    if (!has_address(*ctx.conf->line)) {
        ctx.source = Status::error;             /* nobody is asked */
        settle(ctx, Refusal::bad_gateway);
        return NGX_OK;
    }

    /* without memory for it the request may come by again, and leads yet */

    repeat_after(ctx, 0);

    return start_attempt(r, ctx);
}


ngx_int_t
repeat_exchange(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    /* an heir's line may have another resolver than the one it follows */

    if (!has_address(*ctx.conf->line)) {
        settle(ctx, Refusal::bad_gateway);
        return NGX_OK;
    }

    if (ctx.pause_time == 0) {
        return start_attempt(r, ctx);
    }

    ctx.state = State::pausing;
    start_timer(ctx, ctx.pause, on_pause_end, ctx.pause_time);

    return NGX_AGAIN;
}


void
drop_exchange(Ctx &ctx) noexcept
{
    leave_flight(ctx);

    stop_timer(ctx.deadline);
    stop_timer(ctx.pause);
    wipe_reply(ctx);
    wipe_request(ctx.attempt);
}


}
