/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_token.h"

#include <openssl/err.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "guarded.h"
#include "jwe.h"
#include "no_memory.h"


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;


namespace {


constexpr std::int64_t now = 1700000000;

constexpr auto openid = "oVBkZ0aYgDMDIywRdgPW8-joxXc4"sv;
constexpr auto appid = "wx0123456789abcdef"sv;

/* RFC 3394's key, under which jose made the token further down */

const auto kek1 = jwe::unhex(
    "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
const auto kek2 = jwe::Bytes(32, 0xa7);


TokenKey
key(std::string_view kid, const jwe::Bytes &bytes)
{
    TokenKey k;

    EXPECT_TRUE(k.kid.assign(kid));
    std::copy(bytes.begin(), bytes.end(), k.bytes.begin());

    return k;
}


/* a codec that cleans up, and reads no byte more than there is */

class Codec {
public:
    explicit Codec(std::vector<TokenKey> keys)
    {
        EXPECT_TRUE(codec.init(keys));
    }

    ~Codec()
    {
        codec.wipe();

        /* nothing is left for the next TLS connection to find */
        EXPECT_EQ(ERR_peek_error(), 0u);
    }

    Codec(const Codec &) = delete;
    Codec &operator=(const Codec &) = delete;

    std::string seal(const Claims &said, unsigned char random = 7)
    {
        jwe::Bytes randomness(token_randomness, random);
        auto out = std::make_unique<char[]>(max_sealed_token);
        auto size = codec.seal(
            said,
            TokenRandomness(std::span<const unsigned char>(randomness)),
            { out.get(), max_sealed_token });

        return { out.get(), size };
    }

    TokenError open(std::string_view token, std::int64_t time = now)
    {
        Guarded text(token);
        auto error = codec.open(text.text(), time, claims);

        if (error != TokenError::none) {
            EXPECT_TRUE(claims.openid.empty() && claims.appid.empty()
                        && claims.unionid.empty()
                        && claims.session_key.empty() && !claims.iat
                        && !claims.exp && !claims.auth_time);
        }

        return error;
    }

    TokenCodec codec;
    Claims claims;
};


Claims
some_claims()
{
    Claims claims;

    EXPECT_TRUE(claims.openid.assign(openid));
    EXPECT_TRUE(claims.appid.assign(appid));
    claims.iat = now;
    claims.exp = now + 7200;
    claims.auth_time = now - 1000;

    return claims;
}


std::string
json_of(const Claims &claims)
{
    std::string out(max_claims_json, '#');
    out.resize(write_claims(claims, out));
    return out;
}


std::vector<std::string>
parts_of(std::string_view token)
{
    std::vector<std::string> parts;

    while (token.find('.') != token.npos) {
        parts.emplace_back(next_part(token, '.'));
    }

    parts.emplace_back(token);

    return parts;
}


std::string
joined(const std::vector<std::string> &parts)
{
    std::string token = parts[0];

    for (std::size_t i = 1; i < parts.size(); i++) {
        token += "." + parts[i];
    }

    return token;
}


/* with the header given, sealed with the first key */

TokenError
with_header(std::string_view header)
{
    Codec c({ key("a", kek1), key("b", kek2) });

    return c.open(jwe::make(kek1, header, json_of(some_claims())));
}


}


TEST(Token, OpensAsItWasSealed)
{
    Codec c({ key("a", kek1) });
    auto claims = some_claims();

    EXPECT_TRUE(claims.unionid.assign("u-1"));
    EXPECT_TRUE(claims.session_key.assign("nzoqhc3OnwHzeTxJs+inbQ=="));

    auto token = c.seal(claims);

    EXPECT_EQ(c.open(token), TokenError::none);
    EXPECT_EQ(json_of(c.claims), json_of(claims));
    EXPECT_LT(token.size(), 512u);
}


TEST(Token, IsTheOneTheReferenceMakes)
{
    Codec c({ key("a.b", kek1) });

    jwe::Bytes randomness(token_content_key_size, 0x11);
    randomness += jwe::Bytes(token_nonce_size, 0x22);

    std::string out(max_sealed_token, '#');

    out.resize(c.codec.seal(
        some_claims(),
        TokenRandomness(std::span<const unsigned char>(randomness)), out));

    EXPECT_EQ(out, jwe::make(kek1, jwe::header_of("a.b"),
                             json_of(some_claims())));
}


TEST(Token, OfJoseOpens)
{
    Codec c({ key("other", kek2), key("rfc3394", kek1) });

    /* jose 5.10.0 for Node.js: EncryptJWT, random key and nonce */

    constexpr auto token =
        "eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoicmZjMzM5NCJ9."
        "WaTcFTHcUJkcqR7c2TdIfVBZOhL8Q92e37p1E62IrT3q0JWuYMhR-w."
        "EUVplwtc8mh4eluy."
        "rjk8Ljly5uTVKubo2iWysUhymdg9sg5bz6sLrtf9ZOzc1la4mjoOTVT5gWqrTkmn"
        "e1GWUQoqzwkMOhIv7Y3ZyrpXYBhTSzZ3KEN-hGH6XVsXmB55Bw_HrLmdxDR78g5k"
        "AB8Y3g3b90v2N29LsZF6Q4NoJNrTVRFthlkCgCj0Yo9PJ3qPTImdFr0E3thykEWd"
        "2AEChXViaAE8RpTDInqyoo8elY3F-06aqz5HdB3wjfiLZArxeaAHaZtPJK6aaDcE"
        "v4b3Fg.0P-iAhJFtkxNCRGUyewWSg"sv;

    EXPECT_EQ(c.open(token), TokenError::none);
    EXPECT_EQ(c.claims.openid.view(), openid);
    EXPECT_EQ(c.claims.appid.view(), appid);
    EXPECT_EQ(c.claims.unionid.view(), "o6_bmasdasdsad6_2sgVt7hMZOPfL");
    EXPECT_EQ(c.claims.session_key.view(), "nzoqhc3OnwHzeTxJs+inbQ==");
    EXPECT_EQ(c.claims.iat, 1700000000);
    EXPECT_EQ(c.claims.exp, 1700007200);
    EXPECT_EQ(c.claims.auth_time, 1699990000);
}


TEST(Token, FitsAtItsLongest)
{
    Codec c({ key(std::string(64, 'k'), kek1) });
    Claims claims;

    EXPECT_TRUE(claims.openid.assign(std::string(128, 'o')));
    EXPECT_TRUE(claims.appid.assign(std::string(64, 'w')));
    EXPECT_TRUE(claims.unionid.assign(std::string(128, 'u')));
    EXPECT_TRUE(claims.session_key.assign(std::string(64, 'k')));
    claims.iat = claims.auth_time = now;
    claims.exp = max_claim_time;

    auto token = c.seal(claims);

    EXPECT_LE(token.size(), max_sealed_token);
    EXPECT_EQ(c.open(token), TokenError::none);
    EXPECT_EQ(json_of(c.claims), json_of(claims));
}


TEST(Token, IsNotMadeOfUnusableClaims)
{
    Codec c({ key("a", kek1) });

    EXPECT_EQ(c.seal({}), "");

    auto claims = some_claims();
    claims.exp = -1;
    EXPECT_EQ(c.seal(claims), "");
}


TEST(Token, DiffersWithTheRandomness)
{
    Codec c({ key("a", kek1) });

    auto a = parts_of(c.seal(some_claims(), 1));
    auto b = parts_of(c.seal(some_claims(), 2));

    EXPECT_EQ(a[0], b[0]);

    for (std::size_t i = 1; i < 5; i++) {
        EXPECT_NE(a[i], b[i]) << i;
    }
}


TEST(Token, WithAnyBitFlippedIsRefused)
{
    Codec c({ key("a", kek1), key("b", kek1) });
    auto token = c.seal(some_claims());

    ASSERT_EQ(c.open(token), TokenError::none);

    for (std::size_t bit = 0; bit < token.size() * 8; bit++) {
        auto bad = token;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);

        auto error = c.open(bad);

        EXPECT_TRUE(error == TokenError::malformed
                    || error == TokenError::unknown_key
                    || error == TokenError::damaged)
            << bit;
    }

