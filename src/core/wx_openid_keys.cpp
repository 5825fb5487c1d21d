/*
 * Copyright (C) wx_openid authors
 *
 * Reads a JWK Set, as wx_openid_keys.h has it.
 */

#include "wx_openid_keys.h"

#include <cstring>

#include <openssl/crypto.h>

#include "wx_openid_base64.h"
#include "wx_openid_json.h"
#include "wx_openid_writer.h"


namespace wx_openid {


namespace {


/* an optional member that, where it is there, says just this */

bool
absent_or(const cJSON *value, const char *text) noexcept
{
    return !value
           || (cJSON_IsString(value)
               && std::strcmp(value->valuestring, text) == 0);
}


KeyFault
read_k(const cJSON *value, TokenKey &key) noexcept
{
    if (!cJSON_IsString(value)) {
        return KeyFault::no_k;
    }

    std::string_view k(value->valuestring);
    constexpr std::size_t size = base64url_size(token_key_size);

    /* one character too many may be "=", which is not too long but wrong */

    bool text = std::all_of(k.begin(), k.end(), [](char c) {
        return is_alnum(c) || c == '-' || c == '_';
    });

    if (!text) {
        return KeyFault::bad_k;
    }

    if (k.size() != size) {
        return k.size() < size ? KeyFault::short_k : KeyFault::long_k;
    }

    return base64url_decode(k, key.bytes) ? KeyFault::none : KeyFault::bad_k;
}


KeyFault
read_kid(const cJSON *value, TokenKey &key) noexcept
{
    if (!cJSON_IsString(value)) {
        return KeyFault::no_kid;
    }

    std::string_view kid(value->valuestring);

    return usable_kid(kid) && key.kid.assign(kid) ? KeyFault::none
                                                  : KeyFault::bad_kid;
}


KeyFault
read_key(const cJSON *json, TokenKey &key) noexcept
{
    if (!cJSON_IsObject(json)) {
        return KeyFault::not_object;
    }

    auto kty = find_member(json, "kty");
    auto kid = find_member(json, "kid");
    auto k = find_member(json, "k");
    auto use = find_member(json, "use");
    auto alg = find_member(json, "alg");

    if (kty.repeated || kid.repeated || k.repeated || use.repeated
        || alg.repeated)
    {
        return KeyFault::repeated;
    }

    if (!kty.value || !absent_or(kty.value, "oct")) {
        return KeyFault::wrong_kty;
    }

    if (!absent_or(use.value, "enc")) {
        return KeyFault::wrong_use;
    }

    if (!absent_or(alg.value, "A256KW")) {
        return KeyFault::wrong_alg;
    }

    auto fault = read_kid(kid.value, key);

    return fault == KeyFault::none ? read_k(k.value, key) : fault;
}


KeySetError
error_at(KeyFault fault, std::size_t number = 0,
    const cJSON *json = nullptr) noexcept
{
    KeySetError error{ fault, number, {} };

    const cJSON *kid = cJSON_IsObject(json) ? find_member(json, "kid").value
                                            : nullptr;

    if (cJSON_IsString(kid)) {
        std::array<char, max_kid_length> text;
        auto size = printable(kid->valuestring, text);

        /* cannot fail: it was cut to fit */
        (void) error.kid.assign({ text.data(), size });
    }

    return error;
}


}


std::string_view
key_fault_text(KeyFault fault) noexcept
{
    switch (fault) {
    case KeyFault::none:
        return "no error";
    case KeyFault::too_long:
        return "longer than 64k";
    case KeyFault::not_json:
        return "not a JSON object";
    case KeyFault::no_keys:
        return "no array \"keys\" with a key in it";
    case KeyFault::too_many:
        return "more than 64 keys";
    case KeyFault::not_object:
        return "not a JSON object";
    case KeyFault::repeated:
        return "repeated member";
    case KeyFault::wrong_kty:
        return "\"kty\" is not \"oct\"";
    case KeyFault::no_kid:
        return "no \"kid\"";
    case KeyFault::bad_kid:
        return "\"kid\" is not 1 to 64 of A-Z a-z 0-9 . _ -";
    case KeyFault::duplicate_kid:
        return "\"kid\" is there before";
    case KeyFault::no_k:
        return "no \"k\"";
    case KeyFault::bad_k:
        return "\"k\" is not base64url without padding";
    case KeyFault::short_k:
        return "\"k\" has less than 256 bits";
    case KeyFault::long_k:
        return "\"k\" has more than 256 bits";
    case KeyFault::wrong_use:
        return "\"use\" is not \"enc\"";
    case KeyFault::wrong_alg:
        return "\"alg\" is not \"A256KW\"";
    }

    return "unknown error";
}


std::size_t
write_key_set_error(const KeySetError &error, std::span<char> out) noexcept
{
    Writer w(out);

    if (error.number) {
        w.add("key ");
        w.add(static_cast<std::int64_t>(error.number));

        if (!error.kid.empty()) {
            w.add(" \"");
            w.add(error.kid.view());
            w.add("\"");
        }

        w.add(": ");
    }

    w.add(key_fault_text(error.fault));

    return w.view().size();
}


KeySetError
KeySet::read(std::string_view text) noexcept
{
    wipe();

    if (text.size() > max_key_set_size) {
        return error_at(KeyFault::too_long);
    }

    Json json = parse_json_object(text);

    if (!json || has_nul(text) || has_stray_control(text)) {
        return error_at(KeyFault::not_json);
    }

    auto list = find_member(json.get(), "keys");

    if (list.repeated || !cJSON_IsArray(list.value) || !list.value->child) {
        return error_at(KeyFault::no_keys);
    }

    std::size_t number = 0;

    for (const cJSON *item = list.value->child; item; item = item->next) {
        if (number++ == max_token_keys) {
            wipe();
            return error_at(KeyFault::too_many);
        }

        auto &key = keys_[count_];
        auto fault = read_key(item, key);

        if (fault == KeyFault::none
            && std::any_of(keys().begin(), keys().end(),
                           [&key](const TokenKey &other) {
                               return other.kid.view() == key.kid.view();
                           }))
        {
            fault = KeyFault::duplicate_kid;
        }

        if (fault != KeyFault::none) {
            wipe();
            return error_at(fault, number, item);
        }

        count_++;
    }

    return {};
}


void
KeySet::wipe() noexcept
{
    OPENSSL_cleanse(keys_.data(), sizeof(keys_));
    count_ = 0;
}


bool
usable_kid(std::string_view kid) noexcept
{
    return !kid.empty() && kid.size() <= max_kid_length
           && std::all_of(kid.begin(), kid.end(), [](char c) {
                  return is_alnum(c) || c == '.' || c == '_' || c == '-';
              });
}


}
