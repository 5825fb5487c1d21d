/*
 * Copyright (C) wx_openid authors
 *
 * Appends text to memory that is known to be large enough.  Only for the
 * core's own files.
 */

#ifndef WX_OPENID_WRITER_H
#define WX_OPENID_WRITER_H

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>


namespace wx_openid {


class Writer {
public:
    explicit Writer(std::span<char> out) noexcept : out_(out) {}

    void add(std::string_view text) noexcept
    {
        std::copy_n(text.data(), text.size(), rest().data());
        size_ += text.size();
    }

    void add(std::int64_t number) noexcept
    {
        auto *begin = rest().data();
        auto *end = std::to_chars(begin, begin + rest().size(), number).ptr;

        size_ += static_cast<std::size_t>(end - begin);
    }

    /* for whoever writes there and then says how much */

    std::span<char> rest() const noexcept
    {
        return out_.subspan(size_);
    }

    void added(std::size_t size) noexcept
    {
        size_ += size;
    }

    std::string_view view() const noexcept
    {
        return { out_.data(), size_ };
    }

private:
    std::span<char> out_;
    std::size_t size_ = 0;
};


}

#endif /* WX_OPENID_WRITER_H */
