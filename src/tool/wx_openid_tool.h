/*
 * Copyright (C) wx_openid authors
 *
 * The operator's command, wx-openid: what its files share.  It has the
 * core's parsers and codec, and none of nginx.  Unlike the rest it may use
 * std::string and end the process.
 */

#ifndef WX_OPENID_TOOL_H
#define WX_OPENID_TOOL_H

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../core/wx_openid_json.h"
#include "../core/wx_openid_keys.h"


namespace wx_openid {


/* "wx-openid: " and the words, to standard error; returns exit status 1 */
int complain(std::string_view words);

/* what the command line has wrong; returns exit status 2 */
int misuse(std::string_view words);


/*
 * All of a file, or of standard input for "-"; nothing, and a complaint, if
 * it cannot be read or is longer than "max".
 */
std::optional<std::string> read_all(const std::string &path, std::size_t max);

/* a JWK Set into "keys", with a complaint if it is none */
bool read_keys(const std::string &path, std::string_view text, KeySet &keys);


/* as text of many lines, the last one ended */
std::string printed(const cJSON *json);


/* the commands: what follows the command's name, to an exit status */

using Arguments = std::span<char *const>;

int check(Arguments args);
int keygen(Arguments args);
int token(Arguments args);


}

#endif /* WX_OPENID_TOOL_H */
