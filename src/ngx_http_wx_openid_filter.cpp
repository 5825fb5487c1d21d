/*
 * Copyright (C) wx_openid authors
 *
 * The header filter: a token that is due goes out with the response, and no
 * cache may keep a response that carries one.  A module of its own, for its
 * place: config puts it in front of nginx's headers filter, so that it runs
 * behind it and has the last word over "expires" and "add_header".
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* set while the configuration is read, the same in every process */

ngx_http_output_header_filter_pt next_header_filter;


ngx_int_t
add_cookie(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    const LocConf &conf = *ctx.token_conf;
    const ngx_str_t &name = conf.cookie->name;

    ngx_str_t value;

    value.len = name.len + 1 + ctx.token.len + conf.cookie_tail.len;
    value.data = static_cast<u_char *>(ngx_pnalloc(r->pool, value.len));
    if (value.data == nullptr) {
        return NGX_ERROR;
    }

    ngx_sprintf(value.data, "%V=%V%V", &name, &ctx.token, &conf.cookie_tail);

    ctx.token_cookie = add_header_out(r, "Set-Cookie", view(value));

    return ctx.token_cookie ? NGX_OK : NGX_ERROR;
}


ngx_int_t
add_token(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    const SessionCookie *cookie = ctx.token_conf->cookie;

    if (cookie && cookie_allowed(ctx) && add_cookie(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cookie && cookie->only) {
        return NGX_OK;
    }

    ctx.token_header = add_header_out(r, "X-WX-Session", view(ctx.token));

    return ctx.token_header ? NGX_OK : NGX_ERROR;
}


void
take_token_back(Ctx &ctx) noexcept
{
    for (ngx_table_elt_t *h : { ctx.token_cookie, ctx.token_header }) {
        if (h) {
            h->hash = 0;
        }
    }

    ctx.token_cookie = nullptr;
    ctx.token_header = nullptr;
}


ngx_int_t
header_filter(ngx_http_request_t *r) noexcept
{
    Ctx *ctx = r == r->main ? find_ctx(r) : nullptr;

    if (ctx == nullptr) {
        return next_header_filter(r);
    }

    /*
     * A header that a filter behind us made 416 comes by twice, and the
     * location of an error_page may have refused the user meanwhile, or made
     * a token of its own.
     */

    if (ctx->token_sent != ctx->token.data) {
        take_token_back(*ctx);

        if (ctx->token.len && add_token(r, *ctx) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->token_sent = ctx->token.data;
    }

    if ((ctx->token.len || ctx->no_store) && forbid_storing(r) != NGX_OK) {
        return NGX_ERROR;
    }

    return next_header_filter(r);
}


ngx_int_t
init_filter(ngx_conf_t *cf) noexcept
{
    if (!main_conf(cf).used) {
        return NGX_OK;
    }

    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;

    return NGX_OK;
}


ngx_http_module_t filter_module_ctx = {
    nullptr,                        /* preconfiguration */
    init_filter,                    /* postconfiguration */

    nullptr,                        /* create main configuration */
    nullptr,                        /* init main configuration */

    nullptr,                        /* create server configuration */
    nullptr,                        /* merge server configuration */

    nullptr,                        /* create location configuration */
    nullptr                         /* merge location configuration */
};


}


}


ngx_module_t ngx_http_wx_openid_filter_module = {
    NGX_MODULE_V1,
    &wx_openid::filter_module_ctx,  /* module context */
    nullptr,                        /* module directives */
    NGX_HTTP_MODULE,                /* module type */
    nullptr,                        /* init master */
    nullptr,                        /* init module */
    nullptr,                        /* init process */
    nullptr,                        /* init thread */
    nullptr,                        /* exit thread */
    nullptr,                        /* exit process */
    nullptr,                        /* exit master */
    NGX_MODULE_V1_PADDING
};
