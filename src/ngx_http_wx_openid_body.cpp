/*
 * Copyright (C) wx_openid authors
 *
 * The client's body in the access phase: read by nginx, looked at, left as
 * it is for the upstream.  Knows nothing of codes.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


void
body_ready(ngx_http_request_t *r) noexcept
{
    Ctx *ctx = find_ctx(r);

    ctx->body_read = true;

    /* else an upstream that is done would close the body's file */

    r->preserve_body = 1;

    ctx->state = State::idle;

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


/* bytes in all buffers of the body, in memory or in a file */

size_t
body_size(const ngx_chain_t *bufs) noexcept
{
    size_t size = 0;

    for (const ngx_chain_t *cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    return size;
}


/* nullptr on failure; the file was just written, its pages are in memory */

u_char *
copy_buf(u_char *p, ngx_buf_t &b) noexcept
{
    if (ngx_buf_in_memory(&b)) {
        return ngx_cpymem(p, b.pos, b.last - b.pos);
    }

    if (!b.in_file) {
        return p;
    }

    size_t size = b.file_last - b.file_pos;

    if (ngx_read_file(b.file, p, size, b.file_pos)
        != static_cast<ssize_t>(size))
    {
        return nullptr;
    }

    return p + size;
}


}


bool
may_have_body(const ngx_http_request_t *r) noexcept
{
    constexpr ngx_uint_t without = NGX_HTTP_GET | NGX_HTTP_HEAD
                                   | NGX_HTTP_OPTIONS | NGX_HTTP_TRACE;

    return !(r->method & without) && r->headers_in.content_length_n != 0;
}


ngx_int_t
read_body(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    ctx.state = State::reading;

    ngx_int_t rc = ngx_http_read_client_request_body(r, body_ready);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


ngx_int_t
body_text(ngx_http_request_t *r, size_t limit,
    std::string_view &text) noexcept
{
    if (r->request_body == nullptr) {
        return NGX_DECLINED;
    }

    ngx_chain_t *bufs = r->request_body->bufs;
    size_t size = body_size(bufs);

    if (size == 0 || size > limit) {
        return NGX_DECLINED;
    }

    if (bufs->next == nullptr && ngx_buf_in_memory(bufs->buf)) {
        text = {chars(bufs->buf->pos), size};
        return NGX_OK;
    }

    auto *copy = static_cast<u_char *>(ngx_pnalloc(r->pool, size));
    if (copy == nullptr) {
        return NGX_ERROR;
    }

    u_char *p = copy;

    for (ngx_chain_t *cl = bufs; cl; cl = cl->next) {
        p = copy_buf(p, *cl->buf);
        if (p == nullptr) {
            return NGX_ERROR;
        }
    }

    text = {chars(copy), size};

    return NGX_OK;
}


}
