/*
 * Copyright (C) wx_openid authors
 *
 * Identity headers of a request: the client's are removed where a request
 * enters, ours are set once a location has granted.  Knows nothing of how
 * an identity was come by.
 */

#include "ngx_http_wx_openid.h"
#include "ngx_http_wx_openid_headerlist.h"


namespace wx_openid {


namespace {


bool
may_be_removed(const MainConf &mcf, const ngx_table_elt_t &h) noexcept
{
    std::string_view name = view(h.key);
    std::uint64_t bits = header_name_bit(name);

    if (mcf.invalid_headers) {
        bits |= header_name_bit(without_brackets(name));
    }

    return mcf.removed_names & bits;
}


bool
is_removed(const MainConf &mcf, const ngx_table_elt_t &h) noexcept
{
    return may_be_removed(mcf, h)
           && (is_guarded(mcf, view(h.key))
               || same_header_name(view(h.key), code_header)
               || carries_token(mcf, h));
}


bool
has_removed(const MainConf &mcf, ngx_list_t &list) noexcept
{
    Headers headers(list);

    while (const ngx_table_elt_t *h = headers.next()) {
        if (is_removed(mcf, *h)) {
            return true;
        }
    }

    return false;
}


bool
remove_guarded(ngx_http_request_t *r, const MainConf &mcf) noexcept
{
    ngx_list_t &list = r->headers_in.headers;
    ListBuilder builder(r->pool);
    Headers headers(list);

    while (ngx_table_elt_t *h = headers.next()) {
        if (!may_be_removed(mcf, *h)) {
            if (!builder.keep(h)) {
                return false;
            }

            continue;
        }

        if (is_guarded(mcf, view(h->key))) {
            continue;
        }

        if (same_header_name(view(h->key), code_header)) {
            keep_in_variable(r, mcf.code_variable, view(h->value));
            continue;
        }

        if (carries_token(mcf, *h)) {
            ngx_int_t rc = take_token(r, mcf, *h);

            if (rc == NGX_ERROR) {
                return false;
            }

            if (rc == NGX_OK) {
                continue;
            }
        }

        if (!builder.keep(h)) {
            return false;
        }
    }

    return builder.finish(list);
}


/*
 * The $http_ of a guarded name has no value but ours, for nginx's own lookup
 * is replaced: a request that never gets here shows nobody the client's.
 */

void
set_guarded(ngx_http_request_t *r, ngx_int_t index,
    std::string_view value) noexcept
{
    ngx_http_variable_value_t &v = r->variables[index];

    v.data = bytes(value.data());
    v.len = static_cast<unsigned>(value.size());
    v.valid = !value.empty();
    v.no_cacheable = 0;
    v.not_found = value.empty();
}


ngx_int_t
clean(ngx_http_request_t *r) noexcept
{
    const MainConf &mcf = *main_conf(r);

    if (has_removed(mcf, r->headers_in.headers) && !remove_guarded(r, mcf)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (mcf.sessions) {
        settle_token_variables(r, mcf);
    }

    return NGX_DECLINED;
}


/* NGX_OK, NGX_ERROR, or NGX_HTTP_BAD_REQUEST for a value unfit to send */

ngx_int_t
header_value(ngx_http_request_t *r, HeaderRule &rule,
    ngx_str_t &value) noexcept
{
    if (evaluate(r, rule.value, value) != NGX_OK) {
        return NGX_ERROR;
    }

    /*
     * A variable's own text may change with the next location, and not in
     * the lists that subrequests of this one have.
     */

    if (rule.value.variable != NGX_DECLINED && value.len
        && !dup(r->pool, view(value), value))
    {
        return NGX_ERROR;
    }

    if (has_control(view(value))) {
        log_line(r, NGX_LOG_INFO, "a value of \"wx_openid_set_header\" has "
                                  "control characters");
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


}


void
forget_variable(ngx_http_request_t *r, ngx_int_t index) noexcept
{
    r->variables[index].valid = 0;
    r->variables[index].not_found = 0;
}


void
keep_in_variable(ngx_http_request_t *r, ngx_int_t index,
    std::string_view value) noexcept
{
    ngx_http_variable_value_t &v = r->variables[index];

    if (v.valid && v.len) {
        return;
    }

    v.data = bytes(value.data());
    v.len = static_cast<unsigned>(value.size());
    v.valid = 1;
    v.no_cacheable = 0;
    v.not_found = 0;
}


ngx_int_t
post_read_handler(ngx_http_request_t *r) noexcept
{
    return r == r->main ? clean(r) : NGX_DECLINED;
}


/*
 * A request that nginx redirects enters here: one that never was in the
 * first phase (a bad request with an error_page), or one that carries what
 * a location before granted.  The new location decides for itself.
 */

ngx_int_t
redirect_handler(ngx_http_request_t *r) noexcept
{
    if (r != r->main || !r->internal) {
        return NGX_DECLINED;
    }

    Ctx *ctx = find_ctx(r);

    if (ctx) {

        /* the way from a body that could not be read to its error_page */

        if (ctx->state == State::reading) {
            ctx->state = State::idle;
            ctx->body_lost = true;
        }

        ctx->identity_visible = !ctx->session.openid.empty()
                                && ctx->exchange_refusal == Refusal::none
                                && ctx->app
                                && loc_conf(r)->mode == mode_off;
    }

    for (const GuardedName &g :
         elements<GuardedName>(&main_conf(r)->guarded))
    {
        set_guarded(r, g.variable, {});
    }

    return clean(r);
}


ngx_int_t
set_identity_headers(ngx_http_request_t *r, const LocConf &conf) noexcept
{
    const MainConf &mcf = *main_conf(r);

    /* a rewrite within a location may come by twice */

    if (has_removed(mcf, r->headers_in.headers) && !remove_guarded(r, mcf)) {
        return NGX_ERROR;
    }

    auto rules = elements<HeaderRule>(conf.headers);

    auto *added = static_cast<ngx_table_elt_t *>(
        ngx_palloc(r->pool, rules.size() * sizeof(ngx_table_elt_t)));
    if (added == nullptr) {
        return NGX_ERROR;
    }

    ngx_uint_t n = 0;

    for (HeaderRule &rule : rules) {
        ngx_str_t value;

        ngx_int_t rc = header_value(r, rule, value);
        if (rc != NGX_OK) {
            return rc;
        }

        if (value.len) {
            fill_header(added[n++], view(rule.name), view(value),
                        rule.lowcase.data, rule.hash);
        }

        set_guarded(r, rule.variable, view(value));
    }

    if (n == 0) {
        return NGX_OK;
    }

    ListBuilder builder(r->pool);
    Headers headers(r->headers_in.headers);

    while (ngx_table_elt_t *h = headers.next()) {
        if (!builder.keep(h)) {
            return NGX_ERROR;
        }
    }

    return builder.append(added, n) && builder.finish(r->headers_in.headers)
           ? NGX_OK : NGX_ERROR;
}


}
