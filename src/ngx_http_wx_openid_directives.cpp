/*
 * Copyright (C) wx_openid authors
 *
 * The directives: the table, in README's order of subjects, and what nginx's
 * own setters are wrapped in.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


using Slot = char *(*)(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


ngx_conf_bitmask_t ssl_protocols[] = {
    { ngx_string("TLSv1"), NGX_SSL_TLSv1 },
    { ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1 },
    { ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2 },
    { ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3 },
    { ngx_null_string, 0 }
};


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
