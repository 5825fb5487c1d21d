/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_wrap.h"

#include <array>
#include <random>

#include <gtest/gtest.h>

#include "jwe.h"


using namespace wx_openid;


namespace {


using Kek = std::span<const unsigned char, unwrapped_size>;


struct Context {
    Context(const jwe::Bytes &kek, WrapMode mode)
        : ctx(new_wrap_context(Kek(kek), mode))
    {
    }

    ~Context()
    {
        EVP_CIPHER_CTX_free(ctx);
    }

    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;

    EVP_CIPHER_CTX *ctx;
};


jwe::Bytes
wrapped(Context &c, const jwe::Bytes &key)
{
    jwe::Bytes out(wrapped_size, 0);

    EXPECT_TRUE(wrap_key(c.ctx, Kek(key),
                         std::span<unsigned char, wrapped_size>(out)));
    return out;
}


/* empty where it refuses */

jwe::Bytes
unwrapped(Context &c, const jwe::Bytes &in)
{
    jwe::Bytes out(unwrapped_size, 0);

    if (!unwrap_key(c.ctx, std::span<const unsigned char, wrapped_size>(in),
                    std::span<unsigned char, unwrapped_size>(out)))
    {
        out.clear();
    }

    return out;
}


/* RFC 3394, 4.6 */

const auto kek = jwe::unhex(
    "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
const auto key = jwe::unhex(
    "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
const auto ciphertext = jwe::unhex(
    "28C9F404C4B810F4 CBCCB35CFB87F826 3F5786E2D80ED326"
    "CBC7F0E71A99F43B FB988B9B7A02DD21");


}


TEST(KeyWrap, HasTheVectorOfTheRfc)
{
    Context wrap(kek, WrapMode::wrap), unwrap(kek, WrapMode::unwrap);

    EXPECT_EQ(wrapped(wrap, key), ciphertext);
    EXPECT_EQ(unwrapped(unwrap, ciphertext), key);
}


TEST(KeyWrap, AgreesWithOpenSSLsOwn)
{
    std::mt19937 random(1);

    auto some = [&random] {
        jwe::Bytes b(unwrapped_size, 0);

        for (auto &c : b) {
            c = static_cast<unsigned char>(random() & 0xff);
        }

        return b;
    };

    for (int i = 0; i < 200; i++) {
        auto outer = some(), inner = some();
        Context wrap(outer, WrapMode::wrap), unwrap(outer, WrapMode::unwrap);

        EXPECT_EQ(wrapped(wrap, inner), jwe::wrap(outer, inner));
        EXPECT_EQ(unwrapped(unwrap, jwe::wrap(outer, inner)), inner);
    }
}


TEST(KeyWrap, RefusesEveryBitFlipped)
{
    Context unwrap(kek, WrapMode::unwrap);

    for (std::size_t bit = 0; bit < wrapped_size * 8; bit++) {
        auto bad = ciphertext;
        bad[bit / 8] = static_cast<unsigned char>(bad[bit / 8]
                                                  ^ 1u << bit % 8);

        EXPECT_EQ(unwrapped(unwrap, bad), jwe::Bytes()) << bit;
    }

    /* the context is none the worse */
    EXPECT_EQ(unwrapped(unwrap, ciphertext), key);
}


TEST(KeyWrap, RefusesAnotherKeysText)
{
    Context unwrap(key, WrapMode::unwrap);

    EXPECT_EQ(unwrapped(unwrap, ciphertext), jwe::Bytes());
}


TEST(Reference, HasTheVectorOfKeyWrap)
{
    EXPECT_EQ(jwe::wrap(kek, key), ciphertext);
}
