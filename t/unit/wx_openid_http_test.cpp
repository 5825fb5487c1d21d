/*
 * Copyright (C) wx_openid authors
 *
 * Each reply is read whole, byte by byte, and cut in two at every place;
 * what is read must be the same.
 */

#include "wx_openid_http.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;

using State = HttpReply::State;


namespace {


enum class End { open, closed };


struct Result {
    State state;
    HttpError error;
    unsigned status;
    bool keepalive;
    bool until_close;
    std::string body;
    std::size_t taken;

    bool operator==(const Result &) const = default;
};


std::ostream &
operator<<(std::ostream &os, const Result &r)
{
    return os << "state " << static_cast<int>(r.state) << ", "
              << http_error_text(r.error) << ", status " << r.status
              << ", keepalive " << r.keepalive << ", until close "
              << r.until_close << ", taken " << r.taken << ", body \""
              << r.body << '"';
}


Result
read_pieces(const std::vector<std::string_view> &pieces, End end)
{
    auto buffer = std::make_unique<char[]>(max_reply_size);
    HttpReply reply({buffer.get(), max_reply_size});
    std::size_t taken = 0;

    for (auto piece : pieces) {
        /* a copy of its own, so that ASan sees where it ends */
        auto copy = std::make_unique<char[]>(piece.size());
        std::copy_n(piece.data(), piece.size(), copy.get());
        std::string_view rest(copy.get(), piece.size());

        auto n = reply.read_header(rest);
        EXPECT_LE(n, rest.size());
        EXPECT_TRUE(n == rest.size() || reply.state() != State::header);
        taken += n;
        rest.remove_prefix(n);

        n = reply.read_body(rest);
        EXPECT_LE(n, rest.size());
        EXPECT_TRUE(n == rest.size() || reply.state() != State::body);
        taken += n;
    }

    if (end == End::closed) {
        reply.end_of_connection();
    }

    return {reply.state(), reply.error(), reply.status(), reply.keepalive(),
            reply.until_close(), std::string(reply.body()), taken};
}


Result
read(std::string_view input, End end = End::open)
{
    auto whole = read_pieces({input}, end);

    std::vector<std::string_view> bytes;

    for (std::size_t i = 0; i < input.size(); i++) {
        bytes.emplace_back(input.data() + i, 1);
    }

    EXPECT_EQ(read_pieces(bytes, end), whole) << "byte by byte";

    /* every cut of a reply of usual size, some of a huge one */
    std::size_t step = input.size() > 2000 ? 499 : 1;

    for (std::size_t cut = 0; cut <= input.size(); cut += step) {
        std::string_view head(input.data(), cut);
        std::string_view tail(input.data() + cut, input.size() - cut);

        EXPECT_EQ(read_pieces({head, tail}, end), whole) << "cut at " << cut;
    }

    EXPECT_EQ(whole.state == State::failed, whole.error != HttpError::none);
    EXPECT_TRUE(!whole.keepalive || whole.state != State::failed);

    return whole;
}


HttpError
error_of(std::string_view input, End end = End::open)
{
    return read(input, end).error;
}


/* a reply of status 200 with these header lines and an empty body */

Result
with(const std::string &lines)
{
    return read("HTTP/1.1 200 OK\r\n" + lines + "Content-Length: 0\r\n\r\n");
}


Result
chunked(const std::string &body, End end = End::open)
{
    return read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
                end);
}


std::string
written(const ExchangeRequest &request)
{
    std::string out(exchange_request_max(request), '#');
    auto size = write_exchange_request(request, out);

    EXPECT_LE(size, out.size());
    out.resize(size);

    return out;
}


}


