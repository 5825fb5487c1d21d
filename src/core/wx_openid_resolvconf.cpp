/*
 * Copyright (C) wx_openid authors
 *
 * resolv.conf, as wx_openid_resolvconf.h reads it.
 */

#include "wx_openid_resolvconf.h"

#include "wx_openid_text.h"


namespace wx_openid {


namespace {


constexpr std::string_view keyword = "nameserver";


/* the first word of what is left of a line */

std::string_view
first_word(std::string_view line) noexcept
{
    line = trimmed(line);

    std::size_t n = 0;

    while (n < line.size() && !is_blank(line[n]) && line[n] != '#'
           && line[n] != ';' && line[n] != '\r')
    {
        n++;
    }

    return {line.data(), n};
}


}


std::string_view
next_nameserver(std::string_view &text) noexcept
{
    while (!text.empty()) {
        std::string_view line = next_part(text, '\n');

        if (line.size() < keyword.size()
            || std::string_view(line.data(), keyword.size()) != keyword)
        {
            continue;
        }

        line.remove_prefix(keyword.size());

        if (line.empty() || !is_blank(line.front())) {
            continue;
        }

        std::string_view address = first_word(line);

        if (!address.empty()) {
            return address;
        }
    }

    return {};
}


}
