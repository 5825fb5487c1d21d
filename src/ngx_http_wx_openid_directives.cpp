/*
 * Copyright (C) wx_openid authors
 *
 * The directives: the table and the setters that nginx has no stock ones
 * for.  Refuses what one directive can be refused for; what needs the whole
 * configuration is conf.cpp's.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


using Slot = char *(*)(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


ngx_conf_enum_t modes[] = {
    { ngx_string("off"), mode_off },
    { ngx_string("on"), mode_on },
    { ngx_string("optional"), mode_optional },
    { ngx_null_string, 0 }
};

ngx_conf_bitmask_t ssl_protocols[] = {
    { ngx_string("TLSv1"), NGX_SSL_TLSv1 },
    { ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1 },
    { ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2 },
    { ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3 },
    { ngx_null_string, 0 }
};


ngx_str_t *
arguments(ngx_conf_t *cf) noexcept
{
    return static_cast<ngx_str_t *>(cf->args->elts);
}


MainConf &
main_conf(ngx_conf_t *cf) noexcept
{
    return *static_cast<MainConf *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_wx_openid_module));
}


/* nginx's own setters name the directive; this adds the value */

template <Slot slot>
char *
set_value(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    char *rv = slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK || rv == conf_error()) {
        return rv;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V %V\": %s", &cmd->name,
                       &arguments(cf)[1], rv);

    return conf_error();
}


char *
check_positive(ngx_conf_t *cf, void *post, void *data) noexcept
{
    return *static_cast<ngx_msec_t *>(data) > 0
           ? NGX_CONF_OK : conf_text("must be greater than 0");
}

ngx_conf_post_t positive = { check_positive };


char *
check_positive_time(ngx_conf_t *cf, void *post, void *data) noexcept
{
    return *static_cast<time_t *>(data) > 0
           ? NGX_CONF_OK : conf_text("must be greater than 0");
}

ngx_conf_post_t positive_time = { check_positive_time };


char *
check_at_least_one(ngx_conf_t *cf, void *post, void *data) noexcept
{
    return *static_cast<ngx_int_t *>(data) > 0
           ? NGX_CONF_OK : conf_text("must be greater than 0");
}

ngx_conf_post_t at_least_one = { check_at_least_one };


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


bool
usable_appid(std::string_view appid) noexcept
{
    for (char c : appid) {
        if (!is_alnum(c) && c != '_' && c != '-' && c != '.') {
            return false;
        }
    }

    return !appid.empty() && appid.size() <= 64;
}


char *
set_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);
    const ngx_str_t *value = arguments(cf);

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

    return read_secret(cf, value[2], app->secret) ? NGX_CONF_OK
                                                  : conf_error();
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
                                   sizeof(ngx_http_complex_value_t));
    if (lcf.require == nullptr) {
        return conf_error();
    }

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        auto *value = static_cast<ngx_http_complex_value_t *>(
            ngx_array_push(lcf.require));

        if (value == nullptr
            || !compile_value(cf, view(arguments(cf)[i]), *value))
        {
            return conf_error();
        }
    }

    return NGX_CONF_OK;
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

    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));

    clcf->handler = status_handler;

    return NGX_CONF_OK;
}


constexpr ngx_uint_t everywhere = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF
                                  | NGX_HTTP_LOC_CONF;


}


ngx_command_t commands[] = {

    { ngx_string("wx_openid"),
      everywhere | NGX_HTTP_LMT_CONF | NGX_CONF_TAKE1,
      set_mode,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_app"),
      everywhere | NGX_CONF_TAKE2,
      set_app,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_appid"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_http_set_complex_value_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, appid),
      nullptr },

    { ngx_string("wx_openid_code"),
      everywhere | NGX_CONF_1MORE,
      set_code,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_body_limit"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_size_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, body_limit),
      nullptr },

    { ngx_string("wx_openid_set_header"),
      everywhere | NGX_CONF_TAKE2,
      set_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_require"),
      everywhere | NGX_CONF_1MORE,
      set_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_login"),
      NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS,
      set_login,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_pass"),
      everywhere | NGX_CONF_TAKE1,
      set_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_host"),
      everywhere | NGX_CONF_TAKE1,
      set_host,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_ssl_verify"),
      everywhere | NGX_CONF_FLAG,
      set_value<ngx_conf_set_flag_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, tls.verify),
      nullptr },

    { ngx_string("wx_openid_ssl_trusted_certificate"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_str_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, tls.trusted_certificate),
      nullptr },

    { ngx_string("wx_openid_ssl_protocols"),
      everywhere | NGX_CONF_1MORE,
      set_protocols,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, tls.protocols),
      &ssl_protocols },

    { ngx_string("wx_openid_ssl_ciphers"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_str_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, tls.ciphers),
      nullptr },

    { ngx_string("wx_openid_ssl_verify_depth"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_num_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, tls.verify_depth),
      nullptr },

    { ngx_string("wx_openid_ssl_crl"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_str_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, tls.crl),
      nullptr },

    { ngx_string("wx_openid_ssl_session_reuse"),
      everywhere | NGX_CONF_FLAG,
      set_value<ngx_conf_set_flag_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, tls.session_reuse),
      nullptr },

    { ngx_string("wx_openid_connect_timeout"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_msec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, upstream.connect_timeout),
      &positive },

    { ngx_string("wx_openid_send_timeout"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_msec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, upstream.send_timeout),
      &positive },

    { ngx_string("wx_openid_read_timeout"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_msec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, upstream.read_timeout),
      &positive },

    { ngx_string("wx_openid_timeout"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_msec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, timeout),
      &positive },

    { ngx_string("wx_openid_next_upstream_tries"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_num_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, upstream.next_upstream_tries),
      nullptr },

    { ngx_string("wx_openid_next_upstream_timeout"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_msec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, upstream.next_upstream_timeout),
      nullptr },

    { ngx_string("wx_openid_busy_retries"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_num_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, busy_retries),
      nullptr },

    { ngx_string("wx_openid_max_exchanges"),
      NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_num_slot>,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(MainConf, max_exchanges),
      &at_least_one },

    { ngx_string("wx_openid_keepalive"),
      NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_num_slot>,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(MainConf, keepalive),
      nullptr },

    { ngx_string("wx_openid_cache"),
      NGX_HTTP_MAIN_CONF | NGX_CONF_1MORE,
      set_cache,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_session_keys"),
      everywhere | NGX_CONF_TAKE1,
      set_session_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_session_ttl"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_sec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, session_ttl),
      &positive_time },

    { ngx_string("wx_openid_session_renew"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_sec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, session_renew),
      nullptr },

    { ngx_string("wx_openid_session_max"),
      everywhere | NGX_CONF_TAKE1,
      set_value<ngx_conf_set_sec_slot>,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(LocConf, session_max),
      &positive_time },

    { ngx_string("wx_openid_session_source"),
      everywhere | NGX_CONF_1MORE,
      set_session_source,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_session_cookie"),
      everywhere | NGX_CONF_1MORE,
      set_session_cookie,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

    { ngx_string("wx_openid_status"),
      NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1,
      set_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      nullptr },

      ngx_null_command
};


}
