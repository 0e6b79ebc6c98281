#include "orchestrator/ssh/stub.h"

#include <array>
#include <cstdio>

#include "orchestrator/ssh/line_buffer.h"

namespace drover {
namespace {

constexpr std::string_view kSays = "drover ";

// Warm start: one `ls` and two execs. Who may write to the folder is root alone, and a file gets
// its name only after its hash was checked; so the size is enough to see a file that a crash of the
// node cut short.
constexpr std::string_view kPrologue =
    R"sh(d=@D; f=$d/node-helper-@H; PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; export PATH; unset LC_ALL; )sh"
    R"sh(set -- $(LC_ALL=C ls -lnd "$f" 2>/dev/null); )sh";
constexpr std::string_view kWarm =
    R"sh(case "$1:$3:$5" in -rwx*:@U:@S) echo; echo "drover start"; exec "$f" apply;; esac; )sh";
// `echo` first: a shell start file may have left an unfinished line on stdout.
constexpr std::string_view kChecks =
    R"sh(t=; fail() { [ -z "$t" ] || rm -f "$t"; echo; echo "drover failed $*"; exit 1; }; )sh"
    R"sh([ "$(id -u)" = @U ] || fail not-root "$(id -un)"; )sh"
    R"sh(for x in sha256sum mktemp head; do command -v $x >/dev/null 2>&1 || fail no-tool $x; done; )sh"
    R"sh(o=$(umask); umask 077; )sh"
    R"sh(m=$(LC_ALL=C mkdir -p "$d" 2>&1) || fail mkdir "$m"; )sh"
    R"sh(set -- $(LC_ALL=C ls -lnd "$d"); )sh"
    R"sh(case "$1:$3" in d????-??-*:@U) ;; *) fail folder "$1 $3";; esac; )sh"
    R"sh(m=$(LC_ALL=C mktemp "$d/.upload.XXXXXX" 2>&1) || fail mktemp "$m"; t=$m; )sh"
    R"sh(trap "rm -f $t" EXIT; trap "exit 1" HUP INT TERM PIPE; )sh";
constexpr std::string_view kTake =
    R"sh(echo; echo "drover need-helper $(uname -m)"; )sh"
    R"sh(m=$(LC_ALL=C head -c @S 2>&1 >"$t") || fail write "$m"; )sh"
    R"sh(set -- $(LC_ALL=C ls -lnd "$t"); [ "$5" = @S ] || fail truncated "$5"; )sh"
    R"sh(set -- $(sha256sum "$t"); [ "$1" = @H ] || fail hash "$1"; )sh"
    R"sh(chmod 700 "$t"; sync "$t" 2>/dev/null || sync; )sh"
    R"sh(m=$(LC_ALL=C mv -f "$t" "$f" 2>&1) || fail rename "$m"; trap - EXIT HUP INT TERM PIPE; )sh";
// Keeps the three newest helpers: an older drover on another machine may still want its own. Files
// of uploads that were killed are removed when they are an hour old.
constexpr std::string_view kTidyAndStart =
    R"sh({ ls -t "$d"/node-helper-* | tail -n +4 | while read -r x; do rm -f "$x"; done; )sh"
    R"sh(find "$d" -name ".upload.*" -mmin +60 -exec rm -f {} +; } </dev/null >/dev/null 2>&1; )sh"
    R"sh(umask "$o"; echo; echo "drover start"; exec "$f" apply)sh";

std::string Filled(std::string_view text, const StubOptions& options) {
  std::string filled;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '@') {
      filled += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'D':
        filled += options.folder;
        break;
      case 'H':
        filled += options.sha256;
        break;
      case 'S':
        filled += std::to_string(options.size);
        break;
      default:
        filled += std::to_string(options.owner);
    }
  }
  return filled;
}

