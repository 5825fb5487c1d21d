/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_keys.h"

#include <cstring>
#include <map>
#include <memory>
#include <string>

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include "guarded.h"
#include "jwe.h"


using namespace wx_openid;
using namespace std::string_literals;
using namespace std::string_view_literals;


namespace {


const std::string k1 = jwe::base64url(jwe::Bytes(32, 0x5a));
const std::string k2 = jwe::base64url(jwe::Bytes(32, 0xff));


struct Read {
    KeyFault fault;
    std::size_t number;
    std::string kid;
    std::string words;
    std::unique_ptr<KeySet> set;
};


Read
read(std::string_view json)
{
    Guarded text(json);
    auto set = std::make_unique<KeySet>();
    auto error = set->read(text.text());

    std::array<char, max_key_set_error> words{};
    auto size = write_key_set_error(error, words);

    EXPECT_LE(size, words.size());
    EXPECT_EQ(error.fault == KeyFault::none, !set->keys().empty()) << json;

    return { error.fault, error.number, std::string(error.kid.view()),
             { words.data(), size }, std::move(set) };
}


std::string
key(std::string_view kid, std::string_view k, std::string_view more = "")
{
    return R"({"kty":"oct","kid":")"s + std::string(kid) + R"(","k":")"
           + std::string(k) + "\"" + std::string(more) + "}";
}


std::string
set_of(std::string_view keys)
{
    return R"({"keys":[)" + std::string(keys) + "]}";
}


/* what cJSON gives back to the system, looked at for a key in it */

struct Watch {
    Watch()
    {
        sizes.clear();
        keys_found = 0;

        cJSON_Hooks hooks{ allocate, release };
        cJSON_InitHooks(&hooks);
    }

    ~Watch() { cJSON_InitHooks(nullptr); }

    Watch(const Watch &) = delete;
    Watch &operator=(const Watch &) = delete;

    static void *allocate(std::size_t size)
    {
        void *p = calloc(1, size);
        sizes[p] = size;
        return p;
    }

    static void release(void *p)
    {
        if (p == nullptr) {
            return;
        }

        std::string_view bytes(static_cast<char *>(p), sizes.at(p));

        if (bytes.find(k1.substr(0, 8)) != bytes.npos
            || bytes.find(k1.substr(k1.size() - 8)) != bytes.npos)
        {
            keys_found++;
        }

        sizes.erase(p);
        free(p);
    }

    static inline std::map<void *, std::size_t> sizes;
    static inline int keys_found = 0;
};


/* the fault of a key that is not the first */

KeyFault
fault_of(std::string_view json)
{
    auto r = read(set_of(key("first", k1) + "," + std::string(json)));

    EXPECT_EQ(r.number, r.fault == KeyFault::none ? 0u : 2u) << json;

    return r.fault;
}


}


TEST(KeySet, HoldsItsKeysInOrder)
{
    auto r = read(set_of(key("2024-08.a_B", k1) + " ,\n " + key("b", k2)));

    EXPECT_EQ(r.fault, KeyFault::none);
    EXPECT_EQ(r.words, "no error");

    auto keys = r.set->keys();

    ASSERT_EQ(keys.size(), 2u);
    EXPECT_EQ(keys[0].kid.view(), "2024-08.a_B");
    EXPECT_EQ(keys[1].kid.view(), "b");
    EXPECT_EQ(keys[0].bytes[0], 0x5a);
    EXPECT_EQ(keys[0].bytes[31], 0x5a);
    EXPECT_EQ(keys[1].bytes[0], 0xff);
    EXPECT_EQ(keys[1].bytes[31], 0xff);
}


