/*
 * Copyright (C) wx_openid authors
 *
 * Input: a path, a line feed, a body.  A code that is found must be no
 * longer than the body, and free of the NUL at which cJSON would have cut.
 */

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "../unit/guarded.h"
#include "wx_openid_code.h"
#include "wx_openid_text.h"


using namespace wx_openid;


extern "C" int
LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    std::string_view input(reinterpret_cast<const char *>(data), size);

    auto path = next_part(input, '\n');

    Guarded body(input);
    auto out = std::make_unique<char[]>(input.size());
    auto code = find_json_code(body.text(), path, {out.get(), input.size()});

    std::string_view text(out.get(), code.size);

    bool found = code.result == CodeSearch::found;

    if (found == text.empty() || (found && !usable_json_path(path))
        || (found && input.find('\0') != input.npos)
        || text.find('\0') != text.npos)
    {
        abort();
    }

    return 0;
}
