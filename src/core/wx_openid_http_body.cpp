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
    return take(bytes, State::body, &HttpReply::body_byte);
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


void
HttpReply::body_byte(char c) noexcept
{
    if (framing_ == Framing::chunked) {
        chunk_byte(c);
        return;
    }

    body_[body_size_++] = c;

    if (framing_ == Framing::length && --left_ == 0) {
        state_ = State::complete;
    }
}


void
HttpReply::chunk_byte(char c) noexcept
{
    switch (chunk_) {

    case Chunk::size:
        if (line_byte(c)) {
            chunk_size({body_.data() + body_size_, line_size_});
            line_size_ = 0;
        }

        return;

    case Chunk::data:
        body_[body_size_++] = c;

        if (--left_ == 0) {
            chunk_ = Chunk::data_end;
        }

        return;

    case Chunk::data_end:
        if (c != crlf[line_size_]) {
            fail(HttpError::bad_chunk);
            return;
        }

        if (line_byte(c)) {
            line_size_ = 0;
            chunk_ = Chunk::size;
        }

        return;

    case Chunk::trailer:
        if (line_byte(c) && take_line().empty()) {
            state_ = State::complete;
        }
    }
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
