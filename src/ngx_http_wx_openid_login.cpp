/*
 * Copyright (C) wx_openid authors
 *
 * wx_openid_login: the content handler behind the access phase, which has
 * found out who the user is.  Answers what is known; decides nothing.
 */

#include "ngx_http_wx_openid.h"

#include "core/wx_openid_login.h"


namespace wx_openid {


namespace {


LoginAnswer
answer_of(const Ctx &ctx) noexcept
{
    LoginAnswer answer;

    answer.openid = ctx.session.openid.view();
    answer.appid = view(ctx.app->appid);
    answer.unionid = ctx.session.unionid.view();

    if (ctx.token.len) {
        const SessionCookie *cookie = ctx.token_conf->cookie;

        answer.expires_in = ctx.token_expires - ngx_time();

        if (cookie == nullptr || !cookie->only) {
            answer.session = view(ctx.token);
        }
    }

    return answer;
}


/*
 * "satisfy any" let in who did not log in.  A refusal ends the request by
 * itself, and nginx ends it again for a content handler: hence the count.
 */

ngx_int_t
refuse_unknown(ngx_http_request_t *r) noexcept
{
    Ctx *ctx = make_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    ngx_int_t rc = refuse(r, *ctx, Refusal::login_required, "no code");

    if (rc != NGX_DONE) {
        r->main->count--;
    }

    return rc;
}


}


ngx_int_t
check_login_method(ngx_http_request_t *r) noexcept
{
    if (r->method & (NGX_HTTP_GET | NGX_HTTP_POST)) {
        return NGX_OK;
    }

    (void) add_header_out(r, "Allow", "GET, POST");

    return NGX_DECLINED;
}


ngx_int_t
login_handler(ngx_http_request_t *r) noexcept
{
    /* "satisfy any" may have let it pass by the access phase's check */

    if (check_login_method(r) != NGX_OK) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    Ctx *ctx = find_ctx(r);

    if (ctx == nullptr || !ctx->identity_visible) {
        return refuse_unknown(r);
    }

    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    auto *json = static_cast<char *>(ngx_pnalloc(r->pool, max_login_json));
    if (json == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    std::size_t size = write_login_json(answer_of(*ctx),
                                        {json, max_login_json});
    if (size == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->no_store = true;

    ngx_str_t type = to_str("application/json");
    ngx_http_complex_value_t body{};

    body.value = to_str({json, size});

    return ngx_http_send_response(r, NGX_HTTP_OK, &type, &body);
}


char *
set_login(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.login) {
        return conf_text("is duplicate");
    }

    lcf.login = 1;

    main_conf(cf).used = 1;
    core_conf(cf).handler = login_handler;

    return NGX_CONF_OK;
}


}
