/*
 * Copyright (C) wx_openid authors
 *
 * What the end of a subrequest means: a result, a failure, or one of the
 * only two reasons to ask WeChat again.  Starts nothing itself.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


constexpr int errcode_busy = -1;

/* the first pause before a busy WeChat is asked again; doubles each time */

constexpr ngx_msec_t busy_pause = 200;


/* false: no more retries, or no time for the pause before the next */

bool
may_retry_busy(const Ctx &ctx, ngx_msec_t &pause) noexcept
{
    if (ctx.busy_seen >= ctx.conf->busy_retries) {
        return false;
    }

    ngx_msec_t left = ctx.started + ctx.conf->timeout - ngx_current_msec;

    pause = busy_pause;

    for (ngx_int_t i = 0; i < ctx.busy_seen && pause < left; i++) {
        pause *= 2;
    }

    return pause < left;
}


/* errmsg goes to the client and to the log, and may repeat a credential */

void
check_errmsg(Ctx &ctx) noexcept
{
    std::string_view body = ctx.attempt.reply.body();

    if (ctx.session.errmsg.empty()) {
        return;
    }

    if (errmsg_has(body, view(ctx.app->secret))) {
        ctx.session.errmsg = {};
    }

    ctx.attempt.repeats_code = errmsg_has(body, view(ctx.code));
}


void
judge_reply(Ctx &ctx) noexcept
{
    if (ctx.attempt.reply.status() != NGX_HTTP_OK) {
        settle(ctx, Refusal::bad_gateway);
        return;
    }

    ctx.session = read_session_reply(ctx.attempt.reply.body());
    ctx.auth_time = ngx_time();

    check_errmsg(ctx);

    if (ctx.session.error != ReplyError::none) {
        settle(ctx, Refusal::bad_gateway);
        return;
    }

    if (ctx.session.errcode == 0) {
        settle(ctx, Refusal::none);
        return;
    }

    count_reply(*main_conf(ctx.request), ctx.session.errcode);

    ngx_msec_t pause;

    if (ctx.session.errcode == errcode_busy && may_retry_busy(ctx, pause)) {
        ctx.busy_seen++;
        repeat_after(ctx, pause);
        return;
    }

    settle(ctx, refusal_of_errcode(ctx.session.errcode));
}


/*
 * A server may close a connection that idles just as a request is sent over
 * it.  Nothing answered, so it is taken for unseen, once; on a fresh
 * connection the same would be a code that WeChat may have seen, and so
 * would one whose answer there was no memory for.  Where the client has gone
 * nginx says no more than that.
 */

bool
was_stale(const Ctx &ctx, ngx_int_t rc) noexcept
{
    const Attempt &attempt = ctx.attempt;

    bool closed = rc == NGX_HTTP_BAD_GATEWAY
                  || (rc == NGX_HTTP_CLIENT_CLOSED_REQUEST && !attempt.late);

    return closed && attempt.kept && !attempt.answered
           && !attempt.timed_out && !ctx.repeated_stale;
}


/*
 * For a client that has gone nginx tries no other address.  Others who wait
 * for the code may: WeChat has not seen it.
 */

bool
was_abandoned(const Ctx &ctx) noexcept
{
    const Attempt &attempt = ctx.attempt;

    return !attempt.sent && !attempt.timed_out
           && ctx.request->connection->error;
}


}


void
judge(Ctx &ctx, ngx_int_t rc) noexcept
{
    if (ctx.attempt.reply.state() == HttpReply::State::complete) {
        judge_reply(ctx);

    } else if (was_stale(ctx, rc)) {
        ctx.repeated_stale = true;
        repeat_after(ctx, 0);

    } else if (was_abandoned(ctx)) {
        repeat_after(ctx, 0);

    } else {
        bool timed_out = ctx.attempt.timed_out || ctx.attempt.late;

        settle(ctx, timed_out ? Refusal::wechat_timeout
                              : Refusal::bad_gateway);
    }
}


}
