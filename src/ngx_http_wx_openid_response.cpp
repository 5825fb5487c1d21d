/*
 * Copyright (C) wx_openid authors
 *
 * The answer to a refused request: the JSON of the interface, or the way to
 * the operator's error_page; and the headers that we add to a response.
 * Makes no decision.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


constexpr std::string_view challenge = "Bearer realm=\"wx_openid\"";
constexpr std::string_view challenge_invalid =
    "Bearer realm=\"wx_openid\", error=\"invalid_token\"";


ngx_int_t
add_retry_after(ngx_http_request_t *r, Ctx &ctx, unsigned seconds) noexcept
{
    auto *value = static_cast<u_char *>(
        ngx_pnalloc(r->pool, NGX_INT_T_LEN));
    if (value == nullptr) {
        return NGX_ERROR;
    }

    u_char *last = ngx_sprintf(value, "%ui",
                               static_cast<ngx_uint_t>(seconds));

    ctx.retry_after = add_header_out(r, "Retry-After",
                                     {chars(value), static_cast<std::size_t>(
                                                        last - value)});

    return ctx.retry_after ? NGX_OK : NGX_ERROR;
}


/* those that an error_page's answer carries as well */

ngx_int_t
add_refusal_headers(ngx_http_request_t *r, Ctx &ctx,
    const RefusalInfo &info) noexcept
{
    forget_refusal(ctx);

    if (info.status == NGX_HTTP_UNAUTHORIZED) {
        ctx.www_authenticate = add_header_out(
            r, "WWW-Authenticate",
            info.bad_credential ? challenge_invalid : challenge);

        if (ctx.www_authenticate == nullptr) {
            return NGX_ERROR;
        }
    }

    return info.retry_after ? add_retry_after(r, ctx, info.retry_after)
                            : NGX_OK;
}


/* as ngx_http_special_response_handler() decides it */

bool
has_error_page(ngx_http_request_t *r, ngx_uint_t status) noexcept
{
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));

    if (r->error_page || clcf->error_pages == nullptr || r->uri_changes == 0) {
        return false;
    }

    for (const auto &page :
         elements<ngx_http_err_page_t>(clcf->error_pages))
    {
        if (page.status == static_cast<ngx_int_t>(status)) {
            return true;
        }
    }

    return false;
}


ngx_int_t
send_json(ngx_http_request_t *r, ngx_uint_t status,
    std::string_view json) noexcept
{
    /* a redirect by an error_page would have its own status sent */

    r->err_status = 0;

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    /* the body is not wanted any more, so no "100 Continue" invites it */

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    ngx_str_t type = to_str("application/json");
    ngx_http_complex_value_t body{};

    body.value = to_str(json);

    return ngx_http_send_response(r, status, &type, &body);
}


/* what tells caches: nginx's, those of RFC 9213, and those before it */

bool
is_for_caches(std::string_view name) noexcept
{
    constexpr std::string_view control = "Cache-Control";

    std::string_view end = name;
    end.remove_prefix(name.size() - ngx_min(name.size(), control.size()));

    return equal_nocase(end, control)
           || equal_nocase(name, "Expires")
           || equal_nocase(name, "X-Accel-Expires")
           || equal_nocase(name, "Surrogate-Control");
}


}


ngx_table_elt_t *
add_header_out(ngx_http_request_t *r, std::string_view key,
    std::string_view value) noexcept
{
    auto *h = static_cast<ngx_table_elt_t *>(
        ngx_list_push(&r->headers_out.headers));
    if (h) {
        fill_header(*h, key, value, nullptr, 1);
    }

    return h;
}


/* whatever an upstream, "expires" or "add_header" had to say of them */

ngx_int_t
forbid_storing(ngx_http_request_t *r) noexcept
{
    for (ngx_list_part_t *part = &r->headers_out.headers.part; part;
         part = part->next)
    {
        std::span<ngx_table_elt_t> headers(
            static_cast<ngx_table_elt_t *>(part->elts), part->nelts);

        for (ngx_table_elt_t &h : headers) {
            if (is_for_caches(view(h.key))) {
                h.hash = 0;
            }
        }
    }

    return add_header_out(r, "Cache-Control", "no-store") ? NGX_OK
                                                          : NGX_ERROR;
}


void
forget_refusal(Ctx &ctx) noexcept
{
    if (ctx.www_authenticate) {
        ctx.www_authenticate->hash = 0;
        ctx.www_authenticate = nullptr;
    }

    if (ctx.retry_after) {
        ctx.retry_after->hash = 0;
        ctx.retry_after = nullptr;
    }
}


ngx_int_t
refuse(ngx_http_request_t *r, Ctx &ctx, Refusal refusal,
    std::string_view why) noexcept
{
    const RefusalInfo &info = refusal_info(refusal);

    ctx.status = Status::error;
    ctx.refusal = refusal;
    ctx.token = ngx_str_t{};

    count_request(*main_conf(r), ctx);

    if (ctx.logged != refusal) {
        ctx.logged = refusal;
        log_refusal(r, ctx, refusal, why);
    }

    if (add_refusal_headers(r, ctx, info) != NGX_OK) {
        return NGX_ERROR;
    }

    /*
     * Under "satisfy any" a status returned may lose to another's 401, and
     * that one would be met again where the error_page is.
     */

    if (!ctx.error_page_used && has_error_page(r, info.status)) {
        ctx.error_page_used = true;
        r->access_code = 0;
        ngx_http_finalize_request(r, static_cast<ngx_int_t>(info.status));
        return NGX_DONE;
    }

    auto *json = static_cast<char *>(
        ngx_pnalloc(r->pool, max_refusal_json));
    if (json == nullptr) {
        return NGX_ERROR;
    }

    bool by_wechat = ctx.exchanged && refusal == ctx.exchange_refusal;

    std::size_t size = write_refusal_json(
        refusal, by_wechat ? ctx.session.errcode : 0,
        ctx.session.errmsg.view(), {json, max_refusal_json});
    if (size == 0) {
        return NGX_ERROR;
    }

    ctx.no_store = true;

    /*
     * The answer is complete: whatever sending it gave, no phase may go on,
     * and under "satisfy any" nobody is left to ask, as we come last.
     */

    ngx_http_finalize_request(r, send_json(r, info.status, {json, size}));

    return NGX_DONE;
}


}
