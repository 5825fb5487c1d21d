/*
 * Copyright (C) wx_openid authors
 *
 * Configuration: created, with the defaults.  How levels are merged is
 * merge.cpp's, the syntax of directives directives.cpp's.
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


}


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
     *     conf->apps, apps_by_appid, codes, headers, require, pass, line,
     *         own_session_sources, session_sources = NULL;
     *     conf->login = 0;
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


void
log_no_sha256(ngx_conf_t *cf) noexcept
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"wx_openid\" needs SHA-256, which OpenSSL does not "
                       "provide");
}


}
