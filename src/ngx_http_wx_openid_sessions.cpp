/*
 * Copyright (C) wx_openid authors
 *
 * The configuration of sessions: sources parsed, all of it merged; keys and
 * cookie have files of their own.  Knows of no request and makes no token.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


constexpr std::string_view default_sources[] = {
    "$http_x_wx_session", "$http_x_wx_skey", "bearer"
};


namespace {


/* the header is removed, so it must be one that is nothing but a token's */

bool
add_header_source(ngx_conf_t *cf, MainConf &mcf, std::string_view text,
    std::string_view name, ngx_int_t &index) noexcept
{
    if (!is_parsed_by_nginx(name) && !same_header_name(name, code_header)) {
        return note_source_name(cf, mcf, name, text,
                                "wx_openid_session_source")
               && add_token_name(cf, mcf.token_headers, header_variable, name,
                                 index);
    }

    ngx_str_t value = to_str(text);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"wx_openid_session_source\" source \"%V\" is a "
                       "header that has another use", &value);
    return false;
}


bool
add_source(ngx_conf_t *cf, MainConf &mcf, ngx_array_t &list,
    std::string_view text) noexcept
{
    constexpr std::string_view header = "$http_";
    constexpr std::string_view cookie = "$cookie_";

    auto *source = static_cast<TokenSource *>(ngx_array_push(&list));
    if (source == nullptr) {
        return false;
    }

    *source = TokenSource{ TokenSource::Kind::variable, NGX_ERROR };

    if (text == "bearer") {
        source->kind = TokenSource::Kind::bearer;
        return true;
    }

    std::string_view prefix = text.starts_with(header) ? header : cookie;
    std::string_view name = text;

    if (text.starts_with(prefix)) {
        name.remove_prefix(prefix.size());

        if (usable_name(name)) {
            return prefix == header
                   ? add_header_source(cf, mcf, text, name, source->variable)
                   : add_token_name(cf, mcf.token_cookies, "cookie_", name,
                                    source->variable);
        }
    }

    ngx_str_t value = to_str(text);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid source \"%V\" in "
                       "\"wx_openid_session_source\", it must be "
                       "$http_NAME, $cookie_NAME or bearer", &value);
    return false;
}


/* the cookie that this level sets is read behind all sources */

ngx_array_t *
with_cookie(ngx_conf_t *cf, ngx_array_t *sources,
    const SessionCookie *cookie) noexcept
{
    if (cookie == nullptr) {
        return sources;
    }

    ngx_array_t *list = ngx_array_create(cf->pool, sources->nelts + 1,
                                         sizeof(TokenSource));
    if (list == nullptr) {
        return nullptr;
    }

    for (const TokenSource &source : elements<TokenSource>(sources)) {
        *static_cast<TokenSource *>(ngx_array_push(list)) = source;
    }

    *static_cast<TokenSource *>(ngx_array_push(list)) =
        { TokenSource::Kind::variable, cookie->variable };

    return list;
}


ngx_int_t
make_default_sources(ngx_conf_t *cf, MainConf &mcf) noexcept
{
    if (mcf.default_session_sources) {
        return NGX_OK;
    }

    mcf.default_session_sources = ngx_array_create(cf->pool, 3,
                                                   sizeof(TokenSource));
    if (mcf.default_session_sources == nullptr) {
        return NGX_ERROR;
    }

    for (std::string_view source : default_sources) {
        if (!add_source(cf, mcf, *mcf.default_session_sources, source)) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


}


bool
add_token_name(ngx_conf_t *cf, ngx_array_t &names, std::string_view prefix,
    std::string_view name, ngx_int_t &index) noexcept
{
    ngx_str_t variable;

    /* at each request all are looked for: none twice, in another spelling */

    const TokenName *known = prefix == header_variable
                             ? find_token_header(names, name)
                             : find_token_cookie(names, name);
    if (known) {
        index = known->variable;
        return true;
    }

    variable.len = prefix.size() + name.size();
    variable.data = static_cast<u_char *>(
        ngx_pnalloc(cf->pool, variable.len));

    auto *token_name = static_cast<TokenName *>(ngx_array_push(&names));

    if (variable.data == nullptr || token_name == nullptr
        || !dup(cf->pool, name, token_name->name))
    {
        return false;
    }

    ngx_memcpy(ngx_copy(variable.data, prefix.data(), prefix.size()),
               name.data(), name.size());

    index = ngx_http_get_variable_index(cf, &variable);
    token_name->variable = index;

    return index != NGX_ERROR;
}


bool
usable_name(std::string_view name) noexcept
{
    for (char c : name) {
        if (!is_alnum(c) && c != '_' && c != '-') {
            return false;
        }
    }

    return !name.empty();
}


char *
set_session_source(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.own_session_sources) {
        return conf_text("is duplicate");
    }

    lcf.own_session_sources = ngx_array_create(cf->pool, 4,
                                               sizeof(TokenSource));
    if (lcf.own_session_sources == nullptr) {
        return conf_error();
    }

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (!add_source(cf, main_conf(cf), *lcf.own_session_sources,
                        view(arguments(cf)[i])))
        {
            return conf_error();
        }
    }

    return NGX_CONF_OK;
}


char *
merge_sessions(ngx_conf_t *cf, MainConf &mcf, LocConf &conf,
    const LocConf &prev) noexcept
{
    ngx_conf_merge_ptr_value(conf.keys, prev.keys, nullptr);
    ngx_conf_merge_ptr_value(conf.cookie, prev.cookie, nullptr);
    ngx_conf_merge_sec_value(conf.session_ttl, prev.session_ttl, 7200);
    ngx_conf_merge_sec_value(conf.session_max, prev.session_max, 2592000);

    /* stays unset, for half of what the ttl is here; see renew_after() */

    if (conf.session_renew == NGX_CONF_UNSET) {
        conf.session_renew = prev.session_renew;
    }

    if (!mcf.sessions) {
        return NGX_CONF_OK;
    }

    if (make_default_sources(cf, mcf) != NGX_OK) {
        return conf_error();
    }

    if (conf.own_session_sources == nullptr) {
        conf.own_session_sources = prev.own_session_sources;
    }

    conf.session_sources = with_cookie(
        cf, conf.own_session_sources ? conf.own_session_sources
                                     : mcf.default_session_sources,
        conf.cookie);

    if (conf.session_sources == nullptr) {
        return conf_error();
    }

    return conf.cookie && write_cookie_tail(cf, conf) != NGX_OK
           ? conf_error() : NGX_CONF_OK;
}


}
