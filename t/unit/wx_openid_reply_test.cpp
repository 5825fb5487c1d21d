/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_reply.h"

#include <climits>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "guarded.h"


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;


namespace {


constexpr auto openid = "oVBkZ0aYgDMDIywRdgPW8-joxXc4"sv;
constexpr auto unionid = "o6_bmasdasdsad6_2sgVt7hMZOPfL"sv;
constexpr auto session_key = "nzoqhc3OnwHzeTxJs+inbQ=="sv;


/* reads no byte more than there is; whatever fails leaves no identity */

SessionReply
read(std::string_view body)
{
    Guarded in(body);
    auto reply = read_session_reply(in.text());

    if (!reply.has_identity()) {
        EXPECT_TRUE(reply.openid.empty()) << body;
        EXPECT_TRUE(reply.unionid.empty()) << body;
        EXPECT_TRUE(reply.session_key.empty()) << body;

    } else {
        EXPECT_FALSE(reply.openid.empty()) << body;
    }

    if (reply.error != ReplyError::none || reply.errcode == 0) {
        EXPECT_TRUE(reply.errmsg.empty()) << body;
    }

    return reply;
}


ReplyError
error_of(std::string_view body)
{
    auto reply = read(body);

    EXPECT_TRUE(reply.error == ReplyError::none || reply.errcode == 0)
        << body;

    return reply.error;
}


/* a reply that is fine but for the member given */

std::string
with(std::string_view member)
{
    return R"({"openid":"o","x":1,)"s + std::string(member) + "}";
}


}


TEST(SessionReply, HoldsAnIdentity)
{
    auto reply = read(
        R"({"session_key":"nzoqhc3OnwHzeTxJs+inbQ==",)"
        R"("openid":"oVBkZ0aYgDMDIywRdgPW8-joxXc4",)"
        R"("unionid":"o6_bmasdasdsad6_2sgVt7hMZOPfL"})");

    EXPECT_EQ(reply.error, ReplyError::none);
    EXPECT_TRUE(reply.has_identity());
    EXPECT_EQ(reply.errcode, 0);
    EXPECT_EQ(reply.openid.view(), openid);
    EXPECT_EQ(reply.unionid.view(), unionid);
    EXPECT_EQ(reply.session_key.view(), session_key);
    EXPECT_TRUE(reply.errmsg.empty());
}


TEST(SessionReply, NeedsNothingButAnOpenid)
{
    auto reply = read(R"({"openid":"8PB.cW.TabxdbJFs"})");

    EXPECT_TRUE(reply.has_identity());
    EXPECT_EQ(reply.openid.view(), "8PB.cW.TabxdbJFs");
    EXPECT_TRUE(reply.unionid.empty());
    EXPECT_TRUE(reply.session_key.empty());
}


TEST(SessionReply, MayHaveErrcodeZero)
{
    auto reply = read(with(R"("errcode":0,"errmsg":"ok")"));

    EXPECT_TRUE(reply.has_identity());
    EXPECT_EQ(reply.openid.view(), "o");
    EXPECT_TRUE(reply.errmsg.empty());

    EXPECT_TRUE(read(with(R"("errcode":-0)")).has_identity());
    EXPECT_TRUE(read(with(R"("errcode":0.0)")).has_identity());
    EXPECT_TRUE(read(with(R"("errcode":0e9)")).has_identity());
}


TEST(SessionReply, OtherMembersAreIgnored)
{
    EXPECT_TRUE(read(with(R"("expires_in":7200,"errmsg":[],"a":{"openid":1},)"
                          R"("x":2,"Openid":3,"ERRCODE":5)"))
                    .has_identity());
}


TEST(SessionReply, InvalidUtf8ElsewhereDoesNotMatter)
{
    EXPECT_TRUE(read(with("\"errmsg\":\"\xff\xfe\xc3\"")).has_identity());
}


