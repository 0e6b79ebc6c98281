#include "protocol/json_reader.h"

#include <array>

namespace drover {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

void JsonErrors::Add(const std::string& path, std::string_view what) {
  if (error_) return;
  const std::string where = path.empty() ? "message" : path;
  error_ = Error{ErrorCode::kInvalid, where + ": " + std::string(what)};
}

ObjectReader::ObjectReader(const Json& json, std::string path, JsonErrors& errors)
    : json_(json), path_(std::move(path)), errors_(errors) {
  if (!json_.is_object()) errors_.Add(path_, "must be an object");
}

ObjectReader::~ObjectReader() {
  if (!errors_.ok() || !json_.is_object()) return;
  for (const auto& entry : json_.items()) {
    if (!asked_.contains(entry.key())) errors_.Add(PathOf(entry.key()), "unknown key");
  }
}

std::string ObjectReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

bool ObjectReader::Has(std::string_view key) {
  asked_.emplace(key);
  return errors_.ok() && json_.is_object() && json_.contains(key);
}

const Json* ObjectReader::Require(std::string_view key) {
  if (Has(key)) return &json_.find(key).value();
  if (errors_.ok()) errors_.Add(PathOf(key), "is missing");
  return nullptr;
}

void ObjectReader::Read(std::string_view key, std::string& out) {
  const Json* value = Require(key);
  if (value == nullptr) return;
  if (!value->is_string()) return errors_.Add(PathOf(key), "must be a string");
  out = value->get_ref<const std::string&>();
}

void ObjectReader::Read(std::string_view key, bool& out) {
  const Json* value = Require(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) return errors_.Add(PathOf(key), "must be true or false");
  out = value->get<bool>();
}

void ObjectReader::Read(std::string_view key, std::vector<std::string>& out) {
  ReadList(key, out,
           [](const Json& item, const std::string& path, JsonErrors& errors) -> std::string {
             if (item.is_string()) return item.get<std::string>();
             errors.Add(path, "must be a string");
             return "";
           });
}

bool ObjectReader::Number(std::string_view key, std::int64_t& out, std::int64_t min,
                          std::int64_t max) {
  const Json* value = Require(key);
  if (value == nullptr) return false;
  // A number above the signed range would wrap when read as one.
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX);
  if (fits) out = value->get<std::int64_t>();
  if (!fits || out < min || out > max) {
    errors_.Add(PathOf(key),
                "must be an integer from " + std::to_string(min) + " to " + std::to_string(max));
    return false;
  }
  return true;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
    };
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    text += kBase64[group >> 18 & 63];
    text += kBase64[group >> 12 & 63];
    text += i + 1 < bytes.size() ? kBase64[group >> 6 & 63] : '=';
    text += i + 2 < bytes.size() ? kBase64[group & 63] : '=';
  }
  return text;
}

Result<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return Fail(ErrorCode::kInvalid, "base64 text is cut off");
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const int padding = !last ? 0 : (text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0);
    std::uint32_t group = 0;
    for (int k = 0; k < 4; ++k) {
      const std::size_t digit =
          k >= 4 - padding ? 0 : kBase64.find(text[i + static_cast<std::size_t>(k)]);
      if (digit == std::string_view::npos) return Fail(ErrorCode::kInvalid, "no base64 text");
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    bytes += static_cast<char>(group >> 16);
    if (padding < 2) bytes += static_cast<char>(group >> 8 & 255);
    if (padding < 1) bytes += static_cast<char>(group & 255);
  }
  return bytes;
}

std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

Result<Json> ParseJson(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Fail(ErrorCode::kInvalid, "no JSON");
  return json;
}

}  // namespace drover
