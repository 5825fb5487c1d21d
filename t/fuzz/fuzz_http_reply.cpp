/*
 * Copyright (C) wx_openid authors
 *
 * Input: a byte that says where to cut, then a reply.  Cut or not, it must
 * be read the same.
 */

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "../unit/guarded.h"
#include "wx_openid_http.h"


using namespace wx_openid;


namespace {


std::size_t
feed(HttpReply &reply, std::string_view bytes)
{
    auto n = reply.read_header(bytes);
    bytes.remove_prefix(n);

    return n + reply.read_body(bytes);
}


struct Reader {
    std::unique_ptr<char[]> buffer{new char[max_reply_size]};
    HttpReply reply{{buffer.get(), max_reply_size}};
    std::size_t taken = 0;
};


void
check(bool right)
{
    if (!right) {
        abort();
    }
}


void
check_sane(const Reader &r)
{
    auto state = r.reply.state();
    bool failed = state == HttpReply::State::failed;
    bool read = state == HttpReply::State::body
                || state == HttpReply::State::complete;

    check(failed == (r.reply.error() != HttpError::none));
    check(r.taken <= max_reply_size);
    check(r.reply.body().size() <= r.taken);
    check(!read || (r.reply.status() >= 200 && r.reply.status() <= 599));
    check(!r.reply.keepalive() || (read && !r.reply.until_close()));
}


void
check_same(const Reader &a, const Reader &b)
{
    check(a.reply.state() == b.reply.state());
    check(a.reply.error() == b.reply.error());
    check(a.reply.status() == b.reply.status());
    check(a.reply.keepalive() == b.reply.keepalive());
    check(a.reply.until_close() == b.reply.until_close());
    check(a.reply.body() == b.reply.body());
    check(a.taken == b.taken);
}


}


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }

    std::string_view input(reinterpret_cast<const char *>(data), size);
    std::size_t step = data[0] % 64u + 1;

    input.remove_prefix(1);

    Reader whole;
    Reader cut;
    Guarded bytes(input);

    whole.taken = feed(whole.reply, bytes.text());
    check_sane(whole);

    while (!input.empty()) {
        auto n = std::min(step, input.size());

        cut.taken += feed(cut.reply, {input.data(), n});
        input.remove_prefix(n);
    }

    check_same(whole, cut);

    whole.reply.end_of_connection();
    cut.reply.end_of_connection();
    check_sane(whole);
    check_same(whole, cut);
    check(whole.reply.state() == HttpReply::State::complete
          || whole.reply.state() == HttpReply::State::failed);

    return 0;
}