TEST(ExchangeRequest, IsWrittenWhole)
{
    EXPECT_EQ(written({"api.weixin.qq.com", "", "wx0123456789abcdef",
                       "s3cr3t", "0a1B-2"}),
              "GET /sns/jscode2session?appid=wx0123456789abcdef&secret=s3cr3t"
              "&js_code=0a1B-2&grant_type=authorization_code HTTP/1.1\r\n"
              "Host: api.weixin.qq.com\r\n"
              "User-Agent: wx_openid\r\n"
              "Accept: application/json, text/plain\r\n"
              "Accept-Encoding: identity\r\n"
              "\r\n");
}


TEST(ExchangeRequest, SaysThatItsConnectionIsNotKept)
{
    ExchangeRequest request{"h", "", "a", "b", "c"};
    request.close = true;

    EXPECT_TRUE(written(request).ends_with(
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"));
}


TEST(ExchangeRequest, HasPrefixAndHostAsTheyAre)
{
    auto text = written({"[::1]:8080", "/a%20b/c", "a", "b", "c"});

    EXPECT_EQ(text.find("GET /a%20b/c/sns/jscode2session?appid=a&"), 0u);
    EXPECT_NE(text.find("\r\nHost: [::1]:8080\r\n"), text.npos);
}


TEST(ExchangeRequest, EncodesItsArguments)
{
    auto text = written({"h", "", "a&b", "c d#",
                         "x&secret=\r\nHost: evil\0+%"sv});

    EXPECT_EQ(text.find("GET /sns/jscode2session?appid=a%26b&secret=c%20d%23"
                        "&js_code=x%26secret%3D%0D%0AHost%3A%20evil%00%2B%25"
                        "&grant_type=authorization_code HTTP/1.1\r\n"),
              0u);
}


TEST(ExchangeRequest, NeedsItsMaxAtMost)
{
    std::string worst(600, '&');
    ExchangeRequest request{"h", "/p", worst, worst, worst, true};

    EXPECT_EQ(written(request).size(), exchange_request_max(request));
}


TEST(HttpReply, ReadsABodyOfKnownLength)
{
    auto r = read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.error, HttpError::none);
    EXPECT_EQ(r.status, 200u);
    EXPECT_EQ(r.body, "hello");
    EXPECT_TRUE(r.keepalive);
    EXPECT_FALSE(r.until_close);
}


TEST(HttpReply, StopsBehindTheHeader)
{
    auto input = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"sv;
    std::string buffer(max_reply_size, '\0');
    HttpReply reply(buffer);

    EXPECT_EQ(reply.state(), State::header);
    EXPECT_EQ(reply.read_body(input), 0u);
    EXPECT_EQ(reply.read_header(input), input.size() - 5);
    EXPECT_EQ(reply.state(), State::body);
    EXPECT_EQ(reply.status(), 200u);
    EXPECT_TRUE(reply.keepalive());
    EXPECT_EQ(reply.body(), "");
    EXPECT_EQ(reply.read_header("hello"), 0u);
    EXPECT_EQ(reply.read_body("he"), 2u);
    EXPECT_EQ(reply.body(), "he");
    EXPECT_EQ(reply.read_body("llo!"), 3u);
    EXPECT_EQ(reply.state(), State::complete);
    EXPECT_EQ(reply.body(), "hello");
}


TEST(HttpReply, LeavesWhatFollowsTheReply)
{
    auto reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"s;
    auto r = read(reply + "HTTP/1.1 200 OK\r\n");

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.body, "hi");
    EXPECT_EQ(r.taken, reply.size());
}


