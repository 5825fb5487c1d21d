/*
 * Copyright (C) wx_openid authors
 *
 * A copy of a text that ends where memory ends: reading one byte too many
 * is a crash, also in a library that was built without a sanitizer.
 */

#ifndef WX_OPENID_GUARDED_H
#define WX_OPENID_GUARDED_H

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>


class Guarded {
public:
    explicit Guarded(std::string_view text)
    {
        auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        auto usable = (text.size() / page + 1) * page;

        size_ = usable + page;

        void *p = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) {
            abort();
        }

        base_ = static_cast<char *>(p);

        if (mprotect(base_ + usable, page, PROT_NONE) != 0) {
            abort();
        }

        char *copy = base_ + usable - text.size();

        if (!text.empty()) {
            memcpy(copy, text.data(), text.size());
        }

        text_ = {copy, text.size()};
    }

    ~Guarded()
    {
        munmap(base_, size_);
    }

    Guarded(const Guarded &) = delete;
    Guarded &operator=(const Guarded &) = delete;

    std::string_view text() const { return text_; }

private:
    char *base_ = nullptr;
    std::size_t size_ = 0;
    std::string_view text_;
};

#endif /* WX_OPENID_GUARDED_H */
