/*
 * Copyright (C) wx_openid authors
 *
 * One call to WeChat as nginx's upstream sees it: the request, the reply's
 * bytes.  Fills in the Attempt and judges nothing; whether to
 * ask again is judge.cpp's.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


Ctx &
ctx_of(ngx_http_request_t *sr) noexcept
{
    return *static_cast<Ctx *>(
        ngx_http_get_module_ctx(sr, ngx_http_wx_openid_module));
}


ngx_int_t
create_request(ngx_http_request_t *sr) noexcept
{
    ngx_http_upstream_t *u = sr->upstream;
    Ctx &ctx = ctx_of(sr);
    const Line &line = *ctx.conf->line;

    ExchangeRequest request;

    request.host = view(line.host);
    request.prefix = view(line.pass->prefix);
    request.appid = view(ctx.app->appid);
    request.secret = view(ctx.app->secret);
    request.code = view(ctx.code);
    request.close = !line.group && main_conf(sr)->keepalive == 0;

    std::size_t size = exchange_request_max(request);

    ngx_buf_t *b = ngx_create_temp_buf(sr->pool, size);
    if (b == nullptr) {
        return NGX_ERROR;
    }

    ngx_chain_t *cl = ngx_alloc_chain_link(sr->pool);
    if (cl == nullptr) {
        return NGX_ERROR;
    }

    b->last += write_exchange_request(request, {chars(b->pos), size});
    b->flush = 1;

    cl->buf = b;
    cl->next = nullptr;

    u->request_bufs = cl;
    u->uri = to_str(exchange_path);

    ctx.attempt.request = b;

    return NGX_OK;
}


/* of a request that was sent; ours is not sent twice */

ngx_int_t
reinit_request(ngx_http_request_t *sr) noexcept
{
    return NGX_ERROR;
}


/*
 * What comes before the request went out cannot be its reply: in the clear
 * before a handshake, it would be whoever is on the wire (CVE-2026-1642).
 * NGX_ERROR, for with "invalid header" nginx would keep the bytes.
 */

ngx_int_t
process_header(ngx_http_request_t *sr) noexcept
{
    ngx_http_upstream_t *u = sr->upstream;
    ngx_buf_t &b = u->buffer;
    Attempt &attempt = ctx_of(sr).attempt;
    HttpReply &reply = attempt.reply;

    if (!u->request_sent) {
        attempt.early = true;
        return NGX_ERROR;
    }

    attempt.answered = true;

    b.pos += reply.read_header(
        {chars(b.pos), static_cast<std::size_t>(b.last - b.pos)});

    switch (reply.state()) {

    case HttpReply::State::header:

        b.pos = b.start;
        b.last = b.start;
        return NGX_AGAIN;

    case HttpReply::State::failed:
        return NGX_ERROR;

    case HttpReply::State::body:
    case HttpReply::State::complete:
        break;
    }

    /* the reply's own status is for judge.cpp, nginx shall not act on it */

    u->headers_in.status_n = NGX_HTTP_OK;
    u->state->status = reply.status();

    return NGX_OK;
}


/* OpenSSL has read more than a buffer took that the reply just filled */

bool
has_pending(const ngx_connection_t *c) noexcept
{
    return c->ssl && SSL_has_pending(c->ssl->connection);
}


/* u->length: 0 at the end of the reply, -1 while only its end can tell */

void
note_progress(ngx_http_upstream_t *u, const HttpReply &reply) noexcept
{
    if (reply.state() == HttpReply::State::complete) {
        u->length = 0;
        u->keepalive = reply.keepalive() && !has_pending(u->peer.connection);
        return;
    }

    u->length = reply.until_close() ? -1 : 1;
}


ngx_int_t
input_filter_init(void *data) noexcept
{
    auto *sr = static_cast<ngx_http_request_t *>(data);

    note_progress(sr->upstream, ctx_of(sr).attempt.reply);

    return NGX_OK;
}


ngx_int_t
input_filter(void *data, ssize_t size) noexcept
{
    auto *sr = static_cast<ngx_http_request_t *>(data);
    ngx_http_upstream_t *u = sr->upstream;
    HttpReply &reply = ctx_of(sr).attempt.reply;

    std::string_view bytes(chars(u->buffer.last),
                           static_cast<std::size_t>(size));

    std::size_t taken = reply.read_body(bytes);

    if (reply.state() == HttpReply::State::failed) {
        return NGX_ERROR;
    }

    note_progress(u, reply);

    /* what follows the reply would be taken for the next one's */

    if (taken < bytes.size()) {
        u->keepalive = 0;
    }

    return NGX_OK;
}


void
abort_request(ngx_http_request_t *sr) noexcept
{
}


/* the call is over, the connection still there */

void
finalize_request(ngx_http_request_t *sr, ngx_int_t rc) noexcept
{
    ngx_http_upstream_t *u = sr->upstream;
    Attempt &attempt = ctx_of(sr).attempt;

    attempt.handshaking = u->peer.connection && u->peer.connection->ssl;
    attempt.sent = u->request_sent;
    attempt.late = u->peer.connection
                   && (u->peer.connection->read->timedout
                       || u->peer.connection->write->timedout);

    if (rc == 0) {
        attempt.reply.end_of_connection();
    }

    if (rc == NGX_HTTP_GATEWAY_TIME_OUT) {
        attempt.timed_out = true;
    }

    /* neither ended from outside, nor is it our client that went */

    attempt.broken = u->request_sent && rc != NGX_DONE
                     && rc != NGX_HTTP_CLIENT_CLOSED_REQUEST
                     && attempt.reply.state() != HttpReply::State::complete;

    wipe_request(attempt);

    /* it held the reply, and with it the session_key */

    if (u->buffer.start) {
        ngx_explicit_memzero(u->buffer.start, u->buffer.end - u->buffer.start);
    }

    /* or nginx would run the server's post_action for it */

    sr->post_action = 1;
    sr->uri_changes = 0;
}


}


ngx_int_t
ask_wechat(ngx_http_request_t *sr) noexcept
{
    Ctx &ctx = ctx_of(sr);

    if (ngx_http_upstream_create(sr) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_upstream_t *u = sr->upstream;

    u->conf = const_cast<ngx_http_upstream_conf_t *>(&ctx.conf->upstream);
    u->schema = ctx.conf->line->pass->schema;
    u->ssl = ctx.conf->line->ssl != nullptr;
    u->output.tag = &ngx_http_wx_openid_module;

    u->create_request = create_request;
    u->reinit_request = reinit_request;
    u->process_header = process_header;
    u->abort_request = abort_request;
    u->finalize_request = finalize_request;

    u->input_filter_init = input_filter_init;
    u->input_filter = input_filter;
    u->input_filter_ctx = sr;

    sr->main->count++;

    ngx_http_upstream_init(sr);

    return NGX_DONE;
}


}
