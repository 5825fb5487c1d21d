/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_code.h"

#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "guarded.h"
#include "no_memory.h"


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;


namespace {


struct Found {
    CodeSearch result;
    std::string code;

    bool operator==(const Found &) const = default;
};


std::ostream &
operator<<(std::ostream &os, const Found &found)
{
    return os << static_cast<int>(found.result) << " \"" << found.code << '"';
}


const Found absent{CodeSearch::absent, ""};
const Found ambiguous{CodeSearch::ambiguous, ""};


Found
found(std::string code)
{
    return {CodeSearch::found, std::move(code)};
}


using Find = FoundCode (*)(std::string_view, std::string_view,
                           std::span<char>) noexcept;


/* gives the function no byte more than it may read or write */

Found
find(Find function, std::string_view body, std::string_view name)
{
    Guarded in(body);
    auto out = std::make_unique<char[]>(body.size());
    auto code = function(in.text(), name, {out.get(), body.size()});

    EXPECT_LE(code.size, body.size());
    EXPECT_TRUE(code.result == CodeSearch::found || code.size == 0);

    return {code.result, std::string(out.get(), code.size)};
}


Found
json(std::string_view body, std::string_view path = "code")
{
    return find(find_json_code, body, path);
}


Found
form(std::string_view body, std::string_view name = "code")
{
    return find(find_form_code, body, name);
}


std::string
repeated(std::string_view s, int times)
{
    std::string all;

    while (times-- > 0) {
        all += s;
    }

    return all;
}


}


TEST(JsonCode, IsFoundAtTheTop)
{
    EXPECT_EQ(json(R"({"code":"0a1B-2"})"), found("0a1B-2"));
    EXPECT_EQ(json(R"({"x":1,"code":"c","y":[{"code":2}]})"), found("c"));
}


TEST(JsonCode, WithoutMemoryIsNotTakenForAbsent)
{
    const Found no_memory{CodeSearch::no_memory, ""};

    for (int n = 1;; n++) {
        NoMemory memory(n);
        auto got = json(R"({"a":[1,"b"],"data":{"code":"c"}})", "data.code");

        if (!memory.failed()) {
            EXPECT_EQ(got, found("c"));
            EXPECT_GT(n, 8);
            break;
        }

        EXPECT_EQ(got, no_memory) << n;
    }

    EXPECT_EQ(json("{"), absent);
}


TEST(JsonCode, IsFoundAtADottedPath)
{
    EXPECT_EQ(json(R"({"data":{"code":"c"}})", "data.code"), found("c"));
    EXPECT_EQ(json(R"({"a":{"b":{"c":{"d":"e"}}}})", "a.b.c.d"), found("e"));
}


TEST(JsonCode, HasItsNameInTheSameLetterCase)
{
    EXPECT_EQ(json(R"({"Code":"c"})"), absent);
    EXPECT_EQ(json(R"({"Code":"a","code":"b"})"), found("b"));
    EXPECT_EQ(json(R"({"Data":{"code":"c"}})", "data.code"), absent);
}


TEST(JsonCode, HasItsWholeName)
{
    EXPECT_EQ(json(R"({"codes":"c"})"), absent);
    EXPECT_EQ(json(R"({"cod":"c"})"), absent);
    EXPECT_EQ(json(R"({"":"c"})"), absent);
    EXPECT_EQ(json(R"({"data.code":"c"})", "data.code"), absent);
}


TEST(JsonCode, IsNotLookedForElsewhere)
{
    EXPECT_EQ(json(R"({"data":{"code":"c"}})"), absent);
    EXPECT_EQ(json(R"({"code":"c"})", "data.code"), absent);
    EXPECT_EQ(json(R"({"code":"c"})", "code.x"), absent);
    EXPECT_EQ(json(R"({"a":{"b":"c"}})", "a"), absent);
    EXPECT_EQ(json(R"({"data":[{"code":"c"}]})", "data.code"), absent);
    EXPECT_EQ(json(R"({"data":null})", "data.code"), absent);
}


TEST(JsonCode, IsAStringWithText)
{
    for (auto value : {"1", "null", "true", "false", "[]", "{}", R"(["c"])",
                       R"("")"})
    {
        EXPECT_EQ(json(R"({"code":)"s + value + "}"), absent) << value;
    }
}