std::string SizeForPeople(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Failures of mkdir, mktemp, head and mv: the reason decides, not the tool.
Error FileError(const StubFailed& failed, const StubOptions& options, const std::string& host) {
  const std::string where = options.folder + " of " + host;
  if (Has(failed.detail, "No space left") || Has(failed.detail, "quota exceeded")) {
    return {ErrorCode::kUnreachable,
            "no space left on " + where + ": needs " + SizeForPeople(options.size)};
  }
  if (Has(failed.detail, "Read-only file system")) {
    return {ErrorCode::kUnreachable, where + " is on a read-only file system"};
  }
  return {ErrorCode::kUnreachable,
          "the helper could not be put into " + where + ": " + OneLineOf(failed.detail)};
}

}  // namespace

std::string StubScript(const StubOptions& options) {
  std::string text(kPrologue);
  if (!options.force) text += kWarm;
  text += kChecks;
  text += kTake;
  text += kTidyAndStart;
  return Filled(text, options);
}

std::string StubCommand(const StubOptions& options) {
  return "exec sh -c '" + StubScript(options) + "'";
}

std::string SudoStubCommand(const StubOptions& options, const std::string& prompt) {
  // LC_ALL=C: sudo's words are matched. The stub unsets it again for the helper.
  const std::string how = prompt.empty() ? "-n" : "-S -p " + prompt;
  return "exec env LC_ALL=C sudo -H " + how + " -- sh -c '" + StubScript(options) + "'";
}

std::optional<StubLine> ParseStubLine(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.starts_with(kSays)) return std::nullopt;
  line.remove_prefix(kSays.size());
  const std::size_t blank = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, blank);
  const std::string_view rest = line.substr(std::min(blank + 1, line.size()));
  if (word == "start") return HelperStarts{};
  if (word == "need-helper") return NeedHelper{std::string(rest)};
  if (word != "failed") return std::nullopt;
  const std::size_t end = std::min(rest.find(' '), rest.size());
  return StubFailed{std::string(rest.substr(0, end)),
                    std::string(rest.substr(std::min(end + 1, rest.size())))};
}

Error StubError(const StubFailed& failed, const StubOptions& options, const std::string& host,
                const std::string& user) {
  if (failed.word == "not-root") {
    const std::string who = failed.detail.empty() ? user : failed.detail;
    return {ErrorCode::kDenied, "user " + who + " is not root on " + host +
                                    ": give -b (ansible_become=yes) or log in as root"};
  }
  if (failed.word == "no-tool") {
    return {ErrorCode::kUnreachable,
            host + " has no " + failed.detail + ": install coreutils there"};
  }
  if (failed.word == "folder") {
    return {ErrorCode::kDenied, options.folder + " of " + host +
                                    " must belong to root and be writable by nobody else, it is " +
                                    OneLineOf(failed.detail)};
  }
  if (failed.word == "truncated") {
    return {ErrorCode::kUnreachable, "truncated upload of the helper to " + host + ": " +
                                         failed.detail + " of " + std::to_string(options.size) +
                                         " bytes arrived"};
  }
  if (failed.word == "hash") {
    return {ErrorCode::kUnreachable, "damaged upload of the helper to " + host + ": sha256 is " +
                                         failed.detail + " and not " + options.sha256};
  }
  return FileError(failed, options, host);
}

std::string Describe(const ProcessEnd& end) {
  if (!end.signal.empty()) return "SIG" + end.signal;
  if (end.exit_code) return "exit code " + std::to_string(*end.exit_code);
  return "no exit code";
}

Error EndedEarly(bool helper_started, const ProcessEnd& end, std::string_view noise,
                 std::string_view stderr_text, const StubOptions& options,
                 const std::string& host) {
  const std::string said = OneLineOf(stderr_text);
  if (helper_started && end.exit_code == 126 && Has(said, "ermission denied")) {
    return {ErrorCode::kUnreachable,
            options.folder + " of " + host + " is mounted noexec: remount it with exec"};
  }
  std::string message = helper_started ? "the helper on " + host + " ended before its first word"
                                       : "the login shell on " + host + " ended before drover ran";
  message += " (" + Describe(end) + ")";
  if (!said.empty()) message += ": " + said;
  if (!helper_started && !noise.empty()) {
    message += "; " + host + " printed \"" + OneLineOf(noise, 120) + "\"";
  }
  return {ErrorCode::kUnreachable, std::move(message)};
}

}  // namespace drover
