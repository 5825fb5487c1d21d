/*
 * Copyright (C) wx_openid authors
 *
 * The result of an exchange as bytes for memory that workers share.  What
 * is read back is checked like anything else that came from outside.
 */

#ifndef WX_OPENID_RESULT_H
#define WX_OPENID_RESULT_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "wx_openid_error.h"
#include "wx_openid_reply.h"


namespace wx_openid {


struct ExchangeResult {
    Refusal refusal = Refusal::none;
    std::int64_t time = 0;          /* of the exchange, in seconds */
    SessionReply session;
};

inline constexpr std::size_t max_result_text = 15 + max_errmsg_length
                                               + 2 * max_openid_length
                                               + max_session_key_length;

/*
 * Writes to "out" of max_result_text bytes, the session_key only if asked
 * to; returns the length written.
 */
std::size_t write_result(const ExchangeResult &result, bool with_session_key,
    std::span<char> out) noexcept;

/* false if the bytes are no result; "result" is then of no use */
[[nodiscard]] bool read_result(std::string_view bytes,
    ExchangeResult &result) noexcept;


}

#endif /* WX_OPENID_RESULT_H */
