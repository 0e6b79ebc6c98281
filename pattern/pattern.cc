#include "pattern/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <utility>

namespace drover {
namespace {

// Measured: a search that runs into these ends within some ten milliseconds.
constexpr std::uint32_t kMaxSteps = 200'000;
constexpr std::uint32_t kMaxDepth = 20'000;
constexpr std::uint32_t kMaxHeapKiB = 2048;

}  // namespace

struct Pattern::State {
  pcre2_code* code = nullptr;
  pcre2_match_data* match = nullptr;
  pcre2_match_context* context = nullptr;
  State() = default;
  ~State() {
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Pattern::Pattern(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

Result<Pattern> Pattern::Compile(const std::string& text) {
  auto state = std::make_unique<State>();
  int error = 0;
  PCRE2_SIZE offset = 0;
  state->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                              PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (state->code == nullptr) {
    std::array<PCRE2_UCHAR, 160> words{};
    pcre2_get_error_message(error, words.data(), words.size());
    return Fail(ErrorCode::kInvalid, "the regular expression \"" + text + "\" is wrong at " +
                                         std::to_string(offset) + ": " +
                                         reinterpret_cast<const char*>(words.data()));
  }
  state->match = pcre2_match_data_create(1, nullptr);  // where it was found nobody asks
  state->context = pcre2_match_context_create(nullptr);
  if (state->match == nullptr || state->context == nullptr) {
    return Fail(ErrorCode::kInternal, "out of memory");
  }
  pcre2_set_match_limit(state->context, kMaxSteps);
  pcre2_set_depth_limit(state->context, kMaxDepth);
  pcre2_set_heap_limit(state->context, kMaxHeapKiB);
  return Pattern(std::move(state));
}

Pattern::Match Pattern::Search(std::string_view bytes) const {
  const int found = pcre2_match(state_->code, reinterpret_cast<PCRE2_SPTR>(bytes.data()),
                                bytes.size(), 0, 0, state_->match, state_->context);
  if (found >= 0) return Match::kFound;
  return found == PCRE2_ERROR_NOMATCH ? Match::kNotFound : Match::kGaveUp;
}

}  // namespace drover
