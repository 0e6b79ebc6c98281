#include "orchestrator/compile/findings.h"

#include <algorithm>

namespace drover {
namespace {

constexpr std::size_t kMaxNamed = 5;

bool Same(const Diagnostic& left, const Diagnostic& right) {
  return left.place.file == right.place.file && left.place.line == right.place.line &&
         left.place.column == right.place.column && left.message == right.message &&
         left.hint == right.hint;
}

}  // namespace

void Findings::Add(const std::string& host, const Diagnostics& diagnostics) {
  for (const auto& diagnostic : diagnostics) {
    const auto found = std::find_if(findings_.begin(), findings_.end(), [&](const Finding& other) {
      return Same(other.diagnostic, diagnostic);
    });
    if (found == findings_.end()) {
      findings_.push_back({diagnostic, {host}});
    } else if (found->hosts.back() != host) {
      found->hosts.push_back(host);
    }
  }
}

void Findings::MoveInto(Diagnostics& all, std::size_t looked_at) {
  for (auto& [diagnostic, hosts] : findings_) {
    if (hosts.size() < looked_at) {
      std::string names;
      for (std::size_t i = 0; i < std::min(hosts.size(), kMaxNamed); ++i) {
        names += (i == 0 ? "" : ", ") + hosts[i];
      }
      if (hosts.size() > kMaxNamed) names += ", …";
      diagnostic.message += (hosts.size() == 1 ? " (host: " : " (hosts: ") + names + ")";
    }
    const bool known =
        std::any_of(all.begin(), all.end(),
                    [&d = diagnostic](const Diagnostic& other) { return Same(other, d); });
    if (!known) all.push_back(std::move(diagnostic));
  }
  findings_.clear();
}

}  // namespace drover
