/*
 * Copyright (C) wx_openid authors
 *
 * The line to WeChat: the group or the addresses behind wx_openid_pass, the
 * names and TLS that go with it.  Made while the configuration is merged;
 * knows of no request and of no code.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


bool
equal_str(const ngx_str_t &a, const ngx_str_t &b) noexcept
{
    return view(a) == view(b);
}


bool
equal_tls(const TlsConf &a, const TlsConf &b) noexcept
{
    return a.verify == b.verify
           && a.session_reuse == b.session_reuse
           && a.verify_depth == b.verify_depth
           && a.protocols == b.protocols
           && equal_str(a.ciphers, b.ciphers)
           && equal_str(a.trusted_certificate, b.trusted_certificate)
           && equal_str(a.crl, b.crl);
}


bool
is_loopback(const ngx_addr_t &addr) noexcept
{
    switch (addr.sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6: {
        auto *sin6 = reinterpret_cast<struct sockaddr_in6 *>(addr.sockaddr);
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr);
    }
#endif

#if (NGX_HAVE_UNIX_DOMAIN)
    case AF_UNIX:
        return true;
#endif

    default: {
        auto *sin = reinterpret_cast<struct sockaddr_in *>(addr.sockaddr);
        return ntohl(sin->sin_addr.s_addr) >> 24 == 127;
    }
    }
}


bool
only_loopback(std::span<ngx_addr_t> addrs) noexcept
{
    /* not known yet: it may become any */

    if (addrs.empty()) {
        return false;
    }

    for (const ngx_addr_t &addr : addrs) {
        if (!is_loopback(addr)) {
            return false;
        }
    }

    return true;
}


bool
only_loopback(const Line &line) noexcept
{
    if (!line.group) {
        return only_loopback(std::span(line.pass->url.addrs,
                                       line.pass->url.naddrs));
    }

    for (const auto &server :
         elements<ngx_http_upstream_server_t>(line.peers->servers))
    {
        if (!only_loopback(std::span(server.addrs, server.naddrs))) {
            return false;
        }
    }

    return true;
}


/* an upstream{} of this name; those that a proxy_pass implies do not count */

ngx_http_upstream_srv_conf_t *
find_group(ngx_conf_t *cf, const ngx_str_t &name) noexcept
{
    auto *umcf = static_cast<ngx_http_upstream_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module));

    for (auto *us :
         elements<ngx_http_upstream_srv_conf_t *>(&umcf->upstreams))
    {
        if ((us->flags & NGX_HTTP_UPSTREAM_CREATE)
            && equal_nocase(view(us->host), view(name)))
        {
            return us;
        }
    }

    return nullptr;
}


/* not to be resolved now is no reason not to start; no memory is one */

ngx_int_t
resolve(ngx_conf_t *cf, ngx_url_t &url) noexcept
{
    ngx_int_t rc = ngx_inet_resolve_host(cf->pool, &url);

    if (rc == NGX_OK && url.naddrs) {
        return NGX_OK;
    }

    if (rc != NGX_OK && url.err == nullptr) {
        return NGX_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"wx_openid_pass\": %s \"%V\", requests with a code "
                       "will be refused until it can be resolved",
                       url.err ? url.err : "no address of", &url.host);

    return NGX_OK;
}


/* an address needs no resolver, now or ever */

ngx_int_t
make_peers(ngx_conf_t *cf, MainConf &mcf, Line &line) noexcept
{
    ngx_url_t &url = line.pass->url;
    bool is_name = url.naddrs == 0 || line.pass->resolved;

    if (url.naddrs == 0 && !line.pass->resolved) {
        line.pass->resolved = 1;

        if (resolve(cf, url) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    line.peers = create_peers(cf, line, url, mcf.keepalive);
    if (line.peers == nullptr) {
        return NGX_ERROR;
    }

    return is_name ? set_resolver(cf, mcf, line) : NGX_OK;
}


ngx_int_t
find_peers(ngx_conf_t *cf, MainConf &mcf, Line &line, bool named) noexcept
{
    ngx_url_t &url = line.pass->url;
    ngx_http_upstream_srv_conf_t *us = find_group(cf, url.host);

    if (us == nullptr) {
        return make_peers(cf, mcf, line);
    }

    if (!url.no_port) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"wx_openid_pass\": upstream \"%V\" "
                           "may not have port %d", &line.pass->text,
                           &url.host, url.port);
        return NGX_ERROR;
    }

    if (line.pass->ssl && !named) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"wx_openid_pass\" is an upstream over "
                           "https and needs \"wx_openid_host\"",
                           &line.pass->text);
        return NGX_ERROR;
    }

    line.peers = us;
    line.group = 1;

    return NGX_OK;
}


