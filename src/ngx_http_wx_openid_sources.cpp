/*
 * Copyright (C) wx_openid authors
 *
 * The sources of wx_openid_code, parsed.  Knows of no request; how a code is
 * looked for in one is code.cpp's.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


bool
is_variable_char(char c) noexcept
{
    return is_alnum(c) || c == '_';
}


std::string_view
behind(std::string_view s, std::size_t n) noexcept
{
    s.remove_prefix(n);
    return s;
}


std::size_t
variable_name_length(std::string_view s) noexcept
{
    std::size_t n = 0;

    while (n < s.size() && is_variable_char(s[n])) {
        n++;
    }

    return n;
}


/* the names of variables have no case */

bool
begins_with(std::string_view text, std::string_view prefix) noexcept
{
    return text.size() >= prefix.size()
           && equal_nocase({text.data(), prefix.size()}, prefix);
}


/* notes every $http_NAME in a source, so that NAME is never removed */

bool
note_source_headers(ngx_conf_t *cf, MainConf &mcf,
    std::string_view text) noexcept
{
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] != '$') {
            continue;
        }

        std::string_view rest = behind(text, i + 1);

        if (rest.starts_with('{')) {
            rest.remove_prefix(1);
        }

        if (!begins_with(rest, header_variable)) {
            continue;
        }

        rest.remove_prefix(header_variable.size());

        std::string_view name(rest.data(), variable_name_length(rest));

        if (!note_source_name(cf, mcf, name, text, "wx_openid_code")) {
            return false;
        }
    }

    return true;
}


/* $arg_name or ${arg_name} and nothing else; likewise $http_name */

bool
is_alone(std::string_view text, std::string_view prefix) noexcept
{
    if (!text.starts_with('$')) {
        return false;
    }

    text.remove_prefix(1);

    bool braces = text.starts_with('{');

    if (braces) {
        text.remove_prefix(1);
    }

    if (!begins_with(text, prefix)) {
        return false;
    }

    text.remove_prefix(prefix.size());

    std::size_t n = variable_name_length(text);

    return n > 0 && (braces ? text.size() == n + 1 : text.size() == n);
}


/* bytes that belong to no variable: such a value is never empty */

bool
has_fixed_text(std::string_view text) noexcept
{
    while (text.starts_with('$')) {
        text.remove_prefix(1);

        bool braces = text.starts_with('{');
        std::size_t n = variable_name_length(behind(text, braces));

        text.remove_prefix(ngx_min(n + 2 * braces, text.size()));
    }

    return !text.empty();
}


void
warn_of_fixed_text(ngx_conf_t *cf, std::string_view text) noexcept
{
    ngx_str_t value = to_str(text);

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "source \"%V\" in \"wx_openid_code\" has text beside "
                       "its variables, so it is taken for a code even where "
                       "they are empty", &value);
}


bool
parse_source(ngx_conf_t *cf, std::string_view text,
    CodeSource &source) noexcept
{
    using Kind = CodeSource::Kind;

    constexpr std::string_view json = "json:";
    constexpr std::string_view form = "form:";

    source = CodeSource{};

    if (text.starts_with(json)) {
        text.remove_prefix(json.size());
        source.kind = Kind::json;

        /* JSONPath's "$", which is another language */

        return !text.starts_with('$') && usable_json_path(text)
               && dup(cf->pool, text, source.name);
    }

    if (text.starts_with(form)) {
        text.remove_prefix(form.size());
        source.kind = Kind::form;
        return !text.empty() && dup(cf->pool, text, source.name);
    }

    source.kind = is_alone(text, "arg_") ? Kind::arg
                  : is_alone(text, header_variable) ? Kind::header
                                                    : Kind::value;

    ngx_str_t s = to_str(text);

    if (ngx_http_script_variables_count(&s) == 0) {
        return false;
    }

    if (has_fixed_text(text)) {
        warn_of_fixed_text(cf, text);
    }

    return compile_value(cf, text, source.value);
}


}


bool
add_code_source(ngx_conf_t *cf, MainConf &mcf, ngx_array_t &list,
    std::string_view text) noexcept
{
    auto *source = static_cast<CodeSource *>(ngx_array_push(&list));
    if (source == nullptr) {
        return false;
    }

    if (!parse_source(cf, text, *source)) {
        ngx_str_t value = to_str(text);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid source \"%V\" in \"wx_openid_code\": "
                           "neither a value with variables nor "
                           "json:NAME[.NAME] nor form:NAME", &value);
        return false;
    }

    return note_source_headers(cf, mcf, text);
}


}
