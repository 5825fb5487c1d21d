/*
 * Copyright (C) wx_openid authors
 *
 * Reads WeChat's reply, as wx_openid_reply.h has it.
 */

#include "wx_openid_reply.h"

#include <algorithm>
#include <array>
#include <limits>

#include "wx_openid_json.h"
#include "wx_openid_memory.h"


namespace wx_openid {


namespace {


/* JSON's numbers are doubles: 1.5, 1e400 and 4294967297 are no errcode */

bool
read_errcode(const cJSON *value, int &errcode) noexcept
{
    using limits = std::numeric_limits<int>;

    if (!value) {
        errcode = 0;
        return true;
    }

    if (!cJSON_IsNumber(value)) {
        return false;
    }

    double number = value->valuedouble;

    if (!(number >= limits::min() && number <= limits::max())) {
        return false;
    }

    errcode = static_cast<int>(number);

    return errcode == number;
}


template <std::size_t Max>
bool
read_text(const cJSON *value, bool (*usable)(std::string_view) noexcept,
    Text<Max> &text) noexcept
{
    if (!cJSON_IsString(value)) {
        return false;
    }

    std::string_view s(value->valuestring);

    return usable(s) && text.assign(s);
}


/* null and an empty string are as good as no member */

template <std::size_t Max>
bool
read_optional(const cJSON *value, bool (*usable)(std::string_view) noexcept,
    Text<Max> &text) noexcept
{
    if (!value || cJSON_IsNull(value)
        || (cJSON_IsString(value) && value->valuestring[0] == '\0'))
    {
        return true;
    }

    return read_text(value, usable, text);
}


SessionReply
failure(ReplyError error) noexcept
{
    SessionReply reply;

    reply.error = error;

    return reply;
}


SessionReply
refused(int errcode, const cJSON *errmsg) noexcept
{
    SessionReply reply;

    reply.errcode = errcode;

    if (cJSON_IsString(errmsg)) {
        std::array<char, max_errmsg_length> text;
        auto size = printable(errmsg->valuestring, text);

        /* cannot fail: it was cut to fit */
        (void) reply.errmsg.assign({text.data(), size});
    }

    return reply;
}


bool
is_base64(char c) noexcept
{
    return is_alnum(c) || c == '+' || c == '/';
}


}


std::string_view
reply_error_text(ReplyError error) noexcept
{
    switch (error) {
    case ReplyError::none:
        return "no error";
    case ReplyError::not_json:
        return "not a JSON object";
    case ReplyError::repeated:
        return "repeated member";
    case ReplyError::bad_errcode:
        return "invalid errcode";
    case ReplyError::no_openid:
        return "no usable openid";
    case ReplyError::bad_unionid:
        return "invalid unionid";
    case ReplyError::bad_session_key:
        return "invalid session_key";
    }

    return "unknown error";
}


SessionReply
read_session_reply(std::string_view body) noexcept
{
    auto json = parse_json_object(body);

    if (!json || has_nul(body) || has_stray_control(body)) {
        return failure(ReplyError::not_json);
    }

    auto errcode = find_member(json.get(), "errcode");
    auto openid = find_member(json.get(), "openid");
    auto unionid = find_member(json.get(), "unionid");
    auto session_key = find_member(json.get(), "session_key");

    if (errcode.repeated || openid.repeated || unionid.repeated
        || session_key.repeated)
    {
        return failure(ReplyError::repeated);
    }

    SessionReply reply;

    if (!read_errcode(errcode.value, reply.errcode)) {
        return failure(ReplyError::bad_errcode);
    }

    if (reply.errcode != 0) {
        return refused(reply.errcode,
                       find_member(json.get(), "errmsg").value);
    }

    if (!read_text(openid.value, usable_openid, reply.openid)) {
        return failure(ReplyError::no_openid);
    }

    if (!read_optional(unionid.value, usable_openid, reply.unionid)) {
        return failure(ReplyError::bad_unionid);
    }

    if (!read_optional(session_key.value, usable_session_key,
                       reply.session_key))
    {
        return failure(ReplyError::bad_session_key);
    }

    return reply;
}


bool
errmsg_has(std::string_view body, std::string_view text) noexcept
{
    MemoryWatch memory;

    auto json = parse_json_object(body);

    if (!json) {
        return memory.ran_out();
    }

    auto errmsg = find_member(json.get(), "errmsg").value;

    if (!cJSON_IsString(errmsg)) {
        return false;
    }

    std::string_view said = errmsg->valuestring;

    if (said.find(text) != std::string_view::npos) {
        return true;
    }

    /* decoded in place, for this JSON is ours alone */

    said = {errmsg->valuestring,
            percent_decode(said, {errmsg->valuestring, said.size()},
                           Plus::literal)};

    return said.find(text) != std::string_view::npos;
}


bool
usable_openid(std::string_view openid) noexcept
{
    return !openid.empty() && openid.size() <= max_openid_length
           && std::all_of(openid.begin(), openid.end(), [](char c) {
                  return is_alnum(c) || c == '_' || c == '-' || c == '.';
              });
}


bool
usable_session_key(std::string_view key) noexcept
{
    if (key.empty() || key.size() > max_session_key_length
        || key.size() % 4 != 0)
    {
        return false;
    }

    for (int padding = 0; padding < 2 && key.back() == '='; padding++) {
        key.remove_suffix(1);
    }

    return std::all_of(key.begin(), key.end(), is_base64);
}


}
