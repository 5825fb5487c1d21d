/*
 * Copyright (C) wx_openid authors
 *
 * The call, as wx_openid_tool_call.h has it.
 */

#include "wx_openid_tool_call.h"

#include "../core/wx_openid_http.h"
#include "../core/wx_openid_text.h"


namespace wx_openid {


namespace {


/* no code of WeChat's looks like this, so it spends nobody's login */

constexpr std::string_view made_up_code = "wx-openid-check-of-this-server";

/* as the module's own defaults */

constexpr long connect_timeout_ms = 3000;
constexpr long timeout_ms = 10000;


std::string
encoded(std::string_view text)
{
    std::string out(percent_encoded_max(text.size()), '\0');
    out.resize(percent_encode(text, out));
    return out;
}


std::string
part_of(CURLU *url, CURLUPart part)
{
    char *text = nullptr;
    std::string s;

    if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        s = text;
    }

    curl_free(text);

    return s;
}


std::size_t
take_body(char *data, std::size_t, std::size_t size, void *p)
{
    auto &reply = *static_cast<Reply *>(p);

    if (reply.body.size() + size > max_reply_size) {
        reply.too_long = true;
        return 0;
    }

    reply.body.append(data, size);

    return size;
}


std::size_t
take_header(char *data, std::size_t, std::size_t size, void *p)
{
    constexpr std::string_view name = "date:";

    auto &reply = *static_cast<Reply *>(p);
    std::string_view line(data, size);

    if (line.size() > name.size()
        && equal_nocase({ line.data(), name.size() }, name))
    {
        line.remove_prefix(name.size());
        reply.date = curl_getdate(std::string(line).c_str(), nullptr);
    }

    return size;
}


}


Call::Call(const Question &question) : question_(question)
{
    curl_url_set(url_.get(), CURLUPART_URL, question.url.c_str(), 0);
    set_options();
}


CURLcode
Call::perform()
{
    start_ = Clock::now();

    return curl_easy_perform(curl_.get());
}


void
Call::set_options()
{
    auto *curl = curl_.get();
    auto &q = question_;

    std::string url = q.url + std::string(exchange_path)
                      + "?appid=" + encoded(q.appid)
                      + "&secret=" + encoded(q.secret)
                      + "&js_code=" + std::string(made_up_code)
                      + "&grant_type=authorization_code";

    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_.data());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply_);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply_);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);

    /* as the module: no proxy of the environment, no redirect, no older TLS */

    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);

    if (!q.ca.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, q.ca.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    }

    watch_tls(curl, tls_);
}


Step
Call::step_of(CURLcode code) const
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return Step::dns;
    case CURLE_COULDNT_CONNECT:
        return Step::tcp;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return Step::tls;
    default:
        break;
    }

    if (resolved() <= 0) {
        return Step::dns;
    }

    if (connected() <= 0) {
        return Step::tcp;
    }

    if (https() && secured() <= 0) {
        return Step::tls;
    }

    return Step::http;
}


double
Call::seconds(CURLINFO info) const
{
    curl_off_t us = 0;

    curl_easy_getinfo(curl_.get(), info, &us);

    return static_cast<double>(us) / 1e6;
}


double
Call::resolved() const
{
    return seconds(CURLINFO_NAMELOOKUP_TIME_T);
}


/* libcurl calls it connected only when TLS is up */

double
Call::connected() const
{
    if (tls_.started) {
        return std::chrono::duration<double>(tls_.start - start_).count();
    }

    return seconds(CURLINFO_CONNECT_TIME_T);
}


double
Call::secured() const
{
    return seconds(CURLINFO_APPCONNECT_TIME_T);
}


double
Call::ended() const
{
    return seconds(CURLINFO_TOTAL_TIME_T);
}


long
Call::status() const
{
    long status = 0;

    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);

    return status;
}


long
Call::os_error() const
{
    long error = 0;

    curl_easy_getinfo(curl_.get(), CURLINFO_OS_ERRNO, &error);

    return error;
}


std::string
Call::error_text(CURLcode code) const
{
    return error_[0] ? error_.data() : curl_easy_strerror(code);
}


std::string
Call::address() const
{
    char *ip = nullptr;

    curl_easy_getinfo(curl_.get(), CURLINFO_PRIMARY_IP, &ip);

    return ip ? ip : "";
}


std::string
Call::url_part(CURLUPart part) const
{
    return part_of(url_.get(), part);
}


std::string
Call::quoted(std::string text) const
{
    for (auto &secret : { question_.secret, encoded(question_.secret) }) {
        for (auto at = text.find(secret); at != text.npos;
             at = text.find(secret, at))
        {
            text.replace(at, secret.size(), "***");
        }
    }

    text.resize(printable(text, text));

    return text;
}


std::string
url_fault(const std::string &text)
{
    Url url(curl_url());

    if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0)
        != CURLUE_OK)
    {
        return "is no http or https URL";
    }

    std::string scheme = part_of(url.get(), CURLUPART_SCHEME);

    if (scheme != "http" && scheme != "https") {
        return "is no http or https URL";
    }

    for (auto part : { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                       CURLUPART_FRAGMENT })
    {
        if (!part_of(url.get(), part).empty()) {
            return "has more than a host, a port and a prefix";
        }
    }

    return {};
}


}