TEST(KeySet, ReadsTheBytesOfAKey)
{
    /* RFC 3394's key 000102...1f */

    auto r = read(set_of(
        key("a", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")));

    ASSERT_EQ(r.set->keys().size(), 1u);

    for (unsigned i = 0; i < 32; i++) {
        EXPECT_EQ(r.set->keys()[0].bytes[i], i);
    }
}


TEST(KeySet, IgnoresMembersItDoesNotKnow)
{
    auto r = read(R"({"x":[{}],"keys":[)"
                  + key("a", k1, R"(,"ext":true,"key_ops":["wrapKey"],"x":1,)"
                                 R"("x":2,"use":"enc","alg":"A256KW")")
                  + R"(],"y":null} )");

    EXPECT_EQ(r.fault, KeyFault::none);
}


TEST(KeySet, IsWiped)
{
    auto r = read(set_of(key("a", k1)));
    auto *bytes = reinterpret_cast<const char *>(r.set->keys()[0]
                                                     .bytes.data());
    r.set->wipe();

    EXPECT_TRUE(r.set->keys().empty());
    EXPECT_EQ(std::string(bytes, 32), std::string(32, '\0'));
}


TEST(KeySet, LeavesNoKeyInFreedMemory)
{
    Watch watch;

    EXPECT_EQ(read(set_of(key("a", k1))).fault, KeyFault::none);
    EXPECT_EQ(read(set_of(key("a", k1) + ",1")).fault, KeyFault::not_object);
    EXPECT_EQ(read(set_of(key("a", k1, R"(,"x":"\u0000")"))).fault,
              KeyFault::not_json);
    EXPECT_EQ(read(R"({"keys":7,"x":[[")" + k1 + R"("]]})").fault,
              KeyFault::no_keys);
    EXPECT_TRUE(Watch::sizes.empty());
    EXPECT_EQ(Watch::keys_found, 0);
}


TEST(KeySet, ForgetsTheKeysBeforeAnError)
{
    auto r = read(set_of(key("a", k1)));
    auto *bytes = reinterpret_cast<const char *>(r.set->keys()[0]
                                                     .bytes.data());

    EXPECT_EQ(r.set->read(set_of(key("a", k1) + ",1")).fault,
              KeyFault::not_object);
    EXPECT_TRUE(r.set->keys().empty());
    EXPECT_EQ(std::string(bytes, 32), std::string(32, '\0'));
}


TEST(KeySet, IsOneJsonObject)
{
    auto good = set_of(key("a", k1));

    for (auto text : { ""s, "x"s, "[]"s, "null"s, "[" + good + "]",
                       good + "x", good + good, good + "\0"s,
                       set_of(key("a\\u0000b", k1)),
                       set_of(key("a\nb", k1)) })
    {
        auto r = read(text);

        EXPECT_EQ(r.fault, KeyFault::not_json) << text;
        EXPECT_EQ(r.words, "not a JSON object");
    }

    for (std::size_t size = 0; size < good.size(); size++) {
        EXPECT_EQ(read(good.substr(0, size)).fault, KeyFault::not_json);
    }
}


TEST(KeySet, HasAKeyAtLeast)
{
    for (auto text : { R"({})", R"({"keys":[]})", R"({"keys":{}})",
                       R"({"keys":null})", R"({"keys":"x"})",
                       R"({"kty":"oct","kid":"a","k":"x"})" })
    {
        EXPECT_EQ(read(text).fault, KeyFault::no_keys) << text;
    }

    auto one = "\"keys\":[" + key("a", k1) + "]";

    EXPECT_EQ(read("{" + one + "," + one + "}").fault, KeyFault::no_keys);
}


TEST(KeySet, HasSixtyFourKeysAtMost)
{
    std::string keys;

    for (std::size_t i = 0; i < max_token_keys; i++) {
        keys += (i ? "," : "") + key("k" + std::to_string(i), k1);
    }

    EXPECT_EQ(read(set_of(keys)).set->keys().size(), max_token_keys);

    auto r = read(set_of(keys + "," + key("more", k1)));

    EXPECT_EQ(r.fault, KeyFault::too_many);
    EXPECT_EQ(r.words, "more than 64 keys");
}


TEST(KeySet, IsNotReadWhenItIsTooLong)
{
    auto text = set_of(key("a", k1));

    text += std::string(max_key_set_size - text.size(), ' ');
    EXPECT_EQ(read(text).fault, KeyFault::none);

    text += ' ';
    EXPECT_EQ(read(text).fault, KeyFault::too_long);
}


TEST(Key, IsAnObject)
{
    for (auto text : { "1", "null", "\"x\"", "[]" }) {
        EXPECT_EQ(fault_of(text), KeyFault::not_object) << text;
    }
}


TEST(Key, IsOfTypeOct)
{
    for (auto kty : { R"("kty":"RSA",)", R"("kty":"OCT",)", R"("kty":1,)",
                      R"("kty":null,)", R"("kty":"",)", "" })
    {
        EXPECT_EQ(fault_of("{"s + kty + R"("kid":"b","k":")" + k1 + "\"}"),
                  KeyFault::wrong_kty)
            << kty;
    }
}


TEST(Key, HasAKid)
{
    EXPECT_EQ(fault_of(R"({"kty":"oct","k":")" + k1 + "\"}"),
              KeyFault::no_kid);
    EXPECT_EQ(fault_of(R"({"kty":"oct","kid":7,"k":")" + k1 + "\"}"),
              KeyFault::no_kid);

    for (auto kid : { "", "a b", "a/b", "a\\\"b", "\\u00e9", "\xc3\xa9",
                      "a:b", "a\\n" })
    {
        EXPECT_EQ(fault_of(key(kid, k1)), KeyFault::bad_kid) << kid;
    }

    EXPECT_EQ(fault_of(key(std::string(64, 'x'), k1)), KeyFault::none);
    EXPECT_EQ(fault_of(key(std::string(65, 'x'), k1)), KeyFault::bad_kid);
}