    EXPECT_EQ(c.open(token), TokenError::none);
}


TEST(Token, WithAnyBitOfItsPartsFlippedIsDamaged)
{
    Codec c({ key("a", kek1) });

    jwe::Bytes cek(32, 0x11), nonce(12, 0x22);
    auto header = jwe::base64url(jwe::bytes(jwe::header_of("a")));
    auto sealed = jwe::gcm(cek, nonce, jwe::bytes(header),
                           jwe::bytes(json_of(some_claims())));

    std::vector<jwe::Bytes> parts = { jwe::wrap(kek1, cek), nonce,
                                      sealed.text, sealed.tag };

    auto opened = [&] {
        std::string token = header;

        for (auto &part : parts) {
            token += "." + jwe::base64url(part);
        }

        return c.open(token);
    };

    ASSERT_EQ(opened(), TokenError::none);

    for (auto &part : parts) {
        for (std::size_t bit = 0; bit < part.size() * 8; bit++) {
            auto &byte = part[bit / 8];
            auto flipped = static_cast<unsigned char>(byte ^ 1u << bit % 8);

            std::swap(byte, flipped);
            EXPECT_EQ(opened(), TokenError::damaged);
            std::swap(byte, flipped);
        }
    }
}


TEST(Token, CutOrLengthenedIsRefused)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    for (std::size_t size = 0; size < token.size(); size++) {
        EXPECT_NE(c.open(token.substr(0, size)), TokenError::none) << size;
        EXPECT_NE(c.open(token.substr(token.size() - size)),
                  TokenError::none)
            << size;
    }

    for (auto more : { "A", ".", "=", " ", "AAAA", ".AAAA", "\n" }) {
        EXPECT_EQ(c.open(token + more), TokenError::malformed) << more;
        EXPECT_EQ(c.open(more + token), TokenError::malformed) << more;
    }

    EXPECT_EQ(c.open(token + "\0"s), TokenError::malformed);
}


