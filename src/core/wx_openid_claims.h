/*
 * Copyright (C) wx_openid authors
 *
 * What a session token says: its claims, to and from JSON.  Knows nothing
 * of how they are sealed, or of which app a request is for.
 */

#ifndef WX_OPENID_CLAIMS_H
#define WX_OPENID_CLAIMS_H

#include <cstdint>

#include "wx_openid_reply.h"


namespace wx_openid {


inline constexpr std::size_t max_appid_length = 64;

/* all of WeChat's begin so, and no secret does, which is hexadecimal */

inline constexpr std::string_view appid_prefix = "wx";

/* JSON's numbers are doubles, which are exact so far */

inline constexpr std::int64_t max_claim_time = std::int64_t{1} << 53;


struct Claims {
    Text<max_openid_length> openid;             /* sub */
    Text<max_appid_length> appid;               /* aud */
    Text<max_openid_length> unionid;            /* empty if absent */
    Text<max_session_key_length> session_key;   /* sk, empty if absent */

    std::int64_t iat = 0;
    std::int64_t exp = 0;
    std::int64_t auth_time = 0;     /* when the code was exchanged */
};


inline constexpr std::size_t max_claims_json = 600;

/*
 * Writes the claims to "out" of max_claims_json bytes; returns the length
 * written, 0 if the claims are not usable.
 */
std::size_t write_claims(const Claims &claims, std::span<char> out) noexcept;

/*
 * Reads one JSON object.  A claim that is known must be there once and be
 * usable; unionid and sk may be absent, null or empty, auth_time absent,
 * which makes it iat.  Other claims are ignored.
 */
[[nodiscard]] bool read_claims(std::string_view json, Claims &claims) noexcept;

/*
 * The same by cJSON alone: read_claims() has a shorter way for text that
 * write_claims() wrote.
 */
[[nodiscard]] bool read_any_claims(std::string_view json,
    Claims &claims) noexcept;

/* 1 to max_appid_length bytes of A-Z a-z 0-9 _ - . */
bool usable_appid(std::string_view appid) noexcept;


}

#endif /* WX_OPENID_CLAIMS_H */
