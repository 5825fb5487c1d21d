/*
 * Copyright (C) wx_openid authors
 *
 * The reply of wx_openid_http.h up to its body, line by line.  A line is
 * judged when it is whole, so that where the input was cut cannot matter.
 * What its fields mean is in wx_openid_http_header.cpp.
 */

#include "wx_openid_http.h"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "wx_openid_text.h"


namespace wx_openid {


namespace {


constexpr std::string_view version = "HTTP/1.";


/* RFC 9110, 5.6.2 */

bool
is_token(std::string_view s) noexcept
{
    static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";

    return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
        return is_alnum(c) || marks.find(c) != marks.npos;
    });
}


/* what would let two readers see different lines */

bool
has_cr_or_nul(std::string_view line) noexcept
{
    return line.find('\r') != line.npos || line.find('\0') != line.npos;
}


}


std::string_view
http_error_text(HttpError error) noexcept
{
    switch (error) {
    case HttpError::none:
        return "no error";
    case HttpError::bad_status_line:
        return "invalid status line";
    case HttpError::bad_header:
        return "invalid header";
    case HttpError::bad_length:
        return "invalid length";
    case HttpError::unsupported_encoding:
        return "unsupported encoding";
    case HttpError::switched_protocols:
        return "switched protocols";
    case HttpError::bad_chunk:
        return "invalid chunk";
    case HttpError::too_large:
        return "too large";
    case HttpError::truncated:
        return "truncated";
    }

    return "unknown error";
}


std::size_t
HttpReply::read_header(std::string_view bytes) noexcept
{
    return take(bytes, State::header, &HttpReply::header_bytes);
}


std::size_t
HttpReply::take(std::string_view bytes, State state, TakeSome take_some)
    noexcept
{
    auto max = std::min(max_reply_size, body_.size());
    auto size = bytes.size();

    while (state_ == state && !bytes.empty()) {
        if (taken_ == max) {
            fail(HttpError::too_large);
            break;
        }

        auto n = (this->*take_some)({bytes.data(),
                                     std::min(bytes.size(), max - taken_)});
        taken_ += n;
        bytes.remove_prefix(n);
    }

    return size - bytes.size();
}


void
HttpReply::fail(HttpError error) noexcept
{
    state_ = State::failed;
    error_ = error;
    keepalive_ = false;
}


/* takes what there is of the line; "whole" behind its last byte */

std::size_t
HttpReply::line_bytes(std::string_view bytes, bool &whole) noexcept
{
    auto n = bytes.find('\n');

    whole = n != bytes.npos;
    n = whole ? n + 1 : bytes.size();

    std::copy_n(bytes.data(), n, body_.data() + body_size_ + line_size_);
    line_size_ += n;

    return n;
}


/* the line without its end, CRLF or LF; valid until the next byte */

std::string_view
HttpReply::take_line() noexcept
{
    std::string_view line(body_.data() + body_size_, line_size_);

    line_size_ = 0;
    line.remove_suffix(1);

    if (!line.empty() && line.back() == '\r') {
        line.remove_suffix(1);
    }

    return line;
}


/* a peer that speaks something else may never send a line's end */

std::size_t
HttpReply::version_byte(char c) noexcept
{
    if (c == version[line_size_]) {
        body_[body_size_ + line_size_++] = c;

    } else {
        fail(HttpError::bad_status_line);
    }

    return 1;
}


std::size_t
HttpReply::header_bytes(std::string_view bytes) noexcept
{
    if (status_ == 0 && line_size_ < version.size()) {
        return version_byte(bytes[0]);
    }

    bool whole;
    auto n = line_bytes(bytes, whole);

    if (!whole) {
        return n;
    }

    if (status_ == 0) {
        status_line(take_line());

    } else {
        header_line(take_line());
    }

    return n;
}


void
HttpReply::status_line(std::string_view line) noexcept
{
    bool cut = has_cr_or_nul(line);

    line.remove_prefix(version.size());

    /* "1 200", then the end or " reason" */

    if (cut || line.size() < 5 || (line[0] != '0' && line[0] != '1')
        || line[1] != ' ' || (line.size() > 5 && line[5] != ' '))
    {
        fail(HttpError::bad_status_line);
        return;
    }

    /* three digits, or it would be less than 100 */

    unsigned status = 0;
    std::from_chars(line.data() + 2, line.data() + 5, status);

    if (status < 100 || status > 599) {
        fail(HttpError::bad_status_line);
        return;
    }

    status_ = status;
    http10_ = line[0] == '0';

    if (status == 101) {
        fail(HttpError::switched_protocols);
    }
}


void
HttpReply::header_line(std::string_view line) noexcept
{
    if (line.empty()) {
        end_of_header();
        return;
    }

    auto value = line;
    auto name = next_part(value, ':');

    /* a folded line has a blank in its name, one without ":" is all name */

    if (has_cr_or_nul(line) || name.size() == line.size() || !is_token(name)) {
        fail(HttpError::bad_header);
        return;
    }

    if (status_ >= 200) {
        header_field(name, trimmed(value));
    }
}


static_assert(std::is_trivially_destructible_v<HttpReply>);


}