TEST(HttpReply, TakesNoMoreAfterTheEnd)
{
    std::string buffer(max_reply_size, '\0');
    HttpReply reply(buffer);

    reply.read_header("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(reply.state(), State::complete);
    EXPECT_EQ(reply.read_header("HTTP/1.1 500 X\r\n"), 0u);
    EXPECT_EQ(reply.read_body("x"), 0u);
    reply.end_of_connection();
    EXPECT_EQ(reply.state(), State::complete);
    EXPECT_EQ(reply.status(), 204u);
}


TEST(HttpReply, TakesNoMoreAfterAFailure)
{
    std::string buffer(max_reply_size, '\0');
    HttpReply reply(buffer);

    reply.read_header("HTTP/2");
    EXPECT_EQ(reply.error(), HttpError::bad_status_line);
    EXPECT_EQ(reply.read_header("HTTP/1.1 200 OK\r\n\r\n"), 0u);
    EXPECT_EQ(reply.read_body("x"), 0u);
    reply.end_of_connection();
    EXPECT_EQ(reply.state(), State::failed);
    EXPECT_EQ(reply.error(), HttpError::bad_status_line);
}


TEST(HttpReply, IsTruncatedByTheEndAnywhereBefore)
{
    for (auto reply : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"sv,
                       "HTTP/1.1 100 Continue\r\n\r\n"
                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "2\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n"sv})
    {
        for (std::size_t size = 0; size < reply.size(); size++) {
            std::string_view part(reply.data(), size);

            EXPECT_EQ(error_of(part, End::open), HttpError::none) << size;
            EXPECT_EQ(error_of(part, End::closed), HttpError::truncated)
                << size;
        }

        auto r = read(reply, End::closed);

        EXPECT_EQ(r.state, State::complete);
        EXPECT_EQ(r.body, "hello");
    }
}


TEST(HttpReply, WithoutALengthLastsUntilClose)
{
    auto text = "HTTP/1.1 200 OK\r\n\r\nhello"s;

    auto r = read(text);

    EXPECT_EQ(r.state, State::body);
    EXPECT_TRUE(r.until_close);
    EXPECT_FALSE(r.keepalive);
    EXPECT_EQ(r.body, "hello");

    r = read(text, End::closed);

    EXPECT_EQ(r.state, State::complete);
    EXPECT_FALSE(r.keepalive);
    EXPECT_EQ(r.body, "hello");

    r = read("HTTP/1.1 200 OK\r\n\r\n", End::closed);

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.body, "");
}


TEST(HttpReply, UntilCloseIsNotKeptAliveWhateverItSays)
{
    auto r = read("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nx",
                  End::closed);

    EXPECT_EQ(r.state, State::complete);
    EXPECT_FALSE(r.keepalive);
}


TEST(HttpReply, MayHaveNoBody)
{
    for (auto header : {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"s,
                        "HTTP/1.1 204 No Content\r\n\r\n"s,
                        "HTTP/1.1 304 Not Modified\r\n\r\n"s,
                        "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n"s,
                        "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n"s,
                        "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n"
                        "\r\n"s})
    {
        auto r = read(header + "rest");

        EXPECT_EQ(r.state, State::complete) << header;
        EXPECT_EQ(r.taken, header.size()) << header;
        EXPECT_EQ(r.body, "") << header;
        EXPECT_TRUE(r.keepalive) << header;
        EXPECT_FALSE(r.until_close) << header;
    }
}


TEST(HttpStatusLine, IsOfHttp10Or11)
{
    for (auto line : {"HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200",
                      "HTTP/1.1 200 ", "HTTP/1.1 200  a \t b",
                      "HTTP/1.1 200 \xc3\xa9", "HTTP/1.1 599 x",
                      "HTTP/1.1 200 1 2"})
    {
        for (auto end : {"\r\n", "\n"}) {
            auto r = read(line + std::string(end)
                          + "Content-Length: 0\r\n\r\n");

            EXPECT_EQ(r.state, State::complete) << line;
            EXPECT_EQ(r.status, line[9] == '5' ? 599u : 200u) << line;
        }
    }
}


