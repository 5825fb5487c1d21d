/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_result.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "guarded.h"
#include "wx_openid_table.h"


using namespace wx_openid;


/* what is written always fits where it goes */

static_assert(max_result_text <= max_result_size);


namespace {


std::string
written(const ExchangeResult &result, bool with_session_key = true)
{
    auto out = std::make_unique<char[]>(max_result_text);
    auto size = write_result(result, with_session_key,
                             {out.get(), max_result_text});

    EXPECT_LE(size, max_result_text);

    return {out.get(), size};
}


bool
read(std::string_view bytes, ExchangeResult &result)
{
    Guarded guarded(bytes);

    return read_result(guarded.text(), result);
}


bool
is_result(std::string_view bytes)
{
    ExchangeResult result;

    return read(bytes, result);
}


void
expect_same(const ExchangeResult &result, const ExchangeResult &other)
{
    EXPECT_EQ(result.refusal, other.refusal);
    EXPECT_EQ(result.session.error, other.session.error);
    EXPECT_EQ(result.session.errcode, other.session.errcode);
    EXPECT_EQ(result.session.errmsg.view(), other.session.errmsg.view());
    EXPECT_EQ(result.session.openid.view(), other.session.openid.view());
    EXPECT_EQ(result.session.unionid.view(), other.session.unionid.view());
    EXPECT_EQ(result.session.session_key.view(),
              other.session.session_key.view());
}


void
expect_round_trip(const ExchangeResult &result)
{
    ExchangeResult other;

    /* nothing of what was there before may stay */
    other.refusal = Refusal::forbidden;
    other.session.error = ReplyError::repeated;
    other.session.errcode = 7;
    EXPECT_TRUE(other.session.errmsg.assign("old"));
    EXPECT_TRUE(other.session.openid.assign("old"));
    EXPECT_TRUE(other.session.unionid.assign("old"));
    EXPECT_TRUE(other.session.session_key.assign("old"));

    ASSERT_TRUE(read(written(result), other));
    expect_same(result, other);
}


ExchangeResult
identity(std::string_view openid, std::string_view unionid = {},
    std::string_view session_key = {})
{
    ExchangeResult result;

    EXPECT_TRUE(result.session.openid.assign(openid));
    EXPECT_TRUE(result.session.unionid.assign(unionid));
    EXPECT_TRUE(result.session.session_key.assign(session_key));

    return result;
}


ExchangeResult
refused(int errcode, std::string_view errmsg)
{
    ExchangeResult result;

    result.refusal = Refusal::invalid_code;
    result.session.errcode = errcode;
    EXPECT_TRUE(result.session.errmsg.assign(errmsg));

    return result;
}


}


TEST(Result, AnIdentityIsReadAsItWasWritten)
{
    expect_round_trip(identity("o"));
    expect_round_trip(identity("o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "u_1.-",
                               "tiihtNczf5v6AKRyjwEUhQ=="));
    expect_round_trip(identity(std::string(max_openid_length, 'o'),
                               std::string(max_openid_length, 'u'),
                               std::string(max_session_key_length, 'k')));
}


TEST(Result, ARefusalIsReadAsItWasWritten)
{
    expect_round_trip(refused(40029, "invalid code, rid: 1-2-3"));
    expect_round_trip(refused(-1, ""));
    expect_round_trip(refused(INT32_MAX, std::string(255, 'e')));
    expect_round_trip(refused(INT32_MIN, std::string(256, 'e')));
}


TEST(Result, EveryRefusalAndEveryErrorIsReadAsItWasWritten)
{
    for (int i = 1; i <= static_cast<int>(last_refusal); i++) {
        for (int k = 0; k <= static_cast<int>(last_reply_error); k++) {
            ExchangeResult result;

            result.refusal = static_cast<Refusal>(i);
            result.session.error = static_cast<ReplyError>(k);
            expect_round_trip(result);
        }
    }
}


TEST(Result, TheSessionKeyIsWrittenOnlyIfAskedTo)
{
    auto result = identity("openid", "unionid", "c2VjcmV0");
    auto bytes = written(result, false);

    EXPECT_EQ(bytes.find("c2VjcmV0"), std::string::npos);
    EXPECT_NE(written(result).find("c2VjcmV0"), std::string::npos);

    ExchangeResult other;

    ASSERT_TRUE(read(bytes, other));
    EXPECT_EQ(other.session.openid.view(), "openid");
    EXPECT_EQ(other.session.unionid.view(), "unionid");
    EXPECT_TRUE(other.session.session_key.empty());
}


