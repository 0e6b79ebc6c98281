#include "node-helper/tasks/package_manager.h"

#include <unistd.h>

#include <array>

namespace drover {
namespace {

// Another run of apt (unattended upgrades) is waited for this long, as Ansible does it.
constexpr const char* kLockTimeout = "DPkg::Lock::Timeout=60";

std::string_view NextLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// The lines in which apt, dnf and dpkg say why (at most three), else the last one.
std::string Complaint(const CommandOutcome& outcome) {
  std::string complaint;
  std::string_view rest = outcome.stderr_text.empty() ? outcome.stdout_text : outcome.stderr_text;
  std::string last;
  int found = 0;
  while (!rest.empty()) {
    const std::string_view line = NextLine(rest);
    if (line.empty()) continue;
    last = line;
    if ((!line.starts_with("E: ") && !line.starts_with("Error")) || ++found > 3) continue;
    complaint += (complaint.empty() ? "" : "; ") + std::string(line);
  }
  return complaint.empty() ? last : complaint;
}

class Runner {
 public:
  explicit Runner(PackageContext context) : context_(std::move(context)) {}

  Result<ProcessOutcome> Run(std::vector<std::string> argv) const {
    ProcessSpec spec;
    spec.argv = std::move(argv);
    spec.timeout = context_.timeout;
    spec.abandoned = context_.abandoned;
    spec.environment = {{"LC_ALL", "C"},
                        {"DEBIAN_FRONTEND", "noninteractive"},
                        {"DEBIAN_PRIORITY", "critical"},
                        {"APT_LISTCHANGES_FRONTEND", "none"},
                        {"NEEDRESTART_MODE", "l"}};
    return context_.run(spec);
  }

  Result<std::string> Must(std::vector<std::string> argv) const {
    const std::string what = argv[0];
    auto outcome = Run(std::move(argv));
    if (!outcome) return Fail(outcome.error());
    if (outcome->timed_out) return Fail(ErrorCode::kTimeout, what + ": not done in time, ended");
    if (outcome->command.exit_code == 0) return std::move(outcome->command.stdout_text);
    return Fail(ErrorCode::kInternal, what + ": " + Complaint(outcome->command));
  }

 private:
  PackageContext context_;
};

std::vector<std::string> Join(std::vector<std::string> words,
                              const std::vector<std::string>& names) {
  words.insert(words.end(), names.begin(), names.end());
  return words;
}

Status WithoutOutput(const Result<std::string>& output) {
  if (!output) return Fail(output.error());
  return {};
}

class Apt : public PackageManager {
 public:
  explicit Apt(PackageContext context) : runner_(std::move(context)) {}

  Result<Packages> Installed() override {
    const auto list = runner_.Must({"dpkg-query", "--show", "--showformat",
                                    "${Package}\\t${db:Status-Status}\\t${Version}\\n"});
    if (!list) return Fail(list.error());
    return ParseDpkgList(*list);
  }

  [[nodiscard]] std::string NameOf(const std::string& wanted) const override {
    return wanted.substr(0, wanted.find_first_of("=:/"));
  }

  [[nodiscard]] bool Has(const Packages& installed, const std::string& wanted) const override {
    const auto found = installed.find(NameOf(wanted));
    if (found == installed.end()) return false;
    const std::size_t equals = wanted.find('=');
    return equals == std::string::npos || found->second == wanted.substr(equals + 1);
  }

  Status UpdateLists() override {
    return WithoutOutput(runner_.Must({"apt-get", "-q", "-o", kLockTimeout, "update"}));
  }

  Result<Packages> WouldInstall(const std::vector<std::string>& names) override {
    const auto said =
        runner_.Must(Join({"apt-get", "-q", "-y", "--simulate", "install", "--"}, names));
    if (!said) return Fail(said.error());
    return ParseAptSimulation(*said);
  }

  // Changed configuration files are kept, and nothing asks (Ansible's dpkg_options).
  Status Install(const std::vector<std::string>& names) override {
    return WithoutOutput(runner_.Must(
        Join({"apt-get", "-q", "-y", "-o", kLockTimeout, "-o", "Dpkg::Options::=--force-confdef",
              "-o", "Dpkg::Options::=--force-confold", "install", "--"},
             names)));
  }

