#include "node-helper/store/maintenance.h"

#include <algorithm>

#include "node-helper/store/files.h"
#include "protocol/codec_parts.h"

namespace drover {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

std::string PathIn(const Store& store) { return store.directory() + "/maintenance.json"; }

}  // namespace

Result<std::vector<Maintenance>> LoadMaintenance(const Store& store) {
  std::vector<Maintenance> list;
  const auto text = ReadWholeFile(PathIn(store));
  if (!text && text.error().code == ErrorCode::kNotFound) return list;
  if (!text) return Fail(text.error());
  const auto json = ParseJson(*text);
  if (!json) return Fail(json.error().In(PathIn(store)));
  JsonErrors errors;
  {
    ObjectReader reader(*json, "", errors);
    reader.ReadList("maintenance", list, MaintenanceFromJson);
  }
  if (!errors.ok()) return Fail(errors.error().In(PathIn(store)));
  return list;
}

Status SaveMaintenance(const Store& store, const std::vector<Maintenance>& list) {
  if (const Status made = MakeDirectories(store.directory(), kFolderMode); !made) return made;
  const Json json = {{"maintenance", ListToJson(list, MaintenanceToJson)}};
  return WriteFileAtomically(PathIn(store), Dump(json, 2) + "\n", kFileMode);
}

const Maintenance* DrainOf(const std::vector<Maintenance>& list, const IpAddress& address) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Maintenance& one) {
    return std::find(one.addresses.begin(), one.addresses.end(), address) != one.addresses.end();
  });
  return found == list.end() ? nullptr : &*found;
}

const Maintenance* HoldOf(const std::vector<Maintenance>& list) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [](const Maintenance& one) { return one.addresses.empty(); });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace drover
