#include "orchestrator/report/terminal.h"

#include <gtest/gtest.h>

#include <vector>

namespace drover {
namespace {

TEST(Terminal, BannerIsAsWideAsAnsiblesAndHasThreeStarsAtLeast) {
  EXPECT_EQ(Banner("PLAY RECAP", 79),
            "\nPLAY RECAP *********************************************************************\n");
  EXPECT_EQ(Banner("TASK [a task name]", 10), "\nTASK [a task name] ***\n");
}

TEST(Terminal, WideAndCombiningCharactersAreCountedAsTheTerminalShowsThem) {
  EXPECT_EQ(TextWidth("abc"), 3);
  EXPECT_EQ(TextWidth("größe"), 5);
  EXPECT_EQ(TextWidth("日本"), 4);
  EXPECT_EQ(TextWidth("e\xCC\x81"), 1);
  EXPECT_EQ(PadTo("日本", 6), "日本  ");
  EXPECT_EQ(PadTo("longer than that", 3), "longer than that");
}

TEST(Terminal, ControlCharactersAndBrokenUtf8DoNotReachTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb\r\n\tc"), "a\\x1b[31mb\\x0d\n\tc");
  EXPECT_EQ(Printable("\x7f"), "\\x7f");
  EXPECT_EQ(Printable("\xC2\x9B"), "\\x9b");  // CSI as one character
  EXPECT_EQ(Printable("ok \xFF\xC3"), "ok \xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Printable("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");  // overlong '/'
  EXPECT_EQ(Printable("größe 日本"), "größe 日本");
}

TEST(Terminal, EachLineIsPaintedForItself) {
  EXPECT_EQ(Paint("a\nb", Colour::kError, true), "\033[0;31ma\033[0m\n\033[0;31mb\033[0m");
  EXPECT_EQ(Paint("a\nb", Colour::kError, false), "a\nb");
}

TEST(Terminal, ColoursFollowTheEnvironment) {
  struct Case {
    const char* name;
    ColourWish wish;
    bool want;
  };
  const std::vector<Case> cases = {
      {"terminal", {.terminal = true, .term = "xterm"}, true},
      {"pipe", {.terminal = false, .term = "xterm"}, false},
      {"dumb", {.terminal = true, .term = "dumb"}, false},
      {"NO_COLOR", {.terminal = true, .no_color = "1", .term = "xterm"}, false},
      {"empty NO_COLOR", {.terminal = true, .no_color = "", .term = "xterm"}, true},
      {"ANSIBLE_NOCOLOR", {.terminal = true, .ansible_no_color = "true", .term = "xterm"}, false},
      {"ANSIBLE_NOCOLOR=0", {.terminal = true, .ansible_no_color = "0", .term = "xterm"}, true},
      {"forced in a pipe", {.terminal = false, .force = "1", .no_color = "1"}, true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ColoursWanted(c.wish), c.want) << c.name;
  }
}

}  // namespace
}  // namespace drover
