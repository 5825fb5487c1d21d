/*
 * Copyright (C) wx_openid authors
 *
 * Watches TLS, as wx_openid_tool_tls.h has it.
 */

#include "wx_openid_tool_tls.h"

#include <array>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>


namespace wx_openid {


namespace {


/* the report is found again by the context of the connection */

int
report_index()
{
    static int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                nullptr);
    return index;
}


TlsReport &
report_of(const SSL *ssl)
{
    return *static_cast<TlsReport *>(
        SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), report_index()));
}


std::string
text_of(BIO *bio)
{
    char *data = nullptr;
    long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));

    BIO_free(bio);

    return text;
}


std::string
name_of(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    return text_of(bio);
}


std::string
date_of(const ASN1_TIME *time)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ASN1_TIME_print(bio, time);
    return text_of(bio);
}


/* called for each certificate and each fault; it only looks */

int
look(int ok, X509_STORE_CTX *store)
{
    auto *ssl = static_cast<SSL *>(X509_STORE_CTX_get_ex_data(
        store, SSL_get_ex_data_X509_STORE_CTX_idx()));

    auto &report = report_of(ssl);
    int error = X509_STORE_CTX_get_error(store);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);

    if (cert && X509_STORE_CTX_get_error_depth(store) == 0) {
        report.subject = name_of(X509_get_subject_name(cert));
        report.issuer = name_of(X509_get_issuer_name(cert));
    }

    if (!ok && !report.untrusted) {
        report.untrusted = true;
        report.dates = error == X509_V_ERR_CERT_NOT_YET_VALID
                       || error == X509_V_ERR_CERT_HAS_EXPIRED;
        report.why = X509_verify_cert_error_string(error);

        if (cert) {
            report.bad_subject = name_of(X509_get_subject_name(cert));
            report.bad_issuer = name_of(X509_get_issuer_name(cert));
            report.bad_from = date_of(X509_get0_notBefore(cert));
            report.bad_until = date_of(X509_get0_notAfter(cert));
        }
    }

    return ok;
}


void
note_progress(const SSL *ssl, int where, int)
{
    auto &report = report_of(ssl);

    if (where & SSL_CB_HANDSHAKE_START && !report.started) {
        report.started = true;
        report.start = Clock::now();
    }

    if (where & SSL_CB_HANDSHAKE_DONE) {
        report.version = SSL_get_version(ssl);
    }
}


CURLcode
set_up(CURL *, void *context, void *report)
{
    auto *ctx = static_cast<SSL_CTX *>(context);

    SSL_CTX_set_ex_data(ctx, report_index(), report);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, look);
    SSL_CTX_set_info_callback(ctx, note_progress);

    return CURLE_OK;
}


}


void
watch_tls(CURL *curl, TlsReport &report)
{
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, set_up);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, &report);
}


}
