/*
 * Copyright (C) wx_openid authors
 *
 * Session tokens at request time: the one that came is opened, one that is
 * due is made.  The codec is core/wx_openid_token's; where a token goes in
 * a response is filter.cpp's and login.cpp's.
 */

#include "ngx_http_wx_openid.h"

#include <openssl/rand.h>


namespace wx_openid {


namespace {


/*
 * The app that a token is for, NGX_DECLINED unless it may be used here: one
 * in force, and the one that wx_openid_appid names if it names one.
 */

ngx_int_t
app_of_token(ngx_http_request_t *r, const LocConf &conf,
    const Claims &claims, const App *&app) noexcept
{
    app = find_app(conf, claims.appid.view());

    if (app == nullptr) {
        return NGX_DECLINED;
    }

    if (conf.appid == nullptr) {
        return NGX_OK;
    }

    ngx_str_t appid;

    if (ngx_http_complex_value(r, conf.appid, &appid) != NGX_OK) {
        return NGX_ERROR;
    }

    return appid.len == 0 || view(appid) == claims.appid.view()
           ? NGX_OK : NGX_DECLINED;
}


void
take_identity(const LocConf &conf, const App &app, const Claims &claims,
    Ctx &ctx) noexcept
{
    /* one that a location before was to send is somebody else's */

    if (ctx.app != &app
        || ctx.session.openid.view() != claims.openid.view())
    {
        ctx.token = ngx_str_t{};
    }

    ctx.conf = &conf;
    ctx.app = &app;
    ctx.source = Status::session;

    ctx.session = SessionReply{};
    ctx.session.openid = claims.openid;
    ctx.session.unionid = claims.unionid;
    ctx.session.session_key = claims.session_key;

    ctx.auth_time = claims.auth_time;
    ctx.token_iat = claims.iat;
    ctx.token_exp = claims.exp;
}


/* NGX_OK, NGX_DECLINED if it is refused, NGX_ERROR on no memory */

ngx_int_t
open_one(ngx_http_request_t *r, const LocConf &conf, std::string_view token,
    Ctx &ctx) noexcept
{
    const App *app;
    Claims claims;
    WipedAtEnd wiped(&claims, sizeof(Claims));

    TokenError error = conf.keys->open(token, ngx_time(), claims);

    switch (error) {
    case TokenError::none:
        break;
    case TokenError::no_memory:
        return NGX_ERROR;
    default:
        ctx.token_fault = token_error_text(error);
        return NGX_DECLINED;
    }

    ngx_int_t rc = app_of_token(r, conf, claims, app);

    if (rc == NGX_OK) {
        take_identity(conf, *app, claims, ctx);
    }

    if (rc == NGX_DECLINED) {
        ctx.token_fault = "of an app that is not used here";
    }

    return rc;
}


/*
 * False: the one that came is young enough, or good for as long as
 * session_max lets any be.  A login answers with a token even so.
 */

bool
is_due(const LocConf &conf, const Ctx &ctx, time_t exp) noexcept
{
    if (ctx.source != Status::session || conf.login) {
        return true;
    }

    if (exp <= ctx.token_exp && exp == ctx.auth_time + conf.session_max) {
        return false;
    }

    time_t renew = renew_after(conf);

    return renew && ngx_time() - ctx.token_iat > renew;
}


ngx_int_t
seal(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx,
    time_t exp) noexcept
{
    std::array<unsigned char, token_randomness> randomness;
    Claims claims;

    WipedAtEnd wiped_randomness(randomness.data(), randomness.size());
    WipedAtEnd wiped_claims(&claims, sizeof(Claims));

    if (RAND_bytes(randomness.data(), randomness.size()) != 1) {
        return NGX_ERROR;
    }

    claims.openid = ctx.session.openid;
    claims.unionid = ctx.session.unionid;
    claims.iat = ngx_time();
    claims.exp = exp;
    claims.auth_time = ctx.auth_time;

    if (!claims.appid.assign(view(ctx.app->appid))) {
        return NGX_ERROR;
    }

    if (main_conf(r)->keep_session_key) {
        claims.session_key = ctx.session.session_key;
    }

    auto *data = static_cast<char *>(ngx_pnalloc(r->pool, max_sealed_token));
    if (data == nullptr) {
        return NGX_ERROR;
    }

    std::size_t size = conf.keys->seal(claims, randomness,
                                       {data, max_sealed_token});

    if (size == 0) {
        return NGX_ERROR;
    }

    ctx.token = to_str({data, size});
    ctx.token_expires = exp;
    ctx.token_conf = &conf;

    return NGX_OK;
}


}


time_t
renew_after(const LocConf &conf) noexcept
{
    return conf.session_renew == NGX_CONF_UNSET ? conf.session_ttl / 2
                                                : conf.session_renew;
}


ngx_int_t
open_token(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    ctx.token_fault = {};

    if (conf.keys == nullptr) {
        return NGX_DECLINED;
    }

    for (const TokenSource &source :
         elements<TokenSource>(conf.session_sources))
    {
        std::string_view token = token_at(r, ctx, source);

        if (token.empty()) {
            continue;
        }

        ngx_int_t rc = open_one(r, conf, token, ctx);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


bool
cookie_allowed(const Ctx &ctx) noexcept
{
    return ctx.source == Status::session || ctx.code_is_safe;
}


ngx_int_t
issue_token(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    /* one from the location before is as good if the keys are the same */

    if (conf.keys == nullptr
        || (ctx.token.len && ctx.token_conf->keys == conf.keys))
    {
        return NGX_OK;
    }

    /* with "only" there is no other way to the client than the cookie */

    if (conf.cookie && conf.cookie->only && !cookie_allowed(ctx)) {
        return NGX_OK;
    }

    time_t now = ngx_time();
    time_t last = ctx.auth_time + conf.session_max;
    time_t exp = ngx_min(now + conf.session_ttl, last);

    return exp > now && is_due(conf, ctx, exp) ? seal(r, conf, ctx, exp)
                                               : NGX_OK;
}


}
