// Strict reading of JSON: every key is wanted, every type and range is checked, and the first thing
// that is wrong is kept with its path ("tasks[3].action.port"). Shared by the codecs; shows in no
// other header.
//
// After an error all further reads do nothing, so decoders are written straight on and ask once at
// the end.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/result.h"

namespace drover {

using Json = nlohmann::json;

// Upper limits of numbers on the wire.
inline constexpr std::int64_t kMaxU8 = 255;
inline constexpr std::int64_t kMaxU16 = 65535;
inline constexpr std::int64_t kMaxU32 = 4294967295;
inline constexpr std::int64_t kMaxGeneration = std::int64_t{1} << 53;  // exact in every JSON reader

// The first error of a document.
class JsonErrors {
 public:
  void Add(const std::string& path, std::string_view what);
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

// Reads one object; the destructor complains about keys that nobody asked for.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string path, JsonErrors& errors);
  ~ObjectReader();
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  void Read(std::string_view key, std::string& out);
  void Read(std::string_view key, bool& out);
  void Read(std::string_view key, std::vector<std::string>& out);
  // An integer from `min` to `max`.
  template <typename Integer>
  void ReadInteger(std::string_view key, Integer& out, std::int64_t min, std::int64_t max) {
    std::int64_t value = 0;
    if (Number(key, value, min, max)) out = static_cast<Integer>(value);
  }
  // A chrono duration as its count.
  template <typename Duration>
  void ReadDuration(std::string_view key, Duration& out) {
    std::int64_t count = 0;
    if (Number(key, count, 0, kMaxCount)) out = Duration(count);
  }
  // A word that `parse` (string_view -> Result<T>) understands.
  template <typename T, typename Parse>
  void ReadWord(std::string_view key, T& out, const Parse& parse) {
    std::string word;
    Read(key, word);
    if (!errors_.ok()) return;
    auto parsed = parse(word);
    if (parsed) {
      out = *std::move(parsed);
    } else {
      errors_.Add(PathOf(key), parsed.error().message);
    }
  }
  // Whatever `decode` (const Json&, const std::string& path, JsonErrors&) -> T makes of the value.
  template <typename T, typename Decode>
  void ReadValue(std::string_view key, T& out, const Decode& decode) {
    const Json* value = Require(key);
    if (value == nullptr) return;
    T decoded = decode(*value, PathOf(key), errors_);
    if (errors_.ok()) out = std::move(decoded);
  }
  template <typename T, typename Decode>
  void ReadList(std::string_view key, std::vector<T>& out, const Decode& decode) {
    const Json* value = Require(key);
    if (value == nullptr) return;
    if (!value->is_array()) return errors_.Add(PathOf(key), "must be a list");
    for (std::size_t i = 0; i < value->size() && errors_.ok(); ++i) {
      out.push_back(decode((*value)[i], PathOf(key) + "[" + std::to_string(i) + "]", errors_));
    }
  }
  // True when the key is there; optional values are read only then.
  bool Has(std::string_view key);
  [[nodiscard]] std::string PathOf(std::string_view key) const;
  [[nodiscard]] JsonErrors& errors() { return errors_; }

 private:
  static constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;  // exact in every JSON reader

  const Json* Require(std::string_view key);
  bool Number(std::string_view key, std::int64_t& out, std::int64_t min, std::int64_t max);

  const Json& json_;
  std::string path_;
  JsonErrors& errors_;
  std::set<std::string, std::less<>> asked_;
};

// Any bytes as text that JSON can carry.
std::string EncodeBase64(std::string_view bytes);
Result<std::string> DecodeBase64(std::string_view text);

// One line of JSON; bytes that are not UTF-8 become U+FFFD.
std::string Dump(const Json& json, int indent = -1);
Result<Json> ParseJson(std::string_view text);

}  // namespace drover
