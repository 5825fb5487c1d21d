/*
 * Copyright (C) wx_openid authors
 *
 * The tokens of wx_openid_opened.h, wiped as they go.
 */

#include "wx_openid_opened.h"

#include <cstring>
#include <memory>

#include <openssl/crypto.h>

#include "wx_openid_base64.h"
#include "wx_openid_gcm.h"


namespace wx_openid {


namespace {


/* a token ends with its tag (RFC 7516, 7.1), which is as good as random */

constexpr std::size_t tag_size = base64url_size(gcm_tag_size);


std::string_view
tag_of(std::string_view token) noexcept
{
    token.remove_prefix(token.size() - tag_size);
    return token;
}


bool
may_be_kept(std::string_view token) noexcept
{
    return token.size() > tag_size && token.size() <= max_kept_token;
}


/* FNV-1a */

std::size_t
slot_of(std::string_view tag) noexcept
{
    std::uint32_t hash = 2166136261;

    for (char c : tag) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    }

    return hash % kept_tokens;
}


/*
 * Who knows the tag has the token; who does not shall learn nothing of it
 * from the time that a comparison takes.
 */

bool
same_token(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size()
           && CRYPTO_memcmp(tag_of(a).data(), tag_of(b).data(), tag_size) == 0
           && std::memcmp(a.data(), b.data(), a.size()) == 0;
}


}


const Claims *
OpenedTokens::find(std::string_view token) const noexcept
{
    if (slots_ == nullptr || !may_be_kept(token)) {
        return nullptr;
    }

    const Slot &slot = slots_[slot_of(tag_of(token))];

    return same_token(slot.token.view(), token) ? &slot.claims : nullptr;
}


void
OpenedTokens::put(std::string_view token, const Claims &claims) noexcept
{
    if (!may_be_kept(token) || !allocate()) {
        return;
    }

    Slot &slot = slots_[slot_of(tag_of(token))];

    if (slot.token.assign(token)) {
        slot.claims = claims;
    }
}


void
OpenedTokens::wipe() noexcept
{
    OPENSSL_clear_free(slots_, kept_tokens * sizeof(Slot));

    slots_ = nullptr;
}


bool
OpenedTokens::allocate() noexcept
{
    if (slots_) {
        return true;
    }

    slots_ = static_cast<Slot *>(OPENSSL_malloc(kept_tokens * sizeof(Slot)));
    if (slots_ == nullptr) {
        return false;
    }

    std::uninitialized_default_construct_n(slots_, kept_tokens);

    return true;
}


}
