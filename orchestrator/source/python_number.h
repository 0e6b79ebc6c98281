// Numbers as Python writes and reads them, because Ansible's users know them in that form.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orchestrator/source/value.h"

namespace drover {

// repr(float): the shortest digits that read back as the same number, "1.0", "1e+16", "inf".
std::string PythonFloat(double number);
// Digits in a base (2 to 16) with a sign; nullopt without digits, with others, or beyond 64 bits.
std::optional<Value> ReadInteger(std::string_view digits, int base, bool negative);
// A decimal number with an optional exponent; too large ones are infinite, as in Python.
double ReadFloat(std::string_view text);

}  // namespace drover
