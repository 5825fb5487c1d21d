/*
 * Copyright (C) wx_openid authors
 *
 * base64url, as wx_openid_base64.h has it.
 */

#include "wx_openid_base64.h"

#include <array>


namespace wx_openid {


namespace {


constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr unsigned invalid = 0x80;


constexpr auto values = [] {
    std::array<unsigned char, 256> table{};

    table.fill(invalid);

    for (unsigned i = 0; i < alphabet.size(); i++) {
        table[static_cast<unsigned char>(alphabet[i])] =
            static_cast<unsigned char>(i);
    }

    return table;
}();


constexpr unsigned
value(char c) noexcept
{
    return values[static_cast<unsigned char>(c)];
}


constexpr char
digit(unsigned bits) noexcept
{
    return alphabet[bits & 0x3f];
}


constexpr unsigned char
byte(unsigned bits) noexcept
{
    return static_cast<unsigned char>(bits & 0xff);
}


}


std::size_t
base64url_encode(std::span<const unsigned char> in,
    std::span<char> out) noexcept
{
    std::size_t n = 0;

    while (in.size() >= 3) {
        unsigned bits = unsigned{in[0]} << 16 | unsigned{in[1]} << 8 | in[2];

        out[n++] = digit(bits >> 18);
        out[n++] = digit(bits >> 12);
        out[n++] = digit(bits >> 6);
        out[n++] = digit(bits);

        in = in.subspan(3);
    }

    if (in.size() == 1) {
        out[n++] = digit(in[0] >> 2);
        out[n++] = digit(unsigned{in[0]} << 4);

    } else if (in.size() == 2) {
        out[n++] = digit(in[0] >> 2);
        out[n++] = digit(unsigned{in[0]} << 4 | in[1] >> 4);
        out[n++] = digit(unsigned{in[1]} << 2);
    }

    return n;
}


std::optional<std::size_t>
base64url_decode(std::string_view in, std::span<unsigned char> out) noexcept
{
    if (in.size() % 4 == 1 || base64url_decoded_size(in.size()) > out.size()) {
        return std::nullopt;
    }

    std::size_t n = 0;
    unsigned seen = 0;      /* all values: "invalid" stays set in it */

    for (; in.size() >= 4; in.remove_prefix(4)) {
        unsigned a = value(in[0]), b = value(in[1]);
        unsigned c = value(in[2]), d = value(in[3]);

        seen |= a | b | c | d;

        out[n++] = byte(a << 2 | b >> 4);
        out[n++] = byte(b << 4 | c >> 2);
        out[n++] = byte(c << 6 | d);
    }

    unsigned stray = 0;     /* bits that stand for nothing */

    if (in.size() >= 2) {
        unsigned a = value(in[0]), b = value(in[1]);

        seen |= a | b;
        stray = b & 0x0f;

        out[n++] = byte(a << 2 | b >> 4);

        if (in.size() == 3) {
            unsigned c = value(in[2]);

            seen |= c;
            stray = c & 0x03;

            out[n++] = byte(b << 4 | c >> 2);
        }
    }

    if (seen & invalid || stray) {
        return std::nullopt;
    }

    return n;
}


}
