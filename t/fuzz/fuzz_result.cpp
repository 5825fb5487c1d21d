/*
 * Copyright (C) wx_openid authors
 *
 * Input: bytes that may be a result.  What is read must be written as the
 * same bytes, and be refused or a whole and usable identity.
 */

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "../unit/guarded.h"
#include "wx_openid_result.h"


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
check_identity(const SessionReply &session)
{
    auto unionid = session.unionid.view();
    auto session_key = session.session_key.view();

    check(session.has_identity() && usable_openid(session.openid.view()));
    check(unionid.empty() || usable_openid(unionid));
    check(session_key.empty() || usable_session_key(session_key));
}


std::string_view
write(const ExchangeResult &result, bool with_session_key,
    const std::unique_ptr<char[]> &out)
{
    return {out.get(), write_result(result, with_session_key,
                                    {out.get(), max_result_text})};
}


}


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Guarded bytes({reinterpret_cast<const char *>(data), size});
    ExchangeResult result, other;

    if (!read_result(bytes.text(), result)) {
        return 0;
    }

    check(size >= 15 && size <= max_result_text);
    check(result.refusal <= last_refusal);
    check(result.session.error <= last_reply_error);

    if (result.refusal == Refusal::none) {
        check_identity(result.session);
    }

    auto out = std::make_unique<char[]>(max_result_text);
    auto text = write(result, true, out);

    check(text == bytes.text());

    text = write(result, false, out);

    check(read_result(text, other) && other.session.session_key.empty());
    check(other.session.openid.view() == result.session.openid.view());
    check(other.session.errmsg.view() == result.session.errmsg.view());

    return 0;
}
