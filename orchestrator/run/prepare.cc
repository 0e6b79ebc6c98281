#include "orchestrator/run/prepare.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "orchestrator/run/exit_code.h"
#include "orchestrator/run/extra_vars.h"
#include "orchestrator/run/prompt.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

constexpr const char* kPackagedHelper = "/usr/lib/drover/node-helper";

// The first address of `name`, IPv4 before IPv6: services without a family of their own are nearly
// all IPv4.
Result<IpAddress> Resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int status = getaddrinfo(name.c_str(), nullptr, &hints, &raw);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(raw, freeaddrinfo);
  if (status != 0) {
    return Fail(ErrorCode::kInvalid,
                "cannot find an address for \"" + name + "\": " + gai_strerror(status));
  }
  for (const int family : {AF_INET, AF_INET6}) {
    for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
      std::array<char, NI_MAXHOST> text{};
      if (one->ai_family == family && getnameinfo(one->ai_addr, one->ai_addrlen, text.data(),
                                                  text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
        return IpAddress::Parse(text.data());
      }
    }
  }
  return Fail(ErrorCode::kInvalid, "\"" + name + "\" has no IP address");
}

// A password from a file or from the terminal; empty when neither was asked for.
Result<std::string> Password(bool ask, const std::string& file, const std::string& question) {
  if (ask) {
    return AskPassword(question);
  }
  return file.empty() ? Result<std::string>("") : ReadPasswordFile(file);
}

Status TakePasswords(const CommandLine& line, CompileOptions& options) {
  const auto ssh = Password(line.ask_password, line.password_file, "SSH password: ");
  if (!ssh) {
    return Fail(ssh.error());
  }
  options.ssh_password = *ssh;
  const auto become = Password(
      line.ask_become_password, line.become_password_file,
      line.ask_password ? "BECOME password[defaults to SSH password]: " : "BECOME password: ");
  if (!become) {
    return Fail(become.error());
  }
  options.become_password =
      line.ask_become_password && become->empty() ? options.ssh_password : *become;
  return {};
}

Parsed<CompileOptions> OptionsOf(const CommandLine& line) {
  CompileOptions options;
  auto extra_vars = ReadExtraVars(line.extra_vars);
  if (!extra_vars) {
    return Wrong(extra_vars.error());
  }
  auto limit = ReadLimit(line.limit);
  if (!limit) {
    return Wrong(limit.error());
  }
  options.extra_vars = *std::move(extra_vars);
  options.limit = *std::move(limit);
  options.tags = line.tags;
  options.skip_tags = line.skip_tags;
  options.check = line.check;
  options.diff = line.diff;
  options.remote_user = line.remote_user;
  options.private_key_file = line.private_key_file;
  options.become = line.become;
  options.connect_timeout = std::chrono::seconds(line.timeout);
  options.connect_retries = line.connect_retries;
  options.resolve = Resolve;
  return options;
}

Prepared Exit(int status) {
  Prepared prepared;
  prepared.exit = status;
  return prepared;
}

}  // namespace

Prepared Prepare(const CommandLine& line, const Amend& amend) {
  std::error_code error;
  if (!std::filesystem::exists(line.playbook, error)) {
    PrintProblem("the playbook: " + line.playbook + " could not be found");
    return Exit(kExitError);
  }
  if (line.inventories.empty()) {
    PrintProblem("no inventory", "name one with -i, or set DROVER_INVENTORY");
    return Exit(kExitError);
  }
  auto playbook = LoadPlaybook(line.playbook);
  if (!playbook) {
    return Exit(PrintDiagnostics(playbook.error()));
  }
  auto inventory = ReadInventory(line);
  if (!inventory) {
    return Exit(PrintDiagnostics(inventory.error()));
  }
  PrintWarnings(inventory->warnings);
  if (amend) {
    if (const Status amended = amend(*playbook, inventory->inventory); !amended) {
      PrintProblem(amended.error().message);
      return Exit(kExitError);
    }
  }
  auto options = OptionsOf(line);
  if (!options) {
    return Exit(PrintDiagnostics(options.error()));
  }
  if (const Status passwords = TakePasswords(line, *options); !passwords) {
    PrintProblem(passwords.error().message);
    return Exit(kExitError);
  }
  auto run = Compile(*playbook, inventory->inventory, *options);
  if (!run) {
    return Exit(PrintDiagnostics(run.error()));
  }
  PrintWarnings(run->warnings);
  return {.exit = std::nullopt,
          .playbook = *std::move(playbook),
          .run = *std::move(run),
          .inventory = std::move(inventory->inventory),
          .inventory_files = std::move(inventory->files),
          .options = *std::move(options)};
}

Parsed<CompiledRun> CompileWith(const Prepared& prepared, const Inventory& inventory,
                                const std::string& limit) {
  CompileOptions options = prepared.options;
  options.limit = limit;
  return Compile(prepared.playbook, inventory, options);
}

Parsed<LoadedInventory> ReadInventory(const CommandLine& line) {
  const std::string directory = std::filesystem::path(line.playbook).parent_path().string();
  return LoadInventory(line.inventories, directory.empty() ? "." : directory);
}

Parsed<std::string> ReadLimit(const std::string& limit) {
  std::string whole;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) {
      whole += (whole.empty() ? "" : ",") + part;
    }
  };
  for (std::size_t start = 0; start <= limit.size();) {
    const std::size_t end = std::min(limit.find(',', start), limit.size());
    const std::string part = limit.substr(start, end - start);
    start = end + 1;
    if (!part.starts_with('@')) {
      add(part);
      continue;
    }
    std::ifstream file(part.substr(1));
    if (!file) {
      return Wrong(Place{}, "--limit: cannot read " + part.substr(1) + ": " + std::strerror(errno));
    }
    const std::size_t before = whole.size();
    for (std::string line; std::getline(file, line);) {
      const std::size_t first = line.find_first_not_of(" \t\r");
      if (first == std::string::npos || line[first] == '#') {
        continue;
      }
      add(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
    }
    if (whole.size() == before) {
      return Wrong(Place{}, "--limit: " + part.substr(1) + " names no host",
                   "an empty limit would mean all hosts");
    }
  }
  if (whole.empty() && !limit.empty()) {
    return Wrong(Place{}, "--limit: \"" + limit + "\" names no host");
  }
  return whole;
}

Result<std::string> FindHelper(const std::string& given) {
  if (!given.empty()) {
    return access(given.c_str(), R_OK) == 0 ? Result<std::string>(given)
                                            : Fail(ErrnoError(errno, "--helper " + given));
  }
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string beside = (own.parent_path() / "node-helper").string();
  for (const std::string& path : {beside, std::string(kPackagedHelper)}) {
    if (access(path.c_str(), R_OK) == 0) {
      return path;
    }
  }
  return Fail(ErrorCode::kInvalid, "no node-helper at " + beside + " nor at " + kPackagedHelper +
                                       " (--helper names it)");
}

}  // namespace drover