  Status Remove(const std::vector<std::string>& names) override {
    return WithoutOutput(
        runner_.Must(Join({"apt-get", "-q", "-y", "-o", kLockTimeout, "remove", "--"}, names)));
  }

 private:
  Runner runner_;
};

// dnf and yum take the same words.
class Rpm : public PackageManager {
 public:
  Rpm(PackageContext context, std::string program)
      : runner_(std::move(context)), program_(std::move(program)) {}

  Result<Packages> Installed() override {
    const auto list = runner_.Must(
        {"rpm", "-qa", "--queryformat", "%{NAME}\\tinstalled\\t%{VERSION}-%{RELEASE}\\n"});
    if (!list) return Fail(list.error());
    return ParseDpkgList(*list);
  }

  [[nodiscard]] std::string NameOf(const std::string& wanted) const override { return wanted; }

  [[nodiscard]] bool Has(const Packages& installed, const std::string& wanted) const override {
    if (installed.contains(wanted)) return true;
    for (const auto& [name, version] : installed) {
      if (wanted == name + "-" + version) return true;
    }
    return false;
  }

  Status UpdateLists() override {
    return WithoutOutput(runner_.Must({program_, "-q", "makecache"}));
  }

  Result<Packages> WouldInstall(const std::vector<std::string>& names) override {
    // 100: there are upgrades; of what is not installed nothing is said.
    const auto checked = runner_.Run(Join({program_, "-q", "check-update"}, names));
    if (!checked) return Fail(checked.error());
    const auto installed = Installed();
    if (!installed) return Fail(installed.error());
    Packages would;
    for (const std::string& name : names) {
      if (!Has(*installed, name) || checked->command.exit_code == 100) would[name] = "";
    }
    return would;
  }

  Status Install(const std::vector<std::string>& names) override {
    const Status installed =
        WithoutOutput(runner_.Must(Join({program_, "-q", "-y", "install"}, names)));
    if (!installed) return installed;
    return WithoutOutput(runner_.Must(Join({program_, "-q", "-y", "update"}, names)));
  }

  Status Remove(const std::vector<std::string>& names) override {
    return WithoutOutput(runner_.Must(Join({program_, "-q", "-y", "remove"}, names)));
  }

 private:
  Runner runner_;
  std::string program_;
};

}  // namespace

Result<std::unique_ptr<PackageManager>> OpenPackageManager(PackageContext context,
                                                           const std::string& root) {
  const auto has = [&](const char* path) { return ::access((root + path).c_str(), X_OK) == 0; };
  if (has("/usr/bin/apt-get") && has("/usr/bin/dpkg-query")) {
    return std::unique_ptr<PackageManager>(std::make_unique<Apt>(std::move(context)));
  }
  for (const char* program : {"dnf", "yum"}) {
    if (!has((std::string("/usr/bin/") + program).c_str())) continue;
    return std::unique_ptr<PackageManager>(std::make_unique<Rpm>(std::move(context), program));
  }
  return Fail(ErrorCode::kNotFound,
              "there is no package manager that I know on this node (apt, dnf, yum)");
}

Packages ParseAptSimulation(std::string_view text) {
  Packages packages;
  while (!text.empty()) {
    std::string_view line = NextLine(text);
    if (!line.starts_with("Inst ")) continue;
    line.remove_prefix(5);
    const std::string name(line.substr(0, line.find(' ')));
    const std::size_t open = line.find('(');
    if (open == std::string_view::npos) continue;
    const std::string_view version = line.substr(open + 1);
    packages[name] = version.substr(0, version.find_first_of(" )"));
  }
  return packages;
}

Packages ParseDpkgList(std::string_view text) {
  Packages packages;
  while (!text.empty()) {
    const std::string_view line = NextLine(text);
    const std::size_t first = line.find('\t');
    if (first == std::string_view::npos) continue;
    const std::size_t second = line.find('\t', first + 1);
    if (second == std::string_view::npos) continue;
    if (line.substr(first + 1, second - first - 1) != "installed") continue;
    packages.emplace(line.substr(0, first), line.substr(second + 1));
  }
  return packages;
}

}  // namespace drover