TEST(SessionReply, TellsWhatWeChatRefused)
{
    auto reply = read(
        R"({"errcode":40029,)"
        R"("errmsg":"invalid code, rid: 66c69111-4157f271"})");

    EXPECT_EQ(reply.error, ReplyError::none);
    EXPECT_FALSE(reply.has_identity());
    EXPECT_EQ(reply.errcode, 40029);
    EXPECT_EQ(reply.errmsg.view(), "invalid code, rid: 66c69111-4157f271");
}


TEST(SessionReply, ReadsEscapesInErrmsg)
{
    auto reply = read(
        R"({"errcode":40125,"errmsg":"at http:\/\/t.cn\/R, \"x\""})");

    EXPECT_EQ(reply.errmsg.view(), R"(at http://t.cn/R, "x")");
}


TEST(SessionReply, MakesErrmsgPrintable)
{
    EXPECT_EQ(read(R"({"errcode":1,"errmsg":"a\r\nb\u001b\u00e9"})")
                  .errmsg.view(),
              "a??b???");
}


TEST(SessionReply, CutsErrmsgToFit)
{
    std::string longest(max_errmsg_length, 'x');

    EXPECT_EQ(read(R"({"errcode":1,"errmsg":")" + longest + R"("})")
                  .errmsg.view(),
              longest);
    EXPECT_EQ(read(R"({"errcode":1,"errmsg":")" + longest + R"(y"})")
                  .errmsg.view(),
              longest);
}


TEST(SessionReply, NeedsNoErrmsg)
{
    for (auto body : {R"({"errcode":-1})", R"({"errcode":-1,"errmsg":null})",
                      R"({"errcode":-1,"errmsg":7})",
                      R"({"errcode":-1,"errmsg":["x"]})",
                      R"({"errcode":-1,"errmsg":""})",
                      R"({"errcode":-1,"Errmsg":"x"})"})
    {
        auto reply = read(body);

        EXPECT_EQ(reply.error, ReplyError::none) << body;
        EXPECT_EQ(reply.errcode, -1) << body;
        EXPECT_TRUE(reply.errmsg.empty()) << body;
    }
}


TEST(SessionReply, GivesNoIdentityBesideAnErrcode)
{
    auto reply = read(R"({"openid":"o","unionid":"u","session_key":"AAAA",)"
                      R"("errcode":40163,"errmsg":"code been used"})");

    EXPECT_FALSE(reply.has_identity());
    EXPECT_EQ(reply.errcode, 40163);
    EXPECT_EQ(reply.errmsg.view(), "code been used");
}


TEST(SessionReply, ReadsErrcodesInIntRange)
{
    EXPECT_EQ(read(R"({"errcode":2147483647})").errcode, INT_MAX);
    EXPECT_EQ(read(R"({"errcode":-2147483648})").errcode, INT_MIN);
    EXPECT_EQ(read(R"({"errcode":4.0029e4})").errcode, 40029);
}


TEST(SessionReply, RefusesOtherErrcodes)
{
    for (auto errcode : {R"("40029")", R"("0")", R"("")", "null", "true",
                         "false", "[]", "{}", "[0]", "0.5", "-0.5", "40029.5",
                         "1e-3", "2147483648", "-2147483649", "4294967296",
                         "18446744073709551616", "1e400", "-1e400"})
    {
        EXPECT_EQ(error_of(with(R"("errcode":)"s + errcode)),
                  ReplyError::bad_errcode)
            << errcode;
    }
}


TEST(SessionReply, RefusesUnusableOpenids)
{
    for (auto body : {"{}", R"({"openid":null})", R"({"openid":1})",
                      R"({"openid":true})", R"({"openid":["o"]})",
                      R"({"openid":{"openid":"o"}})", R"({"openid":""})",
                      R"({"openid":"a b"})", R"({"openid":"a\r\nX-A: b"})",
                      R"({"openid":"a,b"})", R"({"openid":"a\u00e9"})",
                      R"({"openid":"a+b"})", R"({"openid":"a/b"})",
                      R"({"OPENID":"o"})", R"({"errcode":0})",
                      R"({"unionid":"u","session_key":"AAAA"})",
                      "{\"openid\":\"\xe9\"}"})
    {
        EXPECT_EQ(error_of(body), ReplyError::no_openid) << body;
    }
}


