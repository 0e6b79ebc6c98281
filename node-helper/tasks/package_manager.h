// The package managers behind one interface: what is installed, what would be done, do it.
//
// One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node-helper/tasks/process.h"
#include "protocol/program.h"
#include "protocol/result.h"

namespace drover {

// Installed packages, name to version.
using Packages = std::map<std::string, std::string>;

class PackageManager {
 public:
  virtual ~PackageManager() = default;
  // Every package of the node.
  virtual Result<Packages> Installed() = 0;
  // The name without the version or architecture that may be asked for ("nginx=1.22-1").
  [[nodiscard]] virtual std::string NameOf(const std::string& wanted) const = 0;
  // True when `wanted` is satisfied by what is installed, as far as that can be told without the
  // package lists.
  [[nodiscard]] virtual bool Has(const Packages& installed, const std::string& wanted) const = 0;
  virtual Status UpdateLists() = 0;
  // What Change would install or upgrade, name to version; empty: nothing.
  virtual Result<Packages> WouldInstall(const std::vector<std::string>& names) = 0;
  virtual Status Install(const std::vector<std::string>& names) = 0;
  virtual Status Remove(const std::vector<std::string>& names) = 0;
};

// How programs are run for it.
struct PackageContext {
  ProcessRunner run;
  std::chrono::milliseconds timeout{0};
  std::function<bool()> abandoned;
};

// The one of this node: apt, else dnf or yum. kNotFound: none that we know. `root` is "" outside
// tests.
Result<std::unique_ptr<PackageManager>> OpenPackageManager(PackageContext context,
                                                           const std::string& root = "");

// "Inst nginx [1.0] (1.22.1-9 Debian:12 [amd64])" lines of apt-get -s, name to version.
Packages ParseAptSimulation(std::string_view text);
// "name\tstatus\tversion" lines of dpkg-query; only what is installed.
Packages ParseDpkgList(std::string_view text);

}  // namespace drover
