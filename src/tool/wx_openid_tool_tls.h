/*
 * Copyright (C) wx_openid authors
 *
 * What libcurl does not tell of TLS: when it began, which certificate came,
 * and which one of its chain is not trusted.
 */

#ifndef WX_OPENID_TOOL_TLS_H
#define WX_OPENID_TOOL_TLS_H

#include <chrono>
#include <string>

#include <curl/curl.h>


namespace wx_openid {


using Clock = std::chrono::steady_clock;

struct TlsReport {
    bool started = false;
    Clock::time_point start;    /* of the handshake */
    std::string version;
    std::string subject;    /* of the server's own certificate */
    std::string issuer;

    /* of the first that is not trusted */

    bool untrusted = false;
    bool dates = false;     /* not yet, or no longer */
    std::string bad_subject;
    std::string bad_issuer;
    std::string bad_from;
    std::string bad_until;
    std::string why;
};

/* fills the report while the handle performs; it must live as long */
void watch_tls(CURL *curl, TlsReport &report);


}

#endif /* WX_OPENID_TOOL_TLS_H */