/* with a port behind it or not; IPv6 stands in brackets */

bool
is_address(std::string_view host) noexcept
{
    if (host.starts_with('[')) {
        return true;
    }

    std::string_view name = next_part(host, ':');

    return ngx_inet_addr(bytes(name.data()), name.size()) != INADDR_NONE;
}


void
warn_of_doubtful(ngx_conf_t *cf, const Line &line) noexcept
{
    if (line.pass->ssl && !line.tls.verify) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"wx_openid_ssl_verify off\": whoever answers "
                           "for \"%V\" gets codes and the secret",
                           &line.pass->text);
    }

    if (line.pass->ssl && line.tls.verify && is_address(view(line.host))) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"wx_openid_pass\" has an address, "
                           "and certificates are checked against names: "
                           "\"wx_openid_host\" should give one",
                           &line.pass->text);
    }

    if (!line.pass->ssl && !only_loopback(line)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"wx_openid_pass\" is not loopback: "
                           "codes and the secret go in the clear",
                           &line.pass->text);
    }
}


/* Host of the request: what the URL says, unless wx_openid_host does */

ngx_str_t
host_of(ngx_conf_t *cf, const PassUrl &pass) noexcept
{
    if (pass.url.family == AF_UNIX) {
        return to_str("localhost");
    }

    in_port_t usual = pass.ssl ? https_port : http_port;

    if (pass.url.no_port || pass.url.port == usual) {
        return pass.url.host;
    }

    std::string_view text = view(pass.text);
    std::string_view schema = view(pass.schema);

    text.remove_prefix(schema.size());

    return to_str({text.data(), text.find('/') == std::string_view::npos
                                ? text.size() : text.find('/')});
}


/*
 * What tells lines apart in the zone.  Not all of TLS does: a session
 * reused, or another cipher, says nothing of whom one speaks to.
 */

bool
digest_line(Line &line) noexcept
{
    u_char numbers[2 * NGX_INT_T_LEN];

    u_char *last = ngx_sprintf(numbers, "%i %i", line.tls.verify,
                               line.tls.verify_depth);

    return digest_parts({view(line.pass->text), view(line.host),
                         view(line.tls.trusted_certificate),
                         view(line.tls.crl),
                         {chars(numbers),
                          static_cast<std::size_t>(last - numbers)}},
                        line.digest);
}


Line *
make_line(ngx_conf_t *cf, MainConf &mcf, const LocConf &conf,
    const ngx_str_t &host, ngx_resolver_t *resolver) noexcept
{
    auto *line = static_cast<Line *>(ngx_pcalloc(cf->pool, sizeof(Line)));
    if (line == nullptr) {
        return nullptr;
    }

    line->pass = conf.pass;
    line->host = host;
    line->tls = conf.tls;
    line->ssl_name.value = host;
    line->resolver = resolver;

    if (find_peers(cf, mcf, *line, conf.host.len != 0) != NGX_OK) {
        return nullptr;
    }

    if (conf.pass->ssl) {
        line->ssl = create_ssl(cf, line->tls);
        if (line->ssl == nullptr) {
            return nullptr;
        }
    }

    line->upstream.host = host;
    line->upstream.peer.init = init_peer;
    line->upstream.peer.data = line;

#if (NGX_HTTP_UPSTREAM_ZONE)
    /* has nginx copy what it keeps of a peer that DNS may take away */

    line->upstream.shm_zone = line->peers->shm_zone;
    line->upstream.flags = line->peers->flags;
#endif

    if (!digest_line(*line)) {
        log_no_sha256(cf);
        return nullptr;
    }

    warn_of_doubtful(cf, *line);

    return line;
}


}


Line *
line_for(ngx_conf_t *cf, MainConf &mcf, const LocConf &conf) noexcept
{
    ngx_str_t host = conf.host.len ? conf.host : host_of(cf, *conf.pass);

    ngx_resolver_t *resolver = core_conf(cf).resolver;

    for (Line *line : elements<Line *>(&mcf.lines)) {
        if (equal_str(line->pass->text, conf.pass->text)
            && equal_str(line->host, host)
            && equal_tls(line->tls, conf.tls)
            && line->resolver == resolver)
        {
            return line;
        }
    }

    auto **slot = static_cast<Line **>(ngx_array_push(&mcf.lines));
    if (slot == nullptr) {
        return nullptr;
    }

    *slot = make_line(cf, mcf, conf, host, resolver);

    return *slot;
}


}
