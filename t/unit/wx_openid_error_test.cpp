/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_error.h"

#include <climits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include "wx_openid_reply.h"


using namespace wx_openid;


namespace {


constexpr RefusalInfo rows[] = {
    {Refusal::login_required, 401, "login_required", Fault::client, 0, false},
    {Refusal::invalid_code, 401, "invalid_code", Fault::client, 0, true},
    {Refusal::user_blocked, 403, "user_blocked", Fault::client, 0, false},
    {Refusal::unknown_app, 403, "unknown_app", Fault::client, 0, false},
    {Refusal::forbidden, 403, "forbidden", Fault::client, 0, false},
    {Refusal::rate_limited, 429, "rate_limited", Fault::client, 60, false},
    {Refusal::misconfigured, 500, "misconfigured", Fault::site, 0, false},
    {Refusal::bad_gateway, 502, "bad_gateway", Fault::site, 0, false},
    {Refusal::wechat_busy, 503, "wechat_busy", Fault::wechat, 1, false},
    {Refusal::quota_exceeded, 503, "quota_exceeded", Fault::site, 0, false},
    {Refusal::wechat_timeout, 504, "wechat_timeout", Fault::site, 0, false},
};


/* the answer, with no byte written outside of what it was given */

std::string
answer(Refusal refusal, int errcode, std::string_view errmsg,
    std::size_t room = max_refusal_json)
{
    auto out = std::make_unique<char[]>(room);
    auto size = write_refusal_json(refusal, errcode, errmsg,
                                   {out.get(), room});

    EXPECT_LE(size, room);

    return {out.get(), size};
}


}


TEST(Refusals, EachRowIsThePublicTable)
{
    for (auto &row : rows) {
        auto &info = refusal_info(row.refusal);

        EXPECT_EQ(info.refusal, row.refusal) << row.name;
        EXPECT_EQ(info.status, row.status) << row.name;
        EXPECT_EQ(info.name, row.name);
        EXPECT_EQ(info.fault, row.fault) << row.name;
        EXPECT_EQ(info.retry_after, row.retry_after) << row.name;
        EXPECT_EQ(info.bad_credential, row.bad_credential) << row.name;
    }
}


TEST(Refusals, NoneHasNoStatus)
{
    EXPECT_EQ(refusal_info(Refusal::none).status, 0u);
}


TEST(Errcodes, EachMeansItsRefusal)
{
    const struct {
        int errcode;
        Refusal refusal;
    } cases[] = {
        {40029, Refusal::invalid_code},
        {40163, Refusal::invalid_code},
        {41008, Refusal::invalid_code},
        {40226, Refusal::user_blocked},
        {45011, Refusal::rate_limited},
        {40013, Refusal::misconfigured},
        {40125, Refusal::misconfigured},
        {41002, Refusal::misconfigured},
        {41004, Refusal::misconfigured},
        {40164, Refusal::misconfigured},
        {40243, Refusal::misconfigured},
        {40002, Refusal::misconfigured},
        {-1, Refusal::wechat_busy},
        {45009, Refusal::quota_exceeded},
    };

    std::set<int> listed;

    for (auto &c : cases) {
        EXPECT_EQ(refusal_of_errcode(c.errcode), c.refusal) << c.errcode;
        listed.insert(c.errcode);
    }

    for (int errcode = -100; errcode < 100000; errcode++) {
        if (errcode != 0 && !listed.contains(errcode)) {
            ASSERT_EQ(refusal_of_errcode(errcode), Refusal::bad_gateway)
                << errcode;
        }
    }

    EXPECT_EQ(refusal_of_errcode(INT_MAX), Refusal::bad_gateway);
    EXPECT_EQ(refusal_of_errcode(INT_MIN), Refusal::bad_gateway);
}


TEST(RefusalJson, TellsTheClientItsFault)
{
    EXPECT_EQ(answer(Refusal::invalid_code, 40029, "invalid code, rid: 1-2"),
              R"({"error":"invalid_code","errcode":40029,)"
              R"("errmsg":"invalid code, rid: 1-2"})");
}