TEST(Token, WithAnyCharacterDroppedOrDoubledIsRefused)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    for (std::size_t i = 0; i < token.size(); i++) {
        EXPECT_NE(c.open(token.substr(0, i) + token.substr(i + 1)),
                  TokenError::none);
        EXPECT_NE(c.open(token.substr(0, i) + token[i] + token.substr(i)),
                  TokenError::none);
    }
}


TEST(Token, WithPartsOfAnotherIsRefused)
{
    Codec c({ key("a", kek1) });
    Codec d({ key("b", kek1) });
    Codec both({ key("a", kek1), key("b", kek1) });

    auto claims = some_claims();
    auto one = parts_of(c.seal(claims, 1));

    EXPECT_TRUE(claims.openid.assign("oTHER"));
    auto two = parts_of(c.seal(claims, 2));
    auto other_kid = parts_of(d.seal(some_claims(), 1));

    for (auto &other : { two, other_kid }) {
        for (unsigned mask = 1; mask < 31; mask++) {
            auto mixed = one;

            for (std::size_t i = 0; i < 5; i++) {
                if (mask >> i & 1) {
                    mixed[i] = other[i];
                }
            }

            if (mixed == one || mixed == other) {
                continue;
            }

            EXPECT_EQ(both.open(joined(mixed)), TokenError::damaged) << mask;
        }
    }
}


TEST(Token, WithItsPartsInAnotherOrderIsRefused)
{
    Codec c({ key("a", kek1) });
    auto parts = parts_of(c.seal(some_claims()));
    auto good = parts;

    std::sort(parts.begin(), parts.end());

    do {
        EXPECT_EQ(c.open(joined(parts)) == TokenError::none, parts == good);
    } while (std::next_permutation(parts.begin(), parts.end()));
}


TEST(Token, HasFiveParts)
{
    Codec c({ key("a", kek1) });
    auto parts = parts_of(c.seal(some_claims()));

    for (std::size_t i = 0; i < 5; i++) {
        auto empty = parts;
        empty[i] = "";
        EXPECT_EQ(c.open(joined(empty)), TokenError::malformed) << i;

        auto fewer = parts;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        EXPECT_EQ(c.open(joined(fewer)), TokenError::malformed) << i;

        auto more = parts;
        more.insert(more.begin() + static_cast<std::ptrdiff_t>(i), parts[i]);
        EXPECT_EQ(c.open(joined(more)), TokenError::malformed) << i;
    }
}


