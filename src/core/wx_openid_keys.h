/*
 * Copyright (C) wx_openid authors
 *
 * The keys of session tokens: a JWK Set (RFC 7517) of 256-bit "oct" keys.
 * Knows nothing of files, or of what is sealed with the keys; whoever reads
 * a set wipes it.
 *
 *     {"keys":[{"kty":"oct","kid":"2024-08","k":"...43 characters..."}]}
 *
 * "use" and "alg" may say "enc" and "A256KW", and nothing else.  Other
 * members, of the set or of a key, are ignored.
 */

#ifndef WX_OPENID_KEYS_H
#define WX_OPENID_KEYS_H

#include "wx_openid_text.h"


namespace wx_openid {


inline constexpr std::size_t token_key_size = 32;
inline constexpr std::size_t max_token_keys = 64;
inline constexpr std::size_t max_kid_length = 64;

/* far beyond what max_token_keys need; a file need not be read further */

inline constexpr std::size_t max_key_set_size = 64 * 1024;


struct TokenKey {
    Text<max_kid_length> kid;
    std::array<unsigned char, token_key_size> bytes{};
};


enum class KeyFault {
    none,

    /* of the set */
    too_long,           /* over max_key_set_size */
    not_json,           /* not one JSON object, or text cJSON would bend */
    no_keys,            /* "keys" is absent, empty, twice or no array */
    too_many,           /* over max_token_keys */

    /* of a key */
    not_object,
    repeated,           /* a member that is read is there twice */
    wrong_kty,
    no_kid,             /* absent or not a string */
    bad_kid,            /* not usable_kid() */
    duplicate_kid,
    no_k,               /* absent or not a string */
    bad_k,              /* not base64url */
    short_k,
    long_k,
    wrong_use,
    wrong_alg
};

std::string_view key_fault_text(KeyFault fault) noexcept;


struct KeySetError {
    KeyFault fault = KeyFault::none;
    std::size_t number = 0;     /* of the key, from 1; 0: of the set */
    Text<max_kid_length> kid;   /* its kid, printable, where it has one */
};

inline constexpr std::size_t max_key_set_error = 160;

/*
 * As words, "key 2 \"2024-08\": \"k\" is too short", to "out" of
 * max_key_set_error bytes; returns the length written.
 */
std::size_t write_key_set_error(const KeySetError &error,
    std::span<char> out) noexcept;


/* the first key seals, all open */

class KeySet {
public:
    /*
     * An error leaves the set empty; wipe() is needed after success.  Only
     * of text that is no JSON at all may cJSON leave parts in freed memory.
     */
    [[nodiscard]] KeySetError read(std::string_view json) noexcept;

    std::span<const TokenKey> keys() const noexcept
    {
        return std::span(keys_).first(count_);
    }

    void wipe() noexcept;

private:
    std::array<TokenKey, max_token_keys> keys_{};
    std::size_t count_ = 0;
};


/* 1 to max_kid_length bytes of A-Z a-z 0-9 . _ - */
bool usable_kid(std::string_view kid) noexcept;


}

#endif /* WX_OPENID_KEYS_H */
