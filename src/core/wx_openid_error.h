/*
 * Copyright (C) wx_openid authors
 *
 * The one table of refusals: HTTP status, public name, who is at fault; and
 * WeChat's errcodes mapped to it.  Knows nothing of nginx or of where an
 * answer goes.
 */

#ifndef WX_OPENID_ERROR_H
#define WX_OPENID_ERROR_H

#include <cstddef>
#include <span>
#include <string_view>


namespace wx_openid {


enum class Refusal {
    none,
    login_required,
    invalid_code,
    invalid_session,
    user_blocked,
    unknown_app,
    forbidden,
    rate_limited,
    misconfigured,
    bad_gateway,
    wechat_busy,
    quota_exceeded,
    overloaded,
    wechat_timeout
};

inline constexpr Refusal last_refusal = Refusal::wechat_timeout;

enum class Fault {
    client,     /* told with WeChat's errcode and errmsg, logged at info */
    wechat,     /* passes by itself, logged at warn */
    site        /* the operator must act, logged at error */
};

struct RefusalInfo {
    Refusal refusal;
    unsigned status;            /* of HTTP */
    std::string_view name;      /* "error" in the answer */
    Fault fault;
    unsigned retry_after;       /* seconds; 0: no Retry-After */
    bool bad_credential;        /* WWW-Authenticate says invalid_token */
};

/* the table's row; Refusal::none has status 0 */
const RefusalInfo &refusal_info(Refusal refusal) noexcept;

/* what WeChat's errcode, not 0, means to a request */
Refusal refusal_of_errcode(int errcode) noexcept;


inline constexpr std::size_t max_refusal_json = 1024;

/*
 * The answer's body, {"error":"...","errcode":40029,"errmsg":"..."}, to
 * "out" of max_refusal_json bytes; returns the length written, 0 on no
 * memory.  errcode and errmsg are left out when 0 and empty, or when the
 * fault is not the client's.  errmsg: at most max_errmsg_length bytes of
 * printable ASCII.
 */
std::size_t write_refusal_json(Refusal refusal, int errcode,
    std::string_view errmsg, std::span<char> out) noexcept;


}

#endif /* WX_OPENID_ERROR_H */
