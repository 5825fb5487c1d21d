/*
 * Copyright (C) wx_openid authors
 *
 * JWE's compact serialization (RFC 7516, 7.1): five parts in base64url with
 * dots between, of the sizes that A256KW and A256GCM give them.  Only for
 * the codec; knows nothing of keys.
 */

#ifndef WX_OPENID_COMPACT_H
#define WX_OPENID_COMPACT_H

#include <array>
#include <span>
#include <string_view>

#include "wx_openid_gcm.h"
#include "wx_openid_wrap.h"


namespace wx_openid {


/* what a token's parts are: views of it, and what they decode to */

struct CompactParts {
    std::string_view header;
    std::array<unsigned char, wrapped_size> wrapped;
    std::array<unsigned char, gcm_nonce_size> nonce;
    std::array<unsigned char, gcm_tag_size> tag;
    std::span<unsigned char> ciphertext;
};


/*
 * Takes a token apart.  The ciphertext goes to "out", which must have room
 * for what the token decodes to.  False for what is not five parts of these
 * sizes.
 */
bool split_compact(std::string_view token, CompactParts &parts,
    std::span<unsigned char> out) noexcept;

/*
 * Writes a token of these parts to "out", which must have room for it;
 * returns its length.
 */
std::size_t join_compact(const CompactParts &parts,
    std::span<char> out) noexcept;


}

#endif /* WX_OPENID_COMPACT_H */
