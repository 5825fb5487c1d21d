/*
 * Copyright (C) wx_openid authors
 *
 * wx-openid check: reads its options and the secret, shows the answer.
 */

#include "wx_openid_tool.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <openssl/x509.h>

#include "../core/wx_openid_claims.h"
#include "../core/wx_openid_json.h"
#include "wx_openid_tool_ask.h"


namespace wx_openid {


namespace {


constexpr std::string_view default_url = "https://api.weixin.qq.com";

constexpr std::size_t max_secret_length = 512;

/* a token of another machine may be so far ahead, see wx_openid_token.h */

constexpr long clock_tolerance = 60;

constexpr const char *step_names[step_count] = {
    "DNS", "TCP", "TLS", "HTTP", "JSON"
};


struct Options {
    std::string appid;
    std::string secret;
    std::string url = std::string(default_url);
    std::string ca;
    bool json = false;
};


/* what has no dashes may be a secret, and is told by its place alone */

std::string
named(Arguments args, std::size_t i)
{
    std::string_view arg = args[i];
    bool option = arg.starts_with("--")
                  && std::all_of(arg.begin(), arg.end(), [](char c) {
                         return c == '-' || (c >= 'a' && c <= 'z');
                     });

    return option && arg.size() < 16 ? "\"" + std::string(arg) + "\""
                                     : "argument " + std::to_string(i + 1);
}


/* false after a complaint, which never repeats what may be a secret */

bool
read_options(Arguments args, Options &options)
{
    struct {
        std::string_view name;
        std::string *value;
    } known[] = {
        { "--appid", &options.appid },
        { "--secret", &options.secret },
        { "--url", &options.url },
        { "--ca", &options.ca }
    };

    for (std::size_t i = 0; i < args.size(); i++) {
        std::string_view arg = args[i];
        bool taken = arg == "--json";

        options.json = options.json || taken;

        for (auto &option : known) {
            if (arg == option.name && i + 1 < args.size()) {
                *option.value = args[++i];
                taken = true;
                break;
            }

            if (arg.starts_with(std::string(option.name) + '=')) {
                *option.value = arg.substr(option.name.size() + 1);
                taken = true;
                break;
            }
        }

        if (!taken) {
            misuse("check: " + named(args, i)
                   + " is unknown or lacks a value");
            return false;
        }
    }

    return true;
}


constexpr std::string_view file_prefix = "file:";
constexpr std::string_view env_prefix = "env:";


bool
usable_source(const std::string &source)
{
    return source == "-" || source.starts_with(file_prefix)
           || source.starts_with(env_prefix);
}


std::optional<std::string>
secret_of(const std::string &source)
{
    constexpr std::size_t max = max_secret_length + 2;

    if (source == "-") {
        return read_all(source, max);
    }

    if (source.starts_with(file_prefix)) {
        std::string path = source.substr(file_prefix.size());
        return read_all(path == "-" ? "./-" : path, max);
    }

    std::string name = source.substr(env_prefix.size());
    const char *value = std::getenv(name.c_str());

    if (!value) {
        complain("the environment has no \"" + name + "\"");
        return std::nullopt;
    }

    return value;
}


/* as the module reads it: one line end is dropped */

bool
clean_secret(std::string &secret)
{
    if (secret.ends_with('\n')) {
        secret.pop_back();
    }

    if (secret.ends_with('\r')) {
        secret.pop_back();
    }

    if (secret.empty()) {
        complain("the secret is empty");
        return false;
    }

    if (secret.size() > max_secret_length || has_control(secret)) {
        complain("the secret is too long, or has control characters");
        return false;
    }

    if (has_space_or_not_ascii(secret)) {
        complain("the secret has a blank or a byte that is not ASCII, which "
                 "is sent as it is");
    }

    return true;
}


void
show_words(const Options &options, Answer &answer)
{
    std::printf("asking %s as %s\n", options.url.c_str(),
                options.appid.c_str());

    for (std::size_t i = 0; i < step_count; i++) {
        auto &step = answer.steps[i];

        if (step.state != StepState::skipped) {
            std::printf("  %-4s  %-6s %8.1f ms  %s\n", step_names[i],
                        step.state == StepState::ok ? "ok" : "FAILED",
                        step.seconds * 1000, step.words.c_str());
        }
    }

    std::printf("%s\n", answer.advice.c_str());

    if (answer.by_address) {
        std::printf("Mind the name: nginx checks certificates against names, "
                    "so this URL needs \"wx_openid_host\".\n");
    }

    if (std::labs(answer.clock_ahead) > clock_tolerance) {
        std::printf("Mind the clock: this machine's is %ld seconds %s the "
                    "one that answered.\n",
                    std::labs(answer.clock_ahead),
                    answer.clock_ahead > 0 ? "ahead of" : "behind");
    }
}


void
show_json(const Options &options, Answer &answer)
{
    Json json(cJSON_CreateObject());
    cJSON *o = json.get();

    cJSON_AddBoolToObject(o, "ok", answer.problem.empty());
    cJSON_AddStringToObject(o, "url", options.url.c_str());
    cJSON_AddStringToObject(o, "appid", options.appid.c_str());

    cJSON *steps = cJSON_AddArrayToObject(o, "steps");

    for (std::size_t i = 0; i < step_count; i++) {
        auto &step = answer.steps[i];

        if (step.state == StepState::skipped) {
            continue;
        }

        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "step", step_names[i]);
        cJSON_AddBoolToObject(item, "ok", step.state == StepState::ok);
        cJSON_AddNumberToObject(item, "seconds", step.seconds);
        cJSON_AddStringToObject(item, "text", step.words.c_str());
        cJSON_AddItemToArray(steps, item);
    }

