/*
 * Copyright (C) wx_openid authors
 *
 * base64url without padding (RFC 4648, 5), as JOSE has it.  Strict, so that
 * one value has one text: no padding, no white space, no stray bits.
 */

#ifndef WX_OPENID_BASE64_H
#define WX_OPENID_BASE64_H

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>


namespace wx_openid {


constexpr std::size_t base64url_size(std::size_t bytes) noexcept
{
    return (bytes * 4 + 2) / 3;
}

/* how many bytes a text of valid length stands for */

constexpr std::size_t base64url_decoded_size(std::size_t chars) noexcept
{
    return chars * 3 / 4;
}

/*
 * "out" must hold base64url_size(in.size()) bytes; returns the length
 * written, which is that.
 */
std::size_t base64url_encode(std::span<const unsigned char> in,
    std::span<char> out) noexcept;

/*
 * The length written to "out", nothing for what no encoder writes or what
 * does not fit; "out" is then undefined.
 */
std::optional<std::size_t> base64url_decode(std::string_view in,
    std::span<unsigned char> out) noexcept;


}

#endif /* WX_OPENID_BASE64_H */
