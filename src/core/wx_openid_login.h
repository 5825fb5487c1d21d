/*
 * Copyright (C) wx_openid authors
 *
 * The answer of a login: who the user is, and the token to come back with.
 */

#ifndef WX_OPENID_LOGIN_H
#define WX_OPENID_LOGIN_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>


namespace wx_openid {


struct LoginAnswer {
    std::string_view openid;
    std::string_view appid;
    std::string_view unionid;
    std::string_view session;
    std::int64_t expires_in = 0;    /* seconds, of the session */
};

inline constexpr std::size_t max_login_json = 4096;

/*
 * JSON to "out" of max_login_json bytes, without the members that have no
 * value; returns the length written, 0 on no memory.
 */
std::size_t write_login_json(const LoginAnswer &answer,
    std::span<char> out) noexcept;


}

#endif /* WX_OPENID_LOGIN_H */
