/*
 * Copyright (C) wx_openid authors
 *
 * Input: the body of a reply.  There must be a whole and usable identity or
 * none; a refusal must be answerable.
 */

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "../unit/guarded.h"
#include "wx_openid_error.h"
#include "wx_openid_reply.h"
#include "wx_openid_text.h"


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
check_refusal(const SessionReply &reply)
{
    auto refusal = refusal_of_errcode(reply.errcode);
    auto out = std::make_unique<char[]>(max_refusal_json);
    auto size = write_refusal_json(refusal, reply.errcode,
                                   reply.errmsg.view(),
                                   {out.get(), max_refusal_json});
    std::string_view json(out.get(), size);

    check(!json.empty() && !has_control(json));
    check(json.front() == '{' && json.back() == '}');
}


/* what would be shown is found, and so is what a cut has left of it */

void
check_errmsg(const SessionReply &reply, std::string_view body)
{
    std::string_view shown = reply.errmsg.view();

    for (std::size_t i = 0; i + 4 <= shown.size(); i += 4) {
        std::string_view part(shown.data() + i, 4);

        /* a "?" may stand for another byte */

        check(part.find('?') != part.npos || errmsg_has(body, part));
    }

    (void) errmsg_has(body, "no such text");
}


}


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Guarded body({reinterpret_cast<const char *>(data), size});

    auto reply = read_session_reply(body.text());
    auto unionid = reply.unionid.view();

    auto session_key = reply.session_key.view();

    check_errmsg(reply, body.text());

    if (reply.has_identity()) {
        check(usable_openid(reply.openid.view()));
        check(unionid.empty() || usable_openid(unionid));
        check(session_key.empty() || usable_session_key(session_key));
        check(reply.errmsg.empty());
        check(body.text().find('\0') == std::string_view::npos);
        return 0;
    }

    check(reply.openid.empty() && unionid.empty() && session_key.empty());
    check(reply.error == ReplyError::none || reply.errcode == 0);

    if (reply.error == ReplyError::none) {
        check(!has_control(reply.errmsg.view()));
        check_refusal(reply);
    }

    return 0;
}