TEST(HttpStatusLine, IsNothingElse)
{
    for (auto line : {"", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20",
                      "HTTP/1.1 2000", "HTTP/1.1 2x0 OK", "HTTP/1.1 x00 OK",
                      "HTTP/1.1 20x OK", "HTTP/1.1 200OK", "HTTP/1.1 200\tOK",
                      "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1200",
                      "HTTP/1.2 200 OK", "HTTP/1.9 200 OK", "HTTP/2 200",
                      "HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "http/1.1 200 OK",
                      " HTTP/1.1 200 OK", "HTTP/1.10 200 OK",
                      "HTTP/1. 200 OK", "HTTP/11 200 OK", "HTTPS/1.1 200 OK",
                      "HTTP/1.1 099 OK", "HTTP/1.1 000 OK", "HTTP/1.1 600 OK",
                      "HTTP/1.1 999 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 -99 OK",
                      "HTTP/1.1 0x1 OK", "HTTP/1.1 200 O\rK",
                      "HTTP/1.1 200\r OK", "HTTP/1.1 200 OK\r",
                      "GET / HTTP/1.1", "{}"})
    {
        for (auto end : {"\r\n", "\n"}) {
            /* one CR of its own and LF would be a line's end */
            if (*end == '\n' && std::string_view(line).ends_with('\r')) {
                continue;
            }

            EXPECT_EQ(error_of(line + std::string(end) + "\r\n"),
                      HttpError::bad_status_line)
                << line;
        }
    }

    EXPECT_EQ(error_of("HTTP/1.1 200 O\0K\r\n\r\n"sv),
              HttpError::bad_status_line);
}


TEST(HttpStatusLine, IsRefusedBeforeItEnds)
{
    /* an HTTP/2 SETTINGS frame, a TLS alert: no LF may ever come */

    EXPECT_EQ(error_of("\0\0\x12\x04"sv), HttpError::bad_status_line);
    EXPECT_EQ(error_of("\x15\x03\x01"), HttpError::bad_status_line);
    EXPECT_EQ(error_of("HTTP/2"), HttpError::bad_status_line);
    EXPECT_EQ(error_of("\r"), HttpError::bad_status_line);
}


TEST(HttpHeader, LinesEndInCrlfOrLf)
{
    auto r = read("HTTP/1.1 200 OK\nA: b\r\nContent-Length: 2\n\nhi");

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.body, "hi");
}


TEST(HttpHeader, IgnoresUnknownFields)
{
    for (auto line : {"A:", "A: ", "A:b", "A:\tb\t", "A: b:c: d", "A: \xff",
                      "!#$%&'*+-.^_`|~09azAZ: x", "Content-Type: text/plain",
                      "Content-Length-X: 7", "X-Content-Length: 7",
                      "Content: 7", "TE: gzip", "Encoding: gzip",
                      "Connections: close"})
    {
        auto r = with(line + "\r\n"s);

        EXPECT_EQ(r.state, State::complete) << line;
        EXPECT_TRUE(r.keepalive) << line;
    }
}


TEST(HttpHeader, RefusesBadLines)
{
    for (auto line : {"A", "A b", ":", ": b", " A: b", "\tA: b", " ",
                      "\t", "A : b", "A\t: b", "A b: c", "A(: b", "A\": b",
                      "A@: b", "A/: b", "\xc3\xa9: b", "A\x7f: b",
                      "A\x01: b", "A: b\rC: d", "A\r: b", "A: \r",
                      "A: b\r", "\r", "\rA: b", "Content-Length : 0"})
    {
        EXPECT_EQ(with(line + "\r\n"s).error, HttpError::bad_header) << line;
    }

    EXPECT_EQ(with("A: b\0c\r\n"s).error, HttpError::bad_header);
    EXPECT_EQ(with("A\0: b\r\n"s).error, HttpError::bad_header);
    EXPECT_EQ(with("\0\r\n"s).error, HttpError::bad_header);
}


TEST(HttpHeader, RefusesFoldedLines)
{
    EXPECT_EQ(with("A: b\r\n c\r\n").error, HttpError::bad_header);
    EXPECT_EQ(with("A: b\r\n\tc: d\r\n").error, HttpError::bad_header);
    EXPECT_EQ(with("A: b\n c: d\n").error, HttpError::bad_header);
}


