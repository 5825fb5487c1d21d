/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_base64.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "guarded.h"
#include "jwe.h"


using namespace wx_openid;
using namespace std::string_literals;


namespace {


std::string
encoded(std::string_view in)
{
    auto bytes = jwe::bytes(in);
    std::string out(base64url_size(bytes.size()), '#');

    EXPECT_EQ(base64url_encode(bytes, out), out.size());

    return out;
}


/* writes no byte more than there is room for, "?" where it refuses */

std::string
decoded(std::string_view in, std::size_t less_room = 0)
{
    Guarded text(in);
    auto room = base64url_decoded_size(in.size()) - less_room;
    auto out = std::make_unique<unsigned char[]>(room);
    auto size = base64url_decode(text.text(), { out.get(), room });

    return size ? std::string(out.get(), out.get() + *size) : "?";
}


struct Vector {
    const char *plain;
    const char *text;
};

/* RFC 4648, 10, without the padding */

constexpr Vector vectors[] = {
    { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
    { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }
};


constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


}


TEST(Base64url, HasTheVectorsOfTheRfc)
{
    for (auto &v : vectors) {
        EXPECT_EQ(encoded(v.plain), v.text);
        EXPECT_EQ(decoded(v.text), v.plain);
    }
}


TEST(Base64url, HasTheAlphabetForUrls)
{
    EXPECT_EQ(encoded("\xfb\xff\xfe"), "-__-");
    EXPECT_EQ(decoded("-__-"), "\xfb\xff\xfe");
}


TEST(Base64url, TakesBackWhatItWroteAtEveryLength)
{
    std::string bytes;

    for (unsigned i = 0; i < 600; i++) {
        EXPECT_EQ(encoded(bytes), jwe::base64url(jwe::bytes(bytes)));
        EXPECT_EQ(decoded(encoded(bytes)), bytes);
        bytes += static_cast<char>(i * 167 + i / 256);
    }
}


TEST(Base64url, RefusesEveryOtherByteAtEveryPlace)
{
    for (int i = 0; i < 256; i++) {
        char c = static_cast<char>(i);
        bool known = alphabet.find(c) != alphabet.npos;

        for (std::size_t size : { 2, 3, 4, 6, 7, 8 }) {
            for (std::size_t at = 0; at < size; at++) {
                std::string text(size, 'A');
                text[at] = c;

                if (!known) {
                    EXPECT_EQ(decoded(text), "?") << i << " at " << at;
                }
            }
        }
    }
}


TEST(Base64url, RefusesStrayBits)
{
    for (unsigned value = 0; value < 64; value++) {
        auto last = std::string(1, alphabet[value]);

        EXPECT_EQ(decoded("A" + last) != "?", value % 16 == 0) << value;
        EXPECT_EQ(decoded("AA" + last) != "?", value % 4 == 0) << value;
    }
}


TEST(Base64url, RefusesALengthNobodyWrites)
{
    EXPECT_EQ(decoded("A"), "?");
    EXPECT_EQ(decoded("AAAAA"), "?");
}


TEST(Base64url, RefusesPaddingAndWhiteSpace)
{
    for (auto text : { "Zg==", "Zm8=", "=", "Zg=", "Zm9v=", "Zm9v\n", " Zg",
                       "Zm 9v", "Zm9v Zg" })
    {
        EXPECT_EQ(decoded(text), "?") << text;
    }
}


TEST(Base64url, RefusesWhatDoesNotFit)
{
    EXPECT_EQ(decoded("Zm9vYmFy", 1), "?");
    EXPECT_EQ(decoded("Zm8", 1), "?");
    EXPECT_EQ(decoded("Zg", 1), "?");
}
