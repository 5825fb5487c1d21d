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


void
wipe_codec(void *data) noexcept
{
    static_cast<TokenCodec *>(data)->wipe();
}


/* in the configuration's pool, wiped when that goes; nullptr on an error */

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

    if (!codec->init(keys.keys())) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"wx_openid_session_keys\" needs AES-256 in GCM "
                           "and as key wrap, which OpenSSL does not provide");
        return nullptr;
    }

    return codec;
}


/* "codec" is left as it is where the file is no set of keys */

char *
load_keys(ngx_conf_t *cf, const ngx_str_t &file, TokenCodec *&codec) noexcept
{
    auto *text = static_cast<u_char *>(ngx_pnalloc(cf->temp_pool,
                                                   max_keys_file));
    auto *keys = pool_new<KeySet>(cf->temp_pool);

    if (text == nullptr || keys == nullptr) {
        return conf_error();
    }

    SecretFile read = read_secret_file(cf, file, {text, max_keys_file});

    if (read.world_readable) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"wx_openid_session_keys\" can be read "
                           "by everybody", &file);
    }

    if (read.fault) {
        return refuse_keys(cf, file, read.err, read.fault);
    }

    KeySetError error = keys->read({chars(text), read.size});

    ngx_explicit_memzero(text, read.size);

    if (error.fault == KeyFault::none) {
        codec = create_codec(cf, *keys);
    }

    keys->wipe();

    if (error.fault != KeyFault::none) {
        char why[max_key_set_error];

        return refuse_keys(cf, file, 0,
                           {why, write_key_set_error(error, why)});
    }

    return codec ? NGX_CONF_OK : conf_error();
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

    return load_keys(cf, file, lcf.keys);
}


}
