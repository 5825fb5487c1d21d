/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_text.h"

#include <memory>
#include <bit>
#include <string>

#include <gtest/gtest.h>

#include "guarded.h"


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;


namespace {


std::string
encoded(std::string_view in)
{
    std::string out(percent_encoded_max(in.size()), '#');
    out.resize(percent_encode(in, out));
    return out;
}


std::string
decoded(std::string_view in, Plus plus = Plus::literal)
{
    Guarded text(in);
    auto out = std::make_unique<char[]>(in.size());
    auto size = percent_decode(text.text(), {out.get(), in.size()}, plus);

    return {out.get(), size};
}


std::string
printed(std::string_view in, std::size_t room = 100)
{
    std::string out(room, '#');
    out.resize(printable(in, out));
    return out;
}


std::string
all_bytes()
{
    std::string bytes;

    for (int i = 0; i < 256; i++) {
        bytes += static_cast<char>(i);
    }

    return bytes;
}


/* the characters of all 256 that a test says yes to */

template <typename Test>
std::string
chosen(Test test)
{
    std::string yes;

    for (char c : all_bytes()) {
        if (test(c)) {
            yes += c;
        }
    }

    return yes;
}


constexpr std::string_view alnums =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";


}


TEST(Text, StartsEmpty)
{
    Text<4> text;

    EXPECT_TRUE(text.empty());
    EXPECT_EQ(text.view(), "");
}


TEST(Text, HoldsWhatFitsExactly)
{
    Text<4> text;

    EXPECT_TRUE(text.assign("abcd"));
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.view(), "abcd");
}


TEST(Text, IsEmptyAfterTextThatDoesNotFit)
{
    Text<4> text;

    EXPECT_TRUE(text.assign("ab"));
    EXPECT_FALSE(text.assign("abcde"));
    EXPECT_TRUE(text.empty());
    EXPECT_EQ(text.view(), "");
}


TEST(Text, ForgetsALongerTextBefore)
{
    Text<4> text;

    EXPECT_TRUE(text.assign("abcd"));
    EXPECT_TRUE(text.assign("x"));
    EXPECT_EQ(text.view(), "x");
    EXPECT_TRUE(text.assign({}));
    EXPECT_TRUE(text.empty());
}


TEST(Text, KeepsNulBytes)
{
    Text<4> text;

    EXPECT_TRUE(text.assign("a\0b"sv));
    EXPECT_EQ(text.view(), "a\0b"sv);
}


TEST(Ascii, AlnumIsLettersAndDigitsAlone)
{
    EXPECT_EQ(chosen(is_alnum), alnums);
}


TEST(Ascii, BlankIsTabAndSpaceAlone)
{
    EXPECT_EQ(chosen(is_blank), "\t ");
}


TEST(Ascii, ToLowerChangesLettersAlone)
{
    for (char c : all_bytes()) {
        char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a')
                                          : c;
        EXPECT_EQ(to_lower(c), lower) << int(c);
    }
}


TEST(Ascii, ControlIsBelowSpaceAndDelete)
{
    EXPECT_FALSE(has_control(""));
    EXPECT_FALSE(has_control("abc ~"));
    EXPECT_TRUE(has_control("abc\x1f"));
    EXPECT_TRUE(has_control("\nabc"));
    EXPECT_TRUE(has_control("a\0c"sv));
    EXPECT_TRUE(has_control("a\x7f" "c"));
    EXPECT_FALSE(has_control("\x80\xff"));
}


TEST(Ascii, EqualNocaseIgnoresLetterCaseAlone)
{
    EXPECT_TRUE(equal_nocase("", ""));
    EXPECT_TRUE(equal_nocase("Content-Length", "content-lENGTH"));
    EXPECT_FALSE(equal_nocase("content-length", "content-lengt"));
    EXPECT_FALSE(equal_nocase("content", "content-length"));
    EXPECT_FALSE(equal_nocase("a@", "a`"));
    EXPECT_FALSE(equal_nocase("a[", "a{"));
    EXPECT_FALSE(equal_nocase("a-", "a_"));
}


TEST(Ascii, TrimmedDropsBlanksAtBothEnds)
{
    EXPECT_EQ(trimmed(" \t a b\t "), "a b");
    EXPECT_EQ(trimmed("a"), "a");
    EXPECT_EQ(trimmed(" \t "), "");
    EXPECT_EQ(trimmed(""), "");
    EXPECT_EQ(trimmed("\ra\n"), "\ra\n");
}


TEST(Ascii, NextPartTakesPartsInTurn)
{
    auto s = "a,,bc"sv;

    EXPECT_EQ(next_part(s, ','), "a");
    EXPECT_EQ(s, ",bc");
    EXPECT_EQ(next_part(s, ','), "");
    EXPECT_EQ(next_part(s, ','), "bc");
    EXPECT_TRUE(s.empty());
    EXPECT_EQ(next_part(s, ','), "");
}


TEST(Ascii, NextPartTakesASeparatorAtTheEnd)
{
    auto s = "a,"sv;

    EXPECT_EQ(next_part(s, ','), "a");
    EXPECT_TRUE(s.empty());
}


TEST(HeaderName, AliasesAreTheSame)
{
    for (auto alias : {"X-WX-OPENID", "x-wx-openid", "X_WX_OPENID",
                       "x.Wx~openID", "X WX OPENID", "X-WX\x80OPENID"})
    {
        EXPECT_TRUE(same_header_name(alias, "X-WX-OPENID")) << alias;
        EXPECT_TRUE(same_header_name("X-WX-OPENID", alias)) << alias;
    }
}


