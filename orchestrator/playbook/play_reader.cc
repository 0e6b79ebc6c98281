#include <algorithm>
#include <map>

#include "orchestrator/playbook/keyword_reader.h"
#include "orchestrator/playbook/keywords.h"
#include "orchestrator/playbook/policy_reader.h"
#include "orchestrator/playbook/task_reader.h"
#include "orchestrator/template/evaluate.h"

namespace drover {
namespace {

void ReadHosts(const YamlNode& node, Play& play, KeywordReader& read) {
  const bool list = node.is_sequence() && !node.items.empty() &&
                    std::all_of(node.items.begin(), node.items.end(),
                                [](const YamlNode& item) { return item.is_scalar(); });
  if (list || (node.is_scalar() && !node.scalar.empty())) {
    play.hosts = node;
  } else {
    read.Say(node.place, "\"hosts\" takes a pattern or a list of patterns");
  }
}

void ReadOrder(const YamlNode& node, Play& play, KeywordReader& read) {
  static const std::map<std::string, Play::Order> kOrders = {
      {"inventory", Play::Order::kInventory},
      {"reverse_inventory", Play::Order::kReverseInventory},
      {"sorted", Play::Order::kSorted},
      {"reverse_sorted", Play::Order::kReverseSorted}};
  const auto word = read.Text("order", node);
  if (!word) return;
  const auto found = kOrders.find(*word);
  if (found != kOrders.end()) {
    play.order = found->second;
  } else {
    read.Say(node.place, "unknown order \"" + *word + "\"",
             DidYouMean(*word, {"inventory", "reverse_inventory", "sorted", "reverse_sorted"}));
  }
}

// vars_files are only named here; load.cc reads them.
void ReadVarsFiles(const YamlNode& node, Play& play, KeywordReader& read) {
  const auto add = [&](const YamlNode& item) {
    if (!item.is_scalar() || HasTemplate(item.scalar)) {
      read.Say(item.place, "\"vars_files\" takes plain file names");
    } else {
      play.vars_files.push_back(item);
    }
  };
  if (node.is_sequence()) {
    for (const auto& item : node.items) add(item);
  } else if (!node.is_null()) {
    add(node);
  }
}

void ReadConnection(const YamlNode& node, Play& play, KeywordReader& read) {
  const auto word = read.Text("connection", node);
  if (!word) return;
  play.connection = *word;
  if (*word != "ssh" && *word != "local" && *word != "smart" && *word != "paramiko") {
    read.Say(node.place, "unknown connection \"" + *word + "\"",
             DidYouMean(*word, {"ssh", "local"}));
  }
}

void Keyword(const std::string& word, const YamlNode& value, Play& play, KeywordReader& read) {
  if (read.Common(word, value, play.keywords)) return;
  if (ReadPolicyKeyword(word, value, play.policy, read)) return;
  if (word == "name") {
    if (value.is_scalar()) play.name = value.scalar;
    if (!value.is_scalar() && !value.is_null()) {
      read.Say(value.place, "keyword \"name\" takes a text, not " + TypeName(ToValue(value)));
    }
  } else if (word == "hosts") {
    ReadHosts(value, play, read);
  } else if (word == "order") {
    ReadOrder(value, play, read);
  } else if (word == "vars_files") {
    ReadVarsFiles(value, play, read);
  } else if (word == "connection") {
    ReadConnection(value, play, read);
  } else if (word == "remote_user") {
    play.remote_user = read.Text(word, value).value_or("");
  } else if (word == "port") {
    play.port = read.Integer(word, value, 1, 65535);
  } else if (word == "gather_facts") {
    read.Bool(word, value);  // facts are never gathered
  }
}

void ReadTasks(const YamlNode& node, Play& play, Diagnostics& diagnostics) {
  if (node.is_null()) return;
  if (!node.is_sequence()) {
    diagnostics.push_back(Diagnostic{
        node.place, "\"tasks\" takes a list of tasks, not " + TypeName(ToValue(node)), ""});
    return;
  }
  for (const auto& item : node.items) {
    if (auto task = ReadTask(item, play, diagnostics)) play.tasks.push_back(std::move(*task));
  }
}

}  // namespace

std::optional<Play> ReadPlay(const YamlNode& node, Diagnostics& diagnostics) {
  KeywordReader read(diagnostics);
  const std::size_t before = diagnostics.size();
  if (!node.is_mapping()) {
    read.Say(node.place, "a play is a mapping, not " + TypeName(ToValue(node)));
    return std::nullopt;
  }
  Play play;
  play.place = node.place;
  const auto& known = PlayKeywords();
  for (const auto& [key, value] : node.entries) {
    const std::string word = KeyOf(key);
    if (std::find(known.begin(), known.end(), word) != known.end()) {
      Keyword(word, value, play, read);
    } else if (IsForeignKeyword(word)) {
      diagnostics.push_back(ForeignKeyword(word, key.place));
    } else {
      read.Say(key.place, "unknown keyword \"" + word + "\" of a play", DidYouMean(word, known));
    }
  }
  if (node.Find("hosts") == nullptr && node.Find("import_playbook") == nullptr) {
    read.Say(node.place, "the play has no \"hosts\"");
  }
  CheckPolicy(play.policy, node.place, read);
  // After the play's own keywords, which tasks inherit.
  if (const YamlNode* tasks = node.Find("tasks")) ReadTasks(*tasks, play, diagnostics);
  if (diagnostics.size() != before) return std::nullopt;
  return play;
}

}  // namespace drover
