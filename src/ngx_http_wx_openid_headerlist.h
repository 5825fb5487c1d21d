/*
 * Copyright (C) wx_openid authors
 *
 * A list of headers, walked and built anew.  Knows nothing of which headers
 * these are.
 */

#ifndef NGX_HTTP_WX_OPENID_HEADERLIST_H
#define NGX_HTTP_WX_OPENID_HEADERLIST_H

#include "ngx_http_wx_openid_ngx.h"


namespace wx_openid {


/* walks a list of headers: next() until nullptr */

class Headers {
public:
    explicit Headers(ngx_list_t &list) noexcept : part_(&list.part) {}

    ngx_table_elt_t *next() noexcept
    {
        while (i_ >= part_->nelts) {
            if (part_->next == nullptr) {
                return nullptr;
            }

            part_ = part_->next;
            i_ = 0;
        }

        return static_cast<ngx_table_elt_t *>(part_->elts) + i_++;
    }

private:
    ngx_list_part_t *part_;
    ngx_uint_t i_ = 0;
};


/*
 * Builds a header list anew without moving an element, for nginx points at
 * some: each run of kept neighbors becomes a part.  No part behind the first
 * may be empty (nginx reads its first element unasked), the old parts stay
 * as they are (subrequests walk them), and the list itself changes last.
 */

class ListBuilder {
public:
    explicit ListBuilder(ngx_pool_t *pool) noexcept : pool_(pool) {}

    [[nodiscard]] bool keep(ngx_table_elt_t *h) noexcept
    {
        if (last_) {
            auto *end = static_cast<ngx_table_elt_t *>(last_->elts)
                        + last_->nelts;

            if (h == end) {
                last_->nelts++;
                return true;
            }
        }

        return append(h, 1);
    }

    [[nodiscard]] bool append(ngx_table_elt_t *h, ngx_uint_t n) noexcept
    {
        ngx_list_part_t *part = &first_;

        if (last_) {
            part = static_cast<ngx_list_part_t *>(
                ngx_palloc(pool_, sizeof(ngx_list_part_t)));
            if (part == nullptr) {
                return false;
            }

            last_->next = part;
        }

        *part = ngx_list_part_t{ h, n, nullptr };
        last_ = part;

        return true;
    }

    /* the next push finds the last part full and adds one of "nalloc" */

    [[nodiscard]] bool finish(ngx_list_t &list) noexcept
    {
        if (last_ == nullptr) {
            auto *h = static_cast<ngx_table_elt_t *>(
                ngx_palloc(pool_, part_size * sizeof(ngx_table_elt_t)));

            if (h == nullptr || !append(h, 0)) {
                return false;
            }

            list.nalloc = part_size;

        } else {
            list.nalloc = last_->nelts;
        }

        list.part = first_;
        list.last = last_ == &first_ ? &list.part : last_;

        return true;
    }

private:
    /* nginx's parts hold so many elements (core/ngx_list) */
    static constexpr ngx_uint_t part_size = 4;

    ngx_pool_t *pool_;
    ngx_list_part_t first_{};
    ngx_list_part_t *last_ = nullptr;
};


}

#endif /* NGX_HTTP_WX_OPENID_HEADERLIST_H */
