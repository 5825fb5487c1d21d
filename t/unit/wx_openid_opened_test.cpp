/*
 * Copyright (C) wx_openid authors
 */

#include "wx_openid_opened.h"

#include <string>

#include <gtest/gtest.h>

#include "guarded.h"


using namespace wx_openid;


namespace {


/* what is kept says nothing of tokens, so that any text stands for one */

std::string
token_of(std::size_t n, std::size_t size = 300)
{
    auto number = std::to_string(n);

    return std::string(size - number.size(), 'A') + number;
}


Claims
claims_of(std::int64_t n)
{
    Claims claims;

    EXPECT_TRUE(claims.openid.assign("o" + std::to_string(n)));
    claims.iat = n;

    return claims;
}


class Opened {
public:
    ~Opened()
    {
        kept.wipe();
    }

    Opened() = default;
    Opened(const Opened &) = delete;
    Opened &operator=(const Opened &) = delete;

    bool has(std::string_view token)
    {
        Guarded guarded(token);

        return kept.find(guarded.text()) != nullptr;
    }

    OpenedTokens kept;
};


}


TEST(OpenedTokens, GiveWhatTheVeryTokenSaid)
{
    Opened o;

    EXPECT_FALSE(o.has(token_of(1)));

    o.kept.put(token_of(1), claims_of(1));

    const Claims *claims = o.kept.find(token_of(1));

    ASSERT_NE(claims, nullptr);
    EXPECT_EQ(claims->openid.view(), "o1");
    EXPECT_EQ(claims->iat, 1);
    EXPECT_FALSE(o.has(token_of(2)));
}


TEST(OpenedTokens, KnowNoTokenThatDiffersAnywhere)
{
    Opened o;
    auto token = token_of(7);

    o.kept.put(token, claims_of(7));

    for (std::size_t i = 0; i < token.size(); i++) {
        auto other = token;
        other[i] = static_cast<char>(other[i] ^ 1);

        EXPECT_FALSE(o.has(other)) << i;
        EXPECT_FALSE(o.has(token.substr(0, i))) << i;
        EXPECT_FALSE(o.has(token.substr(i + 1))) << i;
    }

    EXPECT_FALSE(o.has(token + "A"));
    EXPECT_FALSE(o.has("A" + token));
    EXPECT_TRUE(o.has(token));
}


TEST(OpenedTokens, KeepManyAndForgetSomeForMore)
{
    Opened o;
    std::size_t kept = 0;

    for (std::size_t i = 0; i < 10 * kept_tokens; i++) {
        o.kept.put(token_of(i), claims_of(static_cast<std::int64_t>(i)));
        EXPECT_TRUE(o.has(token_of(i)));
    }

    for (std::size_t i = 0; i < 10 * kept_tokens; i++) {
        const Claims *claims = o.kept.find(token_of(i));

        if (claims) {
            EXPECT_EQ(claims->iat, static_cast<std::int64_t>(i));
            kept++;
        }
    }

    EXPECT_GT(kept, kept_tokens / 2);
    EXPECT_LE(kept, kept_tokens);
}


TEST(OpenedTokens, KeepNoneThatIsTooLongOrNothingButATag)
{
    Opened o;

    for (auto size : { std::size_t{5}, std::size_t{22}, max_kept_token + 1 }) {
        o.kept.put(token_of(1, size), claims_of(1));
        EXPECT_FALSE(o.has(token_of(1, size)));
    }

    for (auto size : { std::size_t{23}, max_kept_token }) {
        o.kept.put(token_of(1, size), claims_of(1));
        EXPECT_TRUE(o.has(token_of(1, size)));
    }

    EXPECT_FALSE(o.has(""));
}


TEST(OpenedTokens, AreForgottenWhenWiped)
{
    Opened o;

    o.kept.put(token_of(1), claims_of(1));
    o.kept.wipe();
    EXPECT_FALSE(o.has(token_of(1)));

    o.kept.wipe();
    o.kept.put(token_of(1), claims_of(2));
    EXPECT_TRUE(o.has(token_of(1)));
}