TEST(SessionReply, RefusesOpenidsThatAreTooLong)
{
    std::string longest(max_openid_length, 'o');

    EXPECT_EQ(read(R"({"openid":")" + longest + R"("})").openid.view(),
              longest);
    EXPECT_EQ(error_of(R"({"openid":")" + longest + R"(o"})"),
              ReplyError::no_openid);
}


TEST(SessionReply, TakesNullAndEmptyForAbsent)
{
    auto reply = read(with(R"("unionid":null,"session_key":null)"));

    EXPECT_TRUE(reply.has_identity());
    EXPECT_TRUE(reply.unionid.empty());
    EXPECT_TRUE(reply.session_key.empty());

    EXPECT_TRUE(read(with(R"("unionid":"","session_key":"")"))
                    .has_identity());
}


TEST(SessionReply, RefusesUnusableUnionids)
{
    for (auto value : {"1", "0", "false", "[]", "{}", R"("a b")",
                       R"("a\n")", R"("\u00e9")"})
    {
        EXPECT_EQ(error_of(with(R"("unionid":)"s + value)),
                  ReplyError::bad_unionid)
            << value;
    }

    EXPECT_EQ(error_of(with(R"("unionid":")"
                            + std::string(max_openid_length + 1, 'u') + '"')),
              ReplyError::bad_unionid);
}


TEST(SessionReply, RefusesUnusableSessionKeys)
{
    for (auto value : {"1", "0", "false", "[]", "{}", R"("A")", R"("AAA")",
                       R"("AAAA\n")", R"("====")", R"("AA AA===")"})
    {
        EXPECT_EQ(error_of(with(R"("session_key":)"s + value)),
                  ReplyError::bad_session_key)
            << value;
    }
}


TEST(SessionReply, RefusesRepeatedMembers)
{
    for (auto member : {R"("openid":"a","openid":"a")",
                        R"("openid":"a","openid":"b")",
                        R"("openid":"a","openid":null)",
                        R"("openid":"a","\u006fpenid":"b")",
                        R"("openid":"a","unionid":"u","unionid":"u")",
                        R"("openid":"a","session_key":null,"session_key":"")",
                        R"("openid":"a","errcode":0,"errcode":0)",
                        R"("errcode":0,"openid":"a","errcode":40029)",
                        R"("errcode":"x","errcode":1)"})
    {
        EXPECT_EQ(error_of("{"s + member + "}"), ReplyError::repeated)
            << member;
    }
}


TEST(SessionReply, MayRepeatOtherMembers)
{
    EXPECT_EQ(read(R"({"errcode":1,"errmsg":"a","errmsg":"b","x":1,"x":2})")
                  .errmsg.view(),
              "a");
}


TEST(SessionReply, RefusesWhatIsNotOneObject)
{
    for (auto body : {"", " ", "null", "1", R"("o")", "[]",
                      R"([{"openid":"o"}])", R"({"openid":"o")", "{",
                      R"({"openid":"o"}x)", R"({"openid":"o"}{})",
                      R"({"openid":"o",})", R"({openid:"o"})", "<html>",
                      R"({"openid":"\ud800"})", R"({"openid":"\q"})",
                      R"({"openid":"o","errcode":})", "\xEF\xBB\xBF"})
    {
        EXPECT_EQ(error_of(body), ReplyError::not_json) << body;
    }
}


TEST(SessionReply, MayHaveWhiteSpaceAndAByteOrderMark)
{
    EXPECT_TRUE(read(" \t\r\n{ \"openid\" :\t\"o\"\r\n} \t\r\n")
                    .has_identity());
    EXPECT_TRUE(read("\xEF\xBB\xBF{\"openid\":\"o\"}").has_identity());
}


TEST(SessionReply, RefusesNulBytes)
{
    for (auto body : {"{\"openid\":\"admin\0x\"}"sv, "{\"openid\":\0\"o\"}"sv,
                      "{\"openid\":\"o\"}\0"sv, "\0{\"openid\":\"o\"}"sv,
                      "{\"openid\":\"o\",\"x\":\"\0\"}"sv,
                      "{\"openid\0\":\"o\"}"sv})
    {
        EXPECT_EQ(error_of(body), ReplyError::not_json) << body;
    }
}