TEST(Token, HasOneHeaderAlone)
{
    EXPECT_EQ(with_header(jwe::header_of("a")), TokenError::none);

    /* sealed with the first key, named as the second's */
    EXPECT_EQ(with_header(jwe::header_of("b")), TokenError::damaged);

    for (auto header : {
             R"({"enc":"A256GCM","alg":"A256KW","kid":"a"})",
             R"({"alg":"A256KW", "enc":"A256GCM","kid":"a"})",
             R"({"kid":"a","alg":"A256KW","enc":"A256GCM"})",
             R"({"alg":"A256KW","enc":"A256GCM"})",
             R"({"alg":"dir","enc":"A256GCM","kid":"a"})",
             R"({"alg":"none","enc":"A256GCM","kid":"a"})",
             R"({"alg":"A256KW","enc":"A128GCM","kid":"a"})",
             R"({"alg":"A128KW","enc":"A256GCM","kid":"a"})",
             R"({"typ":"JWT","alg":"A256KW","enc":"A256GCM","kid":"a"})",
             R"({"alg":"A256KW","enc":"A256GCM","zip":"DEF","kid":"a"})",
             "", "{}" })
    {
        EXPECT_EQ(with_header(header), TokenError::malformed) << header;
    }

    for (auto header : {
             R"({"alg":"A256KW","enc":"A256GCM","kid":"a","zip":"DEF"})",
             R"({"alg":"A256KW","enc":"A256GCM","kid":"a" })",
             R"({"alg":"A256KW","enc":"A256GCM","kid":"\u0061"})",
             R"({"alg":"A256KW","enc":"A256GCM","kid":"a"} )",
             R"({"alg":"A256KW","enc":"A256GCM","kid":"a","v":2})",
             R"({"alg":"A256KW","enc":"A256GCM","kid":"A"})",
             R"({"alg":"A256KW","enc":"A256GCM","kid":""})",
             R"({"alg":"A256KW","enc":"A256GCM","kid":"aa"})" })
    {
        EXPECT_EQ(with_header(header), TokenError::unknown_key) << header;
    }
}


TEST(Token, OfAnotherKeyIsRefused)
{
    Codec old_key({ key("old", kek1) });
    Codec new_key({ key("new", kek2) });
    Codec impostor({ key("old", kek2) });

    auto token = old_key.seal(some_claims());

    EXPECT_EQ(new_key.open(token), TokenError::unknown_key);
    EXPECT_EQ(impostor.open(token), TokenError::damaged);
}


TEST(Token, OutlivesARotationOfKeys)
{
    Codec before({ key("old", kek1) });
    Codec appended({ key("old", kek1), key("new", kek2) });
    Codec promoted({ key("new", kek2), key("old", kek1) });
    Codec after({ key("new", kek2) });

    auto token = before.seal(some_claims());
    auto renewed = promoted.seal(some_claims());

    EXPECT_EQ(appended.seal(some_claims()), token);
    EXPECT_EQ(appended.open(token), TokenError::none);
    EXPECT_EQ(promoted.open(token), TokenError::none);
    EXPECT_EQ(after.open(token), TokenError::unknown_key);

    EXPECT_EQ(before.open(renewed), TokenError::unknown_key);
    EXPECT_EQ(appended.open(renewed), TokenError::none);
    EXPECT_EQ(after.open(renewed), TokenError::none);
}


TEST(Token, OfAnyOf64KeysOpens)
{
    std::vector<TokenKey> keys;

    for (unsigned i = 0; i < max_token_keys; i++) {
        keys.push_back(key("k" + std::to_string(i),
                           jwe::Bytes(32, static_cast<unsigned char>(i))));
    }

    Codec all(keys);

    for (auto &k : keys) {
        Codec one({ k });
        EXPECT_EQ(all.open(one.seal(some_claims())), TokenError::none);
    }

    keys.push_back(key("more", kek1));

    TokenCodec codec;
    EXPECT_FALSE(codec.init(keys));
    EXPECT_FALSE(codec.ready());
}


TEST(Token, ExpiresAtExp)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    EXPECT_EQ(c.open(token, now + 7199), TokenError::none);
    EXPECT_EQ(c.open(token, now + 7200), TokenError::expired);
    EXPECT_EQ(c.open(token, now + 7201), TokenError::expired);
    EXPECT_EQ(c.open(token, max_claim_time), TokenError::expired);
}


