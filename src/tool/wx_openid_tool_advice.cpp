/*
 * Copyright (C) wx_openid authors
 *
 * The words, as wx_openid_tool_advice.h has it.
 */

#include "wx_openid_tool_advice.h"

#include <array>
#include <ctime>


namespace wx_openid {


namespace {


std::string
our_clock()
{
    std::array<char, 64> text{};
    std::time_t now = std::time(nullptr);
    std::tm tm{};

    gmtime_r(&now, &tm);
    std::strftime(text.data(), text.size(), "%F %T UTC", &tm);

    return text.data();
}


Advice
for_dns(const Failure &f)
{
    return { "dns",
             "The name " + f.host + " cannot be resolved.  Is it right, and "
             "does /etc/resolv.conf name a server that answers?  nginx "
             "resolves names by the same servers, or by its \"resolver\"." };
}


Advice
for_tcp(const Failure &f)
{
    std::string where = f.host + ", port " + f.port;

    if (f.refused) {
        return { "tcp",
                 "Nothing listens at " + where + ", or a firewall refuses.  "
                 "Check --url, and let this machine out to it." };
    }

    return { "tcp",
             "No connection to " + where + ".  A firewall that drops packets "
             "is the usual reason: let this machine out to it." };
}


Advice
for_dates(const TlsReport &tls)
{
    return { "clock",
             "The certificate of " + tls.bad_subject + " holds from "
             + tls.bad_from + " until " + tls.bad_until
             + ", and the clock of this machine says " + our_clock()
             + ".  Set the clock if it is wrong, else the server needs a new "
               "certificate." };
}


Advice
for_trust(const Failure &f, const TlsReport &tls)
{
    return { "certificate",
             "The certificate of " + tls.bad_subject + ", signed by "
             + tls.bad_issuer + ", is not trusted: " + tls.why
             + ".  "
             + (f.ca.empty()
                    ? "Is ca-certificates installed and up to date?  "
                    : "Does " + f.ca + " hold its authority?  ")
             + "If this is not WeChat's certificate, somebody stands between "
               "you and WeChat: do not turn verification off." };
}


Advice
for_name(const Failure &f, const TlsReport &tls)
{
    return { "certificate",
             "The certificate is for " + tls.subject + ", signed by "
             + tls.issuer + ", and not for the name " + f.host
             + ".  Check --url; somebody may stand between you and "
               "WeChat." };
}


Advice
for_tls(const Failure &f, const TlsReport &tls)
{
    if (f.bad_ca) {
        return { "ca",
                 "No authorities to trust can be read from "
                 + (f.ca.empty() ? "the system's store.  Is "
                                   "ca-certificates installed?"
                                 : f.ca + ".  It must be a file of "
                                          "certificates in PEM.") };
    }

    if (tls.untrusted) {
        return tls.dates ? for_dates(tls) : for_trust(f, tls);
    }

    /* libcurl looks at the name after OpenSSL trusted the chain */

    if (!tls.subject.empty() && !f.timed_out) {
        return for_name(f, tls);
    }

    return { "tls",
             "No TLS with " + f.host + ", port " + f.port
             + ".  Is it an https server, with TLS 1.2 or later?" };
}


constexpr char not_wechat[] =
    "This is not WeChat's answer: a proxy, a captive portal or another "
    "server may have sent it.  Check --url.";


}


Advice
advice_for(const Failure &f, const TlsReport &tls)
{
    switch (f.step) {

    case Step::dns:
        return for_dns(f);

    case Step::tcp:
        return for_tcp(f);

    case Step::tls:
        return for_tls(f, tls);

    case Step::http:
    case Step::json:
        break;
    }

    if (f.timed_out) {
        return { "timeout",
                 "WeChat did not answer in time.  Try again; if it lasts, "
                 "look at the network." };
    }

    return { "http", f.too_long
                         ? not_wechat
                         : "The connection was lost, or what came is not "
                           "HTTP.  Try again; if it lasts, check --url." };
}


Advice
advice_for_status()
{
    return { "http", not_wechat };
}


Advice
advice_for_content()
{
    return { "json", not_wechat };
}


Advice
advice_for_errcode(int errcode, const std::string &appid)
{
    switch (errcode) {

    case 40029:
        return { "", "All is well: WeChat knows the appid and the secret, "
                     "and refused the made-up code alone." };

    case 0:
        return { "not_wechat",
                 "A made-up code was exchanged for an identity: whoever "
                 "answers here is not WeChat.  Check --url." };

    case 40013:
        return { "appid",
                 "WeChat knows no app " + appid + ".  Compare the appid with "
                 "the one at mp.weixin.qq.com: Development, Settings." };

    case 40125:
        return { "secret",
                 "The secret is not the one of " + appid + ".  Was it reset, "
                 "or is it of another app?  A new one can be made at "
                 "mp.weixin.qq.com: Development, Settings." };

    case 40164:
        return { "address",
                 "This machine's address is not in the app's list of "
                 "allowed ones.  Add it at mp.weixin.qq.com: Development, "
                 "Settings." };

    case 40243:
        return { "secret",
                 "The secret is frozen.  Unfreeze it at mp.weixin.qq.com: "
                 "Development, Settings." };

    case -1:
        return { "busy", "WeChat is busy.  Try again in a minute." };

    case 45009:
        return { "quota", "The app has used up its calls of the day." };

    case 45011:
        return { "rate", "Too many calls in a minute.  Try again later." };

    case 40002:
    case 41002:
    case 41004:
    case 41008:
        return { "request",
                 "The question did not arrive whole: does something between "
                 "this machine and WeChat change it?" };

    default:
        return { "errcode",
                 "WeChat answered with an errcode that is not expected "
                 "here.  Its documents may tell what it means." };
    }
}


}
