/*
 * Copyright (C) wx_openid authors
 *
 * Input: a JWK Set.  There are keys of distinct and usable kids that a codec
 * takes, or there is an error that fits a log line and none at all.
 */

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "../unit/guarded.h"
#include "wx_openid_token.h"


using namespace wx_openid;


namespace {


void
check(bool right)
{
    if (!right) {
        abort();
    }
}


void
check_error(const KeySetError &error)
{
    auto out = std::make_unique<char[]>(max_key_set_error);
    auto size = write_key_set_error(error, { out.get(), max_key_set_error });
    std::string_view words(out.get(), size);

    check(!words.empty() && !has_control(words));
}


void
check_keys(std::span<const TokenKey> keys)
{
    for (auto &key : keys) {
        check(usable_kid(key.kid.view()));

        for (auto &other : keys) {
            check(&other == &key || other.kid.view() != key.kid.view());
        }
    }

    TokenCodec codec;

    check(codec.init(keys));
    codec.wipe();
}


}


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Guarded text({ reinterpret_cast<const char *>(data), size });

    KeySet set;
    auto error = set.read(text.text());
    bool none = error.fault == KeyFault::none;

    check(set.keys().empty() != none);
    check_error(error);

    if (none) {
        check_keys(set.keys());
    }

    set.wipe();

    return 0;
}
