/*
 * Copyright (C) wx_openid authors
 *
 * A head of fixed size, then the texts: openid, unionid, session_key,
 * errmsg.
 */

#include "wx_openid_result.h"

#include <algorithm>
#include <cstdint>
#include <cstring>


namespace wx_openid {


namespace {


struct Head {
    std::uint32_t time;         /* enough until 2106 */
    std::int32_t errcode;
    std::uint16_t errmsg;
    std::uint8_t refusal;
    std::uint8_t error;
    std::uint8_t openid;
    std::uint8_t unionid;
    std::uint8_t session_key;
};


/* without the padding: every byte counts in a cell of the table */

constexpr std::size_t head_size = offsetof(Head, session_key) + 1;


char *
append(char *p, std::string_view text) noexcept
{
    return std::copy_n(text.data(), text.size(), p);
}


template <std::size_t Max>
bool
take(std::string_view &rest, std::size_t size, Text<Max> &text) noexcept
{
    if (rest.size() < size || !text.assign({rest.data(), size})) {
        return false;
    }

    rest.remove_prefix(size);

    return true;
}


/* what is not refused is an identity, and a usable one */

bool
is_whole(const ExchangeResult &result) noexcept
{
    const SessionReply &session = result.session;

    if (result.refusal != Refusal::none) {
        return true;
    }

    return session.has_identity() && usable_openid(session.openid.view())
           && (session.unionid.empty()
               || usable_openid(session.unionid.view()))
           && (session.session_key.empty()
               || usable_session_key(session.session_key.view()));
}


}


std::size_t
write_result(const ExchangeResult &result, bool with_session_key,
    std::span<char> out) noexcept
{
    const SessionReply &session = result.session;

    std::string_view session_key;

    if (with_session_key) {
        session_key = session.session_key.view();
    }

    Head head{};

    head.time = static_cast<std::uint32_t>(result.time);
    head.errcode = session.errcode;
    head.errmsg = static_cast<std::uint16_t>(session.errmsg.view().size());
    head.refusal = static_cast<std::uint8_t>(result.refusal);
    head.error = static_cast<std::uint8_t>(session.error);
    head.openid = static_cast<std::uint8_t>(session.openid.view().size());
    head.unionid = static_cast<std::uint8_t>(session.unionid.view().size());
    head.session_key = static_cast<std::uint8_t>(session_key.size());

    std::memcpy(out.data(), &head, head_size);

    char *p = out.data() + head_size;

    p = append(p, session.openid.view());
    p = append(p, session.unionid.view());
    p = append(p, session_key);
    p = append(p, session.errmsg.view());

    return static_cast<std::size_t>(p - out.data());
}


bool
read_result(std::string_view bytes, ExchangeResult &result) noexcept
{
    Head head;

    if (bytes.size() < head_size) {
        return false;
    }

    std::memcpy(&head, bytes.data(), head_size);
    bytes.remove_prefix(head_size);

    if (head.refusal > static_cast<std::uint8_t>(last_refusal)
        || head.error > static_cast<std::uint8_t>(last_reply_error))
    {
        return false;
    }

    result.refusal = static_cast<Refusal>(head.refusal);
    result.session.error = static_cast<ReplyError>(head.error);
    result.time = head.time;
    result.session.errcode = head.errcode;

    return take(bytes, head.openid, result.session.openid)
           && take(bytes, head.unionid, result.session.unionid)
           && take(bytes, head.session_key, result.session.session_key)
           && take(bytes, head.errmsg, result.session.errmsg)
           && bytes.empty() && is_whole(result);
}


}
