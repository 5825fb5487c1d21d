/*
 * Copyright (C) wx_openid authors
 *
 * Seals and opens session tokens, as wx_openid_token.h has it.
 */

#include "wx_openid_token.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "wx_openid_compact.h"
#include "wx_openid_memory.h"
#include "wx_openid_writer.h"


namespace wx_openid {


namespace {


constexpr std::size_t max_ciphertext = base64url_decoded_size(
    max_token_length);


const unsigned char *
bytes(std::string_view s) noexcept
{
    return reinterpret_cast<const unsigned char *>(s.data());
}


/* memory that held what nobody may find there later, as far as it was used */

template <std::size_t Size>
struct Secret {
    ~Secret()
    {
        OPENSSL_cleanse(data.data(), used);
    }

    std::array<unsigned char, Size> data;
    std::size_t used = Size;
};


/*
 * A token that fails leaves errors in OpenSSL's queue, where the next TLS
 * connection would find them.
 */

struct ErrorMark {
    ErrorMark() noexcept
    {
        ERR_set_mark();
    }

    ~ErrorMark()
    {
        ERR_pop_to_mark();
    }

    ErrorMark(const ErrorMark &) = delete;
    ErrorMark &operator=(const ErrorMark &) = delete;
};


}


std::string_view
token_error_text(TokenError error) noexcept
{
    switch (error) {
    case TokenError::none:
        return "no error";
    case TokenError::malformed:
        return "not a session token";
    case TokenError::unknown_key:
        return "unknown key";
    case TokenError::damaged:
        return "damaged, or sealed with another key of this kid";
    case TokenError::bad_claims:
        return "invalid claims";
    case TokenError::expired:
        return "expired";
    case TokenError::from_future:
        return "issued in the future";
    case TokenError::no_memory:
        return "no memory";
    }

    return "unknown error";
}


TokenError
check_times(const Claims &claims, std::int64_t now) noexcept
{
    if (claims.exp <= now) {
        return TokenError::expired;
    }

    /* claims are within 2^53, so nothing overflows */

    if (claims.iat - max_clock_skew > now
        || claims.auth_time - max_clock_skew > now)
    {
        return TokenError::from_future;
    }

    return TokenError::none;
}


bool
TokenCodec::add(const TokenKey &key) noexcept
{
    std::array<char, max_token_header> json, encoded;
    Writer w(json);

    w.add(R"({"alg":"A256KW","enc":"A256GCM","kid":")");
    w.add(key.kid.view());
    w.add(R"("})");

    auto size = base64url_encode({ bytes(w.view()), w.view().size() },
                                 encoded);

    auto &slot = slots_[count_];

    slot.unwrap = new_wrap_context(key.bytes, WrapMode::unwrap);

    if (!slot.unwrap || !slot.header.assign({ encoded.data(), size })) {
        return false;
    }

    count_++;
    return true;
}


bool
TokenCodec::init(std::span<const TokenKey> keys) noexcept
{
    wipe();

    if (keys.empty() || keys.size() > max_token_keys) {
        return false;
    }

    ErrorMark mark;

    wrap_ = new_wrap_context(keys[0].bytes, WrapMode::wrap);
    content_ = new_gcm_context();

    bool ok = wrap_ && content_
              && std::all_of(keys.begin(), keys.end(),
                             [this](const TokenKey &key) {
                                 return add(key);
                             });

    if (!ok) {
        wipe();
    }

    return ok;
}


void
TokenCodec::wipe() noexcept
{
    for (auto &slot : slots_) {
        EVP_CIPHER_CTX_free(slot.unwrap);
        slot.unwrap = nullptr;
    }

    EVP_CIPHER_CTX_free(wrap_);
    EVP_CIPHER_CTX_free(content_);

    wrap_ = nullptr;
    content_ = nullptr;
    count_ = 0;

    opened_.wipe();
}


TokenCodec::Slot *
TokenCodec::find(std::string_view header) noexcept
{
    for (auto &slot : std::span(slots_).first(count_)) {
        if (slot.header.view() == header) {
            return &slot;
        }
    }

    return nullptr;
}


std::size_t
TokenCodec::seal(const Claims &claims, TokenRandomness randomness,
    std::span<char> out) noexcept
{
    if (!ready()) {
        return 0;
    }

    Secret<max_claims_json> text;
    CompactParts parts;

    auto size = write_claims(claims,
                             { reinterpret_cast<char *>(text.data.data()),
                               text.data.size() });
    if (size == 0) {
        return 0;
    }

    ErrorMark mark;

    auto key = randomness.first<token_content_key_size>();
    auto nonce = randomness.last<token_nonce_size>();

    std::copy(nonce.begin(), nonce.end(), parts.nonce.begin());

    parts.header = slots_[0].header.view();
    parts.ciphertext = std::span(text.data).first(size);

    if (!wrap_key(wrap_, key, parts.wrapped)
        || !gcm_seal(content_, key, nonce, parts.header, parts.ciphertext,
                     parts.tag))
    {
        return 0;
    }

    return join_compact(parts, out);
}


TokenError
TokenCodec::decode(std::string_view token, Claims &claims) noexcept
{
    claims = {};

    if (token.size() > max_token_length || !looks_like_token(token)) {
        return TokenError::malformed;
    }

    CompactParts parts;
    Secret<max_ciphertext> text;

    if (!split_compact(token, parts, text.data)) {
        return TokenError::malformed;
    }

    text.used = parts.ciphertext.size();

    Slot *slot = find(parts.header);

    if (slot == nullptr) {
        return TokenError::unknown_key;
    }

    Secret<token_content_key_size> key;
    ErrorMark mark;
    MemoryWatch memory;

    if (!unwrap_key(slot->unwrap, parts.wrapped, key.data)
        || !gcm_open(content_, key.data, parts.nonce, parts.header,
                     parts.ciphertext, parts.tag))
    {
        return memory.ran_out() ? TokenError::no_memory
                                : TokenError::damaged;
    }

    std::string_view json(
        reinterpret_cast<const char *>(parts.ciphertext.data()),
        parts.ciphertext.size());

    if (read_claims(json, claims)) {
        return TokenError::none;
    }

    return memory.ran_out() ? TokenError::no_memory : TokenError::bad_claims;
}


TokenError
TokenCodec::open(std::string_view token, std::int64_t now,
    Claims &claims) noexcept
{
    const Claims *opened = opened_.find(token);
    auto error = TokenError::none;

    if (opened) {
        claims = *opened;

    } else {
        error = decode(token, claims);

        if (error == TokenError::none) {
            opened_.put(token, claims);
        }
    }

    if (error == TokenError::none) {
        error = check_times(claims, now);
    }

    if (error != TokenError::none) {
        claims = {};
    }

    return error;
}


}
