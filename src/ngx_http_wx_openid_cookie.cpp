/*
 * Copyright (C) wx_openid authors
 *
 * wx_openid_session_cookie: its parameters, and all of Set-Cookie that does
 * not change from token to token.  Knows of no request and of no token.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* "name=" of a parameter, or nullptr */

ngx_str_t *
parameter_of(SessionCookie &cookie, std::string_view arg,
    std::string_view &value) noexcept
{
    struct Parameter {
        std::string_view name;
        ngx_str_t SessionCookie::*member;
    };

    constexpr Parameter parameters[] = {
        { "path=", &SessionCookie::path },
        { "domain=", &SessionCookie::domain },
        { "samesite=", &SessionCookie::samesite }
    };

    for (const Parameter &p : parameters) {
        if (arg.starts_with(p.name)) {
            value = arg;
            value.remove_prefix(p.name.size());
            return &(cookie.*p.member);
        }
    }

    return nullptr;
}


bool
usable_attribute(std::string_view value) noexcept
{
    return !value.empty() && !has_control(value)
           && value.find_first_of(";,\" ") == std::string_view::npos;
}


bool
set_samesite(ngx_str_t &samesite, std::string_view value) noexcept
{
    for (std::string_view name : { "Lax", "Strict", "None" }) {
        if (equal_nocase(name, value)) {
            samesite = to_str(name);
            return true;
        }
    }

    return false;
}


bool
set_max_age(SessionCookie &cookie, std::string_view arg) noexcept
{
    arg.remove_prefix(std::string_view("max_age=").size());

    ngx_str_t value = to_str(arg);

    cookie.max_age = ngx_parse_time(&value, 1);

    return cookie.max_age != static_cast<time_t>(NGX_ERROR);
}


bool
set_cookie_parameter(SessionCookie &cookie, std::string_view arg) noexcept
{
    std::string_view value;

    if (arg == "secure=off") {
        cookie.secure = 0;
        return true;
    }

    if (arg == "httponly=off") {
        cookie.httponly = 0;
        return true;
    }

    if (arg == "only") {
        cookie.only = 1;
        return true;
    }

    if (arg.starts_with("max_age=")) {
        return set_max_age(cookie, arg);
    }

    ngx_str_t *attribute = parameter_of(cookie, arg, value);

    if (attribute == nullptr || !usable_attribute(value)) {
        return false;
    }

    if (attribute == &cookie.samesite) {
        return set_samesite(cookie.samesite, value);
    }

    *attribute = to_str(value);

    return true;
}


/* what a browser would drop such a cookie for, or nullptr (RFC 6265bis) */

const char *
cookie_fault(const SessionCookie &cookie) noexcept
{
    bool host = view(cookie.name).starts_with("__Host-");

    if (!view(cookie.path).starts_with('/')) {
        return "its path does not begin with \"/\"";
    }

    if (host && (view(cookie.path) != "/" || cookie.domain.len)) {
        return "\"__Host-\" allows no domain and no path but \"/\"";
    }

    if (cookie.secure) {
        return nullptr;
    }

    if (host || view(cookie.name).starts_with("__Secure-")) {
        return "its name says that it is secure";
    }

    return view(cookie.samesite) == "None"
           ? "\"samesite=none\" allows no \"secure=off\"" : nullptr;
}


}


ngx_int_t
write_cookie_tail(ngx_conf_t *cf, LocConf &conf) noexcept
{
    const SessionCookie &cookie = *conf.cookie;

    std::size_t size = sizeof("; Path=; Domain=; Max-Age=; SameSite=Strict"
                              "; Secure; HttpOnly")
                       + cookie.path.len + cookie.domain.len + NGX_TIME_T_LEN;

    conf.cookie_tail.data = static_cast<u_char *>(
        ngx_pnalloc(cf->pool, size));
    if (conf.cookie_tail.data == nullptr) {
        return NGX_ERROR;
    }

    u_char *p = ngx_sprintf(conf.cookie_tail.data, "; Path=%V", &cookie.path);

    if (cookie.domain.len) {
        p = ngx_sprintf(p, "; Domain=%V", &cookie.domain);
    }

    p = ngx_sprintf(p, "; Max-Age=%T; SameSite=%V%s%s",
                    cookie.max_age < 0 ? conf.session_ttl : cookie.max_age,
                    &cookie.samesite, cookie.secure ? "; Secure" : "",
                    cookie.httponly ? "; HttpOnly" : "");

    conf.cookie_tail.len = p - conf.cookie_tail.data;

    return NGX_OK;
}


char *
set_session_cookie(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.cookie != unset_ptr<SessionCookie>()) {
        return conf_text("is duplicate");
    }

    const ngx_str_t &name = arguments(cf)[1];

    if (view(name) == "off" && cf->args->nelts == 2) {
        lcf.cookie = nullptr;
        return NGX_CONF_OK;
    }

    if (!usable_name(view(name)) || view(name) == "off") {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in "
                           "\"wx_openid_session_cookie\"", &name);
        return conf_error();
    }

    auto *cookie = pool_new<SessionCookie>(cf->pool);
    if (cookie == nullptr) {
        return conf_error();
    }

    cookie->name = name;
    cookie->path = to_str("/");
    cookie->samesite = to_str("Lax");
    cookie->max_age = -1;
    cookie->secure = 1;
    cookie->httponly = 1;

    lcf.cookie = cookie;

    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        if (!set_cookie_parameter(*cookie, view(arguments(cf)[i]))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in "
                               "\"wx_openid_session_cookie\": path=, "
                               "domain=, samesite=strict, lax or none, "
                               "max_age=, secure=off, httponly=off or only",
                               &arguments(cf)[i]);
            return conf_error();
        }
    }

    const char *fault = cookie_fault(*cookie);

    if (fault) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "browsers refuse the cookie \"%V\" in "
                           "\"wx_openid_session_cookie\": %s", &name, fault);
        return conf_error();
    }

    return add_token_name(cf, main_conf(cf).token_cookies, "cookie_",
                          view(name), cookie->variable)
           ? NGX_CONF_OK : conf_error();
}


}
