/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_gcm.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "jwe.h"


using namespace wx_openid;


namespace {


/* McGrew and Viega, test case 16 */

const auto key = jwe::unhex("feffe9928665731c6d6a8f9467308308"
                            "feffe9928665731c6d6a8f9467308308");
const auto nonce = jwe::unhex("cafebabefacedbaddecaf888");
const auto aad = jwe::unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
const auto plain = jwe::unhex("d9313225f88406e5a55909c5aff5269a"
                              "86a7a9531534f7da2e4c303d8a318a72"
                              "1c3c0c95956809532fcf0e2449a6b525"
                              "b16aedf5aa0de657ba637b39");
const auto sealed = jwe::unhex("522dc1f099567d07f47f37a32a84427d"
                               "643a8cdcbfe5c0c97598a2bd2555d1aa"
                               "8cb08e48590dbb3da7b08b1056828838"
                               "c5f61e6393ba7a0abcc9f662");
const auto tag = jwe::unhex("76fc6ece0f4e1768cddf8853bb2d551b");


struct Context {
    Context() : ctx(new_gcm_context()) {}
    ~Context() { EVP_CIPHER_CTX_free(ctx); }

    Context(const Context &) = delete;
    Context &operator=(const Context &) = delete;

    EVP_CIPHER_CTX *ctx;
};


std::string
chars(const jwe::Bytes &b)
{
    return { b.begin(), b.end() };
}


jwe::Sealed
seal(Context &c, const jwe::Bytes &in)
{
    jwe::Sealed out{ in, jwe::Bytes(gcm_tag_size, 0) };

    EXPECT_TRUE(gcm_seal(c.ctx, GcmKey(key), GcmNonce(nonce), chars(aad),
                         out.text,
                         std::span<unsigned char, gcm_tag_size>(out.tag)));
    return out;
}


/* what it was, or "refused" */

struct Box {
    jwe::Bytes key, nonce, aad, text, tag;
};

std::string
open(Context &c, Box box)
{
    bool ok = gcm_open(
        c.ctx, GcmKey(box.key), GcmNonce(box.nonce), chars(box.aad), box.text,
        std::span<const unsigned char, gcm_tag_size>(box.tag));

    return ok ? chars(box.text) : "refused";
}


}


TEST(Gcm, HasTheVector)
{
    Context c;
    auto out = seal(c, plain);

    EXPECT_EQ(out.text, sealed);
    EXPECT_EQ(out.tag, tag);
    EXPECT_EQ(open(c, { key, nonce, aad, sealed, tag }), chars(plain));
}


TEST(Gcm, TakesOneTextAfterAnotherEitherWay)
{
    Context c;

    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(seal(c, plain).tag, tag);
        EXPECT_EQ(open(c, { key, nonce, aad, sealed, tag }), chars(plain));
        EXPECT_EQ(open(c, { key, nonce, aad, plain, tag }), "refused");
    }
}


TEST(Gcm, RefusesEveryBitFlipped)
{
    Context c;
    Box good{ key, nonce, aad, sealed, tag };

    for (auto part : { &Box::key, &Box::nonce, &Box::aad, &Box::text,
                       &Box::tag })
    {
        for (std::size_t bit = 0; bit < (good.*part).size() * 8; bit++) {
            auto box = good;
            auto &byte = (box.*part)[bit / 8];

            byte = static_cast<unsigned char>(byte ^ 1u << bit % 8);

            EXPECT_EQ(open(c, box), "refused");
        }
    }
}


TEST(Gcm, AgreesWithTheReferenceAtEveryLength)
{
    Context c;

    for (std::size_t size = 1; size < 100; size++) {
        jwe::Bytes text(size, 'x');
        auto want = jwe::gcm(key, nonce, aad, text);
        auto got = seal(c, text);

        EXPECT_EQ(got.text, want.text);
        EXPECT_EQ(got.tag, want.tag);
    }
}


TEST(Reference, HasTheVectorOfGcm)
{
    /* jwe.h is what tokens are held to */

    auto out = jwe::gcm(key, nonce, aad, plain);

    EXPECT_EQ(out.text, sealed);
    EXPECT_EQ(out.tag, tag);
}