TEST(JsonCode, IsUnescaped)
{
    EXPECT_EQ(json(R"({"code":"\"\\\/\b\f\n\r\t"})"),
              found("\"\\/\b\f\n\r\t"));
    EXPECT_EQ(json(R"({"code":"\u0061\u00e9\uD83d\uDe00"})"),
              found("a\xc3\xa9\xf0\x9f\x98\x80"));
    EXPECT_EQ(json(R"({"\u0063ode":"c"})"), found("c"));
}


TEST(JsonCode, IsAbsentWithoutOneObject)
{
    for (auto body : {"", " ", "c", R"("code")", "1", "null", "[]",
                      R"([{"code":"c"}])", R"({"code":"c")", R"({"code":"c)",
                      R"({"code")", R"({"code":)", "{", R"({'code':'c'})",
                      R"({"code":"c",})", R"({"code":"\x"})",
                      R"({"code":"\ud800"})", R"({"code":"\ude00"})",
                      R"({"code":"\u12)", R"({"code":"\)", "code=c"})
    {
        EXPECT_EQ(json(body), absent) << body;
    }
}


TEST(JsonCode, IsAbsentWithTextBehindTheObject)
{
    for (auto rest : {"x", "{}", ",", "}", " 1", "\n\"", "\v", "\f"}) {
        EXPECT_EQ(json(R"({"code":"c"})"s + rest), absent) << rest;
    }

    EXPECT_EQ(json("{\"code\":\"c\"}\0"sv), absent);
    EXPECT_EQ(json("{\"code\":\"c\"}\0{}"sv), absent);
}


TEST(JsonCode, MayHaveWhiteSpaceAround)
{
    EXPECT_EQ(json(" \t\r\n{ \"code\" : \"c\" } \t\r\n"), found("c"));
}


TEST(JsonCode, MayHaveOneByteOrderMarkBefore)
{
    EXPECT_EQ(json("\xEF\xBB\xBF{\"code\":\"c\"}"), found("c"));
    EXPECT_EQ(json("\xEF\xBB\xBF\xEF\xBB\xBF{\"code\":\"c\"}"), absent);
    EXPECT_EQ(json("\xEF\xBB{\"code\":\"c\"}"), absent);
    EXPECT_EQ(json("\xEF\xBB\xBF"), absent);
}


TEST(JsonCode, ThatStandsTwiceIsAmbiguous)
{
    EXPECT_EQ(json(R"({"code":"a","code":"b"})"), ambiguous);
    EXPECT_EQ(json(R"({"code":"a","x":1,"code":"a"})"), ambiguous);
    EXPECT_EQ(json(R"({"code":"a","code":null})"), ambiguous);
    EXPECT_EQ(json(R"({"code":1,"code":"b"})"), ambiguous);
    EXPECT_EQ(json(R"({"code":"a","cod\u0065":"b"})"), ambiguous);
}


TEST(JsonCode, IsAmbiguousAtAnyLevelOfThePath)
{
    EXPECT_EQ(json(R"({"data":{"code":"a"},"data":{}})", "data.code"),
              ambiguous);
    EXPECT_EQ(json(R"({"data":{"code":"a","code":"b"}})", "data.code"),
              ambiguous);
    EXPECT_EQ(json(R"({"data":1,"data":2})", "data.code"), ambiguous);
}


TEST(JsonCode, IsNotAmbiguousByOtherMembers)
{
    EXPECT_EQ(json(R"({"x":1,"code":"c","x":2,"y":{"code":"d"}})"),
              found("c"));
}


TEST(JsonCode, ThatNulMayHaveCutIsAmbiguous)
{
    EXPECT_EQ(json(R"({"code":"admin\u0000x"})"), ambiguous);
    EXPECT_EQ(json(R"({"code":"\u0000x"})"), ambiguous);
    EXPECT_EQ(json("{\"code\":\"admin\0x\"}"sv), ambiguous);
    EXPECT_EQ(json(R"({"code":"c","code\u0000":"d"})"), ambiguous);
    EXPECT_EQ(json(R"({"code\u0000":"d"})"), ambiguous);
    EXPECT_EQ(json(R"({"code":"c","x":"\u0000"})"), ambiguous);
    EXPECT_EQ(json("{\"code\":\0\"c\"}"sv), ambiguous);
}


