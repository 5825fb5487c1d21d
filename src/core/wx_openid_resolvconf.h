/*
 * Copyright (C) wx_openid authors
 *
 * The nameserver lines of resolv.conf(5), read without the C library, which
 * has no such function everywhere.
 */

#ifndef WX_OPENID_RESOLVCONF_H
#define WX_OPENID_RESOLVCONF_H

#include <string_view>


namespace wx_openid {


/* as resolv.conf(5) has it; further lines are ignored */

inline constexpr unsigned max_nameservers = 3;


/*
 * Takes lines off "text" up to the next nameserver and returns its address,
 * a part of the text; empty at the end.  Comments begin with "#" or ";".
 */
std::string_view next_nameserver(std::string_view &text) noexcept;


}

#endif /* WX_OPENID_RESOLVCONF_H */