TEST(HttpLength, IsDigitsOnce)
{
    for (auto value : {"2", "02", " 2 ", "\t2\t", "0000000000000000000002"}) {
        auto r = read("HTTP/1.1 200 OK\r\ncontent-LENGTH:"s + value
                      + "\r\n\r\nhi");

        EXPECT_EQ(r.state, State::complete) << value;
        EXPECT_EQ(r.body, "hi") << value;
    }

    for (auto value : {"", " ", "x", "2x", "x2", "+2", "-2", "2.0", "0x2",
                       "2 2", "2,2", "2, 2", "2;", "\"2\"",
                       "99999999999999999999999x"})
    {
        EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: "s + value
                           + "\r\n\r\nhi"),
                  HttpError::bad_length)
            << value;
    }
}


TEST(HttpLength, MayNotStandTwice)
{
    EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                       "Content-Length: 2\r\n\r\nhi"),
              HttpError::bad_length);
    EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                       "content-length: 2\r\n\r\nhi"),
              HttpError::bad_length);
}


TEST(HttpLength, MayNotBeMoreThanAReply)
{
    for (auto value : {"16385", "4294967298", "9223372036854775808",
                       "18446744073709551615", "18446744073709551618",
                       "99999999999999999999999999"})
    {
        EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nContent-Length: "s + value
                           + "\r\n"),
                  HttpError::too_large)
            << value;
    }

    EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n").state,
              State::body);
}


TEST(HttpEncoding, OfTransferIsChunkedOnce)
{
    for (auto value : {"chunked", "Chunked", " CHUNKED\t"}) {
        auto r = read("HTTP/1.1 200 OK\r\ntransfer-ENCODING:"s + value
                      + "\r\n\r\n0\r\n\r\n");

        EXPECT_EQ(r.state, State::complete) << value;
        EXPECT_TRUE(r.keepalive) << value;
        EXPECT_FALSE(r.until_close) << value;
    }

    for (auto value : {"", "identity", "gzip", "gzip, chunked",
                       "chunked, chunked", "chunked,", "chunked;x", "xchunked",
                       "chunke", "\"chunked\""})
    {
        EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: "s + value
                           + "\r\n\r\n0\r\n\r\n"),
                  HttpError::unsupported_encoding)
            << value;
    }

    EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n"),
              HttpError::unsupported_encoding);
}


TEST(HttpEncoding, OfTransferExcludesALength)
{
    for (auto length : {"0", "5"}) {
        auto field = "Content-Length: "s + length + "\r\n";
        auto encoding = "Transfer-Encoding: chunked\r\n"s;

        EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\n" + field + encoding + "\r\n"),
                  HttpError::bad_length);
        EXPECT_EQ(error_of("HTTP/1.1 200 OK\r\n" + encoding + field + "\r\n"),
                  HttpError::bad_length);
    }
}


TEST(HttpEncoding, OfTransferIsNotInHttp10)
{
    EXPECT_EQ(error_of("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"
                       "\r\n"),
              HttpError::bad_length);
}


TEST(HttpEncoding, OfContentIsIdentity)
{
    EXPECT_EQ(with("Content-Encoding: identity\r\n").state, State::complete);
    EXPECT_EQ(with("Content-Encoding:\tIDENTITY \r\n").state,
              State::complete);

    for (auto value : {"gzip", "br", "deflate", "", "identity, gzip",
                       "identity, identity"})
    {
        EXPECT_EQ(with("content-encoding: "s + value + "\r\n").error,
                  HttpError::unsupported_encoding)
            << value;
    }
}


