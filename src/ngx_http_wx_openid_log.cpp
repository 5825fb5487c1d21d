/*
 * Copyright (C) wx_openid authors
 *
 * Our lines in the error log: one a refused request, that names what
 * failed.  A code stands in arguments, so lines of ours, and nginx's own
 * while it exchanges one for us, show a request without them.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


constexpr std::size_t max_line = 512;


/* in any spelling; what a rewrite made of the path does not tell */

bool
path_has_code(ngx_http_request_t *r, std::string_view path,
    std::string_view code) noexcept
{
    constexpr auto npos = std::string_view::npos;

    if (path.find(code) != npos || view(r->uri).find(code) != npos) {
        return true;
    }

    if (path.find('%') == npos) {
        return false;
    }

    auto *decoded = static_cast<char *>(ngx_pnalloc(r->pool, path.size()));
    if (decoded == nullptr) {
        return true;
    }

    std::size_t size = percent_decode(path, {decoded, path.size()},
                                      Plus::literal);

    return std::string_view(decoded, size).find(code) != npos;
}


/* a code that was not looked for stands where a source would find it */

bool
path_may_have_code(const LocConf &conf) noexcept
{
    auto sources = elements<CodeSource>(conf.codes);

    return std::any_of(sources.begin(), sources.end(),
                       [](const CodeSource &source) {
                           return source.kind == CodeSource::Kind::value;
                       });
}


/* the path as the client sent it, or "-" where it holds the code itself */

std::string_view
path_without_code(ngx_http_request_t *r) noexcept
{
    std::string_view path = view(r->unparsed_uri);

    path = {path.data(), ngx_min(path.find('?'), path.size())};

    const Ctx *ctx = find_ctx(r);

    bool hidden = path_may_have_code(*loc_conf(r))
                  || (ctx && ctx->code.len
                      && path_has_code(r, path, view(ctx->code)));

    return hidden ? "-" : path;
}


/* what nginx's handler adds to a line, less arguments and referrer */

u_char *
log_without_arguments(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len) noexcept
{
    u_char *last = buf + len;

    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_get_module_srv_conf(r, ngx_http_core_module));

    ngx_str_t path = to_str(path_without_code(r));

    buf = ngx_slprintf(buf, last, ", server: %V, request: \"%V %V\"",
                       &cscf->server_name, &r->method_name, &path);

    ngx_http_upstream_t *u = sr->upstream;

    if (u && u->peer.name) {

        /* that of an upstream before has the client's arguments */

        ngx_str_t uri = sr == r ? ngx_str_t{} : u->uri;

        buf = ngx_slprintf(buf, last, ", upstream: \"%V%V%V\"", &u->schema,
                           u->peer.name, &uri);
    }

    if (r->headers_in.host) {
        buf = ngx_slprintf(buf, last, ", host: \"%V\"",
                           &r->headers_in.host->value);
    }

    return buf;
}


ngx_uint_t
level_of(Fault fault) noexcept
{
    switch (fault) {
    case Fault::client:
        return NGX_LOG_INFO;
    case Fault::wechat:
        return NGX_LOG_WARN;
    case Fault::site:
        return NGX_LOG_ERR;
    }

    return NGX_LOG_ERR;
}


/* which step of the call failed */

const char *
failed_step(const Attempt &attempt) noexcept
{
    if (!attempt.connecting) {
        return "no server to connect to";
    }

    if (attempt.early) {
        return "bytes came before the request was sent";
    }

    if (!attempt.sent && attempt.handshaking) {
        return attempt.timed_out ? "TLS handshake timed out"
                                 : "TLS handshake failed";
    }

    if (!attempt.sent) {
        return attempt.timed_out ? "connect timed out" : "connect failed";
    }

    if (attempt.timed_out) {
        return attempt.answered ? "reply not finished in time"
                                : "no reply in time";
    }

    return attempt.answered ? "connection closed in the middle of the reply"
                            : "connection closed before a reply";
}


