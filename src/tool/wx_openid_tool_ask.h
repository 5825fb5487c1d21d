/*
 * Copyright (C) wx_openid authors
 *
 * One question to WeChat, step by step, by libcurl.  Knows nothing of the
 * command line or of how the answer is shown.
 */

#ifndef WX_OPENID_TOOL_ASK_H
#define WX_OPENID_TOOL_ASK_H

#include <array>
#include <cstddef>
#include <string>
#include <string_view>


namespace wx_openid {


struct Question {
    std::string url;        /* as wx_openid_pass */
    std::string appid;
    std::string secret;
    std::string ca;         /* a file; empty: the system's */
};


enum class Step { dns, tcp, tls, http, json };

inline constexpr std::size_t step_count = 5;

enum class StepState { skipped, ok, failed };

struct StepResult {
    StepState state = StepState::skipped;
    double seconds = 0;
    std::string words;
};


/* no text in it has the secret, whatever the other side sent */

struct Answer {
    std::array<StepResult, step_count> steps;

    std::string problem;    /* one word for scripts; empty: all is well */
    std::string advice;     /* what is wrong and what to do */
    int errcode = 0;
    bool by_address = false;    /* TLS, and no name in the URL */
    long clock_ahead = 0;   /* ours, in seconds, where the reply has a Date */

    StepResult &at(Step step)
    {
        return steps[static_cast<std::size_t>(step)];
    }
};


/* empty, or what is wrong with the URL */
std::string url_fault(const std::string &url);

Answer ask_wechat(const Question &question);


}

#endif /* WX_OPENID_TOOL_ASK_H */