TEST(HttpConnection, IsKeptInHttp11UnlessClosed)
{
    for (auto lines : {"", "Connection: keep-alive\r\n", "Connection:\r\n",
                       "Connection: closed\r\n", "Connection: x-close\r\n",
                       "Connection: upgrade, , foo\r\n"})
    {
        EXPECT_TRUE(with(lines).keepalive) << lines;
    }

    for (auto lines : {"Connection: close\r\n", "connection:CLOSE\r\n",
                       "Connection: keep-alive, close\r\n",
                       "Connection: close,keep-alive\r\n",
                       "Connection: a ,\tClose\t, b\r\n",
                       "Connection: ,,close\r\n",
                       "Connection: close\r\nConnection: keep-alive\r\n",
                       "Connection: keep-alive\r\nConnection: close\r\n"})
    {
        auto r = with(lines);

        EXPECT_EQ(r.state, State::complete) << lines;
        EXPECT_FALSE(r.keepalive) << lines;
    }
}


TEST(HttpConnection, IsClosedInHttp10UnlessKept)
{
    auto http10 = [](std::string_view lines) {
        auto r = read("HTTP/1.0 200 OK\r\n" + std::string(lines)
                      + "Content-Length: 2\r\n\r\nhi");

        EXPECT_EQ(r.state, State::complete);

        return r.keepalive;
    };

    EXPECT_FALSE(http10(""));
    EXPECT_FALSE(http10("Connection: foo\r\n"));
    EXPECT_FALSE(http10("Connection: close, keep-alive\r\n"));
    EXPECT_TRUE(http10("Connection: keep-alive\r\n"));
    EXPECT_TRUE(http10("Connection: foo, Keep-Alive\r\n"));
}


TEST(HttpInterim, IsSkippedWhole)
{
    auto r = read("HTTP/1.1 100 Continue\r\n\r\n"
                  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n"
                  "\r\n"
                  "HTTP/1.0 102\n\n"
                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.status, 200u);
    EXPECT_EQ(r.body, "hi");
    EXPECT_TRUE(r.keepalive);
}


TEST(HttpInterim, HasNoSayInTheFinalReply)
{
    auto r = read("HTTP/1.0 103 X\r\nContent-Length: x\r\n"
                  "Connection: close\r\nTransfer-Encoding: gzip\r\n"
                  "Content-Encoding: gzip\r\n\r\n"
                  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.body, "hi");
    EXPECT_TRUE(r.keepalive);
}


TEST(HttpInterim, MayNotBeBroken)
{
    EXPECT_EQ(error_of("HTTP/1.1 103 X\r\nA b\r\n\r\n"),
              HttpError::bad_header);
    EXPECT_EQ(error_of("HTTP/1.1 100 X\r\n\r\nhello\r\n"),
              HttpError::bad_status_line);
    EXPECT_EQ(error_of("HTTP/1.1 100 X\r\n\r\n\r\n"),
              HttpError::bad_status_line);
}


TEST(HttpInterim, MayNotSwitchProtocols)
{
    EXPECT_EQ(error_of("HTTP/1.1 101 Switching Protocols\r\n"),
              HttpError::switched_protocols);
    EXPECT_EQ(error_of("HTTP/1.1 100 X\r\n\r\nHTTP/1.1 101 X\r\n"
                       "Upgrade: h2c\r\n\r\n"),
              HttpError::switched_protocols);
}


TEST(HttpInterim, CountsTowardsTheSize)
{
    std::string endless;

    while (endless.size() < max_reply_size) {
        endless += "HTTP/1.1 100 Continue\r\n\r\n";
    }

    auto r = read(endless + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

    EXPECT_EQ(r.error, HttpError::too_large);
    EXPECT_EQ(r.taken, max_reply_size);
}


TEST(HttpChunks, AreJoined)
{
    auto r = chunked("2\r\nhe\r\n00000003\r\nllo\r\n0\r\n\r\nrest");

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.body, "hello");
    EXPECT_TRUE(r.keepalive);
    EXPECT_EQ(r.taken, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "2\r\nhe\r\n00000003\r\nllo\r\n0\r\n\r\n"sv.size());
}