TEST(Token, MayBeAMinuteAheadOfOurClock)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    EXPECT_EQ(c.open(token, now - 60), TokenError::none);
    EXPECT_EQ(c.open(token, now - 61), TokenError::from_future);
    EXPECT_EQ(c.open(token, 0), TokenError::from_future);
    EXPECT_EQ(c.open(token, -1), TokenError::from_future);

    auto claims = some_claims();
    claims.auth_time = now + 61;

    token = c.seal(claims);

    EXPECT_EQ(c.open(token, now), TokenError::from_future);
    EXPECT_EQ(c.open(token, now + 1), TokenError::none);
}


TEST(Token, WorksIn2038AndAfter)
{
    Codec c({ key("a", kek1) });

    for (std::int64_t time : { std::int64_t{1} << 31, std::int64_t{1} << 32,
                               std::int64_t{253402300800},
                               max_claim_time - 1 })
    {
        auto claims = some_claims();

        claims.iat = claims.auth_time = time - 1;
        claims.exp = time + 1;

        auto token = c.seal(claims);

        EXPECT_EQ(c.open(token, time), TokenError::none) << time;
        EXPECT_EQ(c.claims.iat, time - 1);
        EXPECT_EQ(c.claims.exp, time + 1);
        EXPECT_EQ(c.open(token, time + 1), TokenError::expired) << time;
        EXPECT_EQ(c.open(token, time - 62), TokenError::from_future) << time;
    }
}


TEST(Token, WithClaimsThatAreNotUsableIsRefused)
{
    Codec c({ key("a", kek1) });

    for (auto json : {
             "", "x", "{}", "null", "[]",
             R"({"sub":"o1","aud":"wx1","iat":1,"exp":1e300})",
             R"({"sub":"o1","aud":"wx1","iat":-1,"exp":9999999999})",
             R"({"sub":"o1","aud":["wx1"],"iat":1,"exp":9999999999})",
             R"({"sub":"o 1","aud":"wx1","iat":1,"exp":9999999999})",
             R"({"sub":"o1","sub":"o1","aud":"wx1","iat":1,"exp":9999999999})",
         })
    {
        auto error = c.open(jwe::make(kek1, jwe::header_of("a"), json));

        /* there is no JWE without a payload */
        EXPECT_EQ(error, *json ? TokenError::bad_claims
                               : TokenError::malformed)
            << json;
    }

    EXPECT_EQ(c.open(jwe::make(
                  kek1, jwe::header_of("a"),
                  R"({"sub":"o1","aud":"wx1","iat":1,"exp":9999999999})")),
              TokenError::none);
    EXPECT_EQ(c.claims.auth_time, 1);
}


TEST(Token, WithoutMemoryIsNotTakenForABadOne)
{
    Codec c({ key("a", kek1) });
    auto token = jwe::make(
        kek1, jwe::header_of("a"),
        R"({"sub":"o1","aud":"wx1","iat":1,"exp":9999999999,"x":1})");

    for (int n = 1;; n++) {
        NoMemory memory(n);
        auto error = c.open(token);

        if (!memory.failed()) {
            EXPECT_EQ(error, TokenError::none);
            EXPECT_GT(n, 8);
            break;
        }

        EXPECT_EQ(error, TokenError::no_memory) << n;
        EXPECT_TRUE(c.claims.openid.empty());
    }
}


TEST(Token, WithNoMoreThan2048BytesOpens)
{
    Codec c({ key("a", kek1) });

    auto sized = [](std::size_t size) {
        return jwe::make(kek1, jwe::header_of("a"),
                         R"({"sub":"o1","aud":"wx1","iat":1,)"
                         R"("exp":9999999999,"x":")"
                             + std::string(size, 'x') + "\"}");
    };

    std::size_t size = 1;

    while (sized(size + 1).size() <= max_token_length) {
        size++;
    }

    EXPECT_GE(sized(size).size(), max_token_length - 1);
    EXPECT_EQ(c.open(sized(size)), TokenError::none);
    EXPECT_EQ(c.open(sized(size + 3)), TokenError::malformed);
}