TEST(RefusalJson, LeavesOutWhatWeChatDidNotSend)
{
    EXPECT_EQ(answer(Refusal::login_required, 0, ""),
              R"({"error":"login_required"})");
    EXPECT_EQ(answer(Refusal::user_blocked, 40226, ""),
              R"({"error":"user_blocked","errcode":40226})");
    EXPECT_EQ(answer(Refusal::forbidden, 0, "why"),
              R"({"error":"forbidden","errmsg":"why"})");
}


TEST(RefusalJson, TellsNoFaultButTheClients)
{
    for (auto &row : rows) {
        auto json = answer(row.refusal, 40125, "invalid appsecret");
        bool told = json.find("40125") != json.npos
                    && json.find("appsecret") != json.npos;
        bool silent = json.find("40125") == json.npos
                      && json.find("appsecret") == json.npos;

        EXPECT_TRUE(row.fault == Fault::client ? told : silent) << json;
    }
}


TEST(RefusalJson, WritesExtremeErrcodesAsTheyAre)
{
    EXPECT_EQ(answer(Refusal::invalid_code, INT_MIN, ""),
              R"({"error":"invalid_code","errcode":-2147483648})");
    EXPECT_EQ(answer(Refusal::invalid_code, INT_MAX, ""),
              R"({"error":"invalid_code","errcode":2147483647})");
}


TEST(RefusalJson, EscapesTheErrmsg)
{
    EXPECT_EQ(answer(Refusal::invalid_code, 0, R"(a"b\c/d)"),
              R"({"error":"invalid_code","errmsg":"a\"b\\c/d"})");
}


TEST(RefusalJson, WritesPrintableAsciiAlone)
{
    EXPECT_EQ(answer(Refusal::invalid_code, 0,
                     std::string_view("a\0b\n\xe4\x7f", 6)),
              R"({"error":"invalid_code","errmsg":"a?b???"})");
}


TEST(RefusalJson, CutsALongErrmsg)
{
    EXPECT_EQ(answer(Refusal::invalid_code, 0,
                     std::string(max_errmsg_length + 1, 'x')),
              R"({"error":"invalid_code","errmsg":")"
              + std::string(max_errmsg_length, 'x') + R"("})");
}


TEST(RefusalJson, TheLongestAnswerFits)
{
    for (auto &row : rows) {
        auto json = answer(row.refusal, INT_MIN,
                           std::string(max_errmsg_length, '"'));

        cJSON *read = cJSON_Parse(json.c_str());

        EXPECT_TRUE(cJSON_IsObject(read)) << json;
        cJSON_Delete(read);
    }
}


TEST(RefusalJson, IsWholeOrNotAtAllInLessRoom)
{
    auto whole = answer(Refusal::invalid_code, 40029, "invalid code");

    for (std::size_t room = 0; room < whole.size() + 16; room++) {
        auto json = answer(Refusal::invalid_code, 40029, "invalid code",
                           room);

        EXPECT_TRUE(json.empty() || json == whole) << room << ": " << json;
        EXPECT_TRUE(room > whole.size() || json.empty()) << room;
    }
}


namespace {


int allocations_left;


void *
failing_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : nullptr;
}


}


TEST(RefusalJson, IsEmptyWithoutMemory)
{
    auto whole = answer(Refusal::invalid_code, 40029, "invalid code");

    int failed = 0;
    std::string json;

    for (int allowed = 0; json != whole; allowed++) {
        ASSERT_LT(allowed, 100);

        cJSON_Hooks hooks = {failing_malloc, free};
        cJSON_InitHooks(&hooks);
        allocations_left = allowed;

        json = answer(Refusal::invalid_code, 40029, "invalid code");

        cJSON_InitHooks(nullptr);

        EXPECT_TRUE(json.empty() || json == whole) << json;
        failed += json.empty();
    }

    EXPECT_GE(failed, 3);
}
