/*
 * Copyright (C) wx_openid authors
 *
 * Names of wx_openid_pass at run time: each worker asks again when an answer
 * ends, in the background, and keeps the last good one while DNS fails.
 * How addresses are used is peers.cpp's.
 */

#include "ngx_http_wx_openid_peers.h"

#include "core/wx_openid_resolvconf.h"


namespace wx_openid {


namespace {


constexpr const char *resolv_conf = "/etc/resolv.conf";

/* nginx asks the next nameserver after 5 s: time for each to be asked once */

constexpr ngx_msec_t query_timeout = max_nameservers * 5000;
constexpr ngx_msec_t first_retry = 1000;
constexpr ngx_msec_t last_retry = 30000;


void
schedule(Peers &peers, ngx_msec_t time) noexcept
{
    if (!ngx_exiting && !ngx_terminate) {
        ngx_add_timer(&peers.timer, time);
    }
}


void
retry_later(Peers &peers) noexcept
{
    peers.failing = true;
    peers.retry = peers.retry ? ngx_min(peers.retry * 2, last_retry)
                              : first_retry;

    schedule(peers, peers.retry);
}


/* whether packets to the address would go anywhere: none is sent */

bool
has_route(struct sockaddr *sockaddr, socklen_t socklen) noexcept
{
    ngx_socket_t s = ngx_socket(sockaddr->sa_family, SOCK_DGRAM, 0);

    if (s == static_cast<ngx_socket_t>(-1)) {
        return false;
    }

    bool ok = connect(s, sockaddr, socklen) == 0;

    (void) ngx_close_socket(s);

    return ok;
}


bool
copy_address(ngx_pool_t *pool, const ngx_resolver_addr_t &from,
    in_port_t port, Address &to) noexcept
{
    to = Address{};
    to.socklen = from.socklen;
    to.sockaddr = static_cast<struct sockaddr *>(
        ngx_palloc(pool, from.socklen));
    to.name.data = static_cast<u_char *>(
        ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN));

    if (to.sockaddr == nullptr || to.name.data == nullptr) {
        return false;
    }

    ngx_memcpy(to.sockaddr, from.sockaddr, from.socklen);
    ngx_inet_set_port(to.sockaddr, port);

    to.name.len = ngx_sock_ntop(to.sockaddr, to.socklen, to.name.data,
                                NGX_SOCKADDR_STRLEN, 1);
    return true;
}


/*
 * Leaves those that can be reached; if none can, then all, since to have
 * tried says more than to have nothing to try.
 */

void
drop_unreachable(Addresses &addresses) noexcept
{
    ngx_uint_t n = 0;

    if (addresses.count < 2) {
        return;
    }

    for (ngx_uint_t i = 0; i < addresses.count; i++) {
        const Address &a = addresses.list[i];

        if (has_route(a.sockaddr, a.socklen)) {
            addresses.list[n++] = a;
        }
    }

    if (n) {
        addresses.count = n;
    }
}


Addresses *
fill(ngx_pool_t *pool, const ngx_resolver_ctx_t &answer,
    in_port_t port) noexcept
{
    auto *addresses = pool_new<Addresses>(pool);
    if (addresses == nullptr) {
        return nullptr;
    }

    addresses->pool = pool;
    addresses->users = 1;
    addresses->list = static_cast<Address *>(
        ngx_palloc(pool, answer.naddrs * sizeof(Address)));
    if (addresses->list == nullptr) {
        return nullptr;
    }

    for (ngx_uint_t i = 0; i < answer.naddrs; i++) {
        if (!copy_address(pool, answer.addrs[i], port, addresses->list[i])) {
            return nullptr;
        }
    }

    addresses->count = answer.naddrs;
    drop_unreachable(*addresses);

    return addresses;
}


bool
use_answer(Peers &peers, const ngx_resolver_ctx_t &answer) noexcept
{
    ngx_pool_t *pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == nullptr) {
        return false;
    }

    Addresses *fresh = fill(pool, answer, peers.line->pass->url.port);

    if (fresh == nullptr) {
        ngx_destroy_pool(pool);
        return false;
    }

    replace_addresses(peers, fresh);

    return true;
}


void
on_answer(ngx_resolver_ctx_t *answer) noexcept
{
    auto &peers = *static_cast<Peers *>(answer->data);

    if (answer->state || !use_answer(peers, *answer)) {

        /* one line an outage: WeChat may still be where it was */

        ngx_uint_t level = peers.failing ? NGX_LOG_INFO : NGX_LOG_WARN;

        ngx_log_error(level, ngx_cycle->log, 0,
                      "wx_openid: \"%V\" could not be resolved (%i: %s), "
                      "%ui known addresses stay in use", &answer->name,
                      answer->state, ngx_resolver_strerror(answer->state),
                      peers.addresses->count);

        ngx_resolve_name_done(answer);
        retry_later(peers);
        return;
    }

    time_t left = answer->valid - ngx_time();

    peers.failing = false;
    peers.retry = 0;
    peers.resolved = ngx_time();

    ngx_resolve_name_done(answer);

    schedule(peers, left > 0 ? static_cast<ngx_msec_t>(left) * 1000
                             : first_retry);
}


void
on_timer(ngx_event_t *ev) noexcept
{
    auto &peers = *static_cast<Peers *>(ev->data);

    if (ngx_exiting || ngx_terminate) {
        return;
    }

    ngx_resolver_ctx_t *query = ngx_resolve_start(peers.resolver, nullptr);

    if (query == nullptr || query == NGX_NO_RESOLVER) {
        retry_later(peers);
        return;
    }

    query->name = peers.line->pass->url.host;
    query->handler = on_answer;
    query->data = &peers;
    query->timeout = query_timeout;
    query->cancelable = 1;

    if (ngx_resolve_name(query) != NGX_OK) {
        retry_later(peers);
    }
}


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

    return {text.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}


/* a resolver of the system's nameservers, or nullptr where it names none */

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

    return mcf.resolver ? NGX_OK : NGX_ERROR;
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

    return NGX_OK;
}


ngx_int_t
start_resolving(ngx_cycle_t *cycle) noexcept
{
    auto *mcf = static_cast<MainConf *>(
        ngx_http_cycle_get_module_main_conf(cycle,
                                            ngx_http_wx_openid_module));

    if (mcf == nullptr
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    for (Line *line : elements<Line *>(&mcf->lines)) {
        Peers *peers = peers_of(*line);

        if (peers == nullptr) {
            continue;
        }

        drop_unreachable(*peers->addresses);

        if (peers->resolver == nullptr) {
            continue;
        }

        peers->timer.handler = on_timer;
        peers->timer.data = peers;
        peers->timer.log = cycle->log;
        peers->timer.cancelable = 1;

        ngx_add_timer(&peers->timer, 1);
    }

    return NGX_OK;
}


}