    if (answer.errcode) {
        cJSON_AddNumberToObject(o, "errcode", answer.errcode);
    }

    if (!answer.problem.empty()) {
        cJSON_AddStringToObject(o, "problem", answer.problem.c_str());
    }

    cJSON_AddStringToObject(o, "advice", answer.advice.c_str());
    cJSON_AddNumberToObject(o, "clock_ahead",
                            static_cast<double>(answer.clock_ahead));

    char *text = cJSON_PrintUnformatted(o);

    std::printf("%s\n", text ? text : "{}");
    cJSON_free(text);
}


}


int
check(Arguments args)
{
    Options options;

    if (!read_options(args, options)) {
        return 2;
    }

    if (options.appid.empty() || options.secret.empty()) {
        return misuse("check needs --appid and --secret");
    }

    if (!usable_source(options.secret)) {
        return misuse("--secret is file:PATH, env:NAME or - for standard "
                      "input: what stands on the command line, others see");
    }

    if (options.url.starts_with("http://unix:")
        || options.url.starts_with("https://unix:"))
    {
        return misuse("--url: check asks over the network alone, not at a "
                      "UNIX socket");
    }

    if (!usable_appid(options.appid)) {
        return misuse("no appid looks like that: 1 to 64 of A-Z a-z 0-9 "
                        "_ - .");
    }

    auto fault = url_fault(options.url);

    if (!fault.empty()) {
        return misuse("--url " + fault);
    }

    while (options.url.ends_with('/')) {
        options.url.pop_back();
    }

    auto secret = secret_of(options.secret);

    if (!secret || !clean_secret(*secret)) {
        return 1;
    }

    /* as the module finds the trust store of the system */

    const char *store = std::getenv(X509_get_default_cert_file_env());

    if (options.ca.empty() && store) {
        options.ca = store;
    }

    auto answer = ask_wechat({ options.url, options.appid, *secret,
                               options.ca });

    if (options.json) {
        show_json(options, answer);
    } else {
        show_words(options, answer);
    }

    return answer.problem.empty() ? 0 : 1;
}


}