TEST(SessionReply, RefusesEscapesOfNul)
{
    for (auto body : {R"({"openid":"admin\u0000x"})",
                      R"({"openid\u0000":"o"})",
                      R"({"openid":"o","x":"\u0000"})",
                      R"({"openid":"o","x":"\\\u0000"})",
                      R"({"openid":"o\uzzzzx"})", R"({"openid":"o\u00/1x"})"})
    {
        EXPECT_EQ(error_of(body), ReplyError::not_json) << body;
    }
}


TEST(SessionReply, MayHaveABackslashBeforeU0000)
{
    EXPECT_TRUE(read(with(R"("y":"\\u0000")")).has_identity());
    EXPECT_TRUE(read(with(R"("y":"\\\\u0000\\")")).has_identity());
}


TEST(SessionReply, RefusesRawControlCharactersInStrings)
{
    for (char c = 1; c < 0x20; c++) {
        std::string control(1, c);

        EXPECT_EQ(error_of("{\"openid\":\"o" + control + "\"}"),
                  ReplyError::not_json)
            << int(c);
        EXPECT_EQ(error_of(with("\"y" + control + "\":1")),
                  ReplyError::not_json)
            << int(c);
        EXPECT_EQ(error_of(with("\"y\":\"\\\"" + control + "\"")),
                  ReplyError::not_json)
            << int(c);
        EXPECT_EQ(error_of(with("\"y\":\"\\\\\",\"z\":\"" + control + "\"")),
                  ReplyError::not_json)
            << int(c);
    }

    EXPECT_TRUE(read(with("\"y\":\"\x7f \"")).has_identity());
}


TEST(SessionReply, RefusesControlCharactersForWhiteSpace)
{
    for (char c = 1; c < 0x20; c++) {
        bool space = c == '\t' || c == '\n' || c == '\r';
        std::string control(1, c);

        EXPECT_EQ(error_of("{" + control + "\"openid\":\"\\\\\"" + control
                           + "}"),
                  space ? ReplyError::no_openid : ReplyError::not_json)
            << int(c);
        EXPECT_EQ(read("{" + control + "\"openid\":\"o\"}").has_identity(),
                  space)
            << int(c);
    }
}


/*
 * Where cJSON is laxer than RFC 8259 about numbers nothing can be bent: the
 * number is the same to whoever takes it at all.
 */

TEST(SessionReply, ReadsNumbersAsLaxAsCjson)
{
    EXPECT_EQ(read(R"({"errcode":040029})").errcode, 40029);
    EXPECT_EQ(read(R"({"errcode":40029.})").errcode, 40029);
    EXPECT_EQ(error_of(with(R"("errcode":0x0)")), ReplyError::not_json);
    EXPECT_EQ(error_of(with(R"("errcode":+0)")), ReplyError::not_json);
    EXPECT_EQ(error_of(with(R"("errcode":-)")), ReplyError::not_json);
    EXPECT_EQ(error_of(with(R"("errcode":nan)")), ReplyError::not_json);
}


TEST(SessionReply, SurvivesDepthBombs)
{
    for (std::size_t depth : {2000u, 16384u}) {
        EXPECT_EQ(error_of(std::string(depth, '[')), ReplyError::not_json);
        EXPECT_EQ(error_of(with("\"y\":" + std::string(depth, '[')
                                + std::string(depth, ']'))),
                  ReplyError::not_json);
    }

    EXPECT_TRUE(read(with("\"y\":" + std::string(900, '[')
                          + std::string(900, ']')))
                    .has_identity());
}


TEST(SessionReply, IsReadFromEveryPrefixWithoutReadingOn)
{
    auto body = R"({"openid":"o","errcode":0,"x":"\u00e9\"","y":[-1.5e3]})"sv;

    for (std::size_t size = 0; size < body.size(); size++) {
        EXPECT_EQ(error_of({body.data(), size}), ReplyError::not_json)
            << size;
    }

    EXPECT_TRUE(read(body).has_identity());
}


