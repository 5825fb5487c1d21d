/*
 * Copyright (C) wx_openid authors
 *
 * $wx_openid and its kin: read from the request's state, also for other
 * modules' subrequests; and the values of the configuration that are made
 * of variables.  Decides nothing and keeps nothing.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* a variable's text, from what the request knows; empty if nothing */

using Getter = std::string_view (*)(const Ctx &ctx);


constexpr std::string_view status_names[] = {
    "", "MISS", "HIT", "WAIT", "SESSION", "NONE", "ERROR"
};


template <Getter getter>
ngx_int_t
get_text(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data) noexcept
{
    const Ctx *ctx = find_ctx(r);
    std::string_view text;

    if (ctx) {
        text = getter(*ctx);
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = bytes(text.data());
    v->len = static_cast<unsigned>(text.size());

    return NGX_OK;
}


std::string_view
openid(const Ctx &ctx) noexcept
{
    return ctx.identity_visible ? ctx.session.openid.view()
                                : std::string_view{};
}


std::string_view
appid(const Ctx &ctx) noexcept
{
    return ctx.identity_visible ? view(ctx.app->appid) : std::string_view{};
}


std::string_view
unionid(const Ctx &ctx) noexcept
{
    return ctx.identity_visible ? ctx.session.unionid.view()
                                : std::string_view{};
}


/* SSI and scripts ask by name for what the configuration need not name */

std::string_view
session_key(const Ctx &ctx) noexcept
{
    return ctx.identity_visible && main_conf(ctx.request)->keep_session_key
           ? ctx.session.session_key.view() : std::string_view{};
}


std::string_view
status(const Ctx &ctx) noexcept
{
    return status_names[static_cast<std::size_t>(ctx.status)];
}


std::string_view
error(const Ctx &ctx) noexcept
{
    return refusal_info(ctx.refusal).name;
}


/* numbers are written to the request's pool */

ngx_int_t
set_number(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    const char *format, ngx_int_t a, ngx_int_t b) noexcept
{
    v->data = static_cast<u_char *>(
        ngx_pnalloc(r->pool, NGX_INT_T_LEN + NGX_INT_T_LEN));
    if (v->data == nullptr) {
        return NGX_ERROR;
    }

    v->len = static_cast<unsigned>(ngx_sprintf(v->data, format, a, b)
                                   - v->data);
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


ngx_int_t
set_empty(ngx_http_variable_value_t *v) noexcept
{
    *v = ngx_http_variable_null_value;
    v->valid = 1;

    return NGX_OK;
}


ngx_int_t
get_errcode(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data) noexcept
{
    const Ctx *ctx = find_ctx(r);

    if (ctx == nullptr || ctx->session.errcode == 0) {
        return set_empty(v);
    }

    return set_number(r, v, "%i", ctx->session.errcode, 0);
}


ngx_int_t
get_exchange_time(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data) noexcept
{
    const Ctx *ctx = find_ctx(r);

    if (ctx == nullptr || !ctx->exchanged || ctx->source != Status::miss) {
        return set_empty(v);
    }

    return set_number(r, v, "%i.%03i",
                      static_cast<ngx_int_t>(ctx->exchange_time / 1000),
                      static_cast<ngx_int_t>(ctx->exchange_time % 1000));
}


/* not cacheable: empty before the access phase, right after it */

ngx_http_variable_t variables[] = {

    { ngx_string("wx_openid"), nullptr, get_text<openid>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wx_openid_appid"), nullptr, get_text<appid>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wx_openid_unionid"), nullptr, get_text<unionid>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wx_openid_session_key"), nullptr, get_text<session_key>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wx_openid_status"), nullptr, get_text<status>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wx_openid_errcode"), nullptr, get_errcode, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wx_openid_error"), nullptr, get_text<error>, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("wx_openid_exchange_time"), nullptr, get_exchange_time, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


}


ngx_int_t
add_variables(ngx_conf_t *cf) noexcept
{
    for (ngx_http_variable_t *v = variables; v->name.len; v++) {
        ngx_http_variable_t *var = ngx_http_add_variable(cf, &v->name,
                                                         v->flags);
        if (var == nullptr) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
evaluate(ngx_http_request_t *r, Value &value, ngx_str_t &text) noexcept
{
    if (value.variable == NGX_DECLINED) {
        return ngx_http_complex_value(r, &value.script, &text);
    }

    const ngx_http_variable_value_t *v = ngx_http_get_flushed_variable(
        r, static_cast<ngx_uint_t>(value.variable));

    if (v == nullptr) {
        return NGX_ERROR;
    }

    text = v->not_found ? ngx_str_t{} : ngx_str_t{ v->len, v->data };

    return NGX_OK;
}


}
