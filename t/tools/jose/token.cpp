/*
 * Copyright (C) wx_openid authors
 *
 * The core's codec as a program, for the test beside it:
 *
 *     token FILE seal OPENID APPID IAT EXP AUTH_TIME [UNIONID [SK]]
 *     token FILE open NOW
 *
 * FILE is a JWK Set.  "seal" prints a token; "open" reads one from standard
 * input and prints its claims, or "refused: " and why.
 */

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>

#include "../../../src/core/wx_openid_token.h"


using namespace wx_openid;


namespace {


std::string
all_of(std::istream &in)
{
    return { std::istreambuf_iterator<char>(in), {} };
}


template <std::size_t Max>
void
set(Text<Max> &text, const char *value)
{
    if (value && !text.assign(value)) {
        std::exit(2);
    }
}


std::string
seal(TokenCodec &codec, char **arg)
{
    Claims claims;

    set(claims.openid, arg[0]);
    set(claims.appid, arg[1]);
    claims.iat = std::atoll(arg[2]);
    claims.exp = std::atoll(arg[3]);
    claims.auth_time = std::atoll(arg[4]);
    set(claims.unionid, arg[5]);
    set(claims.session_key, arg[5] ? arg[6] : nullptr);

    std::random_device random;
    std::array<unsigned char, token_randomness> bytes;

    for (auto &byte : bytes) {
        byte = static_cast<unsigned char>(random() & 0xff);
    }

    std::string out(max_sealed_token, '\0');
    out.resize(codec.seal(claims, bytes, out));

    return out;
}


std::string
open(TokenCodec &codec, const char *now)
{
    Claims claims;
    auto error = codec.open(all_of(std::cin), std::atoll(now), claims);

    if (error != TokenError::none) {
        return "refused: " + std::string(token_error_text(error));
    }

    std::string out(max_claims_json, '\0');
    out.resize(write_claims(claims, out));

    return out;
}


}


int
main(int argc, char **argv)
{
    if (argc < 4) {
        return 2;
    }

    std::ifstream file(argv[1]);

    KeySet keys;
    TokenCodec codec;

    if (keys.read(all_of(file)).fault != KeyFault::none
        || !codec.init(keys.keys()))
    {
        return 2;
    }

    bool sealing = argv[2] == std::string("seal");

    if (sealing && argc < 8) {
        return 2;
    }

    std::cout << (sealing ? seal(codec, argv + 3) : open(codec, argv[3]));

    codec.wipe();
    keys.wipe();
}
