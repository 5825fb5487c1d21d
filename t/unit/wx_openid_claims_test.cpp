/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_claims.h"

#include <string>

#include <gtest/gtest.h>

#include "guarded.h"


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;


namespace {


constexpr auto openid = "oVBkZ0aYgDMDIywRdgPW8-joxXc4"sv;
constexpr auto appid = "wx0123456789abcdef"sv;


Claims
some_claims()
{
    Claims claims;

    EXPECT_TRUE(claims.openid.assign(openid));
    EXPECT_TRUE(claims.appid.assign(appid));
    claims.iat = 1700000000;
    claims.exp = 1700007200;
    claims.auth_time = 1699990000;

    return claims;
}


std::string
written(const Claims &claims)
{
    std::string out(max_claims_json, '#');
    out.resize(write_claims(claims, out));
    return out;
}


void
expect_none(const Claims &claims, std::string_view json)
{
    EXPECT_TRUE(claims.openid.empty() && claims.appid.empty()
                && claims.unionid.empty() && claims.session_key.empty())
        << json;
    EXPECT_TRUE(claims.iat == 0 && claims.exp == 0 && claims.auth_time == 0)
        << json;
}


/* both ways to read agree, and neither reads beyond the end */

bool
reads(std::string_view json, Claims &claims)
{
    Guarded text(json);
    Claims other = some_claims();

    claims = some_claims();

    bool ok = read_claims(text.text(), claims);

    EXPECT_EQ(read_any_claims(text.text(), other), ok) << json;
    EXPECT_EQ(written(claims), written(other)) << json;

    if (!ok) {
        expect_none(claims, json);
        expect_none(other, json);
    }

    return ok;
}


bool
reads(std::string_view json)
{
    Claims claims;
    return reads(json, claims);
}


/* claims that are fine but for what is put in their place, or added */

struct Members {
    std::string sub = R"("sub":"o1")";
    std::string aud = R"("aud":"wx1")";
    std::string iat = R"("iat":1)";
    std::string exp = R"("exp":2)";
    std::string more = "";

    std::string json() const
    {
        return "{" + sub + "," + aud + "," + iat + "," + exp
               + (more.empty() ? "" : ",") + more + "}";
    }
};


bool
reads_more(std::string more)
{
    Members m;
    m.more = more;
    return reads(m.json());
}


}


TEST(Claims, AreWrittenInOneOrder)
{
    auto claims = some_claims();

    EXPECT_EQ(written(claims),
              R"({"sub":"oVBkZ0aYgDMDIywRdgPW8-joxXc4",)"
              R"("aud":"wx0123456789abcdef","iat":1700000000,)"
              R"("exp":1700007200,"auth_time":1699990000})");

    EXPECT_TRUE(claims.unionid.assign("u_1"));
    EXPECT_TRUE(claims.session_key.assign("a+/="));

    EXPECT_TRUE(written(claims).ends_with(
        R"(,"auth_time":1699990000,"unionid":"u_1","sk":"a+/="})"));
}


TEST(Claims, AreReadAsTheyWereWritten)
{
    for (bool unionid : { false, true }) {
        for (bool sk : { false, true }) {
            auto claims = some_claims();

            EXPECT_TRUE(claims.unionid.assign(unionid ? "u-1" : ""));
            EXPECT_TRUE(claims.session_key.assign(sk ? "nzoq" : ""));

            Claims read;

            EXPECT_TRUE(reads(written(claims), read));
            EXPECT_EQ(written(read), written(claims));
            EXPECT_EQ(read.openid.view(), openid);
            EXPECT_EQ(read.appid.view(), appid);
            EXPECT_EQ(read.unionid.view(), unionid ? "u-1" : "");
            EXPECT_EQ(read.session_key.view(), sk ? "nzoq" : "");
            EXPECT_EQ(read.iat, 1700000000);
            EXPECT_EQ(read.exp, 1700007200);
            EXPECT_EQ(read.auth_time, 1699990000);
        }
    }
}


TEST(Claims, FitAtTheirLongest)
{
    Claims claims, read;

    EXPECT_TRUE(claims.openid.assign(std::string(128, 'o')));
    EXPECT_TRUE(claims.appid.assign(std::string(64, 'w')));
    EXPECT_TRUE(claims.unionid.assign(std::string(128, 'u')));
    EXPECT_TRUE(claims.session_key.assign(std::string(64, 'k')));
    claims.iat = claims.exp = claims.auth_time = max_claim_time;

    auto json = written(claims);

    EXPECT_GT(json.size(), 384u);
    EXPECT_LE(json.size(), max_claims_json);
    EXPECT_TRUE(reads(json, read));
    EXPECT_EQ(written(read), json);
}


