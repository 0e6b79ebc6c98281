#include "orchestrator/compile/connection.h"

#include <initializer_list>

#include "orchestrator/compile/arguments.h"
#include "orchestrator/source/duration.h"

namespace drover {
namespace {

constexpr int kMostRetries = 100;

// Settings of OpenSSH's own command line, which nothing here runs.
constexpr const char* kIgnored[] = {"ansible_ssh_common_args", "ansible_ssh_extra_args",
                                    "ansible_ssh_args"};

class ConnectionReader {
 public:
  ConnectionReader(const std::string& host, Variables& variables, const Place& place,
                   Diagnostics& diagnostics)
      : host_(host), variables_(variables), place_(place), diagnostics_(diagnostics) {}

  // The first of these variables that is set; the legacy spelling stands first and wins.
  std::optional<Argument> First(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (!variables_.Has(name)) continue;
      auto operand = variables_.Find(name, place_);
      auto value = operand ? Need(*operand, place_) : tl::unexpected(operand.error());
      if (!value) {
        Say(value.error().message);
        return std::nullopt;
      }
      if ((*value)->is_null()) continue;
      name_ = name;
      Argument argument;
      argument.value = **value;
      return argument;
    }
    return std::nullopt;
  }

  std::string Text(std::initializer_list<const char*> names, const std::string& fallback) {
    const auto argument = First(names);
    if (!argument) return fallback;
    const auto text = ReadText(*argument);
    if (!text) Say(name_ + " takes a text, not " + Describe(argument->value));
    return text.value_or(fallback);
  }

  std::optional<int> Port(std::optional<int> fallback) {
    const auto argument = First({"ansible_ssh_port", "ansible_port"});
    if (!argument) return fallback;
    const auto number = ReadInteger(argument->value);
    if (number && *number >= 1 && *number <= 65535) return static_cast<int>(*number);
    Say(name_ + " takes a number from 1 to 65535, not " + Describe(argument->value));
    return fallback;
  }

  std::optional<bool> Bool(std::initializer_list<const char*> names) {
    const auto argument = First(names);
    if (!argument) return std::nullopt;
    const auto value = ReadBool(argument->value);
    if (!value) Say(name_ + " takes true or false, not " + Describe(argument->value));
    return value;
  }

  void Say(const std::string& message, const std::string& hint = "") {
    diagnostics_.push_back(Diagnostic{place_, "host \"" + host_ + "\": " + message, hint});
  }

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const std::string& host_;
  Variables& variables_;
  const Place& place_;
  Diagnostics& diagnostics_;
  std::string name_;  // of the variable read last
};

HostConnection::Kind ReadKind(ConnectionReader& read, bool known, const Play& play) {
  const std::string fallback = !play.connection.empty() ? play.connection : known ? "ssh" : "local";
  const std::string word = read.Text({"ansible_connection"}, fallback);
  for (const std::string prefix : {"", "ansible.builtin."}) {
    if (word == prefix + "local") return HostConnection::Kind::kLocal;
    if (word == prefix + "ssh" || word == prefix + "smart" || word == prefix + "paramiko") {
      return HostConnection::Kind::kSsh;
    }
  }
  if (word == "paramiko_ssh" || word == "ansible.builtin.paramiko_ssh") {
    return HostConnection::Kind::kSsh;
  }
  read.Say("ansible_connection \"" + word + "\" is not carried out by this version",
           "known are ssh and local");
  return HostConnection::Kind::kSsh;
}

void ReadBecome(ConnectionReader& read, HostConnection& connection, const Play& play,
                const CompileOptions& options) {
  bool wanted = options.become || play.keywords.become;
  for (const auto& task : play.tasks) wanted = wanted || task.keywords.become;
  connection.become = read.Bool({"ansible_become"}).value_or(wanted);
  const std::string method = read.Text({"ansible_become_method"}, "sudo");
  const std::string user = read.Text({"ansible_become_user"}, "root");
  connection.become_password =
      read.Text({"ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"},
                options.become_password);
  if (!connection.become) return;
  if (method != "sudo" && method != "ansible.builtin.sudo") {
    read.Say("Drover becomes root by sudo, not by \"" + method + "\" (ansible_become_method)");
  }
  if (user != "root") {
    read.Say("Drover becomes root and nobody else, not \"" + user + "\" (ansible_become_user)");
  }
}

}  // namespace

HostConnection WorkOutConnection(const std::string& host, bool known, const Play& play,
                                 const CompileOptions& options, Variables& variables,
                                 const Place& place, Diagnostics& diagnostics,
                                 Diagnostics& warnings) {
  ConnectionReader read(host, variables, place, diagnostics);
  HostConnection connection;
  connection.host = host;
  connection.kind = ReadKind(read, known, play);
  connection.address = read.Text({"ansible_ssh_host", "ansible_host"}, host);
  connection.port = read.Port(play.port);
  connection.user = read.Text({"ansible_ssh_user", "ansible_user"},
                              play.remote_user.empty() ? options.remote_user : play.remote_user);
  connection.private_key_file = read.Text(
      {"ansible_ssh_private_key_file", "ansible_private_key_file"}, options.private_key_file);
  connection.password = read.Text({"ansible_ssh_pass", "ansible_ssh_password", "ansible_password"},
                                  options.ssh_password);
  connection.host_key_checking =
      read.Bool({"ansible_ssh_host_key_checking", "ansible_host_key_checking"});
  connection.connect_timeout = options.connect_timeout;
  if (const auto timeout = read.First({"ansible_ssh_timeout", "ansible_timeout"})) {
    const auto span = ReadDuration(timeout->value);
    if (span && *span > std::chrono::milliseconds(0)) {
      connection.connect_timeout = *span;
    } else {
      read.Say(read.name() + " takes a span of time, not " + Describe(timeout->value));
    }
  }
  connection.connect_retries = options.connect_retries;
  if (const auto retries = read.First({"ansible_ssh_retries"})) {
    const auto number = ReadInteger(retries->value);
    if (number && *number >= 0 && *number <= kMostRetries) {
      connection.connect_retries = static_cast<int>(*number);
    } else {
      read.Say(read.name() + " takes a number from 0 to " + std::to_string(kMostRetries) +
               ", not " + Describe(retries->value));
    }
  }
  ReadBecome(read, connection, play, options);
  for (const char* name : kIgnored) {
    if (read.Text({name}, "").empty()) continue;
    warnings.push_back(Diagnostic{place,
                                  "host \"" + host + "\": " + name +
                                      " has no effect, because "
                                      "Drover runs no ssh command",
                                  "put the settings into ~/.ssh/config"});
  }
  return connection;
}

}  // namespace drover
