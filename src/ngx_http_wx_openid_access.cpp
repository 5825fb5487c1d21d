/*
 * Copyright (C) wx_openid authors
 *
 * The access handler: one state machine from a request to a decision.
 * Knows when to look for a code, when to ask for its exchange and what a
 * location makes of the result; how each is done is elsewhere.
 *
 *     idle <---> reading            the body reader owns r: NGX_DONE
 *      |
 *      v
 *     exchanging ---> repeating     the subrequest, then we: NGX_AGAIN
 *      |    ^          |    |
 *      |    +----------+    v
 *      |    |            pausing    our timer: NGX_AGAIN
 *      |    +----------------+
 *      v
 *     settled                       r is nginx's again
 *
 * From each of them to settled where there is a result, or the deadline or
 * the lack of an address is one.
 *
 * Where somebody else exchanges the same code, instead of exchanging:
 *
 *     waiting <---> looking         who leads, or our timer: NGX_AGAIN
 *      |              |
 *      v              v
 *     settled        exchanging     if nobody leads any more
 *
 * An heir, who waited for one that went, is repeating from there on.
 *
 * A request without a code stays idle, also with a token, and is looked at
 * again wherever an internal redirect leads; a settled one is never exchanged
 * again, and each location decides for itself what the result is worth.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/*
 * The app that a code of this request goes to: NGX_OK, NGX_ERROR, or what
 * refuse() gave when the one that wx_openid_appid names is not declared.
 */

ngx_int_t
choose_app(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx,
    const App *&app) noexcept
{
    ngx_str_t appid = ngx_null_string;

    if (conf.appid
        && ngx_http_complex_value(r, conf.appid, &appid) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (appid.len == 0) {
        app = elements<App>(conf.apps).data();
        return NGX_OK;
    }

    app = find_app(conf, view(appid));

    if (app) {
        return NGX_OK;
    }

    /* what is no appid may be a code in its place */

    char name[64];
    std::size_t size = view(appid).starts_with(appid_prefix)
                       ? printable(view(appid), name) : 0;

    u_char why[128];
    u_char *last = ngx_snprintf(why, sizeof(why),
                                "\"%*s\" is no \"wx_openid_app\" here",
                                size, name);

    return refuse(r, ctx, Refusal::unknown_app,
                  {chars(why), static_cast<std::size_t>(last - why)});
}


/*
 * Whether the result that another location got would be the same here: a
 * stand-in for WeChat, another secret or an unverified line says nothing
 * of a location that does not use it.
 */

bool
same_exchange(const Ctx &ctx, const LocConf &conf, const App &app) noexcept
{
    return ctx.conf->line->digest == conf.line->digest
           && ctx.app->digest == app.digest;
}


/* NGX_OK, NGX_DECLINED if a value is empty or "0", NGX_ERROR */

ngx_int_t
check_required(ngx_http_request_t *r, const LocConf &conf) noexcept
{
    for (Value &value : elements<Value>(conf.require)) {
        ngx_str_t s;

        if (evaluate(r, value, s) != NGX_OK) {
            return NGX_ERROR;
        }

        if (s.len == 0 || view(s) == "0") {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_int_t
no_code(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    if (!ctx.token_fault.empty()) {
        const App *app;

        ngx_int_t rc = choose_app(r, conf, ctx, app);

        if (rc != NGX_OK) {
            return rc;
        }

        return refuse(r, ctx, Refusal::invalid_session, ctx.token_fault);
    }

    if (conf.mode == mode_optional) {
        forget_refusal(ctx);
        ctx.status = Status::none;
        ctx.refusal = Refusal::none;
        count_request(*main_conf(r), ctx);
        return NGX_DECLINED;
    }

    return refuse(r, ctx, Refusal::login_required, "no code");
}


/* the identity is known and counts here: what else the location asks */

ngx_int_t
let_in(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    ctx.identity_visible = true;
    ctx.status = ctx.source;
    ctx.refusal = Refusal::none;

    switch (check_required(r, conf)) {
    case NGX_OK:
        break;
    case NGX_DECLINED:
        return refuse(r, ctx, Refusal::forbidden,
                      "a value of \"wx_openid_require\" is empty or 0");
    default:
        return NGX_ERROR;
    }

    forget_refusal(ctx);
    count_request(*main_conf(r), ctx);

    if (issue_token(r, conf, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return set_identity_headers(r, conf);
}


/* settled: what the result is worth in this location */

ngx_int_t
decide(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    const App *app;

    ngx_int_t rc = choose_app(r, conf, ctx, app);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx.exchange_refusal != Refusal::none) {
        return refuse(r, ctx, ctx.exchange_refusal);
    }

    if (!same_exchange(ctx, conf, *app)) {
        return refuse(r, ctx, Refusal::invalid_code,
                      "it was exchanged in another location, for another "
                      "app or over another line");
    }

    return let_in(r, conf, ctx);
}


/* a code was found: what became of its exchange */

ngx_int_t
use_code(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    const App *app;

    ngx_int_t rc = choose_app(r, conf, ctx, app);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!usable_code(view(ctx.code))) {
        return refuse(r, ctx, Refusal::invalid_code,
                      "it is too long, ambiguous, or has control "
                      "characters");
    }

    rc = get_result(r, conf, *app, ctx);

    return rc == NGX_OK ? decide(r, conf, ctx) : rc;
}


ngx_int_t
use_token(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    ngx_int_t rc = open_token(r, conf, ctx);

    return rc == NGX_OK ? let_in(r, conf, ctx) : rc;
}


/*
 * idle: a token decides where one opens, else a code; at a login it is the
 * other way round, for who logs in anew wants to be who the code says.
 */

ngx_int_t
look_for_credential(ngx_http_request_t *r, const LocConf &conf,
    Ctx &ctx) noexcept
{
    ngx_int_t rc;

    if (!conf.login) {
        rc = use_token(r, conf, ctx);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    switch (find_code(r, conf, ctx)) {
    case NGX_OK:
        return use_code(r, conf, ctx);
    case NGX_DECLINED:
        break;
    case NGX_AGAIN:
        return read_body(r, ctx);
    default:
        return NGX_ERROR;
    }

    if (conf.login) {
        rc = use_token(r, conf, ctx);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return no_code(r, conf, ctx);
}


ngx_int_t
step(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    ngx_int_t rc = NGX_OK;

    switch (ctx.state) {

    case State::idle:
        return look_for_credential(r, conf, ctx);

    case State::reading:
        return NGX_DONE;

    case State::exchanging:
    case State::pausing:
    case State::waiting:
        return NGX_AGAIN;

    case State::repeating:
        rc = repeat_exchange(r, ctx);
        break;

    case State::looking:
        rc = look_again(r, ctx);
        break;

    case State::settled:
        break;
    }

    return rc == NGX_OK ? decide(r, conf, ctx) : rc;
}


}


ngx_int_t
access_handler(ngx_http_request_t *r) noexcept
{
    const LocConf &conf = *loc_conf(r);

    if (r != r->main || conf.mode == mode_off) {
        return NGX_DECLINED;
    }

    if (conf.login && check_login_method(r) != NGX_OK) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    Ctx *ctx = make_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_int_t rc = step(r, conf, *ctx);

    /* nginx would close the connection on NGX_ERROR without an answer */

    return rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc;
}


}
