/*
 * Copyright (C) wx_openid authors
 *
 * Where a request carries its code: the sources of its location, in order.
 * Knows nothing of what a code is exchanged for.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* as configured, or by the location's mode */

std::span<CodeSource>
code_sources(const MainConf &mcf, const LocConf &conf) noexcept
{
    if (conf.codes) {
        return elements<CodeSource>(conf.codes);
    }

    return elements<CodeSource>(conf.mode == mode_optional
                                ? mcf.optional_codes : mcf.default_codes);
}


/* NGX_OK with the code, NGX_DECLINED without one, NGX_ERROR on no memory */

ngx_int_t
code_in_value(ngx_http_request_t *r, CodeSource &source,
    ngx_str_t &code) noexcept
{
    if (evaluate(r, source.value, code) != NGX_OK) {
        return NGX_ERROR;
    }

    if (code.len == 0) {
        return NGX_DECLINED;
    }

    if (source.kind == CodeSource::Kind::arg) {
        std::string_view raw = view(code);

        if (!dup(r->pool, raw, code)) {
            return NGX_ERROR;
        }

        code.len = percent_decode(raw, {chars(code.data), code.len},
                                  Plus::literal);
    }

    return NGX_OK;
}


ngx_int_t
code_in_text(ngx_http_request_t *r, const CodeSource &source,
    std::string_view body, ngx_str_t &code) noexcept
{
    code.data = static_cast<u_char *>(ngx_pnalloc(r->pool, body.size() + 1));
    if (code.data == nullptr) {
        return NGX_ERROR;
    }

    std::span<char> out(chars(code.data), body.size());

    FoundCode found = source.kind == CodeSource::Kind::json
                      ? find_json_code(body, view(source.name), out)
                      : find_form_code(body, view(source.name), out);

    switch (found.result) {

    case CodeSearch::absent:
        return NGX_DECLINED;

    case CodeSearch::ambiguous:

        /* a control character, so that it is refused as no code at all */

        code.data[0] = '\0';
        code.len = 1;
        return NGX_OK;

    case CodeSearch::found:
        code.len = found.size;
        return NGX_OK;

    case CodeSearch::no_memory:
        break;
    }

    return NGX_ERROR;
}


/* whether the body can hold what this source looks for */

bool
fits(ngx_http_request_t *r, const LocConf &conf,
    const CodeSource &source) noexcept
{
    if (r->headers_in.content_type == nullptr || !may_have_body(r)) {
        return false;
    }

    if (r->headers_in.content_length_n
        > static_cast<off_t>(conf.body_limit))
    {
        return false;
    }

    BodyKind kind = body_kind(view(r->headers_in.content_type->value));

    return kind == (source.kind == CodeSource::Kind::json ? BodyKind::json
                                                          : BodyKind::form);
}


/* as code_in_value(), and NGX_AGAIN when the body is still to be read */

ngx_int_t
code_in_body(ngx_http_request_t *r, const LocConf &conf, const Ctx &ctx,
    const CodeSource &source, ngx_str_t &code) noexcept
{
    if (ctx.body_lost || !fits(r, conf, source)) {
        return NGX_DECLINED;
    }

    if (!ctx.body_read) {
        return NGX_AGAIN;
    }

    std::string_view body;

    ngx_int_t rc = body_text(r, conf.body_limit, body);

    return rc == NGX_OK ? code_in_text(r, source, body, code) : rc;
}


}


ngx_int_t
find_code(ngx_http_request_t *r, const LocConf &conf, Ctx &ctx) noexcept
{
    for (CodeSource &source : code_sources(*main_conf(r), conf)) {
        bool body = source.kind == CodeSource::Kind::json
                    || source.kind == CodeSource::Kind::form;

        ngx_int_t rc = body ? code_in_body(r, conf, ctx, source, ctx.code)
                            : code_in_value(r, source, ctx.code);

        if (rc != NGX_DECLINED) {
            ctx.code_is_safe = source.kind == CodeSource::Kind::header
                               || source.kind == CodeSource::Kind::json;
            return rc;
        }
    }

    ngx_str_null(&ctx.code);

    return NGX_DECLINED;
}


}
