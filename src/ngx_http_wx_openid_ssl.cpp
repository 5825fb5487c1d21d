/*
 * Copyright (C) wx_openid authors
 *
 * TLS of a line to WeChat: made while the configuration is read, verified
 * against the system's trust store unless a file is given.  Knows nothing
 * of connections or requests.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/*
 * Where systems keep their trusted certificates in one file.  It is read
 * at start: OpenSSL's folder of them would be read by workers, which may be
 * in a chroot, at the first handshake.
 */

constexpr const char *trust_stores[] = {
    "/etc/ssl/certs/ca-certificates.crt",       /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",         /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",                   /* openSUSE */
    "/etc/ssl/cert.pem",                        /* BSD, macOS */
    "/usr/local/share/certs/ca-root-nss.crt"    /* FreeBSD */
};


/* SSL_CERT_FILE decides alone where it is set, as it does in OpenSSL */

const char *
system_trust_store() noexcept
{
    const char *file = getenv(X509_get_default_cert_file_env());

    if (file) {
        return access(file, R_OK) == 0 ? file : nullptr;
    }

    for (const char *store : trust_stores) {
        if (access(store, R_OK) == 0) {
            return store;
        }
    }

    file = X509_get_default_cert_file();

    return access(file, R_OK) == 0 ? file : nullptr;
}


/* nginx has logged OpenSSL's reason, which names no directive */

ngx_int_t
refuse_value(ngx_conf_t *cf, const char *directive,
    const ngx_str_t &value) noexcept
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%s %V\" cannot be used",
                       directive, &value);
    return NGX_ERROR;
}


ngx_int_t
trust(ngx_conf_t *cf, ngx_ssl_t *ssl, const TlsConf &tls) noexcept
{
    ngx_str_t file = tls.trusted_certificate;

    if (file.len == 0) {
        const char *store = system_trust_store();

        if (store == nullptr) {
            const char *env = X509_get_default_cert_file_env();
            bool set = getenv(env) != nullptr;

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "no trust store of the system is found to "
                               "verify WeChat by%s%s%s, "
                               "\"wx_openid_ssl_trusted_certificate\" must "
                               "name one", set ? ", not where " : "",
                               set ? env : "", set ? " says" : "");
            return NGX_ERROR;
        }

        if (!dup(cf->pool, store, file)) {
            return NGX_ERROR;
        }
    }

    if (ngx_ssl_trusted_certificate(cf, ssl, &file, tls.verify_depth)
        != NGX_OK)
    {
        return refuse_value(cf, tls.trusted_certificate.len
                                ? "wx_openid_ssl_trusted_certificate"
                                : "trust store of the system:",
                            file);
    }

    ngx_str_t crl = tls.crl;

    if (ngx_ssl_crl(cf, ssl, &crl) != NGX_OK) {
        return refuse_value(cf, "wx_openid_ssl_crl", crl);
    }

    return NGX_OK;
}


ngx_int_t
configure(ngx_conf_t *cf, ngx_ssl_t *ssl, const TlsConf &tls) noexcept
{
    ngx_str_t ciphers = tls.ciphers;

    if (ngx_ssl_ciphers(cf, ssl, &ciphers, 0) != NGX_OK) {
        return refuse_value(cf, "wx_openid_ssl_ciphers", ciphers);
    }

    if (tls.verify && trust(cf, ssl, tls) != NGX_OK) {
        return NGX_ERROR;
    }

    /*
     * nginx has OpenSSL give back its buffers after each record, for it may
     * have ten thousand clients; we have a few connections, always in use.
     */

    SSL_CTX_clear_mode(ssl->ctx, SSL_MODE_RELEASE_BUFFERS);

#ifdef SSL_OP_CLEANSE_PLAINTEXT
    /* a reply has the session_key, and would stay there */

    SSL_CTX_set_options(ssl->ctx, SSL_OP_CLEANSE_PLAINTEXT);
#endif

    return ngx_ssl_client_session_cache(cf, ssl, tls.session_reuse);
}


}


ngx_ssl_t *
create_ssl(ngx_conf_t *cf, const TlsConf &tls) noexcept
{
    auto *ssl = static_cast<ngx_ssl_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t)));
    if (ssl == nullptr) {
        return nullptr;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, tls.protocols, nullptr) != NGX_OK) {
        return nullptr;
    }

    ngx_pool_cleanup_t *cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == nullptr) {
        ngx_ssl_cleanup_ctx(ssl);
        return nullptr;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    return configure(cf, ssl, tls) == NGX_OK ? ssl : nullptr;
}


}
