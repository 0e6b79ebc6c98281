// Words on a terminal: colours as Ansible uses them, banners, width of text, and the taming of what
// a node may have sent to bend the terminal.
//
// Pure; whether colours are wanted is decided from values that the caller reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drover {

enum class Colour {
  kOk,           // green
  kChanged,      // yellow
  kSkip,         // cyan
  kError,        // red
  kUnreachable,  // bright red
  kWarn,         // bright purple
  kVerbose,      // blue
  kDiffAdd,      // green
  kDiffRemove,   // red
  kDiffPlace,    // cyan
};

// What decides about colours; environment variables as they are set.
struct ColourWish {
  bool terminal = false;
  std::optional<std::string> force;             // ANSIBLE_FORCE_COLOR
  std::optional<std::string> no_color;          // NO_COLOR
  std::optional<std::string> ansible_no_color;  // ANSIBLE_NOCOLOR
  std::optional<std::string> term;              // TERM
};
bool ColoursWanted(const ColourWish& wish);

// `text` in `colour`, each line for itself, when `wanted`.
std::string Paint(std::string_view text, Colour colour, bool wanted);

// Columns that `text` (UTF-8) takes: wide characters count twice, combining ones not at all.
int TextWidth(std::string_view text);
// `text` with blanks behind it up to `width` columns.
std::string PadTo(std::string_view text, int width);

// "\nPLAY [name] ******\n", filled to `columns` with at least three stars.
std::string Banner(std::string_view text, int columns);

// Control characters other than newline and tab become "\x1b" in letters, bytes that are no UTF-8
// become U+FFFD.
std::string Printable(std::string_view text);

}  // namespace drover
