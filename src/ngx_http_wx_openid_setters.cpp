/*
 * Copyright (C) wx_openid authors
 *
 * The setters of directives that nginx has no stock ones for.  Each refuses
 * what its directive alone can be refused for; what needs the whole
 * configuration is merge.cpp's.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


ngx_conf_enum_t modes[] = {
    { ngx_string("off"), mode_off },
    { ngx_string("on"), mode_on },
    { ngx_string("optional"), mode_optional },
    { ngx_null_string, 0 }
};


/* "name=value" of a parameter; false if it is another one */

bool
parameter(const ngx_str_t &arg, std::string_view name,
    ngx_str_t &value) noexcept
{
    std::string_view text = view(arg);

    if (!text.starts_with(name)) {
        return false;
    }

    text.remove_prefix(name.size());
    value = to_str(text);

    return true;
}


/* false: no time, or longer than a code in a log may be of use */

bool
cache_time(ngx_str_t &value, std::uint64_t &time) noexcept
{
    constexpr ngx_int_t longest = 60000;

    ngx_int_t t = ngx_parse_time(&value, 0);

    if (t == NGX_ERROR || t > longest) {
        return false;
    }

    time = static_cast<std::uint64_t>(t);

    return true;
}


bool
cache_size(ngx_str_t &value, size_t &size) noexcept
{
    ssize_t s = ngx_parse_size(&value);

    if (s == NGX_ERROR || s < static_cast<ssize_t>(16 * ngx_pagesize)) {
        return false;
    }

    size = static_cast<size_t>(s);

    return true;
}


}


char *
set_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.mode != NGX_CONF_UNSET_UINT) {
        return conf_text("is duplicate");
    }

    const ngx_str_t &value = arguments(cf)[1];

    for (ngx_conf_enum_t *e = modes; e->name.len; e++) {
        if (view(e->name) == view(value)) {
            lcf.mode = e->value;
        }
    }

    if (lcf.mode == NGX_CONF_UNSET_UINT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"wx_openid\" directive, "
                           "it must be \"on\", \"off\" or \"optional\"",
                           &value);
        return conf_error();
    }

    if (lcf.mode != mode_off) {
        main_conf(cf).used = 1;
    }

    return NGX_CONF_OK;
}


char *
set_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);
    const ngx_str_t *value = arguments(cf);

    /* an appid may be logged, a secret never */

    if (!view(value[1]).starts_with(appid_prefix)
        && view(value[2]).starts_with(appid_prefix))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "appid \"%V\" comes after its secret in "
                           "\"wx_openid_app\"", &value[2]);
        return conf_error();
    }

    if (!usable_appid(view(value[1]))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid appid \"%V\" in \"wx_openid_app\"",
                           &value[1]);
        return conf_error();
    }

    if (lcf.apps == nullptr) {
        lcf.apps = ngx_array_create(cf->pool, 1, sizeof(App));
    }

    auto *app = static_cast<App *>(lcf.apps ? ngx_array_push(lcf.apps)
                                            : nullptr);
    if (app == nullptr) {
        return conf_error();
    }

    app->appid = value[1];

    if (!read_secret(cf, value[2], app->secret)) {
        return conf_error();
    }

    if (!digest_parts({view(app->appid), view(app->secret)}, app->digest)) {
        log_no_sha256(cf);
        return conf_error();
    }

    return NGX_CONF_OK;
}


char *
set_code(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.codes) {
        return conf_text("is duplicate");
    }

    lcf.codes = ngx_array_create(cf->pool, 4, sizeof(CodeSource));
    if (lcf.codes == nullptr) {
        return conf_error();
    }

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (!add_code_source(cf, main_conf(cf), *lcf.codes,
                             view(arguments(cf)[i])))
        {
            return conf_error();
        }
    }

    return NGX_CONF_OK;
}


char *
set_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);
    const ngx_str_t *value = arguments(cf);

    if (lcf.headers == nullptr) {
        lcf.headers = ngx_array_create(cf->pool, 4, sizeof(HeaderRule));
        if (lcf.headers == nullptr) {
            return conf_error();
        }
    }

    return add_header_rule(cf, main_conf(cf), *lcf.headers, view(value[1]),
                           view(value[2]))
           ? NGX_CONF_OK : conf_error();
}


char *
set_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.require) {
        return conf_text("is duplicate");
    }

    lcf.require = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                   sizeof(Value));
    if (lcf.require == nullptr) {
        return conf_error();
    }

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        auto *value = static_cast<Value *>(ngx_array_push(lcf.require));

        if (value == nullptr
            || !compile_value(cf, view(arguments(cf)[i]), *value))
        {
            return conf_error();
        }

        if (is_constant(*value)) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "\"%V\" in \"wx_openid_require\" has no "
                               "variable, so it decides the same for all",
                               &arguments(cf)[i]);
        }
    }

    return NGX_CONF_OK;
}


/* nginx's own setter names the value alone */

char *
set_protocols(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    char *rv = ngx_conf_set_bitmask_slot(cf, cmd, conf);

    if (rv == conf_error()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid protocol in \"%V\" directive",
                           &cmd->name);
    }

    return rv;
}


char *
set_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &mcf = *static_cast<MainConf *>(conf);

    if (mcf.cache_results != NGX_CONF_UNSET) {
        return conf_text("is duplicate");
    }

    mcf.cache_results = 1;

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        const ngx_str_t &arg = arguments(cf)[i];
        ngx_str_t value;

        if (view(arg) == "off" && cf->args->nelts == 2) {
            mcf.cache_results = 0;
            continue;
        }

        if ((parameter(arg, "size=", value)
             && cache_size(value, mcf.cache_size))
            || (parameter(arg, "ttl=", value)
                && cache_time(value, mcf.cache.good))
            || (parameter(arg, "error_ttl=", value)
                && cache_time(value, mcf.cache.bad)))
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in "
                           "\"wx_openid_cache\": size= of 16 pages or more, "
                           "ttl= and error_ttl= of 60s or less, or off "
                           "alone", &arg);
        return conf_error();
    }

    return NGX_CONF_OK;
}


char *
set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.status_format != NGX_CONF_UNSET_UINT) {
        return conf_text("is duplicate");
    }

    lcf.status_format = status_prometheus;

    if (cf->args->nelts == 2) {
        std::string_view format = view(arguments(cf)[1]);

        if (format == "json") {
            lcf.status_format = status_json;

        } else if (format != "prometheus") {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in "
                               "\"wx_openid_status\", it must be "
                               "\"prometheus\" or \"json\"",
                               &arguments(cf)[1]);
            return conf_error();
        }
    }

    core_conf(cf).handler = status_handler;

    return NGX_CONF_OK;
}


}
