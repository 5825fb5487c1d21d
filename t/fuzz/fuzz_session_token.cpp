/*
 * Copyright (C) wx_openid authors
 *
 * Input: "t" and a token, or "j" and claims, which are sealed here so that
 * what comes behind the seal is reached.  Nobody has the key, so the one
 * token that opens is the seeds'; claims that open must be usable, however
 * they were read.
 */

#include <cstdint>
#include <cstdlib>

#include "../unit/guarded.h"
#include "../unit/jwe.h"
#include "wx_openid_token.h"


using namespace wx_openid;


namespace {


constexpr std::int64_t now = 1700000000;

constexpr std::string_view seed_claims =
    R"({"sub":"oVBkZ0aYgDMDIywRdgPW8-joxXc4","aud":"wx0123456789abcdef",)"
    R"("iat":1700000000,"exp":1700007200,"auth_time":1699990000,)"
    R"("unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL",)"
    R"("sk":"nzoqhc3OnwHzeTxJs+inbQ=="})";


struct Fixture {
    Fixture()
        : kek(32, 0x5a),
          seed_token(jwe::make(kek, jwe::header_of("fuzz"), seed_claims))
    {
        TokenKey key;

        jwe::must(key.kid.assign("fuzz"));
        key.bytes.fill(0x5a);
        jwe::must(codec.init({ &key, 1 }));

        Claims claims;
        jwe::must(codec.open(seed_token, now, claims) == TokenError::none);
    }

    jwe::Bytes kek;
    std::string seed_token;
    TokenCodec codec;
};


std::string
json_of(const Claims &claims)
{
    std::string out(max_claims_json, '#');
    out.resize(write_claims(claims, out));
    return out;
}


void
check_opened(Fixture &f, TokenError error, const Claims &claims)
{
    auto json = json_of(claims);

    if (error != TokenError::none) {
        jwe::must(claims.openid.empty() && claims.iat == 0 && json.empty());
        return;
    }

    jwe::must(!json.empty() && claims.exp > now);

    /* sealed again it says the same */

    unsigned char randomness[token_randomness] = { 1, 2, 3 };
    std::string token(max_sealed_token, '#');
    Claims again;

    token.resize(f.codec.seal(claims, randomness, token));
    jwe::must(f.codec.open(token, now, again) == TokenError::none);
    jwe::must(json_of(again) == json);
}


void
fuzz_token(Fixture &f, std::string_view input)
{
    Guarded token(input);
    Claims claims;

    auto error = f.codec.open(token.text(), now, claims);

    jwe::must(error != TokenError::none || input == f.seed_token);
    check_opened(f, error, claims);
}


void
fuzz_claims(Fixture &f, std::string_view input)
{
    Guarded json(input);
    Claims one, other;

    bool ok = read_claims(json.text(), one);

    jwe::must(read_any_claims(json.text(), other) == ok);
    jwe::must(json_of(one) == json_of(other) && json_of(one).empty() == !ok);

    auto token = jwe::make(f.kek, jwe::header_of("fuzz"), input);
    auto error = f.codec.open(token, now, one);

    jwe::must((error == TokenError::malformed)
              == (input.empty() || token.size() > max_token_length));
    jwe::must(error != TokenError::bad_claims || !ok);
    check_opened(f, error, one);
}


}


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static Fixture f;

    std::string_view input(reinterpret_cast<const char *>(data), size);

    if (input.empty()) {
        return 0;
    }

    char mode = input[0];
    input.remove_prefix(1);

    if (mode == 't') {
        fuzz_token(f, input);
    } else {
        fuzz_claims(f, input);
    }

    return 0;
}
