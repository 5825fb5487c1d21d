/*
 * Copyright (C) wx_openid authors
 *
 * The configuration: what it is made of, and what the files that make it
 * offer one another.  Const once it is merged; what changes belongs to a
 * request, or hangs off it as a process's own: Worker, Zone, the line's
 * peers, the token's codec.
 */

#ifndef NGX_HTTP_WX_OPENID_CONF_H
#define NGX_HTTP_WX_OPENID_CONF_H

#include "ngx_http_wx_openid_line.h"

#include "core/wx_openid_code.h"
#include "core/wx_openid_digest.h"
#include "core/wx_openid_table.h"
#include "core/wx_openid_text.h"
#include "core/wx_openid_token.h"


extern "C" ngx_module_t ngx_http_wx_openid_module;
extern "C" ngx_module_t ngx_http_wx_openid_filter_module;


namespace wx_openid {


/* wx_openid: an ngx_conf_enum_t sets these, hence no enum class */

inline constexpr ngx_uint_t mode_off = 0;
inline constexpr ngx_uint_t mode_on = 1;
inline constexpr ngx_uint_t mode_optional = 2;


/* wx_openid_status */

inline constexpr ngx_uint_t status_prometheus = 1;
inline constexpr ngx_uint_t status_json = 2;


struct App {
    ngx_str_t appid;
    ngx_str_t secret;
    Sha256 digest;                      /* of both */
};


/* a text with variables; one of them alone needs no script */

struct Value {
    ngx_http_complex_value_t script;
    ngx_int_t variable;                 /* its index, or NGX_DECLINED */
};


/* whether it is the same text for all requests */

inline bool
is_constant(const ngx_http_complex_value_t &value) noexcept
{
    return value.lengths == nullptr;
}

inline bool
is_constant(const Value &value) noexcept
{
    return is_constant(value.script);
}


struct CodeSource {
    enum class Kind {
        value,
        header,     /* $http_name alone */
        arg,        /* $arg_name alone: percent-decoded */
        json,
        form
    };

    Kind kind;
    ngx_str_t name;                     /* json path or form field */
    Value value;                        /* value, header, arg */
};


/* a header name that is removed from every request */

struct GuardedName {
    ngx_str_t name;
    ngx_int_t variable;     /* index of its $http_ */
};


/* a header or cookie that is known to carry tokens */

struct TokenName {
    ngx_str_t name;
    ngx_int_t variable;     /* index of its $http_ or $cookie_ */
};

struct TokenSource {
    enum class Kind { variable, bearer };

    Kind kind;
    ngx_int_t variable;
};

struct SessionCookie {
    ngx_str_t name;
    ngx_int_t variable;
    ngx_str_t path;
    ngx_str_t domain;
    ngx_str_t samesite;
    time_t max_age;         /* -1: the token's ttl */
    ngx_flag_t secure;
    ngx_flag_t httponly;
    ngx_flag_t only;
};


struct HeaderRule {
    ngx_str_t name;
    ngx_str_t lowcase;
    ngx_uint_t hash;
    ngx_int_t variable;
    Value value;
};


struct LocConf {
    ngx_uint_t mode;

    ngx_array_t *apps;                  /* of App, as declared */
    App **apps_by_appid;                /* the same, sorted */
    ngx_http_complex_value_t *appid;

    ngx_array_t *codes;                 /* of CodeSource; unset: default */
    size_t body_limit;

    ngx_array_t *headers;               /* of HeaderRule */
    ngx_array_t *require;               /* of Value */

    PassUrl *pass;
    ngx_str_t host;
    TlsConf tls;
    Line *line;                         /* null where the mode is off */

    ngx_msec_t timeout;
    ngx_int_t busy_retries;
    ngx_http_upstream_conf_t upstream;

    ngx_uint_t status_format;           /* of a location that shows it */
    ngx_flag_t login;                   /* of one that is a login */

    TokenCodec *keys;                   /* null: no sessions */
    time_t session_ttl;
    time_t session_renew;               /* unset: half the ttl */
    time_t session_max;
    ngx_array_t *own_session_sources;   /* of TokenSource, as configured */
    ngx_array_t *session_sources;       /* with the cookie's behind them */
    SessionCookie *cookie;
    ngx_str_t cookie_tail;              /* "; Path=/; ..." */
};


struct Zone;
struct Worker;


struct MainConf {
    ngx_flag_t used;

    size_t cache_size;
    Lifetimes cache;
    ngx_flag_t cache_results;
    ngx_uint_t max_exchanges;
    ngx_uint_t keepalive;               /* idle connections of a worker */
    ngx_flag_t keep_session_key;        /* some $wx_openid_session_key */

    Zone *zone;                         /* null where the module is unused */
    Worker *worker;                     /* each process has its own */

    ngx_flag_t invalid_headers;         /* some server lets them in */
    ngx_array_t guarded;                /* of GuardedName */
    ngx_array_t source_names;           /* of ngx_str_t: $http_NAME that
                                           codes are looked for in */
    ngx_int_t code_variable;            /* index of $http_x_wx_code */
    std::uint64_t removed_names;        /* header_name_bit() of each name
                                           that is removed */

    ngx_flag_t sessions;                /* some level has keys */
    ngx_array_t token_headers;          /* of TokenName */
    ngx_array_t token_cookies;          /* of TokenName */
    ngx_int_t cookie_variable;          /* index of $http_cookie */
    ngx_int_t authorization_variable;
    ngx_array_t *default_session_sources;

