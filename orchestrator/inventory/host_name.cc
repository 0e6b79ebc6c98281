#include "orchestrator/inventory/host_name.h"

#include <charconv>
#include <cstdint>
#include <regex>

#include "orchestrator/inventory/python_text.h"
#include "orchestrator/source/utf8.h"

namespace drover {
namespace {

constexpr std::size_t kMaxNames = 100'000;
constexpr std::string_view kDigits = "0123456789";

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kDigits) == std::string_view::npos;
}

bool Letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "[a:f]", "[1:9]", "[01:10:2]" at the front of `text`: its length, or 0.
std::size_t RangeLength(std::string_view text) {
  if (!text.starts_with('[')) return 0;
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) return 0;
  std::string_view inner = text.substr(1, close - 1);
  const std::size_t colon = inner.find(':');
  if (colon == std::string_view::npos) return 0;
  const std::string_view begin = inner.substr(0, colon);
  inner.remove_prefix(colon + 1);
  const std::size_t second = inner.find(':');
  const std::string_view end = inner.substr(0, second);
  if (second != std::string_view::npos && !AllDigits(inner.substr(second + 1))) return 0;
  const bool letters = begin.size() == 1 && end.size() == 1 && Letter(begin[0]) && Letter(end[0]);
  return letters || (AllDigits(begin) && AllDigits(end)) ? close + 1 : 0;
}

// Labels of word characters, "-" and ranges, joined by dots; none ends in "-" or "_".
bool IsHostName(std::string_view text) {
  bool fresh = true;    // at the beginning of a label
  bool closes = false;  // the label may end here
  for (std::size_t pos = 0; pos < text.size();) {
    if (const std::size_t range = RangeLength(text.substr(pos)); range > 0) {
      pos += range;
      fresh = false;
      closes = true;
      continue;
    }
    const char32_t c = NextCodePoint(text, pos);
    if (c == '.') {
      if (!closes) return false;
      fresh = true;
      closes = false;
    } else if (IsWordCharacter(c) || (c == '-' && !fresh)) {
      fresh = false;
      closes = c != '-' && c != '_';
    } else {
      return false;
    }
  }
  return closes;
}

// Ansible's own expression, whose middle alternatives are open at the end, so "::1/64" passes.
const std::regex& Ipv6Expression() {
  static const std::regex expression = [] {
    const std::string c = R"((?:[0-9a-f]{1,4}|\[(?:[0-9a-f]+:[0-9a-f]+)(?::[0-9]+)?\]))";
    std::string all = "(?:" + c + ":){7}" + c + "|(?:" + c + ":){1,6}:";
    for (int front = 1; front <= 6; ++front) {
      all += "|(?:" + c + ":){" + std::to_string(front) + "}(?::" + c + "){1," +
             std::to_string(7 - front) + "}";
    }
    all += "|:(?::" + c + "){1,6}|" + c + "?::";
    all += "|(?:0:){6}(?:" + c + "\\.){3}" + c;
    all += "|::(?:ffff:)?(?:" + c + "\\.){3}" + c;
    all += "|(?:0:){5}ffff:(?:" + c + "\\.){3}" + c + "$";
    return std::regex(all, std::regex::ECMAScript | std::regex::icase);
  }();
  return expression;
}

bool IsIpv6(std::string_view text) {
  // Longer text is no address, and the library's matcher recurses.
  if (text.size() > 200 || text.find(':') == std::string_view::npos) return false;
  return std::regex_search(text.begin(), text.end(), Ipv6Expression(),
                           std::regex_constants::match_continuous);
}

// "[anything]:22"
std::optional<Address> SplitBracketed(std::string_view text) {
  const std::size_t close = text.rfind("]:");
  if (!text.starts_with('[') || close == std::string_view::npos || close < 2) return std::nullopt;
  if (!AllDigits(text.substr(close + 2))) return std::nullopt;
  return Address{std::string(text.substr(1, close - 1)), std::string(text.substr(close + 2))};
}

