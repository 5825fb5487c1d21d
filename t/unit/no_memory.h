/*
 * Copyright (C) wx_openid authors
 *
 * cJSON without memory: its N-th allocation fails, as long as one of these
 * lives.
 */

#ifndef WX_OPENID_NO_MEMORY_H
#define WX_OPENID_NO_MEMORY_H

#include <cerrno>
#include <cstdlib>

#include <cjson/cJSON.h>


class NoMemory {
public:
    explicit NoMemory(int n)
    {
        left_ = n;
        cJSON_Hooks hooks{allocate, std::free};
        cJSON_InitHooks(&hooks);
    }

    ~NoMemory()
    {
        cJSON_InitHooks(nullptr);
    }

    NoMemory(const NoMemory &) = delete;
    NoMemory &operator=(const NoMemory &) = delete;

    bool failed() const
    {
        return left_ <= 0;
    }

private:
    static void *allocate(std::size_t size)
    {
        if (--left_ == 0) {
            errno = ENOMEM;
            return nullptr;
        }

        return std::malloc(size);
    }

    static inline int left_;
};

#endif /* WX_OPENID_NO_MEMORY_H */
