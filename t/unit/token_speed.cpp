/*
 * Copyright (C) wx_openid authors
 *
 * What a token costs, beside AES-256-GCM of the same size alone.
 */

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "jwe.h"
#include "wx_openid_gcm.h"
#include "wx_openid_token.h"


using namespace wx_openid;


namespace {


constexpr int turns = 20000;
constexpr int rounds = 9;


double
cpu_us()
{
    std::timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e6
           + static_cast<double>(t.tv_nsec) / 1e3;
}


/* microseconds of one, the best of some rounds */

template <typename Work>
double
cost(Work work)
{
    double best = 1e9;

    for (int round = 0; round < rounds; round++) {
        double start = cpu_us();

        for (int i = 0; i < turns; i++) {
            jwe::must(work());
        }

        best = std::min(best, (cpu_us() - start) / turns);
    }

    return best;
}


void
print(const char *what, double us, double bare)
{
    std::printf("%-24s %6.2f us %6.1f\n", what, us, us / bare);
}


}


int
main()
{
    constexpr std::int64_t now = 1700000000;

    unsigned char randomness[token_randomness] = { 1, 2, 3 };
    TokenKey key;
    TokenCodec codec;
    Claims claims;

    jwe::must(key.kid.assign("2024-08"));
    jwe::must(codec.init({ &key, 1 }));
    jwe::must(claims.openid.assign("oVBkZ0aYgDMDIywRdgPW8-joxXc4")
              && claims.appid.assign("wx0123456789abcdef")
              && claims.unionid.assign("o6_bmasdasdsad6_2sgVt7hMZOPfL"));
    claims.iat = claims.auth_time = now;
    claims.exp = now + 7200;

    std::string token(max_sealed_token, '\0');
    token.resize(codec.seal(claims, randomness, token));

    /* as jose writes them: the members in another order */

    std::string other = jwe::make(
        jwe::Bytes(32, 0), jwe::header_of("2024-08"),
        R"({"aud":"wx0123456789abcdef","iat":1700000000,"exp":1700007200,)"
        R"("auth_time":1700000000,"sub":"oVBkZ0aYgDMDIywRdgPW8-joxXc4",)"
        R"("unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL"})");

    std::string damaged = token;
    damaged[150] = damaged[150] == 'A' ? 'B' : 'A';

    std::string json(max_claims_json, '\0');
    json.resize(write_claims(claims, json));

    jwe::Bytes text = jwe::bytes(json), tag(gcm_tag_size, 0);
    evp_cipher_ctx_st *gcm = new_gcm_context();
    GcmKey gcm_key(key.bytes);
    GcmNonce nonce(randomness, gcm_nonce_size);
    std::string_view aad(token.data(), 70);
    std::string out(max_sealed_token, '\0');
    Claims read;

    double bare = cost([&] {
        return gcm_seal(gcm, gcm_key, nonce, aad, text,
                        std::span<unsigned char, gcm_tag_size>(tag));
    });

    print("AES-256-GCM alone", bare, bare);
    print("open", cost([&] {
              return codec.decode(token, read) == TokenError::none;
          }), bare);
    print("open one of jose", cost([&] {
              return codec.decode(other, read) == TokenError::none;
          }), bare);
    print("open it again", cost([&] {
              return codec.open(token, now, read) == TokenError::none;
          }), bare);
    print("refuse a damaged one", cost([&] {
              return codec.open(damaged, now, read) == TokenError::damaged;
          }), bare);
    print("seal", cost([&] {
              return codec.seal(claims, randomness, out) != 0;
          }), bare);

    EVP_CIPHER_CTX_free(gcm);
    codec.wipe();
}
