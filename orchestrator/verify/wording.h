// Small pieces of sentences that the findings share: lists, counts, places of the kernel.
//
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace drover {

// "rs1", "rs1 and rs2", "rs1, rs2 and rs3"; with another last word "rs1, rs2 or rs3".
std::string JoinNames(const std::vector<std::string>& names, const std::string& last = "and");
// "1 connection", "3 connections".
std::string Counted(std::size_t count, const std::string& noun);

}  // namespace drover
