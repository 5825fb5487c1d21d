/*
 * Copyright (C) wx_openid authors
 *
 * Whether a library failed for want of memory.  cJSON takes that for bad
 * text and OpenSSL for a bad key; to a client it is neither.
 */

#ifndef WX_OPENID_MEMORY_H
#define WX_OPENID_MEMORY_H

#include <cerrno>


namespace wx_openid {


/* what malloc() leaves behind when it fails */

class MemoryWatch {
public:
    MemoryWatch() noexcept
    {
        errno = 0;
    }

    /* only after a failure: what succeeds may leave anything in errno */

    bool ran_out() const noexcept
    {
        return errno == ENOMEM;
    }
};


}

#endif /* WX_OPENID_MEMORY_H */