TEST(HttpChunks, HaveHexSizes)
{
    for (auto size : {"1f", "1F", "01f", "0000001F"}) {
        auto data = "\r\n0123456789abcdef\n\n\r\n\r\n789abcdef"s;
        ASSERT_EQ(data.size(), 31 + 2u);

        auto r = chunked(size + data + "\r\n0\r\n\r\n");

        EXPECT_EQ(r.state, State::complete) << size;
        EXPECT_EQ(r.body, data.substr(2)) << size;
    }
}


TEST(HttpChunks, HaveNoOtherSizes)
{
    for (auto line : {"", "g", "x2", "0x2", "+2", "-2", " 2", "\t2", ";",
                      ";a=b", "000000002", "123456789", "2x", "2.0", "2,",
                      "fffffffffffffffffff", "2\r", "2\r;a", "2 \r"})
    {
        EXPECT_EQ(chunked(line + "\r\nhe\r\n0\r\n\r\n"s).error,
                  HttpError::bad_chunk)
            << line;
    }

    EXPECT_EQ(chunked("2\0\r\nhe\r\n0\r\n\r\n"s).error, HttpError::bad_chunk);
}


TEST(HttpChunks, HaveSizesThatEndInCrlf)
{
    EXPECT_EQ(chunked("2\nhe\r\n0\r\n\r\n").error, HttpError::bad_chunk);
    EXPECT_EQ(chunked("12\nhe\r\n0\r\n\r\n").error, HttpError::bad_chunk);
    EXPECT_EQ(chunked("2;a=b\nhe\r\n0\r\n\r\n").error, HttpError::bad_chunk);
    EXPECT_EQ(chunked("2\r\nhe\r\n0\n\r\n").error, HttpError::bad_chunk);
    EXPECT_EQ(chunked("\nhe\r\n0\r\n\r\n").error, HttpError::bad_chunk);
}


TEST(HttpChunks, MayHaveExtensions)
{
    for (auto extension : {";", ";a", ";a=b", ";a=\"b;c\"", " ;a", "\t;\ta",
                           " ", ";\xff"})
    {
        auto r = chunked("2"s + extension + "\r\nhe\r\n0" + extension
                         + "\r\n\r\n");

        EXPECT_EQ(r.state, State::complete) << extension;
        EXPECT_EQ(r.body, "he") << extension;
    }
}


TEST(HttpChunks, MayNotHaveControlsInExtensions)
{
    for (char c = 0; c < 0x20; c++) {
        if (c != '\t' && c != '\n') {
            EXPECT_EQ(chunked("2;a"s + c + "b\r\nhe\r\n0\r\n\r\n").error,
                      HttpError::bad_chunk)
                << int(c);
        }
    }

    EXPECT_EQ(chunked("2;a\x7f\r\nhe\r\n0\r\n\r\n").error,
              HttpError::bad_chunk);
}


TEST(HttpChunks, EndInCrlf)
{
    for (auto end : {"\n", "\r", "\r\r\n", "x\r\n", "\n\r", "", "l", "\rx"}) {
        EXPECT_EQ(chunked("2\r\nhe"s + end + "0\r\n\r\n").error,
                  HttpError::bad_chunk)
            << end;
    }
}


TEST(HttpChunks, AreFollowedByATrailer)
{
    for (auto trailer : {"\r\n", "\n", "A: b\r\n\r\n", "A: b\nC: d\n\n",
                         "Content-Length: 7\r\nConnection: close\r\n\r\n",
                         " x\r\n\r\n"})
    {
        auto r = chunked("2\r\nhe\r\n0\r\n"s + trailer + "rest");

        EXPECT_EQ(r.state, State::complete) << trailer;
        EXPECT_EQ(r.body, "he") << trailer;
        EXPECT_TRUE(r.keepalive) << trailer;
    }

    EXPECT_EQ(chunked("2\r\nhe\r\n0\r\nA: b\r\n").state, State::body);
    EXPECT_EQ(chunked("2\r\nhe\r\n0\r\n").state, State::body);
    EXPECT_EQ(chunked("2\r\nhe\r\n0\r\n", End::closed).error,
              HttpError::truncated);
}


