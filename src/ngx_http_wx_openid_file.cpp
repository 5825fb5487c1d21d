/*
 * Copyright (C) wx_openid authors
 *
 * A file with secrets in it, read while the configuration is read.  Knows
 * nothing of what is in it: messages are its readers'.
 */

#include "ngx_http_wx_openid.h"


namespace wx_openid {


namespace {


bool
is_world_readable(ngx_fd_t fd) noexcept
{
    ngx_file_info_t info;

    return ngx_fd_info(fd, &info) != NGX_FILE_ERROR
           && (info.st_mode & S_IROTH);
}


/* a pipe gives its bytes in pieces; false when reading fails */

bool
read_all(ngx_fd_t fd, std::span<u_char> text, std::size_t &size) noexcept
{
    while (size < text.size()) {
        ssize_t n = ngx_read_fd(fd, &text[size], text.size() - size);

        if (n < 0) {
            return false;
        }

        if (n == 0) {
            break;
        }

        size += n;
    }

    return true;
}


}


SecretFile
read_secret_file(ngx_conf_t *cf, const ngx_str_t &path,
    std::span<u_char> text) noexcept
{
    SecretFile file;

    ngx_fd_t fd = ngx_open_file(path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        file.fault = "cannot be opened";
        file.err = ngx_errno;
        return file;
    }

    file.world_readable = is_world_readable(fd);

    if (!read_all(fd, text, file.size)) {
        file.fault = "cannot be read";
        file.err = ngx_errno;
        ngx_explicit_memzero(text.data(), file.size);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &path);
    }

    return file;
}


}
