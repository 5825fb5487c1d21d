/*
 * Copyright (C) wx_openid authors
 *
 * One call to WeChat as libcurl makes it, and how far it came.  Only for the
 * files of wx_openid_tool_ask.h; knows nothing of what the steps are told
 * as.
 */

#ifndef WX_OPENID_TOOL_CALL_H
#define WX_OPENID_TOOL_CALL_H

#include <ctime>
#include <memory>

#include <curl/curl.h>

#include "wx_openid_tool_ask.h"
#include "wx_openid_tool_tls.h"


namespace wx_openid {


struct CurlFree {
    void operator()(CURL *curl) const { curl_easy_cleanup(curl); }
    void operator()(CURLU *url) const { curl_url_cleanup(url); }
};

using Curl = std::unique_ptr<CURL, CurlFree>;
using Url = std::unique_ptr<CURLU, CurlFree>;


/* a reply as far as it is wanted, and when its sender says it is */

struct Reply {
    std::string body;
    bool too_long = false;
    std::time_t date = -1;
};


class Call {
public:
    explicit Call(const Question &question);

    CURLcode perform();

    /* where a call that failed had come to */
    Step step_of(CURLcode code) const;

    /* seconds from the start */

    double resolved() const;
    double connected() const;
    double secured() const;
    double ended() const;

    long status() const;
    long os_error() const;
    std::string error_text(CURLcode code) const;
    std::string address() const;
    std::string url_part(CURLUPart part) const;

    bool https() const
    {
        return url_part(CURLUPART_SCHEME) == "https";
    }

    /*
     * Text of others without the secret, and without what a terminal takes
     * for a command.
     */
    std::string quoted(std::string text) const;

    const Reply &reply() const
    {
        return reply_;
    }

    const TlsReport &tls() const
    {
        return tls_;
    }

private:
    double seconds(CURLINFO info) const;
    void set_options();

    const Question &question_;
    Url url_{ curl_url() };
    Curl curl_{ curl_easy_init() };
    Reply reply_;
    TlsReport tls_;
    std::array<char, CURL_ERROR_SIZE> error_{};
    Clock::time_point start_ = Clock::now();
};


}

#endif /* WX_OPENID_TOOL_CALL_H */
