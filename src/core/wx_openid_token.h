/*
 * Copyright (C) wx_openid authors
 *
 * The session token: a JWE in compact form (RFC 7516), A256KW and A256GCM
 * (RFC 7518, 4.4 and 5.3), its protected header exactly
 *
 *     {"alg":"A256KW","enc":"A256GCM","kid":"..."}
 *
 * which is compared as bytes, so that no other algorithm is ever considered.
 * Time, randomness and keys are arguments.  Knows nothing of where a token
 * stands in a request, or of which app the request is for.
 */

#ifndef WX_OPENID_TOKEN_H
#define WX_OPENID_TOKEN_H

#include "wx_openid_base64.h"
#include "wx_openid_claims.h"
#include "wx_openid_gcm.h"
#include "wx_openid_keys.h"
#include "wx_openid_opened.h"
#include "wx_openid_wrap.h"


namespace wx_openid {


/* a longer one is refused unread */

inline constexpr std::size_t max_token_length = 2048;

/* how far another machine's clock may be ahead, in seconds */

inline constexpr std::int64_t max_clock_skew = 60;


enum class TokenError {
    none,
    malformed,          /* none of ours: too long, not five parts, another
                           header, not base64url */
    unknown_key,        /* its kid is not in the set */
    damaged,            /* altered, or of another key with this kid */
    bad_claims,         /* sealed with our key, yet not as read_claims()
                           has it */
    expired,
    from_future,        /* iat or auth_time beyond max_clock_skew */
    no_memory           /* it may be a good one */
};

std::string_view token_error_text(TokenError error) noexcept;


/*
 * What tells our token from another's: the header up to the kid, which is
 * 39 bytes and so ends where a character does.
 */

inline constexpr std::string_view token_prefix =
    "eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoi";

constexpr bool looks_like_token(std::string_view text) noexcept
{
    return text.size() >= token_prefix.size()
           && std::string_view(text.data(), token_prefix.size())
              == token_prefix;
}


/* the content key, then the nonce; never the same twice */

inline constexpr std::size_t token_content_key_size = unwrapped_size;
inline constexpr std::size_t token_nonce_size = gcm_nonce_size;
inline constexpr std::size_t token_randomness = token_content_key_size
                                                + token_nonce_size;

using TokenRandomness = std::span<const unsigned char, token_randomness>;


inline constexpr std::size_t max_token_header = base64url_size(
    std::string_view(R"({"alg":"A256KW","enc":"A256GCM","kid":""})").size()
    + max_kid_length);

/* what seal() may write: header, key, nonce, claims and tag, four dots */

inline constexpr std::size_t max_sealed_token =
    max_token_header + base64url_size(wrapped_size)
    + base64url_size(token_nonce_size) + base64url_size(max_claims_json)
    + base64url_size(gcm_tag_size) + 4;

static_assert(max_sealed_token <= max_token_length);
static_assert(token_content_key_size == gcm_key_size);


/*
 * Seals and opens with the keys of one configuration.  The cipher contexts
 * are made once, since that costs more than a token does; they belong to
 * the codec until wipe(), without which it must not be dropped.  One thread
 * at a time.
 */

class TokenCodec {
public:
    /*
     * Takes over the keys; the set may be wiped then.  False, and wiped, if
     * there is no memory or OpenSSL lacks a cipher.
     */
    [[nodiscard]] bool init(std::span<const TokenKey> keys) noexcept;

    bool ready() const noexcept
    {
        return count_ != 0;
    }

    /*
     * Seals with the first key, to "out" of max_sealed_token bytes; returns
     * the length written, 0 if the claims are not usable or OpenSSL failed.
     */
    [[nodiscard]] std::size_t seal(const Claims &claims,
        TokenRandomness randomness, std::span<char> out) noexcept;

    /* with an error the claims are left empty */
    [[nodiscard]] TokenError open(std::string_view token, std::int64_t now,
        Claims &claims) noexcept;

    /*
     * open() but for the time: never "expired" or "from_future"; and always
     * by the keys, where open() knows what it opened before.
     */
    [[nodiscard]] TokenError decode(std::string_view token,
        Claims &claims) noexcept;

    /* frees the contexts, which erases the keys in them; may be repeated */
    void wipe() noexcept;

private:
    using Context = evp_cipher_ctx_st *;

    struct Slot {
        Text<max_token_header> header;
        Context unwrap = nullptr;
    };

    Slot *find(std::string_view header) noexcept;
    bool add(const TokenKey &key) noexcept;

    std::array<Slot, max_token_keys> slots_{};
    std::size_t count_ = 0;

    Context wrap_ = nullptr;        /* the first key's */
    Context content_ = nullptr;     /* takes a key with every token */

    OpenedTokens opened_;
};


/* what open() asks of the claims' times */
TokenError check_times(const Claims &claims, std::int64_t now) noexcept;


}

#endif /* WX_OPENID_TOKEN_H */
