/*
 * Copyright (C) wx_openid authors
 *
 * The URL of wx_openid_pass, taken apart, and the name of wx_openid_host.
 * Knows nothing of what is behind them.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


constexpr std::string_view http_schema = "http://";
constexpr std::string_view https_schema = "https://";


PassUrl *
refuse_pass(ngx_conf_t *cf, std::string_view text, const char *why) noexcept
{
    ngx_str_t s = to_str(text);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" in \"wx_openid_pass\" %s", &s, why);
    return nullptr;
}


/* what would end up in the request line must be fit for it */

const char *
pass_fault(std::string_view text) noexcept
{
    for (char c : text) {
        if (c <= ' ' || c == '\x7f' || static_cast<signed char>(c) < 0) {
            return "has characters that a URL cannot have";
        }

        if (c == '$') {
            return "must not have variables";
        }

        if (c == '?' || c == '#' || c == '@') {
            return "must be http[s]://host[:port][/prefix]";
        }
    }

    return nullptr;
}


/* what may stand in a Host header and in a certificate's name check */

bool
usable_host(std::string_view host) noexcept
{
    constexpr std::string_view marks = "-._:[]";

    for (char c : host) {
        if (!is_alnum(c) && marks.find(c) == std::string_view::npos) {
            return false;
        }
    }

    return !host.empty() && host.size() <= 253 + sizeof(":65535") - 1;
}


}


PassUrl *
parse_pass(ngx_conf_t *cf, std::string_view text) noexcept
{
    const char *fault = pass_fault(text);
    if (fault) {
        return refuse_pass(cf, text, fault);
    }

    auto *pass = static_cast<PassUrl *>(
        ngx_pcalloc(cf->pool, sizeof(PassUrl)));
    if (pass == nullptr || !dup(cf->pool, text, pass->text)) {
        return nullptr;
    }

    std::string_view schema(text.data(), ngx_min(text.size(),
                                                 https_schema.size()));
    pass->ssl = equal_nocase(schema, https_schema);

    if (!pass->ssl) {
        schema = {text.data(), ngx_min(text.size(), http_schema.size())};

        if (!equal_nocase(schema, http_schema)) {
            return refuse_pass(cf, text, "must begin with http:// or "
                                         "https://");
        }
    }

    pass->schema = to_str(pass->ssl ? https_schema : http_schema);

    std::string_view rest = view(pass->text);
    rest.remove_prefix(schema.size());

    pass->url.url = to_str(rest);
    pass->url.default_port = pass->ssl ? https_port : http_port;
    pass->url.uri_part = 1;
    pass->url.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &pass->url) != NGX_OK) {
        return refuse_pass(cf, text, pass->url.err ? pass->url.err
                                                   : "is not a URL");
    }

    if (pass->url.family != AF_UNIX && !usable_host(view(pass->url.host))) {
        return refuse_pass(cf, text, "has no usable host");
    }

    pass->prefix = pass->url.uri;

    while (view(pass->prefix).ends_with('/')) {
        pass->prefix.len--;
    }

    if (view(pass->prefix).ends_with(exchange_path)) {
        return refuse_pass(cf, text, "must end before "
                                     "\"/sns/jscode2session\", which is "
                                     "added to it");
    }

    return pass;
}


char *
set_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.pass) {
        return conf_text("is duplicate");
    }

    lcf.pass = parse_pass(cf, view(arguments(cf)[1]));

    return lcf.pass ? NGX_CONF_OK : conf_error();
}


char *
set_host(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.host.data) {
        return conf_text("is duplicate");
    }

    lcf.host = arguments(cf)[1];

    if (!usable_host(view(lcf.host))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"wx_openid_host\"",
                           &lcf.host);
        return conf_error();
    }

    return NGX_CONF_OK;
}


}
