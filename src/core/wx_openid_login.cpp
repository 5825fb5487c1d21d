/*
 * Copyright (C) wx_openid authors
 *
 * The JSON of wx_openid_login.h, written by cJSON.
 */

#include "wx_openid_login.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "wx_openid_json.h"
#include "wx_openid_token.h"


namespace wx_openid {


namespace {


/* cJSON takes text that ends in NUL; a token is the longest there is */

bool
add_text(cJSON *json, const char *name, std::string_view text) noexcept
{
    if (text.empty()) {
        return true;
    }

    std::array<char, max_token_length + 1> copy{};

    if (text.size() >= copy.size()) {
        return false;
    }

    std::copy_n(text.data(), text.size(), copy.data());

    return cJSON_AddStringToObject(json, name, copy.data());
}


bool
add_number(cJSON *json, const char *name, std::int64_t number) noexcept
{
    return number == 0
           || cJSON_AddNumberToObject(json, name,
                                      static_cast<double>(number));
}


}


std::size_t
write_login_json(const LoginAnswer &answer, std::span<char> out) noexcept
{
    Json json(cJSON_CreateObject());

    if (!json || !add_text(json.get(), "openid", answer.openid)
        || !add_text(json.get(), "appid", answer.appid)
        || !add_text(json.get(), "unionid", answer.unionid)
        || !add_text(json.get(), "session", answer.session)
        || !add_number(json.get(), "expires_in", answer.expires_in))
    {
        return 0;
    }

    auto size = static_cast<int>(std::min(out.size(), max_login_json));

    if (!cJSON_PrintPreallocated(json.get(), out.data(), size, 0)) {
        return 0;
    }

    return std::strlen(out.data());
}


}
