#include "orchestrator/plan/plan_file.h"

#include "protocol/json_reader.h"

namespace drover {
namespace {

using Hashes = std::map<std::string, std::string>;

Hashes HashesFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  Hashes hashes;
  if (!json.is_object()) {
    errors.Add(path, "must be an object");
    return hashes;
  }
  for (const auto& [name, hash] : json.items()) {
    if (hash.is_string()) {
      hashes[name] = hash.get<std::string>();
    } else {
      errors.Add(path + "." + name, "must be a text");
    }
  }
  return hashes;
}

Json RequestToJson(const PlanRequest& request) {
  return {{"playbook", request.playbook},
          {"inventories", request.inventories},
          {"limit", request.limit},
          {"tags", request.tags},
          {"skip_tags", request.skip_tags},
          {"extra_vars", request.extra_vars},
          {"remote_user", request.remote_user},
          {"private_key_file", request.private_key_file},
          {"become", request.become}};
}

PlanRequest RequestFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  PlanRequest request;
  ObjectReader reader(json, path, errors);
  reader.Read("playbook", request.playbook);
  reader.Read("inventories", request.inventories);
  reader.Read("limit", request.limit);
  reader.Read("tags", request.tags);
  reader.Read("skip_tags", request.skip_tags);
  reader.Read("extra_vars", request.extra_vars);
  reader.Read("remote_user", request.remote_user);
  reader.Read("private_key_file", request.private_key_file);
  reader.Read("become", request.become);
  return request;
}

Json InputsToJson(const PlanInputs& inputs) {
  return {{"playbook_files", inputs.playbook_files},
          {"inventory_files", inputs.inventory_files},
          {"variables", inputs.variables},
          {"work", inputs.work}};
}

PlanInputs InputsFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  PlanInputs inputs;
  ObjectReader reader(json, path, errors);
  reader.ReadValue("playbook_files", inputs.playbook_files, HashesFromJson);
  reader.ReadValue("inventory_files", inputs.inventory_files, HashesFromJson);
  reader.Read("variables", inputs.variables);
  reader.ReadValue("work", inputs.work, HashesFromJson);
  return inputs;
}

Json ChangeToJson(const PlannedChange& planned) {
  const ChangeText& change = planned.change;
  return {{"task", planned.task},    {"verb", change.verb},   {"resource", change.resource},
          {"before", change.before}, {"after", change.after}, {"reason", change.reason}};
}

PlannedChange ChangeFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  PlannedChange planned;
  ObjectReader reader(json, path, errors);
  reader.Read("task", planned.task);
  reader.Read("verb", planned.change.verb);
  reader.Read("resource", planned.change.resource);
  reader.Read("before", planned.change.before);
  reader.Read("after", planned.change.after);
  reader.Read("reason", planned.change.reason);
  return planned;
}

Json HostsToJson(const HostPlans& plans) {
  Json hosts = Json::object();
  for (const auto& [host, plan] : plans) {
    Json changes = Json::array();
    for (const PlannedChange& change : plan.changes) changes.push_back(ChangeToJson(change));
    hosts[host] = {{"digest", plan.digest}, {"changes", changes}, {"unknown", plan.unknown}};
  }
  return hosts;
}

HostPlan HostFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  HostPlan plan;
  ObjectReader reader(json, path, errors);
  reader.Read("digest", plan.digest);
  reader.ReadList("changes", plan.changes, ChangeFromJson);
  reader.Read("unknown", plan.unknown);
  return plan;
}

HostPlans HostsFromJson(const Json& json, const std::string& path, JsonErrors& errors) {
  HostPlans plans;
  if (!json.is_object()) {
    errors.Add(path, "must be an object");
    return plans;
  }
  for (const auto& [host, plan] : json.items()) {
    plans[host] = HostFromJson(plan, path + "." + host, errors);
  }
  return plans;
}

}  // namespace

std::string EncodePlanFile(const PlanFile& file) {
  const Json document = {{"drover_plan", kPlanFormat},
                         {"version", file.version},
                         {"created", file.created},
                         {"user", file.user},
                         {"control_host", file.control_host},
                         {"directory", file.directory},
                         {"request", RequestToJson(file.request)},
                         {"inputs", InputsToJson(file.inputs)},
                         {"hosts", HostsToJson(file.hosts)}};
  return Dump(document, 2) + "\n";
}

Result<PlanFile> DecodePlanFile(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json) return Fail(ErrorCode::kInvalid, "this is no plan of drover: " + json.error().message);
  if (!json->is_object() || !json->contains("drover_plan")) {
    return Fail(ErrorCode::kInvalid, "this is no plan of drover");
  }
  PlanFile file;
  JsonErrors errors;
  {
    ObjectReader reader(*json, "", errors);
    int format = 0;
    reader.ReadInteger("drover_plan", format, 0, kMaxU16);
    if (errors.ok() && format != kPlanFormat) {
      return Fail(ErrorCode::kInvalid, "the plan has format " + std::to_string(format) +
                                           ", this drover reads " + std::to_string(kPlanFormat));
    }
    reader.Read("version", file.version);
    reader.Read("created", file.created);
    reader.Read("user", file.user);
    reader.Read("control_host", file.control_host);
    reader.Read("directory", file.directory);
    reader.ReadValue("request", file.request, RequestFromJson);
    reader.ReadValue("inputs", file.inputs, InputsFromJson);
    reader.ReadValue("hosts", file.hosts, HostsFromJson);
  }
  if (!errors.ok()) return Fail(errors.error().In("the plan is damaged"));
  return file;
}

}  // namespace drover
