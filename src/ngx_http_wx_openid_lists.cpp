/*
 * Copyright (C) wx_openid authors
 *
 * The lists of the configuration: identity headers, and the names that are
 * removed from requests.  What is removed cannot be a source as well, and
 * the other way round.  Knows of no request.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


bool
is_token(std::string_view s) noexcept
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";

    for (char c : s) {
        if (!is_alnum(c) && marks.find(c) == std::string_view::npos) {
            return false;
        }
    }

    return !s.empty();
}


bool
is_source(const MainConf &mcf, std::string_view name) noexcept
{
    for (const ngx_str_t &s : elements<ngx_str_t>(&mcf.source_names)) {
        if (same_header_name(view(s), name)) {
            return true;
        }
    }

    return same_header_name(code_header, name);
}


const char *
header_rule_fault(const MainConf &mcf, const ngx_array_t &list,
    std::string_view name) noexcept
{
    if (!is_token(name)) {
        return "is not a header name";
    }

    if (is_parsed_by_nginx(name)) {
        return "is a header that nginx parses itself";
    }

    if (is_source(mcf, name)) {
        return "is a header that a code or token is looked for in";
    }

    for (const HeaderRule &rule : elements<HeaderRule>(&list)) {
        if (same_header_name(view(rule.name), name)) {
            return "is duplicate";
        }
    }

    return nullptr;
}


/*
 * The index of the variable that "text" is: "$name" and nothing besides; else
 * NGX_DECLINED, or NGX_ERROR on no memory
 */

ngx_int_t
index_lone_variable(ngx_conf_t *cf, std::string_view text) noexcept
{
    if (text.size() < 2 || text[0] != '$' || (text[1] >= '0'
                                              && text[1] <= '9'))
    {
        return NGX_DECLINED;
    }

    text.remove_prefix(1);

    if (!std::all_of(text.begin(), text.end(), [](char c) {
            return is_alnum(c) || c == '_';
        }))
    {
        return NGX_DECLINED;
    }

    ngx_str_t name = to_str(text);

    return ngx_http_get_variable_index(cf, &name);
}


/* the name of the variable that nginx has for a header */

bool
name_header_variable(ngx_conf_t *cf, std::string_view name,
    ngx_str_t &variable) noexcept
{
    variable.len = header_variable.size() + name.size();
    variable.data = static_cast<u_char *>(
        ngx_pnalloc(cf->pool, variable.len));
    if (variable.data == nullptr) {
        return false;
    }

    u_char *p = ngx_copy(variable.data, header_variable.data(),
                         header_variable.size());

    for (char c : name) {
        *p++ = is_alnum(c) ? static_cast<u_char>(to_lower(c)) : '_';
    }

    return true;
}


/* a header that only we give a value */

ngx_int_t
get_nothing(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data) noexcept
{
    v->not_found = 1;

    return NGX_OK;
}


}


/* headers that nginx parses itself; some have aliases in CGI */

bool
is_parsed_by_nginx(std::string_view name) noexcept
{
    for (ngx_http_header_t *h = ngx_http_headers_in; h->name.len; h++) {
        if (same_header_name(view(h->name), name)) {
            return true;
        }
    }

    return false;
}


bool
is_guarded(const MainConf &mcf, std::string_view name) noexcept
{
    for (const GuardedName &g : elements<GuardedName>(&mcf.guarded)) {
        if (same_header_name(view(g.name), name)) {
            return true;
        }
    }

    std::string_view start = without_brackets(name);

    return start.size() < name.size() && is_guarded(mcf, start);
}


bool
note_source_name(ngx_conf_t *cf, MainConf &mcf, std::string_view name,
    std::string_view source, const char *directive) noexcept
{
    if (is_guarded(mcf, name)) {
        ngx_str_t value = to_str(source);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" source \"%V\" is a header that is removed "
                           "from requests", directive, &value);
        return false;
    }

    auto *s = static_cast<ngx_str_t *>(ngx_array_push(&mcf.source_names));

    return s && dup(cf->pool, name, *s);
}


bool
compile_value(ngx_conf_t *cf, std::string_view text,
    Value &value) noexcept
{
    ngx_str_t s;

    if (!dup(cf->pool, text, s)) {
        return false;
    }

    ngx_http_compile_complex_value_t ccv{};

    ccv.cf = cf;
    ccv.value = &s;
    ccv.complex_value = &value.script;

    value.variable = index_lone_variable(cf, text);

    return value.variable != NGX_ERROR
           && ngx_http_compile_complex_value(&ccv) == NGX_OK;
}


bool
guard_name(MainConf &mcf, std::string_view name) noexcept
{
    if (is_guarded(mcf, name)) {
        return true;
    }

    auto *guarded = static_cast<GuardedName *>(ngx_array_push(&mcf.guarded));
    if (guarded == nullptr) {
        return false;
    }

    guarded->name = to_str(name);
    guarded->variable = NGX_ERROR;

    return true;
}


ngx_int_t
index_header_variable(ngx_conf_t *cf, std::string_view name) noexcept
{
    ngx_str_t variable;

    return name_header_variable(cf, name, variable)
           ? ngx_http_get_variable_index(cf, &variable) : NGX_ERROR;
}


ngx_int_t
own_header_variable(ngx_conf_t *cf, std::string_view name) noexcept
{
    ngx_str_t variable;

    if (!name_header_variable(cf, name, variable)) {
        return NGX_ERROR;
    }

    ngx_http_variable_t *v = ngx_http_add_variable(cf, &variable,
                                                   NGX_HTTP_VAR_CHANGEABLE);
    if (v == nullptr) {
        return NGX_ERROR;
    }

    /* one that the configuration itself defines is the operator's */

    if (v->get_handler == nullptr) {
        v->get_handler = get_nothing;
    }

    return ngx_http_get_variable_index(cf, &variable);
}


bool
add_header_rule(ngx_conf_t *cf, MainConf &mcf, ngx_array_t &list,
    std::string_view name, std::string_view value) noexcept
{
    const char *fault = header_rule_fault(mcf, list, name);

    if (fault) {
        ngx_str_t n = to_str(name);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"wx_openid_set_header\" %s", &n,
                           fault);
        return false;
    }

    auto *rule = static_cast<HeaderRule *>(ngx_array_push(&list));
    if (rule == nullptr) {
        return false;
    }

    *rule = HeaderRule{};

    if (!dup(cf->pool, name, rule->name)
        || !dup(cf->pool, name, rule->lowcase)
        || !guard_name(mcf, view(rule->name))
        || !compile_value(cf, value, rule->value))
    {
        return false;
    }

    if (is_constant(rule->value) && has_control(value)) {
        ngx_str_t n = to_str(name);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "value of \"%V\" in \"wx_openid_set_header\" has "
                           "control characters", &n);
        return false;
    }

    rule->hash = ngx_hash_strlow(rule->lowcase.data, rule->name.data,
                                 rule->name.len);

    rule->variable = index_header_variable(cf, view(rule->name));

    return rule->variable != NGX_ERROR;
}


}
