/*
 * Copyright (C) wx_openid authors
 *
 * Plain text: ASCII tests, header names, percent-encoding, a bounded string.
 * Knows nothing of nginx, HTTP messages or WeChat; allocates nothing.
 */

#ifndef WX_OPENID_TEXT_H
#define WX_OPENID_TEXT_H

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>


namespace wx_openid {


/*
 * A string of at most Max bytes held in place, so that a parser can give
 * its results by value.  Never NUL-terminated.
 */

template <std::size_t Max>
class Text {
public:
    Text() noexcept : size_(0) {}

    Text(const Text &other) noexcept
    {
        copy(other.view());
    }

    Text &operator=(const Text &other) noexcept
    {
        if (this != &other) {
            copy(other.view());
        }

        return *this;
    }

    std::string_view view() const noexcept
    {
        return {data_.data(), size_};
    }

    bool empty() const noexcept
    {
        return size_ == 0;
    }

    /* false, and empty, when the text does not fit */

    [[nodiscard]] bool assign(std::string_view s) noexcept
    {
        if (s.size() > Max) {
            size_ = 0;
            return false;
        }

        copy(s);
        return true;
    }

private:
    void copy(std::string_view s) noexcept
    {
        std::copy_n(s.data(), s.size(), data_.data());
        size_ = s.size();
    }

    /* bytes behind the text are never set: a request has many of these */

    std::array<char, Max> data_;
    std::size_t size_;
};


/* looked up, for whole identities and codes go by here in each request */

inline constexpr auto alnum_chars = [] {
    std::array<bool, 256> table{};

    for (unsigned char c = '0'; c <= '9'; c++) {
        table[c] = true;
    }

    for (unsigned char c = 'a'; c <= 'z'; c++) {
        table[c] = true;
        table[c - 'a' + 'A'] = true;
    }

    return table;
}();


constexpr bool is_alnum(char c) noexcept
{
    return alnum_chars[static_cast<unsigned char>(c)];
}

/* space or tab */

constexpr bool is_blank(char c) noexcept
{
    return c == ' ' || c == '\t';
}

constexpr char to_lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/* ASCII letters compare without case */
bool equal_nocase(std::string_view a, std::string_view b) noexcept;

/* true if any byte is below 0x20 or is 0x7f */
bool has_control(std::string_view s) noexcept;

/* true if any byte is a space or above 0x7f */
bool has_space_or_not_ascii(std::string_view s) noexcept;

/* without blanks at both ends */
std::string_view trimmed(std::string_view s) noexcept;

/*
 * Takes the part before "separator", and the separator, off "s"; all of it
 * where there is none.
 */
std::string_view next_part(std::string_view &s, char separator) noexcept;

/*
 * Whether two header names reach a backend as one: CGI-like gateways fold
 * "-" and "_", WSGI and Rack fold more, so letter case is ignored and every
 * character that is not a letter or digit equals "-".
 */
bool same_header_name(std::string_view a, std::string_view b) noexcept;

/*
 * PHP takes "NAME[...]" for an array that replaces NAME
 * (main/php_variables.c); up to the bracket, or all of it where there is none.
 */
constexpr std::string_view without_brackets(std::string_view name) noexcept
{
    return {name.data(), std::min(name.find('['), name.size())};
}

/*
 * One of 64 bits, the same for names that same_header_name() takes for one:
 * a set of names tells by its bits alone that most names are not in it.
 */
std::uint64_t header_name_bit(std::string_view name) noexcept;

/*
 * Percent-encodes all but the unreserved characters of RFC 3986, 2.3.
 * "out" must hold percent_encoded_max(in.size()) bytes; returns the length
 * written.
 */
constexpr std::size_t percent_encoded_max(std::size_t size) noexcept
{
    return size * 3;
}

std::size_t percent_encode(std::string_view in, std::span<char> out) noexcept;

/*
 * Percent-decodes; with Plus::is_space also "+" to a space, as forms have it
 * (WHATWG URL, application/x-www-form-urlencoded).  A "%" that two hex
 * digits do not follow stands for itself.  "out" must hold in.size() bytes
 * and may be the input itself; returns the length written.
 */
enum class Plus { literal, is_space };

std::size_t percent_decode(std::string_view in, std::span<char> out,
    Plus plus) noexcept;

/*
 * Copies at most out.size() bytes, every byte that is not printable ASCII
 * as "?": what a stranger sent becomes fit for a log line.  Returns the
 * length written.
 */
std::size_t printable(std::string_view in, std::span<char> out) noexcept;


}

#endif /* WX_OPENID_TEXT_H */
