#include "orchestrator/run/plan_inputs.h"

#include "orchestrator/ssh/digest.h"
#include "protocol/codec.h"

namespace drover {
namespace {

std::map<std::string, std::string> Hashes(const std::vector<SourceFilePtr>& files) {
  std::map<std::string, std::string> hashes;
  for (const SourceFilePtr& file : files) hashes[file->name] = Sha256Hex(file->text);
  return hashes;
}

// All tasks of each host in order, as they go over the wire; files were resolved, names too.
std::map<std::string, std::string> WorkOf(const CompiledRun& run) {
  std::map<std::string, std::string> work;
  for (const CompiledPlay& play : run.plays) {
    for (const std::string& host : play.hosts) work.try_emplace(host);
    for (const CompiledTask& compiled : play.tasks) {
      for (const auto& [host, items] : compiled.hosts) {
        for (const HostTask& item : items) {
          const Task* known = std::get_if<Task>(&item.action);
          if (known == nullptr) continue;
          Task task = *known;
          task.check = task.diff = false;
          const Program program{.run = {}, .tasks = {std::move(task)}};
          work[host] = Sha256Hex(work[host] + EncodeProgram(program));
        }
      }
    }
  }
  return work;
}

}  // namespace

PlanRequest RequestOf(const CommandLine& line) {
  // The hosts of @FILE at this moment; that it can be read was seen when the run was prepared.
  const auto limit = ReadLimit(line.limit);
  return {.playbook = line.playbook,
          .inventories = line.inventories,
          .limit = limit ? *limit : line.limit,
          .tags = line.tags,
          .skip_tags = line.skip_tags,
          .extra_vars = line.extra_vars,
          .remote_user = line.remote_user,
          .private_key_file = line.private_key_file,
          .become = line.become};
}

CommandLine WithRequest(CommandLine line, const PlanRequest& request) {
  line.playbook = request.playbook;
  line.inventories = request.inventories;
  line.limit = request.limit;
  line.tags = request.tags;
  line.skip_tags = request.skip_tags;
  line.extra_vars = request.extra_vars;
  if (line.remote_user.empty()) line.remote_user = request.remote_user;
  if (line.private_key_file.empty()) line.private_key_file = request.private_key_file;
  line.become |= request.become;
  return line;
}

PlanInputs InputsOf(const Prepared& prepared) {
  return {.playbook_files = Hashes(prepared.run.files),
          .inventory_files = Hashes(prepared.inventory_files),
          .variables = Sha256Hex(prepared.options.extra_vars.dump()),
          .work = WorkOf(prepared.run)};
}

}  // namespace drover
