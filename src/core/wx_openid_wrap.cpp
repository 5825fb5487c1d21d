/*
 * Copyright (C) wx_openid authors
 *
 * AES key wrap, as wx_openid_wrap.h has it.
 */

#include "wx_openid_wrap.h"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>


namespace wx_openid {


namespace {


/* RFC 3394, 2.2: the register A and the part R[i] fill a block */

constexpr std::size_t half = 8;
constexpr unsigned parts = unwrapped_size / half;
constexpr unsigned rounds = 6;

constexpr std::array<unsigned char, half> initial_value = {
    0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6
};


struct Block {
    ~Block()
    {
        OPENSSL_cleanse(bytes.data(), bytes.size());
    }

    /* A ^ t, where t is never over 255 */

    void count(unsigned t) noexcept
    {
        bytes[half - 1] = static_cast<unsigned char>(bytes[half - 1] ^ t);
    }

    bool run(EVP_CIPHER_CTX *ctx) noexcept
    {
        int n = 0;

        return EVP_CipherUpdate(ctx, bytes.data(), &n, bytes.data(),
                                2 * half);
    }

    unsigned char *a() noexcept
    {
        return bytes.data();
    }

    unsigned char *r() noexcept
    {
        return bytes.data() + half;
    }

    std::array<unsigned char, 2 * half> bytes;
};


}


EVP_CIPHER_CTX *
new_wrap_context(std::span<const unsigned char, unwrapped_size> key,
    WrapMode mode) noexcept
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (!ctx) {
        return nullptr;
    }

    if (!EVP_CipherInit_ex(ctx, EVP_aes_256_ecb(), nullptr, key.data(),
                           nullptr, mode == WrapMode::wrap)
        || !EVP_CIPHER_CTX_set_padding(ctx, 0))
    {
        EVP_CIPHER_CTX_free(ctx);
        return nullptr;
    }

    return ctx;
}


bool
wrap_key(EVP_CIPHER_CTX *ctx,
    std::span<const unsigned char, unwrapped_size> key,
    std::span<unsigned char, wrapped_size> out) noexcept
{
    Block block;
    unsigned char *r = out.data() + half;

    std::copy_n(initial_value.data(), half, block.a());
    std::copy_n(key.data(), key.size(), r);

    for (unsigned t = 1; t <= rounds * parts; t++) {
        auto *part = r + (t - 1) % parts * half;

        std::copy_n(part, half, block.r());

        if (!block.run(ctx)) {
            return false;
        }

        block.count(t);
        std::copy_n(block.r(), half, part);
    }

    std::copy_n(block.a(), half, out.data());

    return true;
}


bool
unwrap_key(EVP_CIPHER_CTX *ctx,
    std::span<const unsigned char, wrapped_size> wrapped,
    std::span<unsigned char, unwrapped_size> out) noexcept
{
    Block block;

    std::copy_n(wrapped.data(), half, block.a());
    std::copy_n(wrapped.data() + half, out.size(), out.data());

    for (unsigned t = rounds * parts; t > 0; t--) {
        auto *part = out.data() + (t - 1) % parts * half;

        block.count(t);
        std::copy_n(part, half, block.r());

        if (!block.run(ctx)) {
            return false;
        }

        std::copy_n(block.r(), half, part);
    }

    return CRYPTO_memcmp(block.a(), initial_value.data(), half) == 0;
}


}