/* cJSON reads four characters that are no hex digits as 0 */

TEST(JsonCode, ThatABrokenUnicodeEscapeMayHaveCutIsAmbiguous)
{
    for (auto escape : {"\\uzzzz", "\\u000g", "\\u00-1", "\\u 041",
                        "\\u+041", "\\u006\\n"})
    {
        EXPECT_EQ(json(R"({"code":"admin)"s + escape + R"(x"})"), ambiguous)
            << escape;
    }
}


TEST(JsonCode, MayHaveOtherEscapesBesideIt)
{
    EXPECT_EQ(json(R"({"code":"c\\u0000"})"), found("c\\u0000"));
    EXPECT_EQ(json(R"({"code":"c","x":"\\\\u0000"})"), found("c"));
    EXPECT_EQ(json(R"({"code":"c\u0001\u1000\u0010"})"),
              found("c\x01\xe1\x80\x80\x10"));
    EXPECT_EQ(json(R"({"code":"c\\\u0000"})"), ambiguous);
    EXPECT_EQ(json(R"({"code":"c","u0000":"u0000"})"), found("c"));
}


TEST(JsonCode, IsAbsentWhereOnlyOthersHaveNul)
{
    EXPECT_EQ(json(R"({"x":"\u0000"})"), absent);
}


TEST(JsonCode, SurvivesDepthBombs)
{
    for (int depth : {900, 2000, 100000}) {
        auto arrays = R"({"code":"c","x":)" + repeated("[", depth)
                      + repeated("]", depth) + "}";
        auto objects = repeated(R"({"a":)", depth) + "1"
                       + repeated("}", depth);

        EXPECT_EQ(json(arrays), depth < 1000 ? found("c") : absent) << depth;
        EXPECT_EQ(json(objects), absent) << depth;
        EXPECT_EQ(json(repeated("[", depth)), absent) << depth;
        EXPECT_EQ(json(repeated(R"({"code":)", depth)), absent) << depth;
    }
}


TEST(JsonCode, MayBeAsLongAsTheBodyAllows)
{
    std::string code(100000, 'c');

    EXPECT_EQ(json(R"({"code":")" + code + R"("})"), found(code));
}


TEST(JsonCode, IsAbsentAtAPathThatIsNone)
{
    EXPECT_EQ(json(R"({"":"c"})", ""), absent);
    EXPECT_EQ(json(R"({"code":{"":"c"}})", "code."), absent);
    EXPECT_EQ(json(R"({"":{"code":"c"}})", ".code"), absent);
    EXPECT_EQ(json(R"({"a":{"":{"b":"c"}}})", "a..b"), absent);
}


TEST(JsonCode, IsReadFromEveryPrefixWithoutReadingOn)
{
    auto body = R"( {"a":[1,-2.5e3,true,null,"\u00e9"],"code":"c"})"sv;

    for (std::size_t size = 0; size < body.size(); size++) {
        EXPECT_EQ(json({body.data(), size}), absent) << size;
    }

    EXPECT_EQ(json(body), found("c"));
}


TEST(JsonPath, HasMembersBetweenDots)
{
    for (auto path : {"code", "a.b", "a.b.c", "a b", "-"}) {
        EXPECT_TRUE(usable_json_path(path)) << path;
    }

    for (auto path : {"", ".", "a.", ".a", "a..b", "..", "a.b."}) {
        EXPECT_FALSE(usable_json_path(path)) << path;
    }
}


TEST(FormCode, IsFoundAmongFields)
{
    EXPECT_EQ(form("code=c"), found("c"));
    EXPECT_EQ(form("a=b&code=c&d=e"), found("c"));
    EXPECT_EQ(form("&&code=c&&"), found("c"));
    EXPECT_EQ(form("js_code=x&code=c", "js_code"), found("x"));
}


