// User and group names of the node, read from /etc/passwd and /etc/group directly: a static program
// cannot ask NSS. Accounts of LDAP and the like are not found by name; a number always works.
#pragma once

#include <sys/types.h>

#include <string>

#include "protocol/result.h"

namespace drover {

// A name or a number. kNotFound names it.
Result<uid_t> UserId(const std::string& user, const std::string& passwd = "/etc/passwd");
Result<gid_t> GroupId(const std::string& group, const std::string& groups = "/etc/group");

// The name, or the number as text when it has none.
std::string UserName(uid_t id, const std::string& passwd = "/etc/passwd");
std::string GroupName(gid_t id, const std::string& groups = "/etc/group");

}  // namespace drover
