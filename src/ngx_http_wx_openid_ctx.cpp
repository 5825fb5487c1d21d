/*
 * Copyright (C) wx_openid authors
 *
 * The request's state: made once, kept in the request's pool, found again
 * after internal redirects.  Knows nothing of what the state is for.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* the pool goes, and with it timers and keys must */

void
cleanup_ctx(void *data) noexcept
{
    auto *ctx = static_cast<Ctx *>(data);

    drop_exchange(*ctx);

    ngx_explicit_memzero(&ctx->session, sizeof(SessionReply));
}


/*
 * An internal redirect clears the pointers of all modules; the cleanup of
 * the pool stays, and its handler tells which is ours (as realip does).
 */

Ctx *
find_in_pool(ngx_http_request_t *r) noexcept
{
    for (ngx_pool_cleanup_t *cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == cleanup_ctx) {
            return static_cast<Ctx *>(cln->data);
        }
    }

    return nullptr;
}


}


Ctx *
find_ctx(ngx_http_request_t *r) noexcept
{
    r = r->main;

    auto *ctx = static_cast<Ctx *>(
        ngx_http_get_module_ctx(r, ngx_http_wx_openid_module));

    if (ctx == nullptr && (r->internal || r->filter_finalize)) {
        ctx = find_in_pool(r);

        if (ctx) {
            ngx_http_set_ctx(r, ctx, ngx_http_wx_openid_module);
        }
    }

    return ctx;
}


Ctx *
make_ctx(ngx_http_request_t *r) noexcept
{
    Ctx *ctx = find_ctx(r);
    if (ctx) {
        return ctx;
    }

    r = r->main;

    static_assert(std::is_trivially_destructible_v<Ctx>);

    ngx_pool_cleanup_t *cln = ngx_pool_cleanup_add(r->pool, sizeof(Ctx));
    if (cln == nullptr) {
        return nullptr;
    }

    ctx = new (cln->data) Ctx;
    ctx->request = r;
    cln->handler = cleanup_ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_wx_openid_module);

    return ctx;
}


}
