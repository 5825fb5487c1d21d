/*
 * Copyright (C) wx_openid authors
 *
 * The table of refusals, as wx_openid_error.h has it.
 */

#include "wx_openid_error.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "wx_openid_json.h"
#include "wx_openid_reply.h"
#include "wx_openid_text.h"


namespace wx_openid {


namespace {


/* clang-format off */

constexpr std::array table = {
    RefusalInfo{ Refusal::none, 0, "", Fault::client, 0, false },

    RefusalInfo{ Refusal::login_required, 401, "login_required",
                 Fault::client, 0, false },
    RefusalInfo{ Refusal::invalid_code, 401, "invalid_code",
                 Fault::client, 0, true },
    RefusalInfo{ Refusal::invalid_session, 401, "invalid_session",
                 Fault::client, 0, true },
    RefusalInfo{ Refusal::user_blocked, 403, "user_blocked",
                 Fault::client, 0, false },
    RefusalInfo{ Refusal::unknown_app, 403, "unknown_app",
                 Fault::client, 0, false },
    RefusalInfo{ Refusal::forbidden, 403, "forbidden",
                 Fault::client, 0, false },
    RefusalInfo{ Refusal::rate_limited, 429, "rate_limited",
                 Fault::client, 60, false },
    RefusalInfo{ Refusal::misconfigured, 500, "misconfigured",
                 Fault::site, 0, false },
    RefusalInfo{ Refusal::bad_gateway, 502, "bad_gateway",
                 Fault::site, 0, false },
    RefusalInfo{ Refusal::wechat_busy, 503, "wechat_busy",
                 Fault::wechat, 1, false },
    RefusalInfo{ Refusal::quota_exceeded, 503, "quota_exceeded",
                 Fault::site, 0, false },
    RefusalInfo{ Refusal::overloaded, 503, "overloaded",
                 Fault::wechat, 1, false },
    RefusalInfo{ Refusal::wechat_timeout, 504, "wechat_timeout",
                 Fault::site, 0, false }
};

/* clang-format on */


constexpr std::size_t
row_of(Refusal refusal) noexcept
{
    return static_cast<std::size_t>(refusal);
}


constexpr bool
table_in_order() noexcept
{
    for (std::size_t i = 0; i < table.size(); i++) {
        if (row_of(table[i].refusal) != i) {
            return false;
        }
    }

    return true;
}


static_assert(table_in_order());
static_assert(table.size() == row_of(last_refusal) + 1);


/* an errmsg all of characters that JSON escapes, and what is around it */

static_assert(2 * max_errmsg_length + 256 <= max_refusal_json);


bool
add_errcode(cJSON *json, int errcode) noexcept
{
    return errcode == 0 || cJSON_AddNumberToObject(json, "errcode", errcode);
}


bool
add_errmsg(cJSON *json, std::string_view errmsg) noexcept
{
    if (errmsg.empty()) {
        return true;
    }

    /* the last byte stays NUL */
    std::array<char, max_errmsg_length + 1> text{};
    printable(errmsg, std::span(text).first(max_errmsg_length));

    return cJSON_AddStringToObject(json, "errmsg", text.data());
}


}


const RefusalInfo &
refusal_info(Refusal refusal) noexcept
{
    return table[row_of(refusal)];
}


Refusal
refusal_of_errcode(int errcode) noexcept
{
    switch (errcode) {

    case 40029:     /* invalid, expired, or of another app */
    case 40163:     /* used before */
    case 41008:     /* missing */
        return Refusal::invalid_code;

    case 40226:
        return Refusal::user_blocked;

    case 45011:
        return Refusal::rate_limited;

    case 40002:     /* grant_type */
    case 40013:     /* appid */
    case 40125:     /* secret */
    case 40164:     /* our address is not in the app's list */
    case 40243:     /* secret frozen */
    case 41002:     /* no appid */
    case 41004:     /* no secret */
        return Refusal::misconfigured;

    case -1:
        return Refusal::wechat_busy;

    case 45009:
        return Refusal::quota_exceeded;

    default:
        return Refusal::bad_gateway;
    }
}


std::size_t
write_refusal_json(Refusal refusal, int errcode, std::string_view errmsg,
    std::span<char> out) noexcept
{
    auto &info = refusal_info(refusal);

    Json json(cJSON_CreateObject());

    /* the table's names are literals, so they end in NUL */

    if (!json || !cJSON_AddStringToObject(json.get(), "error",
                                          info.name.data()))
    {
        return 0;
    }

    if (info.fault == Fault::client
        && (!add_errcode(json.get(), errcode)
            || !add_errmsg(json.get(), errmsg)))
    {
        return 0;
    }

    auto size = static_cast<int>(std::min(out.size(), max_refusal_json));

    if (!cJSON_PrintPreallocated(json.get(), out.data(), size, 0)) {
        return 0;
    }

    return std::strlen(out.data());
}


}
