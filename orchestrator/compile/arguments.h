// Typed reading of a module's arguments. Every offence is said at its place, and reading goes on.
//
// Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/compile/argument.h"
#include "protocol/address.h"

namespace drover {

class Arguments {
 public:
  // `owner` is how messages name what the keys belong to: "module \"vip\"".
  Arguments(const Argument& mapping, std::string owner, Diagnostics& diagnostics)
      : mapping_(mapping), owner_(std::move(owner)), diagnostics_(diagnostics) {}

  [[nodiscard]] const Place& place() const { return mapping_.place; }
  [[nodiscard]] const Argument& mapping() const { return mapping_; }
  // Null when the key is missing or its value is nothing.
  [[nodiscard]] const Argument* Find(const std::string& key) const;
  [[nodiscard]] bool Has(const std::string& key) const { return Find(key) != nullptr; }
  // Where the key's value stands, else where the mapping stands.
  [[nodiscard]] Place PlaceOf(const std::string& key) const;
  // Says that a key is missing.
  const Argument* Require(const std::string& key, const std::string& hint = "");

  // Each gives nothing when the key is missing or wrong; wrong is said.
  std::optional<std::string> Text(const std::string& key);
  std::optional<bool> Bool(const std::string& key);
  std::optional<std::int64_t> Integer(const std::string& key, std::int64_t least,
                                      std::int64_t most);
  std::optional<std::chrono::milliseconds> Duration(const std::string& key);
  // From `least` to `most`.
  std::optional<std::chrono::milliseconds> Duration(const std::string& key,
                                                    std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most);
  std::optional<std::string> OneOf(const std::string& key, const std::vector<std::string>& words);
  // A single value or a list of them; with `commas` a text may hold several.
  std::vector<const Argument*> Several(const std::string& key);
  std::vector<std::string> Texts(const std::string& key, bool commas = false);
  // Refuses keys that are not in the list; `foreign_owner` names whose foreign words give hints
  // (playbook/foreign_words.h).
  void CheckKeys(const std::vector<std::string>& known, std::string_view foreign_owner = "");

  void Say(const Place& place, std::string message, std::string hint = "");
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }
  [[nodiscard]] const std::string& owner() const { return owner_; }

 private:
  void WrongType(const std::string& key, const Argument& argument, const std::string& wanted);

  const Argument& mapping_;
  std::string owner_;
  Diagnostics& diagnostics_;
};

// Readings of single values, said at their place.
std::optional<bool> ReadBool(const Value& value);
std::optional<std::int64_t> ReadInteger(const Value& value);
// Texts, and numbers as they were written; nothing for lists and mappings.
std::optional<std::string> ReadText(const Argument& argument);
// "site.yml:12:7", for messages that name a second place.
std::string PlaceText(const Place& place);

}  // namespace drover