TEST(Key, HasAKidOfItsOwn)
{
    EXPECT_EQ(fault_of(key("first", k2)), KeyFault::duplicate_kid);
    EXPECT_EQ(fault_of(key("First", k2)), KeyFault::none);
}


TEST(Key, Has256Bits)
{
    EXPECT_EQ(fault_of(R"({"kty":"oct","kid":"b"})"), KeyFault::no_k);
    EXPECT_EQ(fault_of(R"({"kty":"oct","kid":"b","k":null})"),
              KeyFault::no_k);

    for (std::size_t size : { 0, 1, 16, 31 }) {
        auto k = jwe::base64url(jwe::Bytes(size, 0x5a));
        EXPECT_EQ(fault_of(key("b", k)), KeyFault::short_k) << size;
    }

    for (std::size_t size : { 33, 48, 64, 1000 }) {
        auto k = jwe::base64url(jwe::Bytes(size, 0x5a));
        EXPECT_EQ(fault_of(key("b", k)), KeyFault::long_k) << size;
    }
}


TEST(Key, IsBase64urlWithoutPadding)
{
    auto cut = std::string(k1, 0, 42);

    /* the last has stray bits */

    for (auto k : { k1 + "=", cut + "+", cut + "/", cut + " ", " " + cut,
                    "ChangeMe!"s, "\xff"s, cut + "B" })
    {
        EXPECT_EQ(fault_of(key("b", k)), KeyFault::bad_k) << k;
    }
}


TEST(Key, IsForNothingElse)
{
    for (auto use : { R"("sig")", R"("")", "1", "null", R"(["enc"])" }) {
        EXPECT_EQ(fault_of(key("b", k1, R"(,"use":)"s + use)),
                  KeyFault::wrong_use)
            << use;
    }

    for (auto alg : { R"("HS256")", R"("A256GCM")", R"("dir")",
                      R"("A256GCMKW")", R"("a256kw")", R"("")", "1", "null" })
    {
        EXPECT_EQ(fault_of(key("b", k1, R"(,"alg":)"s + alg)),
                  KeyFault::wrong_alg)
            << alg;
    }
}


TEST(Key, HasEveryMemberOnce)
{
    for (auto more : { R"(,"kty":"oct")", R"(,"kid":"b")", R"(,"k":"x")",
                       R"(,"use":"enc","use":"enc")",
                       R"(,"alg":"A256KW","alg":"A256KW")",
                       R"(,"\u006bid":"c")" })
    {
        EXPECT_EQ(fault_of(key("b", k1, more)), KeyFault::repeated) << more;
    }
}


TEST(KeySetError, NamesTheKey)
{
    auto r = read(set_of(key("a", k1) + "," + key("2024-09", "AAAA")));

    EXPECT_EQ(r.number, 2u);
    EXPECT_EQ(r.kid, "2024-09");
    EXPECT_EQ(r.words, "key 2 \"2024-09\": \"k\" has less than 256 bits");

    r = read(set_of(R"({"kty":"oct","k":")" + k1 + "\"}"));

    EXPECT_EQ(r.words, "key 1: no \"kid\"");
}


TEST(KeySetError, IsPrintableAndFits)
{
    auto r = read(set_of(key(std::string(5000, '\xff'), k1)));

    EXPECT_EQ(r.kid, std::string(64, '?'));
    EXPECT_EQ(r.fault, KeyFault::bad_kid);
}


TEST(KeySetError, NeverHoldsAKey)
{
    for (auto more : { R"(,"use":"sig")", R"(,"alg":"x")", R"(,"k":"x")" }) {
        auto r = read(set_of(key("a", k1, more)));

        EXPECT_EQ(r.words.find(k1), r.words.npos);
        EXPECT_NE(r.fault, KeyFault::none);
    }
}


TEST(KeySetError, HasWordsForEveryFault)
{
    for (int i = 0; i <= static_cast<int>(KeyFault::wrong_alg); i++) {
        EXPECT_NE(key_fault_text(static_cast<KeyFault>(i)), "unknown error");
    }
}
