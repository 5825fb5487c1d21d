/*
 * Copyright (C) wx_openid authors
 *
 * What WeChat's code2Session answered: the JSON body of its reply becomes
 * an identity, an errcode, or a reason why it is neither.  Knows nothing of
 * nginx or HTTP; cJSON reads, and what it lets pass is checked here.
 */

#ifndef WX_OPENID_REPLY_H
#define WX_OPENID_REPLY_H

#include "wx_openid_text.h"


namespace wx_openid {


inline constexpr std::size_t max_openid_length = 128;
inline constexpr std::size_t max_session_key_length = 64;
inline constexpr std::size_t max_errmsg_length = 256;


enum class ReplyError {
    none,
    not_json,       /* no single JSON object, or text cJSON would bend:
                       NUL, raw control characters, trailing bytes */
    repeated,       /* openid, unionid, session_key or errcode twice */
    bad_errcode,    /* not an integer number */
    no_openid,      /* absent, not a string, or not usable */
    bad_unionid,
    bad_session_key
};

inline constexpr ReplyError last_reply_error = ReplyError::bad_session_key;

std::string_view reply_error_text(ReplyError error) noexcept;


struct SessionReply {
    ReplyError error = ReplyError::none;

    /* not 0: WeChat refused, and only errmsg is set besides */
    int errcode = 0;
    Text<max_errmsg_length> errmsg;     /* printable ASCII, cut to fit */

    Text<max_openid_length> openid;
    Text<max_openid_length> unionid;            /* empty if absent */
    Text<max_session_key_length> session_key;   /* empty if absent */

    bool has_identity() const noexcept
    {
        return error == ReplyError::none && errcode == 0;
    }
};


/*
 * Reads the body of a reply.  With an error or an errcode no identity is
 * set: there is never half of one.
 */
SessionReply read_session_reply(std::string_view body) noexcept;

/*
 * Whether the errmsg of a reply repeats a text that WeChat was sent, as it is
 * or percent-encoded.  The whole of it is looked through, for SessionReply's
 * is cut.  Without the memory to look it counts as repeated.
 */
bool errmsg_has(std::string_view body, std::string_view text) noexcept;

/* 1 to max_openid_length bytes of A-Z a-z 0-9 _ - . */
bool usable_openid(std::string_view openid) noexcept;

/* base64 with padding (RFC 4648, 4), 1 to max_session_key_length bytes */
bool usable_session_key(std::string_view key) noexcept;


}

#endif /* WX_OPENID_REPLY_H */
