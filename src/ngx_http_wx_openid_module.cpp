/*
 * Copyright (C) wx_openid authors
 *
 * The module object and where it hooks into nginx: variables and phases.
 * Tables and registration only; knows of no request.
 */

#include "ngx_http_wx_openid.h"


namespace {


using namespace wx_openid;


ngx_int_t
preconfiguration(ngx_conf_t *cf) noexcept
{
    return add_variables(cf);
}


/*
 * nginx runs the handlers of a phase from the last to the first: pushed,
 * a handler of ours sees a request before those of nginx's own modules.
 */

ngx_int_t
push_handler(ngx_http_core_main_conf_t *cmcf, ngx_uint_t phase,
    ngx_http_handler_pt handler) noexcept
{
    auto *h = static_cast<ngx_http_handler_pt *>(
        ngx_array_push(&cmcf->phases[phase].handlers));
    if (h == nullptr) {
        return NGX_ERROR;
    }

    *h = handler;

    return NGX_OK;
}


/* the first element runs last: a client refused by others costs no call */

void
move_first(ngx_array_t &handlers) noexcept
{
    auto list = elements<ngx_http_handler_pt>(&handlers);
    ngx_http_handler_pt ours = list.back();

    for (std::size_t i = list.size() - 1; i > 0; i--) {
        list[i] = list[i - 1];
    }

    list.front() = ours;
}


void
note_removed_names(MainConf &mcf) noexcept
{
    for (const GuardedName &guarded : elements<GuardedName>(&mcf.guarded)) {
        mcf.removed_names |= header_name_bit(view(guarded.name));
    }

    mcf.removed_names |= header_name_bit(code_header);

    if (!mcf.sessions) {
        return;
    }

    for (const TokenName &header : elements<TokenName>(&mcf.token_headers)) {
        mcf.removed_names |= header_name_bit(view(header.name));
    }

    mcf.removed_names |= header_name_bit("Cookie");
    mcf.removed_names |= header_name_bit("Authorization");
}


ngx_int_t
index_guarded_names(ngx_conf_t *cf, MainConf &mcf) noexcept
{
    for (GuardedName &guarded : elements<GuardedName>(&mcf.guarded)) {
        guarded.variable = own_header_variable(cf, view(guarded.name));
        if (guarded.variable == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    mcf.code_variable = own_header_variable(cf, code_header);
    mcf.cookie_variable = index_header_variable(cf, "Cookie");
    mcf.authorization_variable = index_header_variable(cf, "Authorization");

    return mcf.code_variable == NGX_ERROR
           || mcf.cookie_variable == NGX_ERROR
           || mcf.authorization_variable == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


ngx_http_core_main_conf_t *
core_main_conf(ngx_conf_t *cf) noexcept
{
    return static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
}


/* the session_key is kept in the zone only where somebody can read it */

bool
uses_session_key(ngx_conf_t *cf) noexcept
{
    auto *cmcf = core_main_conf(cf);

    for (const auto &v : elements<ngx_http_variable_t>(&cmcf->variables)) {
        if (view(v.name) == "wx_openid_session_key") {
            return true;
        }
    }

    return false;
}


bool
lets_invalid_headers_in(const ngx_http_core_main_conf_t &cmcf) noexcept
{
    auto servers = elements<ngx_http_core_srv_conf_t *>(&cmcf.servers);

    return std::any_of(servers.begin(), servers.end(),
                       [](const ngx_http_core_srv_conf_t *cscf) {
                           return !cscf->ignore_invalid_headers;
                       });
}


ngx_int_t
postconfiguration(ngx_conf_t *cf) noexcept
{
    MainConf &mcf = main_conf(cf);
    auto *cmcf = core_main_conf(cf);

    if (!mcf.used) {
        return NGX_OK;
    }

    if (index_guarded_names(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    note_removed_names(mcf);

    mcf.keep_session_key = uses_session_key(cf);
    mcf.invalid_headers = lets_invalid_headers_in(*cmcf);
    mcf.worker = create_worker(cf);
    mcf.zone = create_zone(cf, mcf);

    if (mcf.worker == nullptr || mcf.zone == nullptr) {
        return NGX_ERROR;
    }

    if (push_handler(cmcf, NGX_HTTP_POST_READ_PHASE, post_read_handler)
            != NGX_OK
        || push_handler(cmcf, NGX_HTTP_SERVER_REWRITE_PHASE, redirect_handler)
            != NGX_OK
        || push_handler(cmcf, NGX_HTTP_REWRITE_PHASE, redirect_handler)
            != NGX_OK
        || push_handler(cmcf, NGX_HTTP_ACCESS_PHASE, access_handler)
            != NGX_OK)
    {
        return NGX_ERROR;
    }

    move_first(cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);

    return NGX_OK;
}


ngx_http_module_t module_ctx = {
    preconfiguration,               /* preconfiguration */
    postconfiguration,              /* postconfiguration */

    create_main_conf,               /* create main configuration */
    init_main_conf,                 /* init main configuration */

    nullptr,                        /* create server configuration */
    nullptr,                        /* merge server configuration */

    create_loc_conf,                /* create location configuration */
    merge_loc_conf                  /* merge location configuration */
};


}


ngx_module_t ngx_http_wx_openid_module = {
    NGX_MODULE_V1,
    &module_ctx,                    /* module context */
    wx_openid::commands,            /* module directives */
    NGX_HTTP_MODULE,                /* module type */
    nullptr,                        /* init master */
    nullptr,                        /* init module */
    wx_openid::start_resolving,     /* init process */
    nullptr,                        /* init thread */
    nullptr,                        /* exit thread */
    nullptr,                        /* exit process */
    nullptr,                        /* exit master */
    NGX_MODULE_V1_PADDING
};
