// Words of keepalived and ipvsadm that an operator may write out of habit, with what Drover says
// instead.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace drover {

// What to write in place of key `word` of `owner` ("vrrp_instance", "check", …); empty: no idea.
std::string HintForForeignWord(std::string_view owner, std::string_view word);

}  // namespace drover
