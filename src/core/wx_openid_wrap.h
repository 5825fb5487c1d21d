/*
 * Copyright (C) wx_openid authors
 *
 * AES key wrap (RFC 3394) of a 256-bit key under another.  The block cipher
 * is OpenSSL's: its own EVP_aes_256_wrap() does without the processor's AES
 * instructions and takes ten times as long, most of what a token costs.
 */

#ifndef WX_OPENID_WRAP_H
#define WX_OPENID_WRAP_H

#include <cstddef>
#include <span>


struct evp_cipher_ctx_st;


namespace wx_openid {


inline constexpr std::size_t unwrapped_size = 32;
inline constexpr std::size_t wrapped_size = unwrapped_size + 8;

enum class WrapMode { unwrap, wrap };

/*
 * A context ready for the key given, to be freed by EVP_CIPHER_CTX_free(),
 * which erases the key in it; nullptr on no memory.
 */
evp_cipher_ctx_st *new_wrap_context(
    std::span<const unsigned char, unwrapped_size> key,
    WrapMode mode) noexcept;

/* false only if OpenSSL failed */
[[nodiscard]] bool wrap_key(evp_cipher_ctx_st *ctx,
    std::span<const unsigned char, unwrapped_size> key,
    std::span<unsigned char, wrapped_size> out) noexcept;

/* false if it was not wrapped with this key; "out" is then undefined */
[[nodiscard]] bool unwrap_key(evp_cipher_ctx_st *ctx,
    std::span<const unsigned char, wrapped_size> wrapped,
    std::span<unsigned char, unwrapped_size> out) noexcept;


}

#endif /* WX_OPENID_WRAP_H */
