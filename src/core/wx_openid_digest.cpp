/*
 * Copyright (C) wx_openid authors
 *
 * Digests by OpenSSL; a Hasher keeps its context from one to the next.
 */

#include "wx_openid_digest.h"

#include <cstdint>
#include <memory>

#include <openssl/evp.h>


namespace wx_openid {


namespace {


struct Free {
    void operator()(EVP_MD_CTX *ctx) const noexcept
    {
        EVP_MD_CTX_free(ctx);
    }
};


bool
add(EVP_MD_CTX *ctx, std::string_view part) noexcept
{
    std::uint64_t size = part.size();

    return EVP_DigestUpdate(ctx, &size, sizeof(size))
           && EVP_DigestUpdate(ctx, part.data(), part.size());
}


}


bool
Hasher::init() noexcept
{
    wipe();

    md_ = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    ctx_ = EVP_MD_CTX_new();

    if (md_ && ctx_ && EVP_DigestInit_ex(ctx_, md_, nullptr)) {
        return true;
    }

    wipe();
    return false;
}


bool
Hasher::hash(std::string_view text, Sha256 &out) noexcept
{
    return EVP_DigestInit_ex(ctx_, nullptr, nullptr)
           && EVP_DigestUpdate(ctx_, text.data(), text.size())
           && EVP_DigestFinal_ex(ctx_, out.data(), nullptr);
}


void
Hasher::wipe() noexcept
{
    EVP_MD_CTX_free(ctx_);
    EVP_MD_free(md_);

    ctx_ = nullptr;
    md_ = nullptr;
}


bool
digest_parts(std::initializer_list<std::string_view> parts,
    Sha256 &out) noexcept
{
    std::unique_ptr<EVP_MD_CTX, Free> ctx(EVP_MD_CTX_new());

    if (!ctx || !EVP_DigestInit_ex(ctx.get(), EVP_sha256(), nullptr)) {
        return false;
    }

    for (std::string_view part : parts) {
        if (!add(ctx.get(), part)) {
            return false;
        }
    }

    return EVP_DigestFinal_ex(ctx.get(), out.data(), nullptr);
}


}
