/*
 * Copyright (C) wx_openid authors
 *
 * Configuration: created, merged, checked as a whole, and what it looks up
 * at request time.  Directive syntax belongs to directives.cpp.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* WeChat's CloudRun gives these to its containers, so none may be forged */

constexpr std::string_view identity_headers[] = {
    "X-WX-OPENID",
    "X-WX-APPID",
    "X-WX-UNIONID",
    "X-WX-SOURCE",
    "X-WX-ENV",
    "X-WX-FROM-OPENID",
    "X-WX-FROM-APPID",
    "X-WX-FROM-UNIONID",
    "X-WX-CLOUDBASE-ACCESS-TOKEN",
    "X-WX-FROM-CLOUDBASE-ACCESS-TOKEN"
};

constexpr std::string_view default_code_sources[] = {
    "$http_x_wx_code", "$arg_code", "json:code", "form:code"
};

struct DefaultHeader {
    std::string_view name;
    std::string_view value;
};

constexpr DefaultHeader default_header_rules[] = {
    { "X-WX-OPENID", "$wx_openid" },
    { "X-WX-APPID", "$wx_openid_appid" },
    { "X-WX-UNIONID", "$wx_openid_unionid" },
    { "X-WX-SOURCE", "wx_client" }
};

constexpr size_t default_cache_size = 4 * 1024 * 1024;

constexpr std::string_view default_pass_url = "https://api.weixin.qq.com";


/* the defaults that need parsing, made once for all locations */

ngx_int_t
make_defaults(ngx_conf_t *cf, MainConf &mcf) noexcept
{
    if (mcf.default_pass) {
        return NGX_OK;
    }

    mcf.default_codes = ngx_array_create(cf->pool, 4, sizeof(CodeSource));
    mcf.optional_codes = ngx_array_create(cf->pool, 1, sizeof(CodeSource));
    mcf.default_headers = ngx_array_create(cf->pool, 4, sizeof(HeaderRule));

    if (mcf.default_codes == nullptr || mcf.optional_codes == nullptr
        || mcf.default_headers == nullptr)
    {
        return NGX_ERROR;
    }

    for (std::string_view source : default_code_sources) {
        if (!add_code_source(cf, mcf, *mcf.default_codes, source)) {
            return NGX_ERROR;
        }
    }

    if (!add_code_source(cf, mcf, *mcf.optional_codes,
                         default_code_sources[0]))
    {
        return NGX_ERROR;
    }

    for (const DefaultHeader &rule : default_header_rules) {
        if (!add_header_rule(cf, mcf, *mcf.default_headers, rule.name,
                             rule.value))
        {
            return NGX_ERROR;
        }
    }

    mcf.default_pass = parse_pass(cf, default_pass_url);

    return mcf.default_pass ? NGX_OK : NGX_ERROR;
}


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
    u.buffer_size = ngx_pagesize;
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
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));

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
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));

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


void *
create_main_conf(ngx_conf_t *cf) noexcept
{
    auto *mcf = static_cast<MainConf *>(
        ngx_pcalloc(cf->pool, sizeof(MainConf)));
    if (mcf == nullptr) {
        return nullptr;
    }

    if (ngx_array_init(&mcf->guarded, cf->pool, 16, sizeof(GuardedName))
            != NGX_OK
        || ngx_array_init(&mcf->source_names, cf->pool, 4, sizeof(ngx_str_t))
            != NGX_OK
        || ngx_array_init(&mcf->lines, cf->pool, 1, sizeof(Line *))
            != NGX_OK
        || ngx_array_init(&mcf->token_headers, cf->pool, 2,
                          sizeof(TokenName))
            != NGX_OK
        || ngx_array_init(&mcf->token_cookies, cf->pool, 1,
                          sizeof(TokenName))
            != NGX_OK)
    {
        return nullptr;
    }

    for (std::string_view name : identity_headers) {
        if (!guard_name(*mcf, name)) {
            return nullptr;
        }
    }

    mcf->cache_size = default_cache_size;
    mcf->cache = { 10000, 5000 };
    mcf->cache_results = NGX_CONF_UNSET;
    mcf->max_exchanges = NGX_CONF_UNSET_UINT;
    mcf->keepalive = NGX_CONF_UNSET_UINT;

    return mcf;
}


char *
init_main_conf(ngx_conf_t *cf, void *conf) noexcept
{
    auto &mcf = *static_cast<MainConf *>(conf);

    ngx_conf_init_value(mcf.cache_results, 1);
    ngx_conf_init_uint_value(mcf.max_exchanges, 256);
    ngx_conf_init_uint_value(mcf.keepalive, 16);

    return NGX_CONF_OK;
}


void *
create_loc_conf(ngx_conf_t *cf) noexcept
{
    auto *conf = static_cast<LocConf *>(
        ngx_pcalloc(cf->pool, sizeof(LocConf)));
    if (conf == nullptr) {
        return nullptr;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->apps, apps_by_appid, codes, headers, require, pass, line
     *         = NULL;
     *     conf->host, tls.ciphers, tls.trusted_certificate, tls.crl
     *         = { 0, NULL };
     *     conf->tls.protocols = 0;
     *     conf->upstream: what fix_upstream() does not set
     */

    conf->mode = NGX_CONF_UNSET_UINT;
    conf->appid = unset_ptr<ngx_http_complex_value_t>();
    conf->body_limit = NGX_CONF_UNSET_SIZE;

    conf->tls.verify = NGX_CONF_UNSET;
    conf->tls.session_reuse = NGX_CONF_UNSET;
    conf->tls.verify_depth = NGX_CONF_UNSET;

    conf->status_format = NGX_CONF_UNSET_UINT;

    conf->keys = unset_ptr<TokenCodec>();
    conf->cookie = unset_ptr<SessionCookie>();
    conf->session_ttl = NGX_CONF_UNSET;
    conf->session_renew = NGX_CONF_UNSET;
    conf->session_max = NGX_CONF_UNSET;

    conf->timeout = NGX_CONF_UNSET_MSEC;
    conf->busy_retries = NGX_CONF_UNSET;

    conf->upstream.connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->upstream.send_timeout = NGX_CONF_UNSET_MSEC;
    conf->upstream.read_timeout = NGX_CONF_UNSET_MSEC;
    conf->upstream.next_upstream_tries = NGX_CONF_UNSET_UINT;
    conf->upstream.next_upstream_timeout = NGX_CONF_UNSET_MSEC;

    return conf;
}


char *
merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) noexcept
{
    auto &prev = *static_cast<LocConf *>(parent);
    auto &conf = *static_cast<LocConf *>(child);
    auto &mcf = *static_cast<MainConf *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_wx_openid_module));

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
