/*
 * Copyright (C) wx_openid authors
 *
 * AES-256-GCM (NIST SP 800-38D) of short texts in place, each under a key of
 * its own.  A context takes any number of them, one after another.
 */

#ifndef WX_OPENID_GCM_H
#define WX_OPENID_GCM_H

#include <cstddef>
#include <span>
#include <string_view>


struct evp_cipher_ctx_st;


namespace wx_openid {


inline constexpr std::size_t gcm_key_size = 32;
inline constexpr std::size_t gcm_nonce_size = 12;
inline constexpr std::size_t gcm_tag_size = 16;

using GcmKey = std::span<const unsigned char, gcm_key_size>;
using GcmNonce = std::span<const unsigned char, gcm_nonce_size>;

/* to be freed by EVP_CIPHER_CTX_free(); nullptr on no memory */
evp_cipher_ctx_st *new_gcm_context() noexcept;

/* "aad" is authenticated besides; false only if OpenSSL failed */
[[nodiscard]] bool gcm_seal(evp_cipher_ctx_st *ctx, GcmKey key,
    GcmNonce nonce, std::string_view aad, std::span<unsigned char> text,
    std::span<unsigned char, gcm_tag_size> tag) noexcept;

/* false if anything was altered: "text" is then not to be used */
[[nodiscard]] bool gcm_open(evp_cipher_ctx_st *ctx, GcmKey key,
    GcmNonce nonce, std::string_view aad, std::span<unsigned char> text,
    std::span<const unsigned char, gcm_tag_size> tag) noexcept;


}

#endif /* WX_OPENID_GCM_H */
