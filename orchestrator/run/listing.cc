#include "orchestrator/run/listing.h"

#include <set>
#include <vector>

#include "orchestrator/playbook/tags.h"

namespace drover {
namespace {

std::string Joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

std::vector<std::string> PatternsOf(const Play& play) {
  if (!play.hosts.is_sequence()) {
    return {play.hosts.scalar};
  }
  std::vector<std::string> patterns;
  for (const YamlNode& item : play.hosts.items) {
    patterns.push_back(item.scalar);
  }
  return patterns;
}

std::string Text(const std::vector<std::string>& words, const char* between, const char* quote) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : between) + (quote + word + quote);
  }
  return text;
}

std::string HostsText(const Play& play, const std::vector<std::string>& hosts) {
  std::string text = "    pattern: [" + Text(PatternsOf(play), ", ", "'") + "]\n    hosts (" +
                     std::to_string(hosts.size()) + "):\n";
  for (const std::string& host : hosts) {
    text += "      " + host + "\n";
  }
  return text;
}

std::string TasksText(const Play& play, const CommandLine& line) {
  std::string tasks;
  std::set<std::string> all_tags;
  for (const PlaybookTask& task : play.tasks) {
    const std::vector<std::string>& tags = task.keywords.tags;
    if (!TagsSelect(tags, line.tags, line.skip_tags)) {
      continue;
    }
    all_tags.insert(tags.begin(), tags.end());
    tasks += "      " + (task.name.empty() ? task.module : task.name) + "\tTAGS: [" +
             Joined({tags.begin(), tags.end()}) + "]\n";
  }
  std::string text = line.list_tasks ? "    tasks:\n" + tasks : "";
  if (line.list_tags) {
    text += "      TASK TAGS: [" + Joined(all_tags) + "]\n";
  }
  return text;
}

}  // namespace

std::string ListingText(const Playbook& playbook, const CompiledRun& run, const CommandLine& line) {
  std::string text = "\nplaybook: " + playbook.path + "\n";
  if (!line.list_hosts && !line.list_tasks && !line.list_tags) {
    return text;
  }
  for (std::size_t i = 0; i < playbook.plays.size() && i < run.plays.size(); ++i) {
    const Play& play = playbook.plays[i];
    const std::string pattern = Text(PatternsOf(play), ",", "");
    text += "\n  play #" + std::to_string(i + 1) + " (" + pattern +
            "): " + (play.name.empty() ? pattern : play.name) + "\tTAGS: [" +
            Joined({play.keywords.tags.begin(), play.keywords.tags.end()}) + "]\n";
    if (line.list_hosts) {
      text += HostsText(play, run.plays[i].hosts);
    }
    if (line.list_tasks || line.list_tags) {
      text += TasksText(play, line);
    }
  }
  return text;
}

}  // namespace drover
