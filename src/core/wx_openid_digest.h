/*
 * Copyright (C) wx_openid authors
 *
 * Digests by which exchanges are told apart: SHA-256 (FIPS 180-4) over
 * length-prefixed parts, so that no two lists of parts run together.
 */

#ifndef WX_OPENID_DIGEST_H
#define WX_OPENID_DIGEST_H

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>


struct evp_md_st;
struct evp_md_ctx_st;


namespace wx_openid {


inline constexpr std::size_t sha256_size = 32;

using Sha256 = std::array<unsigned char, sha256_size>;

/*
 * SHA-256 for many short texts: finding the algorithm, which OpenSSL does
 * anew for each digest otherwise, costs more than the digest.  Made once;
 * wipe() frees, without which it must not be dropped.  One thread at a time.
 */

class Hasher {
public:
    /* false on no memory, or where OpenSSL has no SHA-256 */
    [[nodiscard]] bool init() noexcept;

    [[nodiscard]] bool hash(std::string_view text, Sha256 &out) noexcept;

    void wipe() noexcept;

private:
    evp_md_st *md_ = nullptr;
    evp_md_ctx_st *ctx_ = nullptr;
};


/* false, which only lack of memory can bring about, leaves "out" as it is */
[[nodiscard]] bool digest_parts(std::initializer_list<std::string_view> parts,
    Sha256 &out) noexcept;


}

#endif /* WX_OPENID_DIGEST_H */
