// What is wrong in a user's file, with the place: file:line:column, the line itself with a caret,
// and a hint.
//
// Pure. Everything that reads user files reports through Diagnostics and collects as many as make
// sense in one go.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace drover {

// A user's file as read: its name as typed, and its text for showing lines.
struct SourceFile {
  std::string name;
  std::string text;
};
using SourceFilePtr = std::shared_ptr<const SourceFile>;

// A place in a user's file. Line and column (in characters) count from 1; 0 means that the place is
// the file as a whole. A default Place (no file) is the command line.
struct Place {
  SourceFilePtr file;
  int line = 0;
  int column = 0;
};

struct Diagnostic {
  Place place;
  std::string message;  // one sentence, no full stop
  std::string hint;     // what to do about it; may be empty
  bool secret = false;  // the line holds a secret: it is not shown
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
// The same with "warning" for "error".
std::string FormatWarning(const Diagnostic& diagnostic);

// Finds the places of byte offsets in one file; made once per file, since it indexes the lines.
class LineIndex {
 public:
  explicit LineIndex(SourceFilePtr file);
  [[nodiscard]] Place At(std::size_t offset) const;
  // Offset of a line (from 1) and a byte in it (from 0), kept inside the text.
  [[nodiscard]] std::size_t Offset(int line, int byte) const;

 private:
  SourceFilePtr file_;
  std::vector<std::size_t> starts_;
};

// The candidate nearest to `word` when it is near enough to be a slip of the finger, else empty.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);
// "did you mean \"rr\"?" or, without a near one and with few candidates, "one of: rr, wrr, lc";
// empty when neither helps.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace drover
