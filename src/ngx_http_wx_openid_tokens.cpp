/*
 * Copyright (C) wx_openid authors
 *
 * Session tokens on their way in: cut out of what an upstream gets, kept
 * aside for the access phase.  Knows where a token may stand, not what is
 * in it.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


constexpr std::string_view bearer_scheme = "Bearer";


/*
 * nginx's $cookie_ knows no case and RFC 6265 does: a cookie in another case
 * is ours where it holds a token, and another's where it does not.
 */

const TokenName *
find_cookie(const MainConf &mcf, std::string_view name,
    std::string_view value) noexcept
{
    for (const TokenName &n : elements<TokenName>(&mcf.token_cookies)) {
        if (view(n.name) == name
            || (equal_nocase(view(n.name), name) && looks_like_token(value)))
        {
            return &n;
        }
    }

    return nullptr;
}


/* the token's cookie that "pair" is, or nullptr */

const TokenName *
token_cookie(const MainConf &mcf, std::string_view pair,
    std::string_view &value) noexcept
{
    std::size_t n = pair.find('=');

    if (n == std::string_view::npos) {
        return nullptr;
    }

    value = pair;
    value.remove_prefix(n + 1);
    value = trimmed(value);

    return find_cookie(mcf, trimmed({pair.data(), n}), value);
}


bool
has_token_cookie(const MainConf &mcf, std::string_view header) noexcept
{
    std::string_view value;

    while (!header.empty()) {
        if (token_cookie(mcf, trimmed(next_part(header, ';')), value)) {
            return true;
        }
    }

    return false;
}


bool
cut_cookies(ngx_http_request_t *r, const MainConf &mcf,
    ngx_table_elt_t &h) noexcept
{
    if (!has_token_cookie(mcf, view(h.value))) {
        return true;
    }

    auto *data = static_cast<u_char *>(ngx_pnalloc(r->pool, h.value.len + 1));
    if (data == nullptr) {
        return false;
    }

    u_char *p = data;
    std::string_view rest = view(h.value);

    while (!rest.empty()) {
        std::string_view part = next_part(rest, ';');
        std::string_view value;

        const TokenName *cookie = token_cookie(mcf, trimmed(part), value);

        if (cookie) {
            keep_in_variable(r, cookie->variable, value);
            continue;
        }

        /* what stays does so byte by byte, and is never longer than it was */

        if (p != data) {
            *p++ = ';';

        } else {
            part = trimmed(part);
        }

        p = ngx_cpymem(p, part.data(), part.size());
    }

    *p = '\0';

    h.value.data = data;
    h.value.len = p - data;

    return true;
}


bool
is_cookie(const ngx_table_elt_t &h) noexcept
{
    return equal_nocase(view(h.key), "Cookie");
}


std::string_view
bearer_token(const ngx_table_elt_t &h) noexcept
{
    std::string_view value = view(h.value);

    if (!equal_nocase(view(h.key), "Authorization")
        || value.size() < bearer_scheme.size()
        || !equal_nocase({value.data(), bearer_scheme.size()},
                         bearer_scheme))
    {
        return {};
    }

    value.remove_prefix(bearer_scheme.size());

    if (value.empty() || !is_blank(value.front())) {
        return {};
    }

    value = trimmed(value);

    return looks_like_token(value) ? value : std::string_view{};
}


}


const TokenName *
find_token_header(const ngx_array_t &names, std::string_view name) noexcept
{
    for (const TokenName &n : elements<TokenName>(&names)) {
        if (same_header_name(view(n.name), name)) {
            return &n;
        }
    }

    return nullptr;
}


const TokenName *
find_token_cookie(const ngx_array_t &names, std::string_view name) noexcept
{
    for (const TokenName &n : elements<TokenName>(&names)) {
        if (view(n.name) == name) {
            return &n;
        }
    }

    return nullptr;
}


bool
carries_token(const MainConf &mcf, const ngx_table_elt_t &h) noexcept
{
    if (!mcf.sessions) {
        return false;
    }

    if (is_cookie(h)) {
        return has_token_cookie(mcf, view(h.value));
    }

    return find_token_header(mcf.token_headers, view(h.key))
           || !bearer_token(h).empty();
}


ngx_int_t
take_token(ngx_http_request_t *r, const MainConf &mcf,
    ngx_table_elt_t &h) noexcept
{
    if (is_cookie(h)) {
        if (!cut_cookies(r, mcf, h)) {
            return NGX_ERROR;
        }

        forget_variable(r, mcf.cookie_variable);

        if (h.value.len) {
            return NGX_DECLINED;
        }

        h.hash = 0;             /* $http_cookie joins the others alone */

        return NGX_OK;
    }

    const TokenName *header = find_token_header(mcf.token_headers,
                                                view(h.key));

    if (header) {
        keep_in_variable(r, header->variable, view(h.value));
        return NGX_OK;
    }

    Ctx *ctx = make_ctx(r);
    if (ctx == nullptr) {
        return NGX_ERROR;
    }

    ctx->bearer = to_str(bearer_token(h));

    r->headers_in.authorization = nullptr;
    forget_variable(r, mcf.authorization_variable);

    return NGX_OK;
}


/*
 * nginx's lookup of $cookie_NAME knows no case and finds one behind a comma,
 * which then would be used and not be removed.
 */

void
settle_token_variables(ngx_http_request_t *r, const MainConf &mcf) noexcept
{
    for (const ngx_array_t *names : { &mcf.token_headers,
                                      &mcf.token_cookies })
    {
        for (const TokenName &n : elements<TokenName>(names)) {
            ngx_http_variable_value_t &v = r->variables[n.variable];

            if (!v.valid) {
                v.not_found = 1;
            }
        }
    }
}


std::string_view
token_at(ngx_http_request_t *r, const Ctx &ctx,
    const TokenSource &source) noexcept
{
    if (source.kind == TokenSource::Kind::bearer) {
        return view(ctx.bearer);
    }

    /* see settle_token_variables() */

    const ngx_http_variable_value_t &v = r->variables[source.variable];

    return v.valid ? view(v) : std::string_view{};
}


}
