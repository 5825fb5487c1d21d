/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_resolvconf.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "guarded.h"


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;


namespace {


using Names = std::vector<std::string>;


Names
nameservers(std::string_view content)
{
    Guarded guarded(content);
    std::string_view text = guarded.text();
    Names names;

    for (;;) {
        std::string_view name = next_nameserver(text);

        if (name.empty()) {
            break;
        }

        names.emplace_back(name);
    }

    EXPECT_TRUE(text.empty());

    return names;
}


}


TEST(Resolvconf, FindsNothingInNothing)
{
    EXPECT_EQ(nameservers(""), Names{});
    EXPECT_EQ(nameservers("\n\n"), Names{});
    EXPECT_EQ(nameservers("search example.com\noptions ndots:1\n"), Names{});
}


TEST(Resolvconf, GivesNameserversInOrder)
{
    EXPECT_EQ(nameservers("nameserver 192.0.2.1\n"
                          "search example.com\n"
                          "nameserver 2001:db8::1\n"
                          "nameserver fe80::1%eth0\n"
                          "nameserver 192.0.2.4\n"),
              (Names{"192.0.2.1", "2001:db8::1", "fe80::1%eth0",
                     "192.0.2.4"}));
}


TEST(Resolvconf, NeedsNoLineFeedAtTheEnd)
{
    EXPECT_EQ(nameservers("nameserver 192.0.2.1"), Names{"192.0.2.1"});
}


TEST(Resolvconf, TakesBlanksAndTabsAndCarriageReturns)
{
    EXPECT_EQ(nameservers("nameserver\t192.0.2.1\r\n"
                          "nameserver \t 192.0.2.2 \t\r\n"),
              (Names{"192.0.2.1", "192.0.2.2"}));
}


TEST(Resolvconf, SkipsComments)
{
    EXPECT_EQ(nameservers("# nameserver 192.0.2.1\n"
                          "; nameserver 192.0.2.2\n"
                          "#nameserver 192.0.2.3\n"),
              Names{});
}


TEST(Resolvconf, EndsAnAddressAtWhatFollows)
{
    EXPECT_EQ(nameservers("nameserver 192.0.2.1 # ours\n"
                          "nameserver 192.0.2.2#ours\n"
                          "nameserver 192.0.2.3;ours\n"
                          "nameserver 192.0.2.4 192.0.2.5\n"),
              (Names{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}));
}


TEST(Resolvconf, SkipsLinesWithoutAnAddress)
{
    EXPECT_EQ(nameservers("nameserver\n"
                          "nameserver \t\n"
                          "nameserver # none\n"
                          "nameserver ;\n"
                          "nameserver \r\n"
                          "nameserver 192.0.2.1\n"),
              Names{"192.0.2.1"});
}


TEST(Resolvconf, TakesTheWholeKeywordAlone)
{
    EXPECT_EQ(nameservers("nameservers 192.0.2.1\n"
                          "nameserver192.0.2.2\n"
                          "NAMESERVER 192.0.2.3\n"
                          "my nameserver 192.0.2.4\n"
                          "name"),
              Names{});
}


TEST(Resolvconf, GivesPartsOfTheText)
{
    std::string_view text = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n";
    const char *begin = text.data();

    EXPECT_EQ(next_nameserver(text).data(), begin + 11);
    EXPECT_EQ(text, "nameserver 192.0.2.2\n");
}


TEST(Resolvconf, TakesNulAsAnyCharacter)
{
    EXPECT_EQ(nameservers("nameserver 192\0.1\n"sv), Names{"192\0.1"s});
}
