/*
 * Copyright (C) wx_openid authors
 *
 * Reads an app's secret while the configuration is read.  The secret goes
 * into the configuration's memory and nowhere else, least of all a message.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


constexpr std::string_view file_prefix = "file:";
constexpr std::string_view env_prefix = "env:";

constexpr std::size_t max_secret_length = 512;


void
wipe_secret(void *data) noexcept
{
    auto *secret = static_cast<ngx_str_t *>(data);

    ngx_explicit_memzero(secret->data, secret->len);
}


/* when its configuration goes, which also a refused one does */

bool
wipe_at_end(ngx_conf_t *cf, const ngx_str_t &secret) noexcept
{
    ngx_pool_cleanup_t *cln = ngx_pool_cleanup_add(cf->pool,
                                                   sizeof(ngx_str_t));
    if (cln == nullptr) {
        return false;
    }

    *static_cast<ngx_str_t *>(cln->data) = secret;
    cln->handler = wipe_secret;

    return true;
}


bool
refuse_secret(ngx_conf_t *cf, const ngx_str_t &where, ngx_err_t err,
    const char *why) noexcept
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                       "secret \"%V\" in \"wx_openid_app\" %s", &where, why);
    return false;
}


void
drop_newline(ngx_str_t &s) noexcept
{
    if (s.len && s.data[s.len - 1] == '\n') {
        s.len--;
    }

    if (s.len && s.data[s.len - 1] == '\r') {
        s.len--;
    }
}


/* it never names what may be a secret */

void
warn_of_secret(ngx_conf_t *cf, const ngx_str_t &where, const char *why)
    noexcept
{
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "secret \"%V\" in \"wx_openid_app\" %s", &where, why);
}


/* a prefix that was forgotten, or written in another case */

bool
looks_like_source(std::string_view text) noexcept
{
    std::string_view prefix(text.data(), ngx_min(text.size(),
                                                 file_prefix.size()));

    return text.starts_with('/') || text.starts_with('$')
           || equal_nocase(prefix, file_prefix)
           || equal_nocase({text.data(), ngx_min(text.size(),
                                                 env_prefix.size())},
                           env_prefix);
}


bool
read_file(ngx_conf_t *cf, const ngx_str_t &spec, ngx_str_t &secret) noexcept
{
    std::string_view path = view(spec);
    path.remove_prefix(file_prefix.size());

    if (path.empty()) {
        return refuse_secret(cf, spec, 0, "names no file");
    }

    ngx_str_t name;

    if (!dup(cf->pool, path, name)
        || ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK)
    {
        return false;
    }

    /* one byte and a line end more than allowed tell a file too long */

    constexpr std::size_t size = max_secret_length + 3;

    secret.data = static_cast<u_char *>(ngx_pnalloc(cf->pool, size));
    if (secret.data == nullptr) {
        return false;
    }

    SecretFile file = read_secret_file(cf, name, {secret.data, size});

    if (file.world_readable) {
        warn_of_secret(cf, spec, "can be read by everybody");
    }

    if (file.fault) {
        return refuse_secret(cf, spec, file.err, file.fault);
    }

    secret.len = file.size;
    drop_newline(secret);

    return true;
}


bool
read_env(ngx_conf_t *cf, const ngx_str_t &spec, ngx_str_t &secret) noexcept
{
    /* an argument of a directive ends in NUL */

    const char *value = getenv(chars(spec.data) + env_prefix.size());

    if (value == nullptr) {
        return refuse_secret(cf, spec, 0, "is not in the environment");
    }

    return dup(cf->pool, value, secret);
}


}


bool
read_secret(ngx_conf_t *cf, const ngx_str_t &spec, ngx_str_t &secret) noexcept
{
    bool file = view(spec).starts_with(file_prefix);
    bool env = view(spec).starts_with(env_prefix);

    if (file ? !read_file(cf, spec, secret)
        : env ? !read_env(cf, spec, secret)
              : !dup(cf->pool, view(spec), secret))
    {
        return false;
    }

    if (!wipe_at_end(cf, secret)) {
        return false;
    }

    /* a secret that stands in the configuration itself is not repeated */

    ngx_str_t where = file || env ? spec : to_str("...");

    if (!file && !env) {
        ngx_explicit_memzero(spec.data, spec.len);

        if (looks_like_source(view(secret))) {
            warn_of_secret(cf, where, "is taken as it stands, for it begins "
                                      "neither with \"file:\" nor with "
                                      "\"env:\"");
        }
    }

    if (secret.len == 0) {
        return refuse_secret(cf, where, 0, "is empty");
    }

    if (secret.len > max_secret_length) {
        return refuse_secret(cf, where, 0, "is longer than 512 bytes");
    }

    if (has_control(view(secret))) {
        return refuse_secret(cf, where, 0, "has control characters, or more "
                                           "than one line");
    }

    if (has_space_or_not_ascii(view(secret))) {
        warn_of_secret(cf, where, "has a blank or a byte that is not ASCII");
    }

    return true;
}


}
