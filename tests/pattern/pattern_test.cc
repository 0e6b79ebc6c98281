// Searching a stranger's bytes.

#include "pattern/pattern.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Pattern, FindsAnywhere) {
  const Pattern pattern = *Pattern::Compile("sta(tus|te): ok\\b");
  EXPECT_EQ(pattern.Search("x\nstate: ok\n"), Pattern::Match::kFound);
  EXPECT_EQ(pattern.Search("state: okay"), Pattern::Match::kNotFound);
  EXPECT_EQ(pattern.Search(std::string("\0\xff\0state: ok", 12)), Pattern::Match::kFound);
  EXPECT_EQ(pattern.Search(""), Pattern::Match::kNotFound);
}

TEST(Pattern, AWrongOneSaysWhere) {
  const auto pattern = Pattern::Compile("a(b");
  ASSERT_FALSE(pattern.has_value());
  EXPECT_EQ(pattern.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(pattern.error().message,
            "the regular expression \"a(b\" is wrong at 3: missing closing parenthesis");
  EXPECT_FALSE(Pattern::Compile("(*UTF)a").has_value()) << "bytes are searched, not characters";
}

TEST(Pattern, AnExplosiveOneGivesUpSoon) {
  const Pattern pattern = *Pattern::Compile("^(a+)+$");
  EXPECT_EQ(pattern.Search(std::string(60, 'a') + "b"), Pattern::Match::kGaveUp);
  const Pattern deep = *Pattern::Compile("^(?:a|b|ab)*c$");
  EXPECT_NE(deep.Search(std::string(60000, 'a')), Pattern::Match::kFound);
}

}  // namespace
}  // namespace drover
