/*
 * Copyright (C) wx_openid authors
 *
 * Who is asked for the names of wx_openid_pass: the resolver in force, else
 * the system's nameservers.  What is asked, and when, is resolve.cpp's.
 */

#include "ngx_http_wx_openid_peers.h"

#include "core/wx_openid_resolvconf.h"


namespace wx_openid {


namespace {


constexpr const char *resolv_conf = "/etc/resolv.conf";


/*
 * "address" as a resolver's argument; IPv6 goes in brackets.  What is none,
 * or has a zone ("%eth0"), nginx would refuse to start with.
 */

bool
add_nameserver(ngx_conf_t *cf, ngx_array_t &names,
    std::string_view address) noexcept
{
    bool v6 = address.find(':') != std::string_view::npos;

    ngx_addr_t addr;
    ngx_int_t rc = ngx_parse_addr(cf->pool, &addr, bytes(address.data()),
                                  address.size());
    if (rc != NGX_OK) {
        return rc == NGX_DECLINED;
    }

    auto *name = static_cast<ngx_str_t *>(ngx_array_push(&names));
    if (name == nullptr) {
        return false;
    }

    name->data = static_cast<u_char *>(
        ngx_pnalloc(cf->pool, address.size() + 2));
    if (name->data == nullptr) {
        return false;
    }

    ngx_str_t a = to_str(address);

    name->len = ngx_sprintf(name->data, v6 ? "[%V]" : "%V", &a) - name->data;

    return true;
}


std::string_view
read_resolv_conf(std::span<char> text) noexcept
{
    ngx_fd_t fd = ngx_open_file(resolv_conf, NGX_FILE_RDONLY, NGX_FILE_OPEN,
                                0);
    if (fd == NGX_INVALID_FILE) {
        return {};
    }

    ssize_t n = ngx_read_fd(fd, text.data(), text.size());

    (void) ngx_close_file(fd);

    std::size_t size = n > 0 ? static_cast<std::size_t>(n) : 0;

    /* of a longer file the last line may be cut */

    if (size == text.size()) {
        size = std::string_view(text.data(), size).rfind('\n') + 1;
    }

    return {text.data(), size};
}


/*
 * nginx takes a name for unknown when AAAA alone fails, as it does with some
 * nameservers, and has no way to ask for A alone but by another resolver.
 */

ngx_int_t
create_ipv4_resolver(ngx_conf_t *cf, MainConf &mcf, ngx_array_t &names)
    noexcept
{
#if (NGX_HAVE_INET6)

    auto *off = static_cast<ngx_str_t *>(ngx_array_push(&names));
    if (off == nullptr) {
        return NGX_ERROR;
    }

    *off = to_str("ipv6=off");

    mcf.resolver_ipv4 = ngx_resolver_create(
        cf, static_cast<ngx_str_t *>(names.elts), names.nelts);

    return mcf.resolver_ipv4 ? NGX_OK : NGX_ERROR;

#else
    return NGX_OK;
#endif
}


/* resolvers of the system's nameservers, or none where it names none */

ngx_int_t
create_system_resolver(ngx_conf_t *cf, MainConf &mcf) noexcept
{
    mcf.resolver_made = 1;

    char buf[4096];
    std::string_view text = read_resolv_conf(buf);

    ngx_array_t names;

    if (ngx_array_init(&names, cf->pool, max_nameservers, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (unsigned i = 0; i < max_nameservers; i++) {
        std::string_view address = next_nameserver(text);

        if (address.empty()) {
            break;
        }

        if (!add_nameserver(cf, names, address)) {
            return NGX_ERROR;
        }
    }

    if (names.nelts == 0) {
        return NGX_OK;
    }

    mcf.resolver = ngx_resolver_create(
        cf, static_cast<ngx_str_t *>(names.elts), names.nelts);

    return mcf.resolver ? create_ipv4_resolver(cf, mcf, names) : NGX_ERROR;
}


}


ngx_int_t
set_resolver(ngx_conf_t *cf, MainConf &mcf, Line &line) noexcept
{
    Peers &peers = *peers_of(line);

    /* without the directive there is one that nobody answers for */

    if (line.resolver && line.resolver->connections.nelts) {
        peers.resolver = line.resolver;
        return NGX_OK;
    }

    if (!mcf.resolver_made && create_system_resolver(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    peers.resolver = mcf.resolver;
    peers.resolver_ipv4 = mcf.resolver_ipv4;

    if (peers.resolver == nullptr) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"wx_openid_pass\": \"%V\" will not be resolved "
                           "again, for neither \"resolver\" nor %s names a "
                           "server", &line.pass->url.host, resolv_conf);
    }

    return NGX_OK;
}


}