TEST(Token, OfJunkIsRefusedAtOnce)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    std::vector<std::string> junk = {
        std::string(max_token_length, 'A'), std::string(max_token_length, '.'),
        std::string(token_prefix) + std::string(1900, '.'),
        std::string(token_prefix) + std::string(1900, 'A'),
        token.substr(0, 150) + std::string(1800, 'A'), "", ".", "....", "null"
    };

    for (auto &text : junk) {
        EXPECT_EQ(c.open(text), TokenError::malformed) << text;
    }
}


TEST(Token, OfMoreThan2048BytesIsRefusedUnread)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    std::vector<std::string> junk = {
        std::string(65536, 'A'), std::string(65536, '.'),
        std::string(65536, '\0'), std::string(65536, '='),
        std::string(token_prefix) + std::string(65536, 'A'),
        token + std::string(65536, 'A'), token + std::string(65536, '.')
    };

    auto start = std::chrono::steady_clock::now();

    for (auto &text : junk) {
        for (int i = 0; i < 10000; i++) {
            Claims claims;
            ASSERT_EQ(c.codec.open(text, now, claims), TokenError::malformed);
        }
    }

    std::chrono::duration<double> took = std::chrono::steady_clock::now()
                                         - start;

    /* just looking at those 4.5 GB would take longer */

    EXPECT_LT(took.count(), 1.0);
}


TEST(Token, OfAnyLengthOfEachPartIsRefused)
{
    Codec c({ key("a", kek1) });
    auto parts = parts_of(c.seal(some_claims()));

    for (std::size_t i = 1; i < 5; i++) {
        for (std::size_t size = 0; size < 200; size++) {
            if (size != parts[i].size()) {
                auto other = parts;
                other[i] = std::string(size, 'A');
                EXPECT_NE(c.open(joined(other)), TokenError::none);
            }
        }
    }
}