TEST(Claims, AreNotWrittenUnlessUsable)
{
    auto with = [](auto change) {
        auto claims = some_claims();
        change(claims);
        return written(claims);
    };

    EXPECT_NE(with([](Claims &) {}), "");
    EXPECT_EQ(with([](Claims &c) { (void) c.openid.assign(""); }), "");
    EXPECT_EQ(with([](Claims &c) { (void) c.openid.assign("a\"b"); }), "");
    EXPECT_EQ(with([](Claims &c) { (void) c.appid.assign(""); }), "");
    EXPECT_EQ(with([](Claims &c) { (void) c.appid.assign("a b"); }), "");
    EXPECT_EQ(with([](Claims &c) { (void) c.unionid.assign("\n"); }), "");
    EXPECT_EQ(with([](Claims &c) { (void) c.session_key.assign("abc"); }),
              "");
    EXPECT_EQ(with([](Claims &c) { c.iat = -1; }), "");
    EXPECT_EQ(with([](Claims &c) { c.exp = max_claim_time + 1; }), "");
    EXPECT_EQ(with([](Claims &c) { c.auth_time = -1; }), "");
}


TEST(Claims, MayStandInAnyOrderWithWhiteSpaceAndOthers)
{
    Claims claims;

    EXPECT_TRUE(reads(R"( { "exp" : 2.0e0 , "x" : [ {"sub":"evil"} ],
        "aud":"wx\u0031","iat":1, "iss":null, "auth_time" : 0,
        "sub":"o1","sk":"nzoq" } )", claims));

    EXPECT_EQ(claims.openid.view(), "o1");
    EXPECT_EQ(claims.appid.view(), "wx1");
    EXPECT_EQ(claims.session_key.view(), "nzoq");
    EXPECT_EQ(claims.exp, 2);
    EXPECT_EQ(claims.iat, 1);
    EXPECT_EQ(claims.auth_time, 0);
}


TEST(Claims, HaveIatForAnAuthTimeThatIsAbsent)
{
    Claims claims;
    Members m;

    m.iat = R"("iat":1234)";

    EXPECT_TRUE(reads(m.json(), claims));
    EXPECT_EQ(claims.auth_time, 1234);
}


TEST(Claims, NeedASubOfAnOpenid)
{
    for (auto sub : { R"("x":1)", R"("sub":1)", R"("sub":null)",
                      R"("sub":"")", R"("sub":["o1"])", R"("sub":"a b")",
                      R"("sub":"a\n")", R"("sub":"a\u0000b")",
                      R"("Sub":"o1")", R"("sub":"\u00e9")",
                      R"("sub":"o1","sub":"o1")",
                      R"("sub":"o1","s\u0075b":"o1")" })
    {
        Members m;
        m.sub = sub;
        EXPECT_FALSE(reads(m.json())) << sub;
    }

    Members m;

    m.sub = R"("sub":")" + std::string(128, 'o') + '"';
    EXPECT_TRUE(reads(m.json()));
    m.sub = R"("sub":")" + std::string(129, 'o') + '"';
    EXPECT_FALSE(reads(m.json()));
}


TEST(Claims, NeedAnAudOfAnAppid)
{
    for (auto aud : { R"("x":1)", R"("aud":["wx1"])", R"("aud":1)",
                      R"("aud":"")", R"("aud":"w x")", R"("aud":null)",
                      R"("aud":"wx1","aud":"wx1")" })
    {
        Members m;
        m.aud = aud;
        EXPECT_FALSE(reads(m.json())) << aud;
    }

    Members m;

    m.aud = R"("aud":")" + std::string(64, 'w') + '"';
    EXPECT_TRUE(reads(m.json()));
    m.aud = R"("aud":")" + std::string(65, 'w') + '"';
    EXPECT_FALSE(reads(m.json()));
}


