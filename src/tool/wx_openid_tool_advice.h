/*
 * Copyright (C) wx_openid authors
 *
 * The words of wx-openid check: what is wrong, and what to do about it.
 */

#ifndef WX_OPENID_TOOL_ADVICE_H
#define WX_OPENID_TOOL_ADVICE_H

#include "wx_openid_tool_ask.h"
#include "wx_openid_tool_tls.h"


namespace wx_openid {


struct Advice {
    std::string problem;    /* one word; empty: all is well */
    std::string words;
};

/* a call that got no whole reply */

struct Failure {
    Step step;
    bool timed_out;
    bool refused;
    bool too_long;
    bool bad_ca;            /* the file of authorities is of no use */
    std::string host;
    std::string port;
    std::string ca;
};

Advice advice_for(const Failure &failure, const TlsReport &tls);

/* a status but 200, a body that is not WeChat's, an errcode */

Advice advice_for_status();
Advice advice_for_content();
Advice advice_for_errcode(int errcode, const std::string &appid);


}

#endif /* WX_OPENID_TOOL_ADVICE_H */
