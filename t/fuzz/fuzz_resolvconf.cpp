/*
 * Copyright (C) wx_openid authors
 *
 * Input: a resolv.conf.  Every nameserver must be a word of the text, and
 * the text must get shorter until its end.
 */

#include <cstdint>
#include <cstdlib>

#include "../unit/guarded.h"
#include "wx_openid_resolvconf.h"


using namespace wx_openid;


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Guarded guarded({reinterpret_cast<const char *>(data), size});
    std::string_view text = guarded.text();
    const char *last = text.data();

    while (!text.empty()) {
        std::size_t before = text.size();
        std::string_view name = next_nameserver(text);

        if (text.size() >= before || (name.empty() && !text.empty())) {
            abort();
        }

        if (name.empty()) {
            break;
        }

        if (name.data() < last || name.data() + name.size() > text.data()
            || name.find_first_of(" \t\r\n#;") != name.npos)
        {
            abort();
        }

        last = name.data() + name.size();
    }

    return 0;
}
