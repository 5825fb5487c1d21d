/*
 * Copyright (C) wx_openid authors
 *
 * Digests by which exchanges are told apart: SHA-256 (FIPS 180-4) over
 * length-prefixed parts, so that no two lists of parts run together.  The
 * only file of the core, beside the token's, that knows OpenSSL.
 */

#ifndef WX_OPENID_DIGEST_H
#define WX_OPENID_DIGEST_H

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>


namespace wx_openid {


inline constexpr std::size_t sha256_size = 32;

using Sha256 = std::array<unsigned char, sha256_size>;

/* false, which only lack of memory can bring about, leaves "out" as it is */
[[nodiscard]] bool digest_parts(std::initializer_list<std::string_view> parts,
    Sha256 &out) noexcept;


}

#endif /* WX_OPENID_DIGEST_H */
