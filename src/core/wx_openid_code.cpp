/*
 * Copyright (C) wx_openid authors
 *
 * Finds the login code in a body, as wx_openid_code.h has it.
 */

#include "wx_openid_code.h"

#include <algorithm>

#include "wx_openid_json.h"
#include "wx_openid_memory.h"
#include "wx_openid_text.h"


namespace wx_openid {


namespace {


JsonMember
find_at_path(const cJSON *json, std::string_view path) noexcept
{
    JsonMember member{json, false};

    while (!path.empty() && cJSON_IsObject(member.value)) {
        member = find_member(member.value, next_part(path, '.'));

        if (member.repeated) {
            return member;
        }
    }

    return path.empty() ? member : JsonMember{};
}


/* "application/json" and "application/{any}+json" (RFC 6839, 3.1) */

bool
is_json_type(std::string_view type) noexcept
{
    constexpr std::string_view prefix = "application/";
    constexpr std::string_view suffix = "+json";

    if (equal_nocase(type, "application/json")) {
        return true;
    }

    if (type.size() <= prefix.size() + suffix.size()) {
        return false;
    }

    std::string_view head(type.data(), prefix.size());
    std::string_view tail(type.data() + type.size() - suffix.size(),
                          suffix.size());

    return equal_nocase(head, prefix) && equal_nocase(tail, suffix);
}


}


FoundCode
find_json_code(std::string_view body, std::string_view path,
    std::span<char> out) noexcept
{
    if (!usable_json_path(path)) {
        return {};
    }

    MemoryWatch memory;

    auto json = parse_json_object(body);

    if (!json) {
        return {memory.ran_out() ? CodeSearch::no_memory
                                 : CodeSearch::absent};
    }

    auto member = find_at_path(json.get(), path);

    if (member.repeated) {
        return {CodeSearch::ambiguous};
    }

    if (!cJSON_IsString(member.value)) {
        return {};
    }

    /* before "empty": cJSON may have cut the code to nothing */

    if (has_nul(body)) {
        return {CodeSearch::ambiguous};
    }

    std::string_view code(member.value->valuestring);

    if (code.empty()) {
        return {};
    }

    std::copy_n(code.data(), code.size(), out.data());

    return {CodeSearch::found, code.size()};
}


FoundCode
find_form_code(std::string_view body, std::string_view name,
    std::span<char> out) noexcept
{
    while (!body.empty()) {
        auto value = next_part(body, '&');
        auto field = next_part(value, '=');

        auto size = percent_decode(field, out, Plus::is_space);

        if (std::string_view(out.data(), size) != name) {
            continue;
        }

        size = percent_decode(value, out, Plus::is_space);
        std::string_view code(out.data(), size);

        if (code.find('\0') != code.npos) {
            return {CodeSearch::ambiguous};
        }

        if (!code.empty()) {
            return {CodeSearch::found, size};
        }
    }

    return {};
}


bool
usable_code(std::string_view code) noexcept
{
    return !code.empty() && code.size() <= max_code_length
           && !has_control(code);
}


bool
usable_json_path(std::string_view path) noexcept
{
    if (path.empty() || path.back() == '.') {
        return false;
    }

    while (!path.empty()) {
        if (next_part(path, '.').empty()) {
            return false;
        }
    }

    return true;
}


BodyKind
body_kind(std::string_view content_type) noexcept
{
    auto type = trimmed(next_part(content_type, ';'));

    if (is_json_type(type)) {
        return BodyKind::json;
    }

    if (equal_nocase(type, "application/x-www-form-urlencoded")) {
        return BodyKind::form;
    }

    return BodyKind::other;
}


}