std::string_view
reply_fault(const Ctx &ctx) noexcept
{
    const HttpReply &reply = ctx.attempt.reply;

    if (reply.error() != HttpError::none) {
        return http_error_text(reply.error());
    }

    return reply_error_text(ctx.session.error);
}


/* the exchange's end in words, behind "name: " */

u_char *
write_cause(u_char *p, u_char *last, const Ctx &ctx) noexcept
{
    const ngx_str_t &host = ctx.conf->line->host;
    const Attempt &attempt = ctx.attempt;

    if (ctx.session.errcode) {
        ngx_str_t errmsg = to_str(ctx.session.errmsg.view());

        return errmsg.len && !attempt.repeats_code
               ? ngx_slprintf(p, last,
                              "WeChat's errcode %d \"%V\" for app \"%V\"",
                              ctx.session.errcode, &errmsg,
                              &ctx.app->appid)
               : ngx_slprintf(p, last, "WeChat's errcode %d for app \"%V\"",
                              ctx.session.errcode, &ctx.app->appid);
    }

    if (ctx.exchange_refusal == Refusal::overloaded) {
        return ngx_slprintf(p, last, "\"wx_openid_max_exchanges\" are in "
                                     "flight in this worker");
    }

    if (!has_address(*ctx.conf->line)) {
        return ngx_slprintf(p, last, "no address of \"%V\" is known", &host);
    }

    if (ctx.source != Status::miss) {
        return ngx_slprintf(p, last, "the exchange that it waited for failed "
                                     "or took too long");
    }

    if (attempt.reply.state() != HttpReply::State::complete
        && attempt.reply.error() == HttpError::none)
    {
        return ngx_slprintf(p, last, "%s, \"%V\" at %V",
                            failed_step(attempt), &host, &attempt.peer);
    }

    if (attempt.reply.error() == HttpError::none
        && attempt.reply.status() != NGX_HTTP_OK)
    {
        return ngx_slprintf(p, last, "\"%V\" at %V replied with status %ui",
                            &host, &attempt.peer,
                            static_cast<ngx_uint_t>(attempt.reply.status()));
    }

    ngx_str_t fault = to_str(reply_fault(ctx));

    return ngx_slprintf(p, last, "unusable reply of \"%V\" at %V: %V", &host,
                        &attempt.peer, &fault);
}


}


void
log_line(ngx_http_request_t *r, ngx_uint_t level,
    std::string_view text) noexcept
{
    r = r->main;

    ngx_log_t *log = r->connection->log;
    ngx_http_log_handler_pt handler = r->log_handler;
    auto *action = log->action;
    ngx_str_t s = to_str(text);

    r->log_handler = log_without_arguments;
    log->action = nullptr;

    ngx_log_error(level, log, 0, "wx_openid: %V", &s);

    log->action = action;
    r->log_handler = handler;
}


void
hide_arguments(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    if (ctx.log_handler == nullptr) {
        ctx.log_handler = r->log_handler;
        r->log_handler = log_without_arguments;
    }
}


void
show_arguments(ngx_http_request_t *r, Ctx &ctx) noexcept
{
    if (ctx.log_handler) {
        r->log_handler = ctx.log_handler;
        ctx.log_handler = nullptr;
    }
}


void
log_refusal(ngx_http_request_t *r, const Ctx &ctx, Refusal refusal,
    std::string_view why) noexcept
{
    const RefusalInfo &info = refusal_info(refusal);

    u_char buf[max_line];
    u_char *last = buf + sizeof(buf);
    ngx_str_t name = to_str(info.name);

    u_char *p = ngx_slprintf(buf, last, "%V", &name);

    if (!why.empty()) {
        ngx_str_t text = to_str(why);
        p = ngx_slprintf(p, last, ": %V", &text);

    } else if (ctx.exchanged && refusal == ctx.exchange_refusal) {
        p = ngx_slprintf(p, last, ": ");
        p = write_cause(p, last, ctx);
    }

    log_line(r, level_of(info.fault),
             {chars(buf), static_cast<std::size_t>(p - buf)});
}


}
