/*
 * Copyright (C) wx_openid authors
 *
 * The request of wx_openid_http.h, as it is written.
 */

#include "wx_openid_http.h"

#include <algorithm>

#include "wx_openid_text.h"


namespace wx_openid {


namespace {


/* the request around what varies */

constexpr std::string_view text_method = "GET ";
constexpr std::string_view text_appid = "?appid=";
constexpr std::string_view text_secret = "&secret=";
constexpr std::string_view text_code = "&js_code=";
constexpr std::string_view text_host =
    "&grant_type=authorization_code HTTP/1.1\r\n"
    "Host: ";
constexpr std::string_view text_end =
    "\r\n"
    "User-Agent: wx_openid\r\n"
    "Accept: application/json, text/plain\r\n"
    "Accept-Encoding: identity\r\n"
    "Connection: keep-alive\r\n"
    "\r\n";


class Writer {
public:
    explicit Writer(std::span<char> out) noexcept : out_(out) {}

    Writer &text(std::string_view s) noexcept
    {
        std::copy_n(s.data(), s.size(), out_.data() + size_);
        size_ += s.size();
        return *this;
    }

    Writer &argument(std::string_view s) noexcept
    {
        size_ += percent_encode(s, out_.subspan(size_));
        return *this;
    }

    std::size_t size() const noexcept { return size_; }

private:
    std::span<char> out_;
    std::size_t size_ = 0;
};


}


std::size_t
exchange_request_max(const ExchangeRequest &request) noexcept
{
    return text_method.size() + request.prefix.size() + exchange_path.size()
           + text_appid.size() + percent_encoded_max(request.appid.size())
           + text_secret.size() + percent_encoded_max(request.secret.size())
           + text_code.size() + percent_encoded_max(request.code.size())
           + text_host.size() + request.host.size() + text_end.size();
}


std::size_t
write_exchange_request(const ExchangeRequest &request,
    std::span<char> out) noexcept
{
    Writer w(out);

    w.text(text_method).text(request.prefix).text(exchange_path);
    w.text(text_appid).argument(request.appid);
    w.text(text_secret).argument(request.secret);
    w.text(text_code).argument(request.code);
    w.text(text_host).text(request.host).text(text_end);

    return w.size();
}


}
