/*
 * Copyright (C) wx_openid authors
 *
 * Plain text, as wx_openid_text.h has it.  <cctype> is not used: it follows
 * the locale.
 */

#include "wx_openid_text.h"

#include <optional>


namespace wx_openid {


namespace {


bool
is_unreserved(char c) noexcept
{
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}


std::optional<unsigned>
hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }

    c = to_lower(c);

    if (c >= 'a' && c <= 'f') {
        return static_cast<unsigned>(c - 'a' + 10);
    }

    return std::nullopt;
}


/* the byte that "%XX" at the start of "s" stands for */

std::optional<char>
escaped_byte(std::string_view s) noexcept
{
    if (s.size() < 3 || s[0] != '%') {
        return std::nullopt;
    }

    auto high = hex_value(s[1]);
    auto low = hex_value(s[2]);

    if (!high || !low) {
        return std::nullopt;
    }

    return static_cast<char>(*high << 4 | *low);
}


/* a header name's characters as backends may see them */

constexpr auto folded_chars = [] {
    std::array<char, 256> table{};

    for (unsigned i = 0; i < table.size(); i++) {
        char c = static_cast<char>(i);

        table[i] = is_alnum(c) ? to_lower(c) : '-';
    }

    return table;
}();


char
folded(char c) noexcept
{
    return folded_chars[static_cast<unsigned char>(c)];
}


}


bool
equal_nocase(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) {
                          return to_lower(x) == to_lower(y);
                      });
}


bool
has_control(std::string_view s) noexcept
{
    return std::any_of(s.begin(), s.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}


bool
has_space_or_not_ascii(std::string_view s) noexcept
{
    return std::any_of(s.begin(), s.end(), [](char c) {
        return c == ' ' || static_cast<unsigned char>(c) > 0x7f;
    });
}


std::string_view
trimmed(std::string_view s) noexcept
{
    while (!s.empty() && is_blank(s.front())) {
        s.remove_prefix(1);
    }

    while (!s.empty() && is_blank(s.back())) {
        s.remove_suffix(1);
    }

    return s;
}


std::string_view
next_part(std::string_view &s, char separator) noexcept
{
    auto size = std::min(s.find(separator), s.size());
    std::string_view part(s.data(), size);

    s.remove_prefix(std::min(size + 1, s.size()));

    return part;
}


bool
same_header_name(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return folded(x) == folded(y); });
}


std::uint64_t
header_name_bit(std::string_view name) noexcept
{
    std::size_t n = name.size() * 5;

    if (!name.empty()) {
        n += static_cast<unsigned char>(folded(name.front()));
    }

    return std::uint64_t{1} << n % 64;
}


std::size_t
percent_encode(std::string_view in, std::span<char> out) noexcept
{
    constexpr std::string_view hex = "0123456789ABCDEF";

    std::size_t n = 0;

    for (char c : in) {
        if (is_unreserved(c)) {
            out[n++] = c;
            continue;
        }

        auto byte = static_cast<unsigned char>(c);

        out[n++] = '%';
        out[n++] = hex[byte >> 4];
        out[n++] = hex[byte & 0x0f];
    }

    return n;
}


std::size_t
percent_decode(std::string_view in, std::span<char> out, Plus plus) noexcept
{
    std::size_t n = 0;

    while (!in.empty()) {
        auto byte = escaped_byte(in);

        if (byte) {
            out[n++] = *byte;
            in.remove_prefix(3);
            continue;
        }

        char c = in.front();

        out[n++] = c == '+' && plus == Plus::is_space ? ' ' : c;
        in.remove_prefix(1);
    }

    return n;
}


std::size_t
printable(std::string_view in, std::span<char> out) noexcept
{
    auto n = std::min(in.size(), out.size());

    std::transform(in.begin(), in.begin() + n, out.begin(), [](char c) {
        return c >= 0x20 && c < 0x7f ? c : '?';
    });

    return n;
}


}
