/*
 * Copyright (C) wx_openid authors
 *
 * Asks WeChat, as wx_openid_tool_ask.h has it.
 */

#include "wx_openid_tool_ask.h"

#include <algorithm>
#include <cerrno>

#include "../core/wx_openid_reply.h"
#include "wx_openid_tool_advice.h"
#include "wx_openid_tool_call.h"


namespace wx_openid {


namespace {


struct Report {
    const Question &question;
    const Call &call;
    Answer answer;

    void ok(Step step, double time, std::string words)
    {
        answer.at(step) = { StepState::ok, time, call.quoted(words) };
    }

    void failed(Step step, double time, std::string words, Advice advice)
    {
        answer.at(step) = { StepState::failed, time, call.quoted(words) };
        answer.problem = advice.problem;
        answer.advice = call.quoted(advice.words);
    }
};


std::string
dns_words(const std::string &host, const std::string &address)
{
    if (address.empty()) {
        return host + " has an address";
    }

    return host == address ? "no name to resolve" : host + " is " + address;
}


/* the steps before "end", all well; returns the seconds they took */

double
report_steps(Report &report, Step end)
{
    auto &call = report.call;
    double before = 0;

    auto took = [&before](double time) {
        double step = std::max(time - before, 0.0);

        before += step;

        return step;
    };

    if (end > Step::dns) {
        report.ok(Step::dns, took(call.resolved()),
                  dns_words(call.url_part(CURLUPART_HOST), call.address()));
    }

    if (end > Step::tcp) {
        report.ok(Step::tcp, took(call.connected()),
                  "port " + call.url_part(CURLUPART_PORT) + " is open");
    }

    if (end > Step::tls && call.https()) {
        report.ok(Step::tls, took(call.secured()),
                  call.tls().version + ", the certificate is trusted: "
                      + call.tls().subject);
    }

    if (end > Step::http) {
        report.ok(Step::http, took(call.ended()), "status 200");
    }

    return before;
}


void
report_failure(Report &report, CURLcode code)
{
    auto &call = report.call;
    Step step = call.step_of(code);
    double before = report_steps(report, step);

    Failure failure{
        step,
        code == CURLE_OPERATION_TIMEDOUT,
        step == Step::tcp && call.os_error() == ECONNREFUSED,
        call.reply().too_long,
        code == CURLE_SSL_CACERT_BADFILE,
        call.url_part(CURLUPART_HOST),
        call.url_part(CURLUPART_PORT),
        report.question.ca
    };

    report.failed(step, std::max(call.ended() - before, 0.0),
                  failure.too_long ? "more than 16k" : call.error_text(code),
                  advice_for(failure, call.tls()));
}


void
report_reply(Report &report)
{
    auto &call = report.call;
    long status = call.status();

    report_steps(report, Step::json);

    if (status != 200) {
        report.failed(Step::http, report.answer.at(Step::http).seconds,
                      "status " + std::to_string(status),
                      advice_for_status());
        return;
    }

    auto session = read_session_reply(call.reply().body);

    if (session.error != ReplyError::none) {
        report.failed(Step::json, 0,
                      std::string(reply_error_text(session.error)),
                      advice_for_content());
        return;
    }

    std::string words = "errcode " + std::to_string(session.errcode);

    if (errmsg_has(call.reply().body, report.question.secret)) {
        words += ", with an errmsg that repeats the secret";

    } else if (!session.errmsg.empty()) {
        words += ": " + std::string(session.errmsg.view());
    }

    report.answer.errcode = session.errcode;

    auto advice = advice_for_errcode(session.errcode, report.question.appid);

    if (advice.problem.empty()) {
        report.ok(Step::json, 0, words);
        report.answer.advice = advice.words;

    } else {
        report.failed(Step::json, 0, words, advice);
    }
}


}


Answer
ask_wechat(const Question &question)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);

    Call call(question);
    Report report{ question, call, {} };
    CURLcode code = call.perform();

    if (code == CURLE_OK) {
        report_reply(report);
    } else {
        report_failure(report, code);
    }

    report.answer.by_address = call.https()
                               && call.url_part(CURLUPART_HOST)
                                  == call.address();

    if (call.reply().date != -1) {
        report.answer.clock_ahead =
            static_cast<long>(std::time(nullptr) - call.reply().date);
    }

    return report.answer;
}


}
