#include "node-helper/store/record.h"

#include "protocol/codec.h"
#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr int kRecordFormat = 1;

// A missing or wrongly typed value becomes the default: only the state must be right, the rest is
// for people.
template <typename T>
T ValueOr(const Json& object, const char* key, T otherwise) {
  const auto found = object.find(key);
  if (found == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<std::string>() : otherwise;
  } else if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? found->template get<bool>() : otherwise;
  } else {
    return found->is_number_integer() ? found->template get<T>() : otherwise;
  }
}

// What cannot be read of it is left empty: it is for people only.
RunInfo RunOf(Json object, const std::string& owner) {
  if (!object.contains("owner")) object["owner"] = owner;  // earlier versions did not write it
  JsonErrors errors;
  return RunFromJson(object, "run", errors);
}

void ReadOriginals(const Json& document, OwnerRecord& record) {
  if (const auto found = document.find("original_sysctls"); found != document.end()) {
    for (const auto& [key, value] : found->items()) {
      if (value.is_string()) record.original_sysctls.emplace(key, value.get<std::string>());
    }
  }
  if (const auto found = document.find("adopted"); found != document.end()) {
    for (const Json& name : *found) {
      if (name.is_string()) record.adopted.insert(name.get<std::string>());
    }
  }
}

}  // namespace

std::string EncodeRecord(const OwnerRecord& record) {
  const nlohmann::ordered_json document{{"format", kRecordFormat},
                                        {"owner", record.owner},
                                        {"generation", record.generation},
                                        {"complete", record.complete},
                                        {"saved_at", record.saved_at},
                                        {"run", RunToJson(record.run)},
                                        {"state", StateToJson(record.state)},
                                        {"original_sysctls", record.original_sysctls},
                                        {"adopted", record.adopted}};
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Result<OwnerRecord> DecodeRecord(std::string_view text) {
  const Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return Fail(ErrorCode::kInternal, "it is no JSON object");
  const int format = ValueOr(document, "format", 0);
  if (format != kRecordFormat) {
    return Fail(ErrorCode::kInternal, "format " + std::to_string(format) +
                                          " is not known to this version of node-helper");
  }
  OwnerRecord record;
  record.owner = ValueOr(document, "owner", std::string());
  if (record.owner.empty()) return Fail(ErrorCode::kInternal, "\"owner\" is missing");
  record.generation = ValueOr(document, "generation", std::uint64_t{0});
  record.complete = ValueOr(document, "complete", false);
  record.saved_at = ValueOr(document, "saved_at", std::int64_t{0});
  if (const auto run = document.find("run"); run != document.end() && run->is_object()) {
    record.run = RunOf(*run, record.owner);
  }
  const auto state = document.find("state");
  if (state == document.end()) return Fail(ErrorCode::kInternal, "\"state\" is missing");
  auto decoded = DecodeState(state->dump());
  if (!decoded) return Fail(decoded.error().In("state"));
  record.state = std::move(*decoded);
  ReadOriginals(document, record);
  return record;
}

}  // namespace drover
