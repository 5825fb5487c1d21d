/*
 * Copyright (C) wx_openid authors
 *
 * The HTTP/1.1 of the call to WeChat: the request as written and the reply
 * as read (RFC 9112).  Bytes come in any pieces; nothing is allocated and
 * nothing is known of nginx or of what the body means.
 */

#ifndef WX_OPENID_HTTP_H
#define WX_OPENID_HTTP_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>


namespace wx_openid {


/*
 * GET {prefix}/sns/jscode2session with appid, secret, js_code and
 * grant_type, all percent-encoded.  "host" is sent as it is.  With "close"
 * the peer is told not to keep the connection (RFC 9112, 9.6).  The views
 * are borrowed for the call.
 */
struct ExchangeRequest {
    std::string_view host;
    std::string_view prefix;
    std::string_view appid;
    std::string_view secret;
    std::string_view code;
    bool close = false;
};

/* the path without arguments: all that may ever be logged of the request */

inline constexpr std::string_view exchange_path = "/sns/jscode2session";

/* an upper bound of what write_exchange_request() writes, in bytes */
std::size_t exchange_request_max(const ExchangeRequest &request) noexcept;

/*
 * Writes the whole request to "out", which must hold
 * exchange_request_max() bytes; returns the length written.
 */
std::size_t write_exchange_request(const ExchangeRequest &request,
    std::span<char> out) noexcept;


/* a whole reply, framing and 1xx included, may have so many bytes */

inline constexpr std::size_t max_reply_size = 16 * 1024;


enum class HttpError {
    none,
    bad_status_line,
    bad_header,
    bad_length,             /* not a number, twice, or with chunked */
    unsupported_encoding,   /* Transfer-Encoding but chunked, or a
                               Content-Encoding: none was asked for */
    switched_protocols,     /* 101 */
    bad_chunk,
    too_large,
    truncated               /* end of connection before the end of reply */
};

std::string_view http_error_text(HttpError error) noexcept;


/*
 * Reads one final reply; 1xx replies before it are skipped.  The body is
 * collected in the caller's buffer of max_reply_size bytes, which must
 * outlive the reader.  After a failure or the end the reader takes no more.
 */
class HttpReply {
public:
    enum class State { header, body, complete, failed };

    explicit HttpReply(std::span<char> body) noexcept : body_(body) {}

    /*
     * Takes bytes of the header; returns how many it took.  Stops behind
     * the last byte of the header, where state() leaves "header".
     */
    std::size_t read_header(std::string_view bytes) noexcept;

    /*
     * Takes bytes of the body; returns how many it took.  Stops behind the
     * last byte of the reply, so a rest shows a peer that sent too much.
     */
    std::size_t read_body(std::string_view bytes) noexcept;

    /*
     * The connection ended: completes a body that only its end delimits,
     * fails any other unfinished reply.
     */
    void end_of_connection() noexcept;

    State state() const noexcept { return state_; }
    HttpError error() const noexcept { return error_; }

    /* valid once the header is read */

    unsigned status() const noexcept { return status_; }

    /* false: the peer closes, or the end of connection ends the body */
    bool keepalive() const noexcept { return keepalive_; }

    bool until_close() const noexcept { return framing_ == Framing::close; }

    /* the body so far, in the caller's buffer */
    std::string_view body() const noexcept
    {
        return {body_.data(), body_size_};
    }

private:
    enum class Framing { none, length, chunked, close };
    enum class Chunk { size, data, data_end, trailer };

    /* takes some of the bytes, at least one; returns how many */
    using TakeSome = std::size_t (HttpReply::*)(std::string_view) noexcept;

    std::size_t take(std::string_view bytes, State state, TakeSome take_some)
        noexcept;
    void fail(HttpError error) noexcept;

    std::size_t version_byte(char c) noexcept;
    std::size_t header_bytes(std::string_view bytes) noexcept;
    void status_line(std::string_view line) noexcept;
    void header_line(std::string_view line) noexcept;
    void header_field(std::string_view name, std::string_view value) noexcept;
    void content_length(std::string_view value) noexcept;
    void connection(std::string_view value) noexcept;
    void end_of_header() noexcept;

    std::size_t body_bytes(std::string_view bytes) noexcept;
    std::size_t data_bytes(std::string_view bytes) noexcept;
    std::size_t chunk_bytes(std::string_view bytes) noexcept;
    void chunk_size(std::string_view line) noexcept;

    std::size_t line_bytes(std::string_view bytes, bool &whole) noexcept;
    std::string_view take_line() noexcept;

    std::span<char> body_;
    std::size_t body_size_ = 0;

    /*
     * A line is collected behind the body, which has room for it: a byte
     * is in one of both, and all bytes are no more than the buffer holds.
     */
    std::size_t line_size_ = 0;

    std::size_t taken_ = 0;
    std::size_t left_ = 0;      /* of a length or a chunk */

    State state_ = State::header;
    HttpError error_ = HttpError::none;
    Framing framing_ = Framing::none;
    Chunk chunk_ = Chunk::size;
    unsigned status_ = 0;       /* 0: the status line is to come */
    bool http10_ = false;
    bool has_length_ = false;
    bool has_chunked_ = false;
    bool says_close_ = false;
    bool says_keepalive_ = false;
    bool keepalive_ = false;
};


}

#endif /* WX_OPENID_HTTP_H */
