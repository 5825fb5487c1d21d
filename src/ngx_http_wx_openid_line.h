/*
 * Copyright (C) wx_openid authors
 *
 * The line to WeChat as the configuration knows it: a URL, TLS, who is behind
 * it and who is asked for its name.  What a worker knows of addresses and
 * connections is in peers.h.
 */

#ifndef NGX_HTTP_WX_OPENID_LINE_H
#define NGX_HTTP_WX_OPENID_LINE_H

#include "ngx_http_wx_openid_ngx.h"

#include "core/wx_openid_digest.h"


namespace wx_openid {


struct LocConf;
struct MainConf;


/* wx_openid_pass, as written and taken apart */

struct PassUrl {
    ngx_str_t text;
    ngx_str_t schema;       /* "http://" or "https://", for logs */
    ngx_str_t prefix;       /* of the path, without a trailing "/" */
    ngx_url_t url;
    ngx_flag_t ssl;
    ngx_flag_t resolved;    /* the addresses of "url" are a name's */
};


struct TlsConf {
    ngx_flag_t verify;
    ngx_flag_t session_reuse;
    ngx_int_t verify_depth;
    ngx_uint_t protocols;
    ngx_str_t ciphers;
    ngx_str_t trusted_certificate;
    ngx_str_t crl;
};


/*
 * The line to WeChat: where a code goes and over which TLS.  One object for
 * all locations with the same settings; made by line.cpp.
 */

struct Line {
    PassUrl *pass;
    ngx_str_t host;                     /* Host, SNI, certificate's name */
    TlsConf tls;

    ngx_ssl_t *ssl;                     /* null: plain http */
    ngx_http_complex_value_t ssl_name;

    ngx_resolver_t *resolver;               /* as the level has it */
    ngx_http_upstream_srv_conf_t *peers;    /* a group's or our own */
    ngx_flag_t group;
    ngx_http_upstream_srv_conf_t upstream;  /* ours, around "peers" */

    Sha256 digest;                      /* of what tells lines apart */
};


/* pass.cpp */

char *set_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_host(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;

inline constexpr in_port_t http_port = 80;
inline constexpr in_port_t https_port = 443;

/* wx_openid_pass's URL in the pool; logs what is wrong, then nullptr */
PassUrl *parse_pass(ngx_conf_t *cf, std::string_view text) noexcept;

/* line.cpp */

/* the line of these settings, found or made; logs, then nullptr */
Line *line_for(ngx_conf_t *cf, MainConf &mcf, const LocConf &conf) noexcept;

/* peers.cpp */

/*
 * A balancer over the addresses of a URL, which may still be none, that
 * keeps so many connections; nullptr on no memory.
 */
ngx_http_upstream_srv_conf_t *create_peers(ngx_conf_t *cf, const Line &line,
    const ngx_url_t &url, ngx_uint_t max_idle) noexcept;

/* false: the name could never be resolved yet */
bool has_address(const Line &line) noexcept;

/* resolver.cpp */

/* who is asked for the name of a line without a group */
ngx_int_t set_resolver(ngx_conf_t *cf, MainConf &mcf, Line &line) noexcept;

/* resolve.cpp */

/* of the module in a worker: begins to ask */
ngx_int_t start_resolving(ngx_cycle_t *cycle) noexcept;

/* ssl.cpp */

/* TLS for a line, cleaned up with the configuration; logs, then nullptr */
ngx_ssl_t *create_ssl(ngx_conf_t *cf, const TlsConf &tls) noexcept;


}

#endif /* NGX_HTTP_WX_OPENID_LINE_H */