TEST(Result, TheTypicalOneFitsACell)
{
    EXPECT_LE(written(identity(std::string(28, 'o'), std::string(29, 'u')))
                  .size(), 72u);
}


TEST(Result, TheLargestOneFillsItsRoomExactly)
{
    ExchangeResult result = identity(std::string(max_openid_length, 'o'),
                                     std::string(max_openid_length, 'u'),
                                     std::string(max_session_key_length, 'k'));

    EXPECT_TRUE(result.session.errmsg.assign(
                    std::string(max_errmsg_length, 'e')));
    EXPECT_EQ(written(result).size(), max_result_text);
    expect_round_trip(result);
}


TEST(Result, TheTimeComesBackAfter2038Too)
{
    for (std::int64_t time : {std::int64_t{0}, std::int64_t{1} << 31,
                              (std::int64_t{1} << 32) - 1})
    {
        ExchangeResult result;

        auto sent = identity("openid");
        sent.time = time;

        ASSERT_TRUE(read_result(written(sent), result));
        EXPECT_EQ(result.time, time);
    }
}


TEST(Result, CutAnywhereItIsNone)
{
    auto bytes = written(identity("openid", "unionid", "c2VjcmV0"));

    for (std::size_t size = 0; size < bytes.size(); size++) {
        EXPECT_FALSE(is_result(bytes.substr(0, size))) << size;
    }

    EXPECT_TRUE(is_result(bytes));
}


TEST(Result, WithMoreBehindItIsNone)
{
    EXPECT_FALSE(is_result(written(identity("openid")) + 'x'));
}


TEST(Result, OfAnUnknownRefusalOrErrorItIsNone)
{
    /* behind the time, errcode and the length of errmsg */
    constexpr std::size_t at_refusal = 10, at_error = 11;

    auto bytes = written(refused(40029, "e"));
    auto with = [&](std::size_t at, int value) {
        auto changed = bytes;

        changed[at] = static_cast<char>(value);
        return changed;
    };

    int refusal = static_cast<int>(last_refusal);
    int error = static_cast<int>(last_reply_error);

    EXPECT_TRUE(is_result(with(at_refusal, refusal)));
    EXPECT_FALSE(is_result(with(at_refusal, refusal + 1)));
    EXPECT_FALSE(is_result(with(at_refusal, 255)));
    EXPECT_TRUE(is_result(with(at_error, error)));
    EXPECT_FALSE(is_result(with(at_error, error + 1)));
    EXPECT_FALSE(is_result(with(at_error, 255)));
}


TEST(Result, LengthsBeyondWhatATextHoldsAreRefused)
{
    constexpr std::size_t openid = 12, unionid = 13, session_key = 14;

    for (auto [at, max] : {std::pair(openid, max_openid_length),
                           std::pair(unionid, max_openid_length),
                           std::pair(session_key, max_session_key_length)})
    {
        auto bytes = written(refused(40029, ""));

        bytes += std::string(max, 'A');
        bytes[at] = static_cast<char>(max);
        EXPECT_TRUE(is_result(bytes)) << at;

        bytes += 'A';
        bytes[at] = static_cast<char>(max + 1);
        EXPECT_FALSE(is_result(bytes)) << at;
    }

    auto bytes = written(refused(40029, std::string(256, 'e'))) + 'e';

    bytes[8]++;
    EXPECT_FALSE(is_result(bytes));
}


TEST(Result, WhatIsNoUsableIdentityIsNoneUnlessRefused)
{
    EXPECT_FALSE(is_result(written(ExchangeResult{})));
    EXPECT_FALSE(is_result(written(identity("open id"))));
    EXPECT_FALSE(is_result(written(identity("openid", "union\nid"))));
    EXPECT_FALSE(is_result(written(identity("openid", "", "no base64"))));

    auto result = identity("openid");

    result.session.errcode = 40029;
    EXPECT_FALSE(is_result(written(result)));

    result.session.errcode = 0;
    result.session.error = ReplyError::repeated;
    EXPECT_FALSE(is_result(written(result)));

    result.refusal = Refusal::bad_gateway;
    EXPECT_TRUE(is_result(written(result)));
}