    ngx_array_t *default_codes;
    ngx_array_t *optional_codes;
    ngx_array_t *default_headers;
    PassUrl *default_pass;
    ngx_array_t lines;                  /* of Line * */
    ngx_resolver_t *resolver;           /* the system's; null: it has none */
    ngx_resolver_t *resolver_ipv4;      /* the same, for A alone */
    ngx_flag_t resolver_made;
};


inline ngx_str_t *
arguments(ngx_conf_t *cf) noexcept
{
    return static_cast<ngx_str_t *>(cf->args->elts);
}

inline MainConf &
main_conf(ngx_conf_t *cf) noexcept
{
    return *static_cast<MainConf *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_wx_openid_module));
}

/* nginx's own, of the location that is being read or merged */

inline ngx_http_core_loc_conf_t &
core_conf(ngx_conf_t *cf) noexcept
{
    return *static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
}

inline const LocConf *
loc_conf(ngx_http_request_t *r) noexcept
{
    return static_cast<const LocConf *>(
        ngx_http_get_module_loc_conf(r, ngx_http_wx_openid_module));
}

inline const MainConf *
main_conf(ngx_http_request_t *r) noexcept
{
    return static_cast<const MainConf *>(
        ngx_http_get_module_main_conf(r, ngx_http_wx_openid_module));
}


/* conf.cpp */

/* what a configuration is refused for that OpenSSL cannot digest */
void log_no_sha256(ngx_conf_t *cf) noexcept;

void *create_main_conf(ngx_conf_t *cf) noexcept;
char *init_main_conf(ngx_conf_t *cf, void *conf) noexcept;
void *create_loc_conf(ngx_conf_t *cf) noexcept;

/* the defaults that need parsing, made once for all locations; NGX_ERROR */
ngx_int_t make_defaults(ngx_conf_t *cf, MainConf &mcf) noexcept;

/* merge.cpp */

char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) noexcept;

/* apps.cpp */

/* a location's own apps, else those of the level around; NGX_ERROR, logged */
ngx_int_t merge_apps(ngx_conf_t *cf, LocConf &conf, LocConf &prev) noexcept;

/* the app with this appid, or nullptr */
const App *find_app(const LocConf &conf, std::string_view appid) noexcept;

/* directives.cpp */

extern ngx_command_t commands[];

/* setters.cpp */

char *set_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_app(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_code(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_protocols(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;
char *set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;

/* secret.cpp */

/*
 * The secret that file:PATH, env:NAME or the text itself means, in the
 * pool; false when there is none, which is logged without it.
 */
bool read_secret(ngx_conf_t *cf, const ngx_str_t &spec,
    ngx_str_t &secret) noexcept;

/* file.cpp */

struct SecretFile {
    std::size_t size = 0;
    const char *fault = nullptr;    /* none: it was read */
    ngx_err_t err = 0;
    bool world_readable = false;    /* no place for secrets or keys */
};

/*
 * Reads a file, named in full and with a NUL behind, to "text": all of it
 * or as much as there is room for, which the caller wipes.
 */
SecretFile read_secret_file(ngx_conf_t *cf, const ngx_str_t &path,
    std::span<u_char> text) noexcept;

/* lists.cpp */

/* codes come in it unless configured otherwise, and it is always removed */

inline constexpr std::string_view code_header = "X-WX-Code";

/* begins the name of a variable that is a request's header */

inline constexpr std::string_view header_variable = "http_";

/* adds a name to those removed from requests, once; false on no memory */
bool guard_name(MainConf &mcf, std::string_view name) noexcept;

/* whether a header reaches some backend under a name that is removed */
bool is_guarded(const MainConf &mcf, std::string_view name) noexcept;

/*
 * The index of a header's $http_ variable or NGX_ERROR; "own": only we give
 * it a value, where nginx would look for what the client sent.
 */
ngx_int_t own_header_variable(ngx_conf_t *cf,
    std::string_view name) noexcept;
ngx_int_t index_header_variable(ngx_conf_t *cf,
    std::string_view name) noexcept;

bool is_parsed_by_nginx(std::string_view name) noexcept;

/* a name that is a source cannot be one that is removed; false, logged */
bool note_source_name(ngx_conf_t *cf, MainConf &mcf, std::string_view name,
    std::string_view source, const char *directive) noexcept;

/* false when refused, which is logged */
bool compile_value(ngx_conf_t *cf, std::string_view text,
    Value &value) noexcept;

/* appends to a list of HeaderRule; false when refused, which is logged */
bool add_header_rule(ngx_conf_t *cf, MainConf &mcf, ngx_array_t &list,
    std::string_view name, std::string_view value) noexcept;

/* sources.cpp */

/* appends to a list of CodeSource; false when refused, which is logged */
bool add_code_source(ngx_conf_t *cf, MainConf &mcf, ngx_array_t &list,
    std::string_view text) noexcept;

/* keys.cpp */

char *set_session_keys(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf) noexcept;

/* cookie.cpp */

char *set_session_cookie(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf) noexcept;

/* all of Set-Cookie behind the token, for conf.cookie_tail */
ngx_int_t write_cookie_tail(ngx_conf_t *cf, LocConf &conf) noexcept;

/* sessions.cpp */

/* a header or cookie that carries tokens; its variable's index in "index" */
bool add_token_name(ngx_conf_t *cf, ngx_array_t &names,
    std::string_view prefix, std::string_view name,
    ngx_int_t &index) noexcept;

/* whether nginx can have a $http_ or $cookie_ variable of the name */
bool usable_name(std::string_view name) noexcept;

char *set_session_source(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf) noexcept;
char *merge_sessions(ngx_conf_t *cf, MainConf &mcf, LocConf &conf,
    const LocConf &prev) noexcept;


}

#endif /* NGX_HTTP_WX_OPENID_CONF_H */