TEST(FormCode, HasItsWholeNameInTheSameLetterCase)
{
    for (auto body : {"", "&", "=", "=c", "Code=c", "codes=c", "cod=c",
                      "xcode=c", "a=code=c", "code+=c", "code%00=c"})
    {
        EXPECT_EQ(form(body), absent) << body;
    }
}


TEST(FormCode, IsDecoded)
{
    EXPECT_EQ(form("code=a%26b%3dc+d%2B"), found("a&b=c d+"));
    EXPECT_EQ(form("code=%zz%"), found("%zz%"));
}


TEST(FormCode, HasItsNameDecoded)
{
    EXPECT_EQ(form("%63%6Fde=c"), found("c"));
    EXPECT_EQ(form("my+code=c", "my code"), found("c"));
    EXPECT_EQ(form("my%20code=c", "my code"), found("c"));
    EXPECT_EQ(form("my+code=c", "my+code"), absent);
    EXPECT_EQ(form("code%3Dx=c", "code=x"), found("c"));
}


TEST(FormCode, MayHaveEqualSigns)
{
    EXPECT_EQ(form("code=a=b=="), found("a=b=="));
}


TEST(FormCode, IsTheFirstThatIsNotEmpty)
{
    EXPECT_EQ(form("code=a&code=b"), found("a"));
    EXPECT_EQ(form("code=&code&code=b"), found("b"));
    EXPECT_EQ(form("code="), absent);
    EXPECT_EQ(form("code"), absent);
}


TEST(FormCode, WithNulIsAmbiguous)
{
    EXPECT_EQ(form("code=admin%00x"), ambiguous);
    EXPECT_EQ(form("code=%00"), ambiguous);
    EXPECT_EQ(form("code=a\0b"sv), ambiguous);
    EXPECT_EQ(form("code=&code=%00&code=c"), ambiguous);
}


TEST(FormCode, IsNotAmbiguousByNulElsewhere)
{
    EXPECT_EQ(form("x=%00&code=c&code=%00"), found("c"));
    EXPECT_EQ(form("x\0=1&code=c"sv), found("c"));
}


TEST(UsableCode, HasOneToMaxBytes)
{
    EXPECT_FALSE(usable_code(""));
    EXPECT_TRUE(usable_code("c"));
    EXPECT_TRUE(usable_code(std::string(max_code_length, 'c')));
    EXPECT_FALSE(usable_code(std::string(max_code_length + 1, 'c')));
}


TEST(UsableCode, HasNoControlCharacters)
{
    EXPECT_TRUE(usable_code("the code is a mock one"));
    EXPECT_TRUE(usable_code("081Dq0kI0-&?#%\"\xe4\xbd\xa0"));
    EXPECT_FALSE(usable_code("a\0b"sv));
    EXPECT_FALSE(usable_code("a\r\n"));
    EXPECT_FALSE(usable_code("a\tb"));
    EXPECT_FALSE(usable_code("a\x7f"));
}


TEST(BodyKind, KnowsJson)
{
    for (auto type : {"application/json", "Application/JSON",
                      "application/json; charset=utf-8",
                      "application/json;charset=utf-8",
                      " \tapplication/json \t;", "application/vnd.api+json",
                      "APPLICATION/a+JSON;x", "application/x+json"})
    {
        EXPECT_EQ(body_kind(type), BodyKind::json) << type;
    }
}


TEST(BodyKind, KnowsForms)
{
    for (auto type : {"application/x-www-form-urlencoded",
                      "Application/X-WWW-Form-Urlencoded;charset=UTF-8",
                      "  application/x-www-form-urlencoded  "})
    {
        EXPECT_EQ(body_kind(type), BodyKind::form) << type;
    }
}


TEST(BodyKind, KnowsNothingElse)
{
    for (auto type : {"", ";", ";application/json", "json", "application",
                      "application/", "application/jso", "application/jsonp",
                      "application/json-seq", "application/+json", "+json",
                      "text/json", "text/x+json",
                      "multipart/something+json", "application/x+jso",
                      "multipart/form-data", "text/plain",
                      "application/x-www-form-urlencoded2",
                      "application /json", "text/plain;application/json"})
    {
        EXPECT_EQ(body_kind(type), BodyKind::other) << type;
    }
}
