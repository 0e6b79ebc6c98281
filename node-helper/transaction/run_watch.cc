#include "node-helper/transaction/run_watch.h"

#include <utility>

namespace drover {
namespace {

std::string NameOf(const RunInfo& run) {
  return "the run of " + run.user + " on " + run.control_host + " (" +
         (run.command.empty() ? run.owner : run.command) + ")";
}

}  // namespace

std::string RunWatch::Look(const std::optional<Pending>& pending, bool kept) {
  const std::optional<Pending> before = std::exchange(last_, pending);
  const bool same = before && pending && before->run.run_id == pending->run.run_id;
  if (pending && !same) {
    return NameOf(pending->run) + " changes this node; it goes back unless that is confirmed";
  }
  if (pending && !before->going_back && pending->going_back) {
    return "goes back to what it was before " + NameOf(pending->run) + ": " + pending->reason;
  }
  if (pending && before->left != pending->left && !pending->left.empty()) {
    std::string text = "could not go back fully:";
    for (const std::string& sentence : pending->left) text += " " + sentence + ";";
    return text + " tries again";
  }
  if (pending || !before) return "";
  if (kept) return NameOf(before->run) + " is confirmed";
  if (before->going_back) return "is again what it was before " + NameOf(before->run);
  return NameOf(before->run) + " has ended";
}

}  // namespace drover