TEST(Claims, NeedTimesThatAreIntegersTo2Power53)
{
    for (std::string value : { "0", "1", "1.0", "1e3", "4294967296",
                               "9007199254740992", "253402300800" })
    {
        for (std::string name : { "iat", "exp" }) {
            Members m;
            (name == "iat" ? m.iat : m.exp) = "\"" + name + "\":" + value;
            EXPECT_TRUE(reads(m.json())) << m.json();
        }

        EXPECT_TRUE(reads_more("\"auth_time\":" + value)) << value;
    }

    for (std::string value : { "-1", "1.5", "1e300", "-1e300", "1e999",
                               "9007199254740994", "9223372036854775807",
                               "9223372036854775808",
                               "18446744073709551617", "99999999999999999999",
                               "\"1\"", "null", "true", "[1]", "{}", "",
                               "1 1", "0x1", "+1", "NaN", "Infinity", "1,",
                               "--1" })
    {
        for (std::string name : { "iat", "exp" }) {
            Members m;
            (name == "iat" ? m.iat : m.exp) = "\"" + name + "\":" + value;
            EXPECT_FALSE(reads(m.json())) << m.json();
        }

        EXPECT_FALSE(reads_more("\"auth_time\":" + value)) << value;
    }
}


TEST(Claims, NeedIatAndExpOnce)
{
    Members m;

    m.iat = R"("x":1)";
    EXPECT_FALSE(reads(m.json()));

    m = {};
    m.exp = R"("x":1)";
    EXPECT_FALSE(reads(m.json()));

    EXPECT_FALSE(reads_more(R"("iat":1)"));
    EXPECT_FALSE(reads_more(R"("exp":2)"));
    EXPECT_FALSE(reads_more(R"("auth_time":1,"auth_time":1)"));
    EXPECT_FALSE(reads_more(R"("unionid":"u","unionid":"u")"));
    EXPECT_FALSE(reads_more(R"("sk":"nzoq","sk":"nzoq")"));
    EXPECT_TRUE(reads_more(R"("x":1,"x":2)"));
}


TEST(Claims, TakeNullAndEmptyForAnAbsentUnionidOrKey)
{
    Claims claims;
    Members m;

    for (auto more : { R"("unionid":null,"sk":null)",
                       R"("unionid":"","sk":"")",
                       R"("auth_time":1,"unionid":"","sk":"")" })
    {
        m.more = more;
        EXPECT_TRUE(reads(m.json(), claims)) << more;
        EXPECT_TRUE(claims.unionid.empty() && claims.session_key.empty());
    }
}


TEST(Claims, RefuseABadUnionidOrKey)
{
    for (auto more : { R"("unionid":1)", R"("unionid":"a b")",
                       R"("unionid":"\t")", R"("sk":1)", R"("sk":"abc")",
                       R"("sk":"ab c")", R"("sk":"====")" })
    {
        EXPECT_FALSE(reads_more(more)) << more;
    }
}


TEST(Claims, AreOneJsonObject)
{
    auto good = Members().json();

    EXPECT_TRUE(reads(good));

    for (auto text : { ""s, "null"s, "[]"s, "1"s, "{}"s, "[" + good + "]",
                       good + good, good + "x", good + "\0"s, "\0"s + good,
                       good.substr(1), "\v" + good })
    {
        EXPECT_FALSE(reads(text)) << text;
    }

    for (std::size_t size = 0; size < good.size(); size++) {
        EXPECT_FALSE(reads(good.substr(0, size))) << size;
    }

    auto json = written(some_claims());

    for (std::size_t size = 0; size < json.size(); size++) {
        EXPECT_FALSE(reads(json.substr(0, size))) << size;
    }
}


TEST(Claims, AreReadAlikeWithAnyByteChanged)
{
    auto claims = some_claims();

    EXPECT_TRUE(claims.unionid.assign("u1"));
    EXPECT_TRUE(claims.session_key.assign("nzoq"));

    auto json = written(claims);

    for (std::size_t at = 0; at < json.size(); at++) {
        for (char c : "\"\\{},:0-9.eA \n\x01\x7f\xff"sv) {
            auto changed = json;
            changed[at] = c;
            (void) reads(changed);
        }
    }
}


TEST(Appid, HasUpTo64LettersDigitsAndSomeMarks)
{
    EXPECT_TRUE(usable_appid("wx0123456789abcdef"));
    EXPECT_TRUE(usable_appid("A-z_9."));
    EXPECT_TRUE(usable_appid(std::string(64, 'w')));
    EXPECT_FALSE(usable_appid(std::string(65, 'w')));
    EXPECT_FALSE(usable_appid(""));
    EXPECT_FALSE(usable_appid("a b"));
    EXPECT_FALSE(usable_appid("a/b"));
    EXPECT_FALSE(usable_appid("a\n"));
}
