#include "orchestrator/source/duration.h"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Duration, IsReadAsPeopleWriteIt) {
  struct Row {
    Value value;
    std::optional<std::int64_t> want;
  };
  const std::vector<Row> rows = {{50, 50000},
                                 {"50", 50000},
                                 {"50s", 50000},
                                 {"500ms", 500},
                                 {"1.5s", 1500},
                                 {"5m", 300000},
                                 {"2h", 7200000},
                                 {"1d", 86400000},
                                 {0, 0},
                                 {"0s", 0},
                                 {-1, std::nullopt},
                                 {"", std::nullopt},
                                 {"s", std::nullopt},
                                 {"5 s", std::nullopt},
                                 {"5x", std::nullopt},
                                 {"1.2.3s", std::nullopt},
                                 {true, std::nullopt},
                                 {nullptr, std::nullopt},
                                 {1e12, std::nullopt}};
  for (const auto& row : rows) {
    const auto span = ReadDuration(row.value);
    EXPECT_EQ(span.has_value(), row.want.has_value()) << row.value.dump();
    if (span && row.want) {
      EXPECT_EQ(span->count(), *row.want) << row.value.dump();
    }
  }
}

}  // namespace
}  // namespace drover
