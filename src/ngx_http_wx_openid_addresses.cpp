/*
 * Copyright (C) wx_openid authors
 *
 * A host's addresses, one answer of DNS after the other: who holds on to
 * which, and what is remembered of each.  Where they come from is
 * resolve.cpp's, whose turn it is peers.cpp's.
 */

#include "ngx_http_wx_openid_peers.h"


namespace wx_openid {


namespace {


constexpr ngx_msec_t rest_time = 10000;


}


Address *
find_address(Addresses &addresses, struct sockaddr *sockaddr,
    socklen_t socklen) noexcept
{
    for (Address &a : std::span(addresses.list, addresses.count)) {
        if (ngx_cmp_sockaddr(a.sockaddr, a.socklen, sockaddr, socklen, 1)
            == NGX_OK)
        {
            return &a;
        }
    }

    return nullptr;
}


bool
is_rested(const Address &address) noexcept
{
    return !address.rests || ngx_current_msec - address.failed >= rest_time;
}


void
release_addresses(Addresses *addresses) noexcept
{
    if (--addresses->users == 0 && addresses->pool) {
        ngx_destroy_pool(addresses->pool);
    }
}


void
replace_addresses(Peers &peers, Addresses *fresh) noexcept
{
    Addresses *old = peers.addresses;

    for (Address &a : std::span(fresh->list, fresh->count)) {
        const Address *known = find_address(*old, a.sockaddr, a.socklen);

        if (known) {
            a.failures = known->failures;
            a.failed = known->failed;
            a.rests = known->rests;
        }
    }

    peers.addresses = fresh;

    release_addresses(old);
}


}
