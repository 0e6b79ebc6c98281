// What is wrong in a user's file, with the place: file:line:column, the line itself with a caret,
// and a hint.
//
// Pure. Everything that reads user files reports through Diagnostics and collects as many as make
// sense in one go.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace drover {

// A user's file as read: its name as typed, and its text for showing lines.
struct SourceFile {
  std::string name;
  std::string text;
};
using SourceFilePtr = std::shared_ptr<const SourceFile>;

// A place in a user's file. Line and column count from 1; 0 means that the place is the file as a
// whole. A default Place (no file) is the command line.
struct Place {
  SourceFilePtr file;
  int line = 0;
  int column = 0;
};

struct Diagnostic {
  Place place;
  std::string message;  // one sentence, no full stop
  std::string hint;     // what to do about it; may be empty
};
using Diagnostics = std::vector<Diagnostic>;

// A value read from user files, or all that is wrong with them.
template <typename T>
class [[nodiscard]] Parsed : public tl::expected<T, Diagnostics> {
 public:
  using tl::expected<T, Diagnostics>::expected;
};

inline tl::unexpected<Diagnostics> Wrong(Diagnostics diagnostics) {
  return tl::unexpected<Diagnostics>(std::move(diagnostics));
}
inline tl::unexpected<Diagnostics> Wrong(Place place, std::string message, std::string hint = "") {
  return Wrong(Diagnostics{Diagnostic{std::move(place), std::move(message), std::move(hint)}});
}

// "site.yml:12:5: error: unknown module \"virtual_servce\"", the line, a caret, "hint: did you mean
// …?".
std::string Format(const Diagnostic& diagnostic);
std::string Format(const Diagnostics& diagnostics);

// The candidate nearest to `word` when it is near enough to be a slip of the finger, else empty.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);
// "did you mean \"rr\"?" or, without a near one and with few candidates, "one of: rr, wrr, lc";
// empty when neither helps.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace drover
