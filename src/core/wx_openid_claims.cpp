/*
 * Copyright (C) wx_openid authors
 *
 * Claims to and from JSON, as wx_openid_claims.h has it.
 */

#include "wx_openid_claims.h"

#include <charconv>

#include "wx_openid_json.h"
#include "wx_openid_writer.h"


namespace wx_openid {


namespace {


bool
usable_time(std::int64_t time) noexcept
{
    return time >= 0 && time <= max_claim_time;
}


bool
usable(const Claims &claims) noexcept
{
    return usable_openid(claims.openid.view())
           && usable_appid(claims.appid.view())
           && (claims.unionid.empty() || usable_openid(claims.unionid.view()))
           && (claims.session_key.empty()
               || usable_session_key(claims.session_key.view()))
           && usable_time(claims.iat) && usable_time(claims.exp)
           && usable_time(claims.auth_time);
}


bool
take(std::string_view &s, std::string_view literal) noexcept
{
    if (s.size() < literal.size()
        || std::string_view(s.data(), literal.size()) != literal)
    {
        return false;
    }

    s.remove_prefix(literal.size());
    return true;
}


/* a string whose opening quote was taken, without escapes */

template <std::size_t Max>
bool
take_text(std::string_view &s, Text<Max> &text) noexcept
{
    auto size = s.find('"');

    if (size == s.npos) {
        return false;
    }

    std::string_view value(s.data(), size);
    s.remove_prefix(size + 1);

    return value.find('\\') == value.npos && text.assign(value);
}


bool
take_time(std::string_view &s, std::int64_t &time) noexcept
{
    auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), time);

    s.remove_prefix(static_cast<std::size_t>(end - s.data()));

    return error == std::errc();
}


/*
 * What write_claims() writes and nothing else: cJSON's twenty allocations
 * would cost as much as all the rest of opening a token.
 */

bool
read_written(std::string_view s, Claims &claims) noexcept
{
    return take(s, R"({"sub":")") && take_text(s, claims.openid)
           && take(s, R"(,"aud":")") && take_text(s, claims.appid)
           && take(s, R"(,"iat":)") && take_time(s, claims.iat)
           && take(s, R"(,"exp":)") && take_time(s, claims.exp)
           && take(s, R"(,"auth_time":)") && take_time(s, claims.auth_time)
           && (!take(s, R"(,"unionid":")") || take_text(s, claims.unionid))
           && (!take(s, R"(,"sk":")") || take_text(s, claims.session_key))
           && s == "}";
}


template <std::size_t Max>
bool
read_string(const cJSON *value, Text<Max> &text) noexcept
{
    return cJSON_IsString(value) && text.assign(value->valuestring);
}


template <std::size_t Max>
bool
read_optional(const cJSON *value, Text<Max> &text) noexcept
{
    return !value || cJSON_IsNull(value) || read_string(value, text);
}


bool
read_time(const cJSON *value, std::int64_t &time) noexcept
{
    if (!cJSON_IsNumber(value)) {
        return false;
    }

    double number = value->valuedouble;

    if (!(number >= 0 && number <= static_cast<double>(max_claim_time))) {
        return false;
    }

    time = static_cast<std::int64_t>(number);

    return static_cast<double>(time) == number;
}


bool
read_members(const cJSON *json, Claims &claims) noexcept
{
    auto sub = find_member(json, "sub");
    auto aud = find_member(json, "aud");
    auto iat = find_member(json, "iat");
    auto exp = find_member(json, "exp");
    auto auth_time = find_member(json, "auth_time");
    auto unionid = find_member(json, "unionid");
    auto sk = find_member(json, "sk");

    if (sub.repeated || aud.repeated || iat.repeated || exp.repeated
        || auth_time.repeated || unionid.repeated || sk.repeated)
    {
        return false;
    }

    if (!auth_time.value) {
        auth_time = iat;
    }

    return read_string(sub.value, claims.openid)
           && read_string(aud.value, claims.appid)
           && read_time(iat.value, claims.iat)
           && read_time(exp.value, claims.exp)
           && read_time(auth_time.value, claims.auth_time)
           && read_optional(unionid.value, claims.unionid)
           && read_optional(sk.value, claims.session_key);
}


}


std::size_t
write_claims(const Claims &claims, std::span<char> out) noexcept
{
    if (!usable(claims)) {
        return 0;
    }

    Writer w(out);

    /* nothing that is usable needs an escape */

    w.add(R"({"sub":")");
    w.add(claims.openid.view());
    w.add(R"(","aud":")");
    w.add(claims.appid.view());
    w.add(R"(","iat":)");
    w.add(claims.iat);
    w.add(R"(,"exp":)");
    w.add(claims.exp);
    w.add(R"(,"auth_time":)");
    w.add(claims.auth_time);

    if (!claims.unionid.empty()) {
        w.add(R"(,"unionid":")");
        w.add(claims.unionid.view());
        w.add(R"(")");
    }

    if (!claims.session_key.empty()) {
        w.add(R"(,"sk":")");
        w.add(claims.session_key.view());
        w.add(R"(")");
    }

    w.add("}");

    return w.view().size();
}


bool
read_claims(std::string_view json, Claims &claims) noexcept
{
    claims = {};

    if (read_written(json, claims) && usable(claims)) {
        return true;
    }

    return read_any_claims(json, claims);
}


bool
read_any_claims(std::string_view text, Claims &claims) noexcept
{
    claims = {};

    auto json = parse_json_object(text);

    if (json && !has_nul(text) && !has_stray_control(text)
        && read_members(json.get(), claims) && usable(claims))
    {
        return true;
    }

    claims = {};
    return false;
}


bool
usable_appid(std::string_view appid) noexcept
{
    return appid.size() <= max_appid_length && usable_openid(appid);
}


}
