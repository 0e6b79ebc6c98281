// DNS over UDP as far as a check needs it (RFC 1035): one question out, the verdict on one answer
// in.
//
// Pure. Names of an answer are stepped over, never followed: a compression pointer ends a name
// where it stands, so none can loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "node-helper/checks/probe.h"
#include "protocol/check_settings.h"

namespace drover {

// "A" -> 1; 0 for a word that CheckSettings does not allow.
std::uint16_t DnsTypeNumber(std::string_view type);
// The datagram: one question of class IN, recursion desired.
std::string EncodeDnsQuery(std::uint16_t id, const DnsCheck& check);

// Whether a datagram is an answer to our question at all. A stranger's or a late one is passed
// over, it is no verdict.
bool AnswersDnsQuery(std::string_view datagram, std::uint16_t id);
// The verdict on an answer to our question.
CheckAnswer JudgeDnsAnswer(std::string_view datagram, const DnsCheck& check);

}  // namespace drover
