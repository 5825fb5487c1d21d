/*
 * Copyright (C) wx_openid authors
 *
 * AES-256-GCM, as wx_openid_gcm.h has it.
 */

#include "wx_openid_gcm.h"

#include <array>

#include <openssl/evp.h>


namespace wx_openid {


namespace {


int
length(std::size_t size) noexcept
{
    return static_cast<int>(size);
}


/* all but the tag */

bool
run(EVP_CIPHER_CTX *ctx, GcmKey key, GcmNonce nonce, std::string_view aad,
    std::span<unsigned char> text, int enc) noexcept
{
    auto *header = reinterpret_cast<const unsigned char *>(aad.data());
    int n = 0;

    return EVP_CipherInit_ex(ctx, nullptr, nullptr, key.data(), nonce.data(),
                             enc)
           && EVP_CipherUpdate(ctx, nullptr, &n, header, length(aad.size()))
           && EVP_CipherUpdate(ctx, text.data(), &n, text.data(),
                               length(text.size()));
}


/* where no more text comes out, GCM being a stream */

using Nothing = std::array<unsigned char, EVP_MAX_BLOCK_LENGTH>;


}


EVP_CIPHER_CTX *
new_gcm_context() noexcept
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (!ctx) {
        return nullptr;
    }

    /* the cipher alone: a nonce has 96 bits unless told otherwise */

    if (!EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), nullptr, nullptr, nullptr,
                           1))
    {
        EVP_CIPHER_CTX_free(ctx);
        return nullptr;
    }

    return ctx;
}


bool
gcm_seal(EVP_CIPHER_CTX *ctx, GcmKey key, GcmNonce nonce,
    std::string_view aad, std::span<unsigned char> text,
    std::span<unsigned char, gcm_tag_size> tag) noexcept
{
    Nothing nothing;
    int n = 0;

    return run(ctx, key, nonce, aad, text, 1)
           && EVP_CipherFinal_ex(ctx, nothing.data(), &n)
           && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
                                  length(tag.size()), tag.data());
}


bool
gcm_open(EVP_CIPHER_CTX *ctx, GcmKey key, GcmNonce nonce,
    std::string_view aad, std::span<unsigned char> text,
    std::span<const unsigned char, gcm_tag_size> tag) noexcept
{
    Nothing nothing;
    int n = 0;

    /* OpenSSL only reads the tag, whatever the prototype says */

    return run(ctx, key, nonce, aad, text, 0)
           && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
                                  length(tag.size()),
                                  const_cast<unsigned char *>(tag.data()))
           && EVP_CipherFinal_ex(ctx, nothing.data(), &n) > 0;
}


}
