/*
 * Copyright (C) wx_openid authors
 *
 * Takes tokens apart and puts them together, as wx_openid_compact.h has it.
 */

#include "wx_openid_compact.h"

#include "wx_openid_base64.h"
#include "wx_openid_text.h"
#include "wx_openid_writer.h"


namespace wx_openid {


namespace {


/* the next part, which must be just what fills "out" */

bool
take_exactly(std::string_view &token, std::span<unsigned char> out) noexcept
{
    auto part = next_part(token, '.');

    return part.size() == base64url_size(out.size())
           && base64url_decode(part, out);
}


void
add_part(Writer &w, std::span<const unsigned char> part) noexcept
{
    w.add(".");
    w.added(base64url_encode(part, w.rest()));
}


}


/* a fifth dot would be in the tag, or make it too short */

bool
split_compact(std::string_view token, CompactParts &parts,
    std::span<unsigned char> out) noexcept
{
    parts.header = next_part(token, '.');

    if (!take_exactly(token, parts.wrapped)
        || !take_exactly(token, parts.nonce))
    {
        return false;
    }

    auto size = base64url_decode(next_part(token, '.'), out);

    if (!size || *size == 0) {
        return false;
    }

    parts.ciphertext = out.first(*size);

    return token.size() == base64url_size(parts.tag.size())
           && base64url_decode(token, parts.tag);
}


std::size_t
join_compact(const CompactParts &parts, std::span<char> out) noexcept
{
    Writer w(out);

    w.add(parts.header);
    add_part(w, parts.wrapped);
    add_part(w, parts.nonce);
    add_part(w, parts.ciphertext);
    add_part(w, parts.tag);

    return w.view().size();
}


}
