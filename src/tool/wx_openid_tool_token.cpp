/*
 * Copyright (C) wx_openid authors
 *
 * wx-openid token: what a session token says, and whether it would be taken.
 */

#include "wx_openid_tool.h"

#include <cstdio>
#include <ctime>

#include "../core/wx_openid_json.h"
#include "../core/wx_openid_token.h"


namespace wx_openid {


namespace {


/* the kid of what looks_like_token(), as far as it can be read */

std::string
kid_of(std::string_view text)
{
    std::array<unsigned char, base64url_decoded_size(max_token_header)> bytes;

    auto size = base64url_decode(next_part(text, '.'), bytes);
    auto before = base64url_decoded_size(token_prefix.size());

    if (!size || *size < before + 2) {
        return "?";
    }

    std::string kid(bytes.begin() + static_cast<std::ptrdiff_t>(before),
                    bytes.begin() + static_cast<std::ptrdiff_t>(*size - 2));

    kid.resize(printable(kid, kid));

    return kid;
}


std::string
words_for(TokenError error, std::string_view text)
{
    std::string words(token_error_text(error));

    if (error == TokenError::unknown_key) {
        words += ": it was sealed with \"" + kid_of(text) + "\"";
    }

    return words;
}


std::string
date(std::int64_t time)
{
    std::array<char, 64> text{};
    std::time_t t = time;
    std::tm tm{};

    if (!gmtime_r(&t, &tm)
        || !std::strftime(text.data(), text.size(), "%F %T UTC", &tm))
    {
        return std::to_string(time);
    }

    return text.data();
}


void
print_claims(const Claims &claims, std::string_view text)
{
    auto string = [](std::string_view s) { return std::string(s); };

    Json json(cJSON_CreateObject());
    cJSON *o = json.get();

    cJSON_AddStringToObject(o, "kid", kid_of(text).c_str());
    cJSON_AddStringToObject(o, "sub", string(claims.openid.view()).c_str());
    cJSON_AddStringToObject(o, "aud", string(claims.appid.view()).c_str());
    cJSON_AddNumberToObject(o, "iat", static_cast<double>(claims.iat));
    cJSON_AddNumberToObject(o, "exp", static_cast<double>(claims.exp));
    cJSON_AddNumberToObject(o, "auth_time",
                            static_cast<double>(claims.auth_time));

    if (!claims.unionid.empty()) {
        cJSON_AddStringToObject(o, "unionid",
                                string(claims.unionid.view()).c_str());
    }

    if (!claims.session_key.empty()) {
        cJSON_AddStringToObject(o, "sk", "***");
    }

    std::fputs(printed(o).c_str(), stdout);
}


int
open_token(const KeySet &keys, std::string_view text)
{
    TokenCodec codec;
    Claims claims;

    if (!codec.init(keys.keys())) {
        return complain("OpenSSL cannot use the keys");
    }

    auto error = codec.decode(text, claims);

    codec.wipe();

    if (error != TokenError::none) {
        return complain("refused: " + words_for(error, text));
    }

    print_claims(claims, text);

    auto now = static_cast<std::int64_t>(std::time(nullptr));

    error = check_times(claims, now);

    std::fprintf(stderr, "logged in %s, issued %s, until %s\n",
                 date(claims.auth_time).c_str(), date(claims.iat).c_str(),
                 date(claims.exp).c_str());

    return error == TokenError::none
               ? 0
               : complain("refused: " + words_for(error, text)
                          + ", by this machine's clock at " + date(now));
}


}


int
token(Arguments args)
{
    if (args.size() != 1) {
        return misuse("token takes a key file, and the token from "
                      "standard input");
    }

    auto file = read_all(args[0], max_key_set_size);
    KeySet keys;

    if (!file || !read_keys(args[0], *file, keys)) {
        return 1;
    }

    auto text = read_all("-", max_key_set_size);

    if (!text) {
        return 1;
    }

    /* what a shell or an editor put behind it */

    text->resize(text->find_last_not_of(" \t\r\n") + 1);

    int status = open_token(keys, *text);

    keys.wipe();

    return status;
}


}
