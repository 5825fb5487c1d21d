/*
 * Copyright (C) wx_openid authors
 *
 * The body of wx_openid_http.h's reply: by its length, by chunks, or up to
 * the end of the connection.
 */

#include "wx_openid_http.h"

#include <algorithm>
#include <charconv>

#include "wx_openid_text.h"


namespace wx_openid {


namespace {


constexpr std::string_view crlf = "\r\n";


}


std::size_t
HttpReply::read_body(std::string_view bytes) noexcept
{
    return take(bytes, State::body, &HttpReply::body_bytes);
}


void
HttpReply::end_of_connection() noexcept
{
    if (state_ == State::body && framing_ == Framing::close) {
        state_ = State::complete;
        return;
    }

    if (state_ != State::complete && state_ != State::failed) {
        fail(HttpError::truncated);
    }
}


/* takes at most "left_" bytes for the body, and counts them off */

std::size_t
HttpReply::data_bytes(std::string_view bytes) noexcept
{
    auto n = std::min(bytes.size(), left_);

    std::copy_n(bytes.data(), n, body_.data() + body_size_);
    body_size_ += n;
    left_ -= n;

    return n;
}


std::size_t
HttpReply::body_bytes(std::string_view bytes) noexcept
{
    std::size_t n;

    switch (framing_) {

    case Framing::chunked:
        return chunk_bytes(bytes);

    case Framing::length:
        n = data_bytes(bytes);

        if (left_ == 0) {
            state_ = State::complete;
        }

        return n;

    case Framing::close:
    case Framing::none:
        left_ = bytes.size();
        return data_bytes(bytes);
    }

    return bytes.size();
}


std::size_t
HttpReply::chunk_bytes(std::string_view bytes) noexcept
{
    bool whole;
    std::size_t n;

    switch (chunk_) {

    case Chunk::size:
        n = line_bytes(bytes, whole);

        if (whole) {
            chunk_size({body_.data() + body_size_, line_size_});
            line_size_ = 0;
        }

        return n;

    case Chunk::data:
        n = data_bytes(bytes);

        if (left_ == 0) {
            chunk_ = Chunk::data_end;
        }

        return n;

    case Chunk::data_end:
        if (bytes[0] != crlf[line_size_]) {
            fail(HttpError::bad_chunk);
            return 1;
        }

        if (++line_size_ == crlf.size()) {
            line_size_ = 0;
            chunk_ = Chunk::size;
        }

        return 1;

    case Chunk::trailer:
        n = line_bytes(bytes, whole);

        if (whole && take_line().empty()) {
            state_ = State::complete;
        }

        return n;
    }

    return bytes.size();
}


/* 1 to 8 hex digits, then CRLF or an extension, ignored, and CRLF */

void
HttpReply::chunk_size(std::string_view line) noexcept
{
    constexpr std::size_t max_digits = 8;

    auto first = line.data();
    auto last = first + line.size();

    auto [end, failed] = std::from_chars(first, last, left_, 16);
    auto digits = static_cast<std::size_t>(end - first);

    std::string_view rest(end, static_cast<std::size_t>(last - end));

    if (failed != std::errc() || digits > max_digits || rest.size() < 2) {
        fail(HttpError::bad_chunk);
        return;
    }

    std::string_view line_end(last - 2, 2);
    rest.remove_suffix(2);

    bool extension = rest.empty() || rest[0] == ';' || is_blank(rest[0]);
    bool control = std::any_of(rest.begin(), rest.end(), [](char c) {
        return c != '\t' && has_control({&c, 1});
    });

    if (line_end != crlf || !extension || control) {
        fail(HttpError::bad_chunk);
        return;
    }

    if (left_ > max_reply_size) {
        fail(HttpError::too_large);
        return;
    }

    chunk_ = left_ ? Chunk::data : Chunk::trailer;
}


}
