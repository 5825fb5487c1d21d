/*
 * Copyright (C) wx_openid authors
 *
 * The bridge: the only place that includes nginx, the only conversions
 * between its strings and C++ views, and every test of nginx_version.
 * Knows nothing of what the module does.
 */

#ifndef NGX_HTTP_WX_OPENID_NGX_H
#define NGX_HTTP_WX_OPENID_NGX_H

/* before any standard header: nginx's headers define 64-bit off_t */

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
}

#if !(NGX_HTTP_SSL)
#error "the wx_openid module needs nginx built --with-http_ssl_module"
#endif

#include <new>
#include <span>
#include <string_view>
#include <type_traits>


namespace wx_openid {


/* u_char and char meet in these functions and nowhere else */

inline const char *chars(const u_char *p) noexcept
{
    return reinterpret_cast<const char *>(p);
}

inline char *chars(u_char *p) noexcept
{
    return reinterpret_cast<char *>(p);
}

inline u_char *bytes(const char *p) noexcept
{
    return reinterpret_cast<u_char *>(const_cast<char *>(p));
}


/* borrow: nothing is copied, the text lives as long as its owner */

inline std::string_view view(const ngx_str_t &s) noexcept
{
    return {chars(s.data), s.len};
}

inline std::string_view view(const ngx_variable_value_t &v) noexcept
{
    return {chars(v.data), v.len};
}

inline ngx_str_t to_str(std::string_view s) noexcept
{
    return {s.size(), bytes(s.data())};
}


/* a copy that the pool owns; false on no memory */

[[nodiscard]] inline bool
dup(ngx_pool_t *pool, std::string_view s, ngx_str_t &copy) noexcept
{
    copy.data = static_cast<u_char *>(ngx_pnalloc(pool, s.size() + 1));
    if (copy.data == nullptr) {
        copy.len = 0;
        return false;
    }

    *ngx_copy(copy.data, s.data(), s.size()) = '\0';
    copy.len = s.size();

    return true;
}


/*
 * An object in the pool, made by its default constructor; nullptr on no
 * memory.  The pool runs no destructor, so the type may have none.
 */

template <typename T>
T *
pool_new(ngx_pool_t *pool) noexcept
{
    static_assert(std::is_trivially_destructible_v<T>);
    static_assert(alignof(T) <= NGX_ALIGNMENT);

    void *p = ngx_palloc(pool, sizeof(T));

    return p ? new (p) T{} : nullptr;
}


/* the elements of an nginx array, also of one that was never made */

template <typename T>
std::span<T>
elements(const ngx_array_t *a) noexcept
{
    if (a == nullptr || a == NGX_CONF_UNSET_PTR) {
        return {};
    }

    return {static_cast<T *>(a->elts), a->nelts};
}


/* nginx's conf functions give text as char *, and never write to it */

inline char *conf_text(const char *text) noexcept
{
    return const_cast<char *>(text);
}

inline char *conf_error() noexcept
{
    return static_cast<char *>(NGX_CONF_ERROR);
}

template <typename T>
T *unset_ptr() noexcept
{
    return static_cast<T *>(NGX_CONF_UNSET_PTR);
}


/* whether there is such a process, be it another user's */

inline bool is_alive(ngx_pid_t process) noexcept
{
    return kill(process, 0) == 0 || ngx_errno != NGX_ESRCH;
}


/* memory that is wiped when the block ends, whichever way */

class WipedAtEnd {
public:
    WipedAtEnd(void *data, std::size_t size) noexcept
        : data_(data), size_(size)
    {}

    ~WipedAtEnd()
    {
        ngx_explicit_memzero(data_, size_);
    }

    WipedAtEnd(const WipedAtEnd &) = delete;
    WipedAtEnd &operator=(const WipedAtEnd &) = delete;

private:
    void *data_;
    std::size_t size_;
};


/*
 * Fills an element of a header list; the views must live as long as the
 * request.  Since 1.23.0 equal headers are chained and the link is ours to
 * set.
 */

inline void
fill_header(ngx_table_elt_t &h, std::string_view key, std::string_view value,
    u_char *lowcase_key, ngx_uint_t hash) noexcept
{
    h.hash = hash;
    h.key = to_str(key);
    h.value = to_str(value);
    h.lowcase_key = lowcase_key;

#if (nginx_version >= 1023000)
    h.next = nullptr;
#endif
}


}

#endif /* NGX_HTTP_WX_OPENID_NGX_H */