TEST(Token, IsKnownByItsBeginning)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    EXPECT_EQ(token_prefix,
              jwe::base64url(jwe::bytes(
                  R"({"alg":"A256KW","enc":"A256GCM","kid":")")));

    EXPECT_TRUE(looks_like_token(token));
    EXPECT_TRUE(looks_like_token(token_prefix));
    EXPECT_FALSE(looks_like_token(token_prefix.substr(1)));
    EXPECT_FALSE(looks_like_token(token_prefix.substr(0, 51)));
    EXPECT_FALSE(looks_like_token("eyJhbGciOiJIUzI1NiJ9.e30.AAAA"));
    EXPECT_FALSE(looks_like_token(""));
}


TEST(Token, WithTheHeaderAtItsLongestOpens)
{
    for (std::size_t size = 1; size <= max_kid_length; size++) {
        Codec c({ key(std::string(size, 'k'), kek1) });
        auto token = c.seal(some_claims());

        EXPECT_EQ(c.open(token), TokenError::none) << size;
        EXPECT_TRUE(looks_like_token(token));
        EXPECT_EQ(parts_of(token)[0],
                  jwe::base64url(jwe::bytes(
                      jwe::header_of(std::string(size, 'k')))));
    }
}


TEST(Token, ThatOpenedBeforeIsStillLookedAtWhole)
{
    Codec c({ key("1", kek1) });
    auto token = c.seal(some_claims());

    ASSERT_EQ(c.open(token), TokenError::none);

    for (std::size_t i = 0; i < token.size(); i++) {
        auto other = token;
        other[i] = other[i] == 'A' ? 'B' : 'A';

        EXPECT_NE(c.open(other), TokenError::none) << i;
    }

    EXPECT_EQ(c.open(token), TokenError::none);
}


TEST(Token, ThatOpenedBeforeStillExpires)
{
    Codec c({ key("1", kek1) });
    auto said = some_claims();
    auto token = c.seal(said);

    EXPECT_EQ(c.open(token, said.exp - 1), TokenError::none);
    EXPECT_EQ(c.open(token, said.exp), TokenError::expired);
    EXPECT_EQ(c.open(token, said.iat - 61), TokenError::from_future);
    EXPECT_EQ(c.open(token, said.exp - 1), TokenError::none);
}


TEST(Token, ThatOpenedBeforeIsUnknownOnceItsKeyIsGone)
{
    Codec c({ key("1", kek1) });
    auto token = c.seal(some_claims());

    ASSERT_EQ(c.open(token), TokenError::none);
    ASSERT_TRUE(c.codec.init(std::vector{ key("2", kek2) }));
    EXPECT_EQ(c.open(token), TokenError::unknown_key);
}


TEST(Token, ThatOpenedBeforeSaysTheSameAgain)
{
    Codec c({ key("1", kek1) });
    std::vector<std::string> tokens;

    for (unsigned char i = 0; i < 100; i++) {
        auto said = some_claims();
        said.iat += i;
        tokens.push_back(c.seal(said, i));
    }

    for (int turn = 0; turn < 3; turn++) {
        for (std::size_t i = 0; i < tokens.size(); i++) {
            Claims read;

            ASSERT_EQ(c.codec.open(tokens[i], now + 100, read),
                      TokenError::none);
            EXPECT_EQ(read.iat, some_claims().iat + static_cast<int>(i));
            EXPECT_EQ(read.openid.view(), some_claims().openid.view());
        }
    }
}


TEST(Codec, WithoutKeysIsNotReady)
{
    TokenCodec codec;
    Claims claims;
    jwe::Bytes randomness(token_randomness, 1);
    std::string out(max_sealed_token, '#');

    auto seal = [&] {
        return codec.seal(
            some_claims(),
            TokenRandomness(std::span<const unsigned char>(randomness)), out);
    };

    auto token = jwe::make(kek1, jwe::header_of("a"), json_of(some_claims()));

    EXPECT_FALSE(codec.init({}));
    EXPECT_FALSE(codec.ready());
    EXPECT_EQ(seal(), 0u);
    EXPECT_EQ(codec.open(token, now, claims), TokenError::unknown_key);

    std::vector keys = { key("a", kek1) };

    EXPECT_TRUE(codec.init(keys));
    EXPECT_TRUE(codec.ready());
    EXPECT_NE(seal(), 0u);
    EXPECT_EQ(codec.open(token, now, claims), TokenError::none);

    codec.wipe();
    codec.wipe();

    EXPECT_FALSE(codec.ready());
    EXPECT_EQ(seal(), 0u);
    EXPECT_EQ(codec.open(token, now, claims), TokenError::unknown_key);
}


TEST(Codec, MayBeMadeAnew)
{
    TokenCodec codec;
    Claims claims;
    std::vector first = { key("a", kek1) }, second = { key("a", kek2) };

    EXPECT_TRUE(codec.init(first));
    EXPECT_TRUE(codec.init(second));

    EXPECT_EQ(codec.open(jwe::make(kek1, jwe::header_of("a"),
                                   json_of(some_claims())),
                         now, claims),
              TokenError::damaged);
    EXPECT_EQ(codec.open(jwe::make(kek2, jwe::header_of("a"),
                                   json_of(some_claims())),
                         now, claims),
              TokenError::none);
    codec.wipe();
}


TEST(Codec, DecodesWhateverTheTime)
{
    Codec c({ key("a", kek1) });
    Claims claims;
    auto token = c.seal(some_claims());

    EXPECT_EQ(c.codec.decode(token, claims), TokenError::none);
    EXPECT_EQ(check_times(claims, now), TokenError::none);
    EXPECT_EQ(check_times(claims, now + 7200), TokenError::expired);
    EXPECT_EQ(check_times(claims, now - 61), TokenError::from_future);
}


TEST(Codec, LeavesAnErrorOfOthersInTheQueue)
{
    Codec c({ key("a", kek1) });
    auto token = c.seal(some_claims());

    token.replace(token.size() - 22, 22, 22, 'A');

    ERR_put_error(ERR_LIB_USER, 0, 7, "", 0);
    EXPECT_EQ(c.open(token), TokenError::damaged);
    EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 7);
    EXPECT_EQ(ERR_peek_error(), 0u);
}


TEST(TokenError, HasWordsForEach)
{
    for (int i = 0; i <= static_cast<int>(TokenError::no_memory); i++) {
        EXPECT_NE(token_error_text(static_cast<TokenError>(i)),
                  "unknown error");
    }
}
