/*
 * Copyright (C) wx_openid authors
 *
 * The file of wx_openid_session_keys: read, made a codec of, wiped when the
 * configuration goes.  What a set of keys may be is core/wx_openid_keys.h's.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


/* one byte more tells a file that is too long */

constexpr std::size_t max_keys_file = max_key_set_size + 1;


char *
refuse_keys(ngx_conf_t *cf, const ngx_str_t &file, ngx_err_t err,
    std::string_view why) noexcept
{
    ngx_str_t text = to_str(why);

    ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                       "\"%V\" in \"wx_openid_session_keys\": %V", &file,
                       &text);
    return conf_error();
}


/* reads at most max_keys_file bytes to "text"; 0 or what went wrong */

const char *
read_keys(ngx_conf_t *cf, const ngx_str_t &file, std::span<char> text,
    std::size_t &size, ngx_err_t &err) noexcept
{
    ngx_fd_t fd = ngx_open_file(file.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        err = ngx_errno;
        return "cannot be opened";
    }

    if (is_world_readable(fd)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"wx_openid_session_keys\" can be read "
                           "by everybody", &file);
    }

    ssize_t n = ngx_read_fd(fd, text.data(), text.size());

    err = n < 0 ? ngx_errno : 0;

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file);
    }

    if (n < 0) {
        return "cannot be read";
    }

    size = n;

    return nullptr;
}


void
wipe_codec(void *data) noexcept
{
    static_cast<TokenCodec *>(data)->wipe();
}


/* in the configuration's pool, wiped when that goes */

TokenCodec *
create_codec(ngx_conf_t *cf, const KeySet &keys) noexcept
{
    ngx_pool_cleanup_t *cln = ngx_pool_cleanup_add(cf->pool,
                                                   sizeof(TokenCodec));
    if (cln == nullptr) {
        return nullptr;
    }

    auto *codec = new (cln->data) TokenCodec;

    cln->handler = wipe_codec;

    return codec->init(keys.keys()) ? codec : nullptr;
}


}


char *
set_session_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept
{
    auto &lcf = *static_cast<LocConf *>(conf);

    if (lcf.keys != unset_ptr<TokenCodec>()) {
        return conf_text("is duplicate");
    }

    ngx_str_t file = arguments(cf)[1];

    /* also with "off": clients may have some that open again tomorrow */

    main_conf(cf).sessions = 1;

    if (view(file) == "off") {
        lcf.keys = nullptr;
        return NGX_CONF_OK;
    }

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return conf_error();
    }

    auto *text = static_cast<char *>(ngx_pnalloc(cf->temp_pool,
                                                 max_keys_file));
    auto *keys = pool_new<KeySet>(cf->temp_pool);

    if (text == nullptr || keys == nullptr) {
        return conf_error();
    }

    std::size_t size = 0;
    ngx_err_t err = 0;

    const char *fault = read_keys(cf, file, {text, max_keys_file}, size, err);
    if (fault) {
        return refuse_keys(cf, file, err, fault);
    }

    KeySetError error = keys->read({text, size});

    ngx_explicit_memzero(text, size);

    if (error.fault == KeyFault::none) {
        lcf.keys = create_codec(cf, *keys);
    }

    keys->wipe();

    if (error.fault != KeyFault::none) {
        char why[max_key_set_error];

        return refuse_keys(cf, file, 0,
                           {why, write_key_set_error(error, why)});
    }

    return lcf.keys ? NGX_CONF_OK : conf_error();
}


}
