/*
 * Copyright (C) wx_openid authors
 *
 * Makes JWEs of any header and payload, by OpenSSL's own key wrap and none
 * of the code under test: tokens that are sealed right and wrong in one
 * thing.  For unit tests and fuzz targets; only these may abort.
 */

#ifndef WX_OPENID_JWE_H
#define WX_OPENID_JWE_H

#include <openssl/evp.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>


namespace jwe {


using Bytes = std::basic_string<unsigned char>;


inline Bytes
bytes(std::string_view s)
{
    return Bytes(s.begin(), s.end());
}


inline void
must(bool right)
{
    if (!right) {
        abort();
    }
}


inline int
length(const Bytes &b)
{
    return static_cast<int>(b.size());
}


inline Bytes
unhex(std::string_view hex)
{
    Bytes out;
    unsigned bits = 0;
    bool high = true;

    for (char c : hex) {
        if (c == ' ') {
            continue;
        }

        int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

        bits = bits << 4 | static_cast<unsigned>(value);
        high = !high;

        if (high) {
            out += static_cast<unsigned char>(bits & 0xff);
        }
    }

    return out;
}


/* by bits, as RFC 4648 words it */

inline std::string
base64url(const Bytes &in)
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "abcdefghijklmnopqrstuvwxyz"
                                          "0123456789-_";
    std::string out;

    for (std::size_t bit = 0; bit < in.size() * 8; bit += 6) {
        unsigned pair = unsigned{in[bit / 8]} << 8;

        if (bit / 8 + 1 < in.size()) {
            pair |= in[bit / 8 + 1];
        }

        out += alphabet[pair >> (10 - bit % 8) & 0x3f];
    }

    return out;
}


inline Bytes
wrap(const Bytes &kek, const Bytes &key)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    Bytes out(key.size() + 24, 0);
    int n = 0;

    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);

    must(EVP_EncryptInit_ex(ctx, EVP_aes_256_wrap(), nullptr, kek.data(),
                            nullptr)
         && EVP_EncryptUpdate(ctx, out.data(), &n, key.data(), length(key)));

    EVP_CIPHER_CTX_free(ctx);
    out.resize(static_cast<std::size_t>(n));

    return out;
}


struct Sealed {
    Bytes text;
    Bytes tag;
};


inline Sealed
gcm(const Bytes &key, const Bytes &nonce, const Bytes &aad,
    const Bytes &plain)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    Sealed out{Bytes(plain.size() + 16, 0), Bytes(16, 0)};
    int n = 0;

    must(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), nullptr, key.data(),
                            nonce.data())
         && EVP_EncryptUpdate(ctx, nullptr, &n, aad.data(), length(aad))
         && EVP_EncryptUpdate(ctx, out.text.data(), &n, plain.data(),
                              length(plain))
         && EVP_EncryptFinal_ex(ctx, out.text.data() + n, &n)
         && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16,
                                out.tag.data()));

    EVP_CIPHER_CTX_free(ctx);
    out.text.resize(plain.size());

    return out;
}


inline std::string
header_of(std::string_view kid)
{
    return R"({"alg":"A256KW","enc":"A256GCM","kid":")" + std::string(kid)
           + R"("})";
}


/* content key and nonce are fixed: nothing sealed here is a secret */

inline std::string
make(const Bytes &kek, std::string_view header, std::string_view payload)
{
    Bytes key(32, 0x11), nonce(12, 0x22);

    std::string first = base64url(bytes(header));
    Sealed sealed = gcm(key, nonce, bytes(first), bytes(payload));

    return first + "." + base64url(wrap(kek, key)) + "." + base64url(nonce)
           + "." + base64url(sealed.text) + "." + base64url(sealed.tag);
}


}

#endif /* WX_OPENID_JWE_H */