TEST(HttpChunks, MayNotBeMoreThanAReply)
{
    for (auto size : {"4001", "ffffffff", "80000000"}) {
        EXPECT_EQ(chunked(size + "\r\n"s).error, HttpError::too_large)
            << size;
    }

    EXPECT_EQ(chunked("4000\r\n").state, State::body);
}


/* each kind of reply of exactly "size" bytes in all */

namespace {


std::vector<std::string>
replies_of(std::size_t size)
{
    auto padded = [size](const std::string &head, const std::string &tail) {
        return head + std::string(size - head.size() - tail.size(), 'x')
               + tail;
    };

    auto length_head = [](std::size_t length) {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length)
               + "\r\n\r\n";
    };

    auto head = length_head(size - length_head(10000).size());
    auto chunked_head = "HTTP/1.1 200 OK\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n"s;

    std::string many;

    while (chunked_head.size() + many.size() + 6 + 64 < size) {
        many += "1\r\nx\r\n";
    }

    return {
        padded(head, ""),
        padded("HTTP/1.1 200 OK\r\nA: ", "\r\nContent-Length: 0\r\n\r\n"),
        padded("HTTP/1.1 200 ", "\r\nContent-Length: 0\r\n\r\n"),
        padded("HTTP/1.1 100 ", "\r\n\r\nHTTP/1.1 204 X\r\n\r\n"),
        padded(chunked_head + "0\r\nA: ", "\r\n\r\n"),
        padded(chunked_head + "2;", "\r\nhi\r\n0\r\n\r\n"),
        padded(chunked_head + many + "0\r\nA: ", "\r\n\r\n"),
    };
}


}


TEST(HttpSize, MayBeExactlyTheMax)
{
    for (auto &reply : replies_of(max_reply_size)) {
        ASSERT_EQ(reply.size(), max_reply_size);

        auto r = read(reply + "rest");

        EXPECT_EQ(r.state, State::complete) << http_error_text(r.error);
        EXPECT_EQ(r.taken, max_reply_size);
    }
}


TEST(HttpSize, MayNotBeOneByteMore)
{
    for (auto &reply : replies_of(max_reply_size + 1)) {
        ASSERT_EQ(reply.size(), max_reply_size + 1);

        auto r = read(reply);

        EXPECT_EQ(r.error, HttpError::too_large);
        EXPECT_EQ(r.taken, max_reply_size);
    }
}


TEST(HttpSize, OfABodyUntilCloseIsLimited)
{
    auto head = "HTTP/1.1 200 OK\r\n\r\n"s;
    auto reply = head + std::string(max_reply_size - head.size(), 'x');

    auto r = read(reply, End::closed);

    EXPECT_EQ(r.state, State::complete);
    EXPECT_EQ(r.body.size(), max_reply_size - head.size());
    EXPECT_EQ(read(reply + "x", End::closed).error, HttpError::too_large);
}


TEST(HttpSize, IsThatOfTheBufferIfLess)
{
    auto buffer = std::make_unique<char[]>(40);
    HttpReply reply({buffer.get(), 40});

    reply.read_header("HTTP/1.1 200 OK\r\n"
                      "A: 0123456789012345678901234567\r\n");

    EXPECT_EQ(reply.error(), HttpError::too_large);
}


TEST(HttpErrorText, TellsEachErrorInItsOwnWords)
{
    std::set<std::string_view> texts;

    for (auto error : {HttpError::none, HttpError::bad_status_line,
                       HttpError::bad_header, HttpError::bad_length,
                       HttpError::unsupported_encoding,
                       HttpError::switched_protocols, HttpError::bad_chunk,
                       HttpError::too_large, HttpError::truncated})
    {
        auto text = http_error_text(error);

        EXPECT_FALSE(text.empty());
        EXPECT_NE(text, "unknown error");
        EXPECT_TRUE(texts.insert(text).second) << text;
    }
}
