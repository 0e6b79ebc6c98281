#include "orchestrator/run/drill_store.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "orchestrator/report/drill_junit.h"
#include "orchestrator/report/terminal.h"
#include "orchestrator/run/drill_evidence.h"
#include "orchestrator/run/history_file.h"
#include "orchestrator/run/private_file.h"
#include "orchestrator/run/screen.h"

namespace drover {
namespace {

struct KnownFile {
  const char* name;
  const char* what;
};
constexpr std::array kKnownFiles = {
    KnownFile{"journal.json", "what was to be done, predicted, seen and judged"},
    KnownFile{"probe.dplg", "every probe (raw)"},
    KnownFile{"capture.pcap", "VRRP, ARP and neighbour discovery as the prober saw them"},
    KnownFile{"snapshots.json", "every node before and after"},
    KnownFile{"junit.xml", "for CI servers"},
    KnownFile{"report.html", "this page"},
};

// kNotFound when it is not there.
Result<std::string> Contents(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Fail(ErrorCode::kNotFound, path + " is not there");
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Fail(ErrorCode::kDenied, path + " cannot be read");
  return std::move(text).str();
}

// The contents, or nothing where there is no such file.
Result<std::string> Optional(const std::string& path) {
  auto text = Contents(path);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::string();
  return text;
}

std::vector<EvidenceFile> FilesIn(const std::string& folder) {
  std::vector<EvidenceFile> files;
  for (const KnownFile& known : kKnownFiles) {
    std::error_code error;
    const auto size = std::filesystem::file_size(folder + "/" + known.name, error);
    if (!error) files.push_back({known.name, size, known.what});
  }
  return files;
}

bool HasJournal(const std::string& folder) {
  std::error_code error;
  return std::filesystem::is_regular_file(folder + "/journal.json", error);
}

}  // namespace

Result<std::string> FindDrill(const std::string& word, const Environment& environment) {
  if (HasJournal(word)) return word;
  std::error_code error;
  if (word.find('/') != std::string::npos || std::filesystem::is_directory(word, error)) {
    return Fail(ErrorCode::kNotFound, word + " has no evidence of a drill (journal.json)");
  }
  const std::string usual = DrillsFolder(environment) + "/" + word;
  if (HasJournal(usual)) return usual;
  auto history = OpenHistory(environment);
  if (!history) return Fail(history.error());
  const auto drills = (*history)->Drills({});
  if (!drills) return Fail(drills.error());
  for (const DrillRecord& drill : *drills) {
    if (drill.id != word) continue;
    if (HasJournal(drill.folder)) return drill.folder;
    return Fail(ErrorCode::kNotFound, "the evidence of " + word + " is gone from " + drill.folder);
  }
  return Fail(ErrorCode::kNotFound, "there is no drill \"" + word + "\"");
}

Result<StoredDrill> ReadDrill(const std::string& folder) {
  StoredDrill drill{.folder = folder};
  const auto text = Contents(folder + "/journal.json");
  if (!text) return Fail(text.error());
  auto journal = DecodeJournal(*text);
  if (!journal) return Fail(journal.error().In(folder + "/journal.json"));
  drill.journal = *std::move(journal);
  const auto bytes = Optional(folder + "/probe.dplg");
  const auto capture = Optional(folder + "/capture.pcap");
  const auto snapshots = Optional(folder + "/snapshots.json");
  for (const auto* part : {&bytes, &capture, &snapshots}) {
    if (!*part) return Fail(part->error());
  }
  if (!snapshots->empty()) {
    auto read = DecodeSnapshots(*snapshots);
    if (!read) return Fail(read.error().In(folder + "/snapshots.json"));
    drill.snapshots = *std::move(read);
  }
  drill.files = FilesIn(folder);
  if (bytes->empty()) return drill;
  auto log = DecodeProbeLog({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()});
  if (!log) return Fail(log.error().In(folder + "/probe.dplg"));
  drill.log = *std::move(log);
  auto analysis = Analyse(drill.journal, drill.log, *capture);
  if (!analysis) return Fail(analysis.error().In(folder));
  drill.analysis = *std::move(analysis);
  return drill;
}

Status WriteDrillPages(const StoredDrill& drill) {
  const std::string junit = DrillJunit(drill.journal);
  if (const Status done = WritePrivateFile(drill.folder + "/junit.xml", junit); !done) return done;
  DrillPage page{{drill.journal, drill.analysis, drill.log}, drill.files, std::nullopt};
  const bool known = std::any_of(page.files.begin(), page.files.end(),
                                 [](const EvidenceFile& file) { return file.name == "junit.xml"; });
  if (!known) page.files.push_back({"junit.xml", junit.size(), "for CI servers"});
  return WritePrivateFile(drill.folder + "/report.html", DrillHtml(page));
}

void KeepDrill(const std::string& folder) {
  const auto drill = ReadDrill(folder);
  if (!drill) {
    PrintErr("drover: warning: no report of this drill: " + Printable(drill.error().message) +
             "\n");
    return;
  }
  if (const Status written = WriteDrillPages(*drill); !written) {
    PrintErr("drover: warning: no report of this drill: " + Printable(written.error().message) +
             "\n");
  }
  std::error_code error;
  RecordDrill(drill->journal, std::filesystem::absolute(folder, error).string());
}

}  // namespace drover
