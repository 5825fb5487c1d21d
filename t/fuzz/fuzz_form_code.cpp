/*
 * Copyright (C) wx_openid authors
 *
 * Input: a name, a line feed, a body.  What is found must be usable; what
 * was encoded must decode to itself, in place as well.
 */

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "../unit/guarded.h"
#include "wx_openid_code.h"
#include "wx_openid_text.h"


using namespace wx_openid;


namespace {


void
check_encoding(std::string_view text, Plus plus)
{
    auto max = percent_encoded_max(text.size());
    auto out = std::make_unique<char[]>(max);
    auto size = percent_encode(text, {out.get(), max});

    size = percent_decode({out.get(), size}, {out.get(), size}, plus);

    if (std::string_view(out.get(), size) != text) {
        abort();
    }
}


/* to a buffer of its own and in place must be the same */

void
check_decoding(std::string_view text, Plus plus)
{
    auto out = std::make_unique<char[]>(text.size());
    auto size = percent_decode(text, {out.get(), text.size()}, plus);

    std::string same(text);
    same.resize(percent_decode(same, same, plus));

    if (std::string_view(out.get(), size) != same) {
        abort();
    }
}


}


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char *>(data), size);

    for (auto plus : {Plus::literal, Plus::is_space}) {
        check_encoding(input, plus);
        check_decoding(input, plus);
    }

    auto name = next_part(input, '\n');

    Guarded body(input);
    auto out = std::make_unique<char[]>(input.size());
    auto code = find_form_code(body.text(), name, {out.get(), input.size()});
    std::string_view text(out.get(), code.size);

    bool found = code.result == CodeSearch::found;

    if (found == text.empty() || text.find('\0') != text.npos) {
        abort();
    }

    body_kind(input);

    return 0;
}
