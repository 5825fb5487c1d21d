/*
 * Copyright (C) wx_openid authors
 *
 * The header of wx_openid_http.h: its fields, and what they say together of
 * the body and of the connection (RFC 9112, 6 and 9).
 */

#include "wx_openid_http.h"

#include <algorithm>
#include <charconv>

#include "wx_openid_text.h"


namespace wx_openid {


namespace {


bool
is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}


}


void
HttpReply::header_field(std::string_view name, std::string_view value)
    noexcept
{
    if (equal_nocase(name, "Content-Length")) {
        content_length(value);
        return;
    }

    if (equal_nocase(name, "Transfer-Encoding")) {
        if (has_chunked_ || !equal_nocase(value, "chunked")) {
            fail(HttpError::unsupported_encoding);
            return;
        }

        has_chunked_ = true;
        return;
    }

    if (equal_nocase(name, "Content-Encoding")) {
        if (!equal_nocase(value, "identity")) {
            fail(HttpError::unsupported_encoding);
        }

        return;
    }

    if (equal_nocase(name, "Connection")) {
        connection(value);
    }
}


void
HttpReply::content_length(std::string_view value) noexcept
{
    if (has_length_ || value.empty()
        || !std::all_of(value.begin(), value.end(), is_digit))
    {
        fail(HttpError::bad_length);
        return;
    }

    has_length_ = true;

    auto [end, failed] = std::from_chars(value.data(),
                                         value.data() + value.size(), left_);

    if (failed != std::errc() || left_ > max_reply_size) {
        fail(HttpError::too_large);
    }
}


void
HttpReply::connection(std::string_view value) noexcept
{
    while (!value.empty()) {
        auto option = trimmed(next_part(value, ','));

        if (equal_nocase(option, "close")) {
            says_close_ = true;
        }

        if (equal_nocase(option, "keep-alive")) {
            says_keepalive_ = true;
        }
    }
}


void
HttpReply::end_of_header() noexcept
{
    if (status_ < 200) {
        status_ = 0;
        return;
    }

    if (has_chunked_ && (has_length_ || http10_)) {
        fail(HttpError::bad_length);
        return;
    }

    if (status_ == 204 || status_ == 304) {
        framing_ = Framing::none;

    } else if (has_chunked_) {
        framing_ = Framing::chunked;

    } else if (has_length_) {
        framing_ = left_ ? Framing::length : Framing::none;

    } else {
        framing_ = Framing::close;
    }

    keepalive_ = !says_close_ && (!http10_ || says_keepalive_)
                 && framing_ != Framing::close;

    state_ = framing_ == Framing::none ? State::complete : State::body;
}


}
