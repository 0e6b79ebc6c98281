// Text as Python sees it: what counts as white space, what splits lines, shell words.
//
// Pure. INI inventories are defined by these functions of Python's library.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drover {

// str.isspace() for one code point.
bool IsPythonSpace(char32_t code_point);
// What \w of Python's `re` matches, near enough for names.
bool IsWordCharacter(char32_t code_point);
// str.strip(): a view into `text`.
std::string_view PythonStrip(std::string_view text);
// str.splitlines(): views into `text`; also VT, FF, NEL and others end a line.
std::vector<std::string_view> PythonLines(std::string_view text);

// A word of a shell-like line and the byte where it begins.
struct ShellWord {
  std::string text;
  std::size_t offset = 0;
};
// Words of a line, or in `problem` what is wrong at byte `problem_offset`.
struct ShellWords {
  std::vector<ShellWord> words;
  std::string problem;
  std::size_t problem_offset = 0;
};
// shlex.split(line, comments=True).
ShellWords SplitShellWords(std::string_view line);

}  // namespace drover