TEST(UsableOpenid, HasItsCharactersAlone)
{
    for (int i = 0; i < 256; i++) {
        char c = static_cast<char>(i);
        bool usable = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789_-."sv.find(c) != std::string_view::npos;

        EXPECT_EQ(usable_openid({&c, 1}), usable) << i;
        EXPECT_EQ(usable_openid("o"s + c), usable) << i;
    }
}


TEST(UsableOpenid, HasOneToMaxBytes)
{
    EXPECT_FALSE(usable_openid(""));
    EXPECT_TRUE(usable_openid(std::string(max_openid_length, 'o')));
    EXPECT_FALSE(usable_openid(std::string(max_openid_length + 1, 'o')));
}


TEST(UsableSessionKey, HasItsCharactersAlone)
{
    for (int i = 0; i < 256; i++) {
        char c = static_cast<char>(i);
        bool usable = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789+/"sv.find(c) != std::string_view::npos;

        EXPECT_EQ(usable_session_key("AA"s + c + "A"), usable) << i;
    }
}


TEST(UsableSessionKey, IsPaddedToFours)
{
    for (auto key : {"AAAA", "AAA=", "AA==", "AAAAAAA=", "AAAABB=="}) {
        EXPECT_TRUE(usable_session_key(key)) << key;
    }

    for (auto key : {"", "A", "AA", "AAA", "AAAAA", "A===", "====", "=AAA",
                     "A=AA", "AA=A", "AA==AAAA", "AAA=AAA="})
    {
        EXPECT_FALSE(usable_session_key(key)) << key;
    }
}


TEST(UsableSessionKey, HasAtMostMaxBytes)
{
    EXPECT_TRUE(usable_session_key(std::string(max_session_key_length, 'A')));
    EXPECT_FALSE(
        usable_session_key(std::string(max_session_key_length + 4, 'A')));
}


TEST(ReplyErrorText, TellsEachErrorInItsOwnWords)
{
    std::set<std::string_view> texts;

    for (auto error : {ReplyError::none, ReplyError::not_json,
                       ReplyError::repeated, ReplyError::bad_errcode,
                       ReplyError::no_openid, ReplyError::bad_unionid,
                       ReplyError::bad_session_key})
    {
        auto text = reply_error_text(error);

        EXPECT_FALSE(text.empty());
        EXPECT_NE(text, "unknown error");
        EXPECT_TRUE(texts.insert(text).second) << text;
    }
}


std::string
refusal(const std::string &errmsg)
{
    return "{\"errcode\":40029,\"errmsg\":\"" + errmsg + "\"}";
}


TEST(ErrmsgHas, FindsATextAsItIsOrEncoded)
{
    for (auto errmsg : {"a+b/c", "x a+b/c y", "a\\u002bb\\/c", "a%2Bb%2fc",
                        "%61+b/c", "\\u0025\\u0036\\u0031+b/c"})
    {
        EXPECT_TRUE(errmsg_has(refusal(errmsg), "a+b/c")) << errmsg;
    }
}


TEST(ErrmsgHas, LooksBehindWhereItIsCut)
{
    EXPECT_TRUE(errmsg_has(refusal(std::string(300, 'x') + "secret"),
                           "secret"));
    EXPECT_TRUE(errmsg_has(refusal(std::string(max_errmsg_length - 3, 'x')
                                   + "secret"), "secret"));
}


TEST(ErrmsgHas, LooksNowhereElse)
{
    EXPECT_FALSE(errmsg_has(refusal("code been used"), "40029"));
    EXPECT_FALSE(errmsg_has("{\"errcode\":1,\"rid\":\"secret\"}", "secret"));
    EXPECT_FALSE(errmsg_has("{\"errmsg\":5}", "5"));
    EXPECT_FALSE(errmsg_has("no JSON: secret", "secret"));
    EXPECT_FALSE(errmsg_has("", "secret"));
}