// "name:22" where the name has no colon outside of brackets.
std::optional<Address> SplitPlain(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !AllDigits(text.substr(colon + 1))) return std::nullopt;
  bool inside = false;
  for (const char c : text.substr(0, colon)) {
    if (!inside && (c == ':' || c == ']')) return std::nullopt;
    if (c == '[') inside = true;
    if (c == ']') inside = false;
  }
  if (inside) return std::nullopt;
  return Address{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

// One range taken apart: "[beg:end:step]" between `head` and `tail`.
struct Range {
  std::string head;
  std::string begin;
  std::string end;
  std::string step = "1";
  std::string tail;
};

std::optional<std::int64_t> Number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string Padded(std::int64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

class Expansion {
 public:
  HostNames Run(const std::string& pattern) {
    Expand(pattern);
    return std::move(out_);
  }

 private:
  void Fail(std::string problem, std::string hint = "") {
    if (!out_.problem.empty()) return;
    out_.problem = std::move(problem);
    out_.hint = std::move(hint);
  }

  // The first bracket pair varies slowest; what follows is expanded below it.
  void Expand(const std::string& text) {
    if (!out_.problem.empty()) return;
    if (text.find('[') == std::string::npos) {
      if (out_.names.size() >= kMaxNames) {
        Fail("this stands for more than " + std::to_string(kMaxNames) + " hosts");
        return;
      }
      out_.names.push_back(text);
      return;
    }
    const std::optional<Range> range = TakeApart(text);
    if (!range) return;
    const bool letters = range->begin.size() == 1 && range->end.size() == 1 &&
                         Letter(range->begin[0]) && Letter(range->end[0]);
    if (letters) {
      ExpandLetters(*range);
    } else {
      ExpandNumbers(*range);
    }
  }

  std::optional<Range> TakeApart(const std::string& text) {
    const std::size_t open = text.find('[');
    const std::size_t close = text.find(']');
    if (close == std::string::npos || close < open) {
      Fail("the bracket of a host range is not closed", "ranges look like web[1:9] or web[a:f]");
      return std::nullopt;
    }
    Range range;
    range.head = text.substr(0, open);
    range.tail = text.substr(close + 1);
    const std::string inner = text.substr(open + 1, close - open - 1);
    const std::size_t first = inner.find(':');
    const std::size_t second = first == std::string::npos ? first : inner.find(':', first + 1);
    if (first == std::string::npos ||
        (second != std::string::npos && inner.find(':', second + 1) != std::string::npos)) {
      Fail("a host range is [begin:end] or [begin:end:step], not [" + inner + "]");
      return std::nullopt;
    }
    range.begin = first == 0 ? "0" : inner.substr(0, first);
    range.end = inner.substr(first + 1, second == std::string::npos ? second : second - first - 1);
    if (second != std::string::npos) range.step = inner.substr(second + 1);
    if (range.end.empty()) {
      Fail("the host range [" + inner + "] has no end");
      return std::nullopt;
    }
    return range;
  }

  std::optional<std::int64_t> Step(const Range& range) {
    const auto step = Number(range.step);
    if (step && *step > 0) return step;
    Fail("the step of a host range is a number from 1, not \"" + range.step + "\"");
    return std::nullopt;
  }

  void ExpandLetters(const Range& range) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const std::size_t begin = kLetters.find(range.begin[0]);
    const std::size_t end = kLetters.find(range.end[0]);
    const auto step = Step(range);
    if (!step) return;
    if (begin > end) {
      Fail("the host range [" + range.begin + ":" + range.end + "] runs backwards");
      return;
    }
    for (std::size_t i = begin; i <= end; i += static_cast<std::size_t>(*step)) {
      Expand(range.head + kLetters[i] + range.tail);
    }
  }

  void ExpandNumbers(const Range& range) {
    const bool padded = range.begin.size() > 1 && range.begin[0] == '0';
    if (padded && range.begin.size() != range.end.size()) {
      Fail("with leading zeros both ends of a host range must be equally long, [" + range.begin +
           ":" + range.end + "] is not");
      return;
    }
    const auto begin = Number(range.begin);
    const auto end = Number(range.end);
    if (!begin || !end) {
      Fail("the ends of a host range are two numbers or two letters, not [" + range.begin + ":" +
           range.end + "]");
      return;
    }
    const auto step = Step(range);
    if (!step) return;
    if (*begin > *end) {
      Fail("the host range [" + range.begin + ":" + range.end + "] runs backwards",
           "it would stand for no host at all");
      return;
    }
    const std::size_t width = padded ? range.begin.size() : 0;
    for (std::int64_t i = *begin; out_.problem.empty(); i += *step) {
      Expand(range.head + Padded(i, width) + range.tail);
      if (*end - i < *step) break;
    }
  }

  HostNames out_;
};

}  // namespace

std::optional<Address> ParseAddress(std::string_view text) {
  Address address{std::string(text), std::nullopt};
  if (auto bracketed = SplitBracketed(text)) address = std::move(*bracketed);
  if (auto plain = SplitPlain(address.host)) address = std::move(*plain);
  if (!IsHostName(address.host) && !IsIpv6(address.host)) return std::nullopt;
  return address;
}

HostNames ExpandHostPattern(std::string_view pattern) {
  // Text that is no address is a name as it stands, colon and all.
  const Address address =
      ParseAddress(pattern).value_or(Address{std::string(pattern), std::nullopt});
  HostNames out = Expansion().Run(address.host);
  if (!out.problem.empty() || !address.port) return out;
  const auto port = Number(*address.port);
  if (!port || *port < 1 || *port > 65535) {
    out.problem = "the port " + *address.port + " is not between 1 and 65535";
    return out;
  }
  out.port = static_cast<int>(*port);
  return out;
}

}  // namespace drover