TEST(HeaderName, OthersAreNot)
{
    for (auto other : {"", "X-WX-OPENI", "X-WX-OPENIDS", "XWX-OPENID",
                       "X-WXOPENID", "X--WX-OPENID", "X-WX-OPENIE",
                       "X-WX-0PENID", "X0WX-OPENID"})
    {
        EXPECT_FALSE(same_header_name(other, "X-WX-OPENID")) << other;
        EXPECT_FALSE(same_header_name("X-WX-OPENID", other)) << other;
    }
}


TEST(PercentEncode, KeepsUnreservedCharactersAlone)
{
    for (char c : all_bytes()) {
        std::string_view one(&c, 1);
        bool unreserved = alnums.find(c) != alnums.npos || c == '-'
                          || c == '.' || c == '_' || c == '~';

        EXPECT_EQ(encoded(one) == one, unreserved) << int(c);
    }
}


TEST(PercentEncode, WritesUpperCaseHex)
{
    EXPECT_EQ(encoded("a&b=c#d e"), "a%26b%3Dc%23d%20e");
    EXPECT_EQ(encoded("\0\r\n\xff\xab"sv), "%00%0D%0A%FF%AB");
    EXPECT_EQ(encoded("+%/?"), "%2B%25%2F%3F");
    EXPECT_EQ(encoded(""), "");
}


TEST(PercentEncode, NeedsNoMoreThanItsMax)
{
    EXPECT_EQ(encoded(std::string(50, '&')).size(), percent_encoded_max(50));
}


TEST(PercentDecode, TakesBackWhatEncodeWrote)
{
    EXPECT_EQ(decoded(encoded(all_bytes())), all_bytes());
    EXPECT_EQ(decoded(encoded(all_bytes()), Plus::is_space), all_bytes());
}


TEST(PercentDecode, TakesHexOfBothCases)
{
    EXPECT_EQ(decoded("%4a%4A%fF"), "JJ\xff");
    EXPECT_EQ(decoded("%00"), "\0"s);
}


TEST(PercentDecode, LeavesABrokenEscapeAsItIs)
{
    for (auto text : {"%", "%4", "a%", "%g0", "%0g", "%%", "%/0", "%0:",
                      "%@0", "%0`", "% 4", "%-1", "%+1"})
    {
        EXPECT_EQ(decoded(text), text);
    }
}


TEST(PercentDecode, SeesAnEscapeBehindABrokenOne)
{
    EXPECT_EQ(decoded("%%41"), "%A");
    EXPECT_EQ(decoded("%4%41"), "%4A");
}


TEST(PercentDecode, DecodesOnce)
{
    EXPECT_EQ(decoded("%2541"), "%41");
}


TEST(PercentDecode, TakesPlusForSpaceOnlyInForms)
{
    EXPECT_EQ(decoded("a+b%2B", Plus::literal), "a+b+");
    EXPECT_EQ(decoded("a+b%2B", Plus::is_space), "a b+");
}


TEST(PercentDecode, WorksInPlace)
{
    auto s = "a%20b%2Bc+"s;
    s.resize(percent_decode(s, s, Plus::is_space));

    EXPECT_EQ(s, "a b+c ");
}


TEST(Printable, ReplacesAllButPrintableAscii)
{
    auto out = printed(all_bytes(), 256);

    ASSERT_EQ(out.size(), 256u);

    for (unsigned i = 0; i < 256; i++) {
        char want = i >= 0x20 && i <= 0x7e ? static_cast<char>(i) : '?';
        EXPECT_EQ(out[i], want) << i;
    }
}


TEST(Printable, CutsToTheRoomThereIs)
{
    EXPECT_EQ(printed("abcdef", 3), "abc");
    EXPECT_EQ(printed("abc", 3), "abc");
    EXPECT_EQ(printed("ab", 3), "ab");
    EXPECT_EQ(printed("ab", 0), "");
}


TEST(HeaderNameBit, IsOneBitAndTheSameForNamesThatAreTakenForOne)
{
    for (std::string_view a : {"X-WX-OPENID", "Cookie", "-a", "", "x"}) {
        EXPECT_EQ(std::popcount(header_name_bit(a)), 1);
    }

    std::string name = "X-WX-OPENID";

    for (std::size_t i = 0; i < name.size(); i++) {
        for (int c = 0; c < 256; c++) {
            auto other = name;
            other[i] = static_cast<char>(c);

            if (same_header_name(name, other)) {
                EXPECT_EQ(header_name_bit(name), header_name_bit(other));
            }
        }
    }

    EXPECT_EQ(header_name_bit("-a"), header_name_bit("_a"));
    EXPECT_EQ(header_name_bit("-a"), header_name_bit("\xff" "a"));
    EXPECT_EQ(header_name_bit("x-a"), header_name_bit("X_A"));
}


TEST(HeaderNameBit, TellsMostNamesApart)
{
    auto bit = header_name_bit("X-WX-OPENID");

    for (std::string_view other : {"Host", "User-Agent", "Accept",
                                   "Connection", "Content-Type",
                                   "Content-Length", "Accept-Encoding"})
    {
        EXPECT_NE(header_name_bit(other), bit) << other;
    }
}


TEST(Text, CopiesItsTextAlone)
{
    Text<8> a, b;

    ASSERT_TRUE(a.assign("abc"));
    b = a;

    Text<8> c(b);
    b = Text<8>();
    a = *&a;

    EXPECT_EQ(a.view(), "abc");
    EXPECT_EQ(c.view(), "abc");
    EXPECT_TRUE(b.empty());
}
