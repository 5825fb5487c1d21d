/*
 * Copyright (C) wx_openid authors
 *
 * A level of the configuration takes what it does not say from the one
 * around it, and is checked as a whole where the module is used.  Knows of
 * no request.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/*
 * A reply is read so much at a time, of any length.  WeChat's have some 400
 * bytes, and the whole buffer is wiped each time.
 */

constexpr size_t reply_piece = 1024;


void
merge_tls(TlsConf &conf, const TlsConf &prev) noexcept
{
    ngx_conf_merge_value(conf.verify, prev.verify, 1);
    ngx_conf_merge_value(conf.session_reuse, prev.session_reuse, 1);
    ngx_conf_merge_value(conf.verify_depth, prev.verify_depth, 3);
    ngx_conf_merge_bitmask_value(conf.protocols, prev.protocols,
                                 NGX_CONF_BITMASK_SET | NGX_SSL_TLSv1_2
                                 | NGX_SSL_TLSv1_3);
    ngx_conf_merge_str_value(conf.ciphers, prev.ciphers, "DEFAULT");
    ngx_conf_merge_str_value(conf.trusted_certificate,
                             prev.trusted_certificate, "");
    ngx_conf_merge_str_value(conf.crl, prev.crl, "");
}


void
merge_upstream(LocConf &conf, const LocConf &prev) noexcept
{
    ngx_http_upstream_conf_t &u = conf.upstream;
    const ngx_http_upstream_conf_t &p = prev.upstream;

    ngx_conf_merge_msec_value(u.connect_timeout, p.connect_timeout, 3000);
    ngx_conf_merge_msec_value(u.send_timeout, p.send_timeout, 3000);
    ngx_conf_merge_msec_value(u.read_timeout, p.read_timeout, 5000);
    ngx_conf_merge_uint_value(u.next_upstream_tries, p.next_upstream_tries,
                              2);
    ngx_conf_merge_msec_value(u.next_upstream_timeout,
                              p.next_upstream_timeout, 5000);
    ngx_conf_merge_msec_value(conf.timeout, prev.timeout, 10000);
    ngx_conf_merge_value(conf.busy_retries, prev.busy_retries, 0);
}


/*
 * What every exchange has in common.  The client may leave: a code that is
 * on its way is spent, so its answer is waited for.
 */

void
fix_upstream(LocConf &conf) noexcept
{
    ngx_http_upstream_conf_t &u = conf.upstream;
    Line &line = *conf.line;

    u.upstream = &line.upstream;
    u.module = to_str("wx_openid");
    u.buffer_size = reply_piece;
    u.ignore_client_abort = 1;
    u.next_upstream = NGX_HTTP_UPSTREAM_FT_ERROR
                      | NGX_HTTP_UPSTREAM_FT_TIMEOUT;

    u.ssl = line.ssl;
    u.ssl_verify = line.tls.verify;
    u.ssl_server_name = 1;
    u.ssl_name = &line.ssl_name;

    /* sessions of a group are everybody's, verified or not */

    u.ssl_session_reuse = line.tls.session_reuse && !line.group;
}


/*
 * "if" and "limit_except" inside a location that answers by itself: nginx
 * goes on to answer by its handler, but loses it for a method that is not
 * excepted.
 */

void
inherit_handler(ngx_conf_t *cf, LocConf &conf, const LocConf &prev) noexcept
{
    auto *clcf = &core_conf(cf);

    if (!clcf->noname || clcf->handler) {
        return;
    }

    conf.login = prev.login;
    conf.status_format = prev.status_format;

    if (!clcf->lmt_excpt) {
        return;
    }

    if (conf.login) {
        clcf->handler = login_handler;

    } else if (conf.status_format != NGX_CONF_UNSET_UINT) {
        clcf->handler = status_handler;
    }
}


/* a login lets nobody pass who is not known */

ngx_int_t
check_login(ngx_conf_t *cf, const LocConf &conf) noexcept
{
    if (!conf.login || conf.mode == mode_on) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"wx_openid_login\" and \"wx_openid %s\" "
                       "contradict each other",
                       conf.mode == mode_off ? "off" : "optional");
    return NGX_ERROR;
}


/* " for location "/name"", as nginx merges when it has read all of a level */

ngx_str_t
location_of(ngx_conf_t *cf) noexcept
{
    auto *clcf = &core_conf(cf);

    ngx_str_t where = ngx_null_string;

    if (clcf->name.len == 0) {
        return where;
    }

    std::size_t size = clcf->name.len + sizeof(" for location \"\"");

    where.data = static_cast<u_char *>(ngx_pnalloc(cf->temp_pool, size));

    if (where.data) {
        where.len = ngx_snprintf(where.data, size, " for location \"%V\"",
                                 &clcf->name) - where.data;
    }

    return where;
}


char *
check_used(ngx_conf_t *cf, MainConf &mcf, LocConf &conf) noexcept
{
    ngx_str_t where = location_of(cf);

    if (elements<App>(conf.apps).empty()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" needs a \"wx_openid_app\"%V",
                           conf.login ? "wx_openid_login"
                           : conf.mode == mode_on ? "wx_openid on"
                                                  : "wx_openid optional",
                           &where);
        return conf_error();
    }

    if (conf.appid && is_constant(*conf.appid) && conf.appid->value.len
        && find_app(conf, view(conf.appid->value)) == nullptr)
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"wx_openid_appid\" is no "
                           "\"wx_openid_app\": all will be refused%V",
                           &conf.appid->value, &where);
    }

    conf.line = line_for(cf, mcf, conf);
    if (conf.line == nullptr) {
        return conf_error();
    }

    fix_upstream(conf);

    return NGX_CONF_OK;
}


}


char *
merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) noexcept
{
    auto &prev = *static_cast<LocConf *>(parent);
    auto &conf = *static_cast<LocConf *>(child);
    MainConf &mcf = main_conf(cf);

    inherit_handler(cf, conf, prev);

    if (!mcf.used) {
        return NGX_CONF_OK;
    }

    if (make_defaults(cf, mcf) != NGX_OK
        || merge_apps(cf, conf, prev) != NGX_OK)
    {
        return conf_error();
    }

    if (conf.login && conf.mode == NGX_CONF_UNSET_UINT) {
        conf.mode = mode_on;
    }

    ngx_conf_merge_uint_value(conf.mode, prev.mode, mode_off);
    ngx_conf_merge_ptr_value(conf.appid, prev.appid, nullptr);
    ngx_conf_merge_size_value(conf.body_limit, prev.body_limit, 16384);
    ngx_conf_merge_str_value(conf.host, prev.host, "");

    merge_tls(conf.tls, prev.tls);
    merge_upstream(conf, prev);

    /* lists are inherited whole; code_sources() knows codes' default */

    if (conf.codes == nullptr) {
        conf.codes = prev.codes;
    }

    if (conf.require == nullptr) {
        conf.require = prev.require;
    }

    if (conf.headers == nullptr) {
        conf.headers = prev.headers ? prev.headers : mcf.default_headers;
    }

    if (conf.pass == nullptr) {
        conf.pass = prev.pass ? prev.pass : mcf.default_pass;
    }

    if (merge_sessions(cf, mcf, conf, prev) != NGX_CONF_OK) {
        return conf_error();
    }

    if (check_login(cf, conf) != NGX_OK) {
        return conf_error();
    }

    return conf.mode == mode_off ? NGX_CONF_OK : check_used(cf, mcf, conf);
}


}
