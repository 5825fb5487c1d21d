/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_digest.h"

#include <algorithm>
#include <bit>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "guarded.h"


using namespace wx_openid;
using namespace std::string_literals;


namespace {


Sha256
digest(std::initializer_list<std::string_view> parts)
{
    Sha256 out{};

    EXPECT_TRUE(digest_parts(parts, out));

    return out;
}


/* the same by OpenSSL's other way in, over the bytes put together */

Sha256
sha256(const std::string &bytes)
{
    Sha256 out;

    SHA256(reinterpret_cast<const unsigned char *>(bytes.data()),
           bytes.size(), out.data());

    return out;
}


std::string
prefixed(const std::string &part)
{
    std::string length(8, '\0');

    length[std::endian::native == std::endian::little ? 0 : 7] =
        static_cast<char>(part.size());

    return length + part;
}


}


TEST(DigestParts, IsSha256OverPartsEachAfterItsLength)
{
    EXPECT_EQ(digest({}), sha256(""));
    EXPECT_EQ(digest({""}), sha256(prefixed("")));
    EXPECT_EQ(digest({"abc"}), sha256(prefixed("abc")));
    EXPECT_EQ(digest({"wx1", "secret", "code"}),
              sha256(prefixed("wx1") + prefixed("secret")
                     + prefixed("code")));
}


TEST(DigestParts, IsTheKnownValueOfFips180WithoutParts)
{
    EXPECT_EQ(digest({})[0], 0xe3);
    EXPECT_EQ(digest({})[1], 0xb0);
    EXPECT_EQ(digest({})[31], 0x55);
}


TEST(DigestParts, NoTwoListsRunTogether)
{
    std::set<Sha256> digests = {
        digest({}), digest({""}), digest({"", ""}), digest({"abc"}),
        digest({"ab", "c"}), digest({"a", "bc"}), digest({"a", "b", "c"}),
        digest({"abc", ""}), digest({"", "abc"}), digest({"cab"}),
        digest({prefixed("a") + "b"}), digest({"a", "b"}),
        digest({"b", "a"}), digest({"A", "b"})
    };

    EXPECT_EQ(digests.size(), 14u);
}


TEST(DigestParts, EveryByteCountsAlsoNulBytes)
{
    EXPECT_NE(digest({"a\0b"s}), digest({"a\0c"s}));
    EXPECT_NE(digest({"a"}), digest({"a\0"s}));
}


TEST(DigestParts, PartsOfNoBytesMayBeOfNoMemory)
{
    EXPECT_EQ(digest({std::string_view(), "a"}), digest({"", "a"}));
}


TEST(DigestParts, ReadsNoByteMoreThanAPartHas)
{
    for (std::size_t size : {1u, 55u, 56u, 63u, 64u, 65u, 200u}) {
        std::string text(size, 'x');
        Guarded guarded(text);

        EXPECT_EQ(digest({guarded.text()}), sha256(prefixed(text)));
    }
}


TEST(DigestParts, TheSamePartsAlwaysGiveTheSame)
{
    EXPECT_EQ(digest({"key", "code"}), digest({"key", "code"}));
}


TEST(Hasher, GivesSha256OfEachTextAnew)
{
    Hasher hasher;
    Sha256 out;

    ASSERT_TRUE(hasher.init());

    for (std::size_t size : {0u, 3u, 55u, 56u, 64u, 128u, 600u, 3u}) {
        std::string text(size, 'x');
        Guarded guarded(text);

        ASSERT_TRUE(hasher.hash(guarded.text(), out));
        EXPECT_EQ(out, sha256(text)) << size;
    }

    hasher.wipe();
}


TEST(Hasher, MayBeWipedTwiceAndMadeAnew)
{
    Hasher hasher;
    Sha256 out;

    hasher.wipe();
    ASSERT_TRUE(hasher.init());
    ASSERT_TRUE(hasher.init());
    ASSERT_TRUE(hasher.hash("abc", out));
    EXPECT_EQ(out, sha256("abc"));

    hasher.wipe();
    hasher.wipe();
}
