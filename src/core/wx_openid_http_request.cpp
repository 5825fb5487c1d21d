/*
 * Copyright (C) wx_openid authors
 *
 * The request of wx_openid_http.h, as it is written.
 */

#include "wx_openid_http.h"

#include "wx_openid_text.h"
#include "wx_openid_writer.h"


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
constexpr std::string_view text_fields =
    "\r\n"
    "User-Agent: wx_openid\r\n"
    "Accept: application/json, text/plain\r\n"
    "Accept-Encoding: identity\r\n";
constexpr std::string_view text_close = "Connection: close\r\n";
constexpr std::string_view text_end = "\r\n";


void
add_argument(Writer &w, std::string_view before,
    std::string_view value) noexcept
{
    w.add(before);
    w.added(percent_encode(value, w.rest()));
}


}


std::size_t
exchange_request_max(const ExchangeRequest &request) noexcept
{
    return text_method.size() + request.prefix.size() + exchange_path.size()
           + text_appid.size() + percent_encoded_max(request.appid.size())
           + text_secret.size() + percent_encoded_max(request.secret.size())
           + text_code.size() + percent_encoded_max(request.code.size())
           + text_host.size() + request.host.size() + text_fields.size()
           + text_close.size() + text_end.size();
}


std::size_t
write_exchange_request(const ExchangeRequest &request,
    std::span<char> out) noexcept
{
    Writer w(out);

    w.add(text_method);
    w.add(request.prefix);
    w.add(exchange_path);

    add_argument(w, text_appid, request.appid);
    add_argument(w, text_secret, request.secret);
    add_argument(w, text_code, request.code);

    w.add(text_host);
    w.add(request.host);
    w.add(text_fields);

    if (request.close) {
        w.add(text_close);
    }

    w.add(text_end);

    return w.view().size();
}


}
