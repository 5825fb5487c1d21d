/*
 * Copyright (C) wx_openid authors
 *
 * Session tokens that were opened of late, and what they said: a client
 * sends one token with each of its requests, and to open it again costs more
 * than all else that is done for it.  Holds only what was authenticated;
 * knows nothing of keys, and nothing of time, which whoever asks checks.
 */

#ifndef WX_OPENID_OPENED_H
#define WX_OPENID_OPENED_H

#include "wx_openid_claims.h"


namespace wx_openid {


/* a token without a session_key is shorter; what is longer is not kept */

inline constexpr std::size_t max_kept_token = 640;
inline constexpr std::size_t kept_tokens = 256;


/*
 * Takes its memory, about 280 KB, with the first token: wipe() frees it,
 * without which this must not be dropped.  Without memory it keeps nothing.
 */

class OpenedTokens {
public:
    /* what this very token said, valid until the next put(), or nullptr */
    const Claims *find(std::string_view token) const noexcept;

    /* takes the place of one that hashes alike */
    void put(std::string_view token, const Claims &claims) noexcept;

    /* erases all and frees it; may be repeated */
    void wipe() noexcept;

private:
    bool allocate() noexcept;

    struct Slot {
        Text<max_kept_token> token;
        Claims claims;
    };

    Slot *slots_ = nullptr;         /* kept_tokens of them */
};


}

#endif /* WX_OPENID_OPENED_H */
