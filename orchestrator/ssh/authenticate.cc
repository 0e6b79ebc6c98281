#include "orchestrator/ssh/authenticate.h"

#include <libssh/libssh.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "orchestrator/ssh/agent_relay.h"
#include "orchestrator/ssh/digest.h"

namespace drover {
namespace {

// sshd hangs up at the sixth failure (MaxAuthTries): one try is left for a password.
constexpr std::size_t kMaxKeys = 5;

struct KeyFree {
  void operator()(ssh_key_struct* key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, KeyFree>;

// Public part in wire form, empty when the file does not show it.
std::string BlobOf(ssh_key key) {
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return {};
  const std::optional<std::string> blob = FromBase64(text);
  ssh_string_free_char(text);
  return blob.value_or("");
}

// From FILE.pub, or from the private key itself, whose public part is never encrypted in OpenSSH's
// format.
std::string PublicBlob(const std::string& file) {
  for (const std::string& path : {file + ".pub", file}) {
    ssh_key raw = nullptr;
    if (ssh_pki_import_pubkey_file(path.c_str(), &raw) != SSH_OK) continue;
    const Key key(raw);
    return BlobOf(key.get());
  }
  return {};
}

int NotePassphrase(const char* /*prompt*/, char* /*buffer*/, std::size_t /*size*/, int /*echo*/,
                   int /*verify*/, void* wanted) {
  *static_cast<bool*>(wanted) = true;
  return -1;
}

struct LoadedKey {
  Key key;
  bool encrypted = false;
  std::string problem;  // why it cannot be used
};

LoadedKey LoadKey(const std::string& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) {
    return {nullptr, false, ErrnoError(errno, "private key " + file).message};
  }
  if (about.st_uid == ::getuid() && (about.st_mode & 077) != 0) {
    return {nullptr, false, "private key " + file + " is open to others: chmod 600 " + file};
  }
  LoadedKey loaded;
  ssh_key raw = nullptr;
  const int code =
      ssh_pki_import_privkey_file(file.c_str(), nullptr, NotePassphrase, &loaded.encrypted, &raw);
  loaded.key.reset(code == SSH_OK ? raw : nullptr);
  if (loaded.encrypted) {
    loaded.problem = "private key " + file + " is protected by a passphrase: ssh-add " + file;
  } else if (!loaded.key) {
    loaded.problem = "private key " + file + " is no key that libssh can read";
  }
  return loaded;
}

class Login {
 public:
  Login(ssh_session session, const LoginOptions& options, const Bell& bell)
      : session_(session), options_(options), bell_(bell) {}

  Status Run();

 private:
  enum class Outcome { kIn, kGoOn };
  using Try = Result<Outcome>;

  Try TryExplicitKey();
  Try TryPassword();
  Try TryAgent();
  Try TryFiles();
  Try TryKey(const std::string& file, ssh_key key);
  Try TryFile(const std::string& file, const LoadedKey& loaded);
  Try OfferFromAgent(const std::vector<AgentKey>& keys, const std::string& label);
  Try KeyboardInteractive();
  // Runs a libssh login call to its end; denial and partial success go on.
  Try Finish(Result<int> code);
  Result<int> Call(const std::string& what, const std::function<int()>& step) {
    return Drive(session_, bell_, options_.timeout, SSH_AUTH_AGAIN,
                 "login to " + options_.host + " (" + what + ")", step);
  }
  void OpenAgent();
  [[nodiscard]] std::vector<std::string> Files() const;
  [[nodiscard]] Error Refused() const;
  // The server's list is known after the first refusal only.
  [[nodiscard]] bool Allowed(int method) const {
    return methods_known_ == 0 || (methods_known_ & method) != 0;
  }
  void Trace(int level, const std::string& line) const {
    if (options_.trace) options_.trace(level, line);
  }

  ssh_session session_;
  const LoginOptions& options_;
  const Bell& bell_;
  std::unique_ptr<AgentRelay> agent_;
  bool agent_asked_ = false;
  std::vector<std::string> tried_;
  std::vector<std::string> remarks_;
  std::vector<std::string> blobs_tried_;
  std::size_t keys_left_ = kMaxKeys;
  int methods_known_ = 0;
  bool partial_ = false;
};

Login::Try Login::Finish(Result<int> code) {
  if (!code) return Fail(code.error());
  if (*code == SSH_AUTH_SUCCESS) return Outcome::kIn;
  if (*code == SSH_AUTH_ERROR) {
    const std::string reason = SshReason(session_);
    const bool many = reason.find("Too many authentication failures") != std::string::npos;
    return Fail(ErrorCode::kUnreachable,
                "login to " + options_.host + " as " + options_.user + ": " + reason +
                    (many ? "; name one key with ansible_ssh_private_key_file" : ""));
  }
  partial_ = partial_ || *code == SSH_AUTH_PARTIAL;
  methods_known_ = ssh_userauth_list(session_, nullptr);
  return Outcome::kGoOn;
}

Login::Try Login::TryKey(const std::string& file, ssh_key key) {
  if (keys_left_ == 0 || !Allowed(SSH_AUTH_METHOD_PUBLICKEY)) return Outcome::kGoOn;
  --keys_left_;
  tried_.push_back("key " + file);
  blobs_tried_.push_back(BlobOf(key));
  // Signed at once, without asking first whether the server wants the key: that would cost a round
  // trip, and a refusal counts the same.
  auto outcome =
      Finish(Call("key " + file, [&] { return ssh_userauth_publickey(session_, nullptr, key); }));
  if (outcome && *outcome == Outcome::kIn) Trace(2, "logged in with key " + file);
  return outcome;
}

Login::Try Login::TryFile(const std::string& file, const LoadedKey& loaded) {
  if (!loaded.key) {
    remarks_.push_back(loaded.problem);
    return Outcome::kGoOn;
  }
  ssh_key certificate = nullptr;
  if (ssh_pki_import_cert_file((file + "-cert.pub").c_str(), &certificate) == SSH_OK) {
    const Key owner(certificate);
    const Key both(ssh_key_dup(loaded.key.get()));
    if (both && ssh_pki_copy_cert_to_privkey(certificate, both.get()) == SSH_OK) {
      auto outcome = TryKey(file + "-cert.pub", both.get());
      if (!outcome || *outcome == Outcome::kIn) return outcome;
    }
  }
  return TryKey(file, loaded.key.get());
}

Login::Try Login::OfferFromAgent(const std::vector<AgentKey>& keys, const std::string& label) {
  std::vector<AgentKey> offered = keys;
  if (offered.size() > keys_left_) offered.resize(keys_left_);
  if (offered.empty() || !Allowed(SSH_AUTH_METHOD_PUBLICKEY)) return Outcome::kGoOn;
  keys_left_ -= offered.size();
  tried_.push_back(label);
  for (const AgentKey& key : offered) blobs_tried_.push_back(key.blob);
  auto socket = agent_->Offer(offered);
  if (!socket) return Fail(socket.error());
  // libssh closes it: when the next one is set, or with the session.
  if (ssh_set_agent_socket(session_, socket->get()) != SSH_OK) return Outcome::kGoOn;
  const UniqueFd owned(socket->Release());
  auto outcome = Finish(Call("agent", [&] { return ssh_userauth_agent(session_, nullptr); }));
  // libssh keeps the number: after this it must not close it a second time.
  ssh_set_agent_socket(session_, SSH_INVALID_SOCKET);
  if (outcome && *outcome == Outcome::kIn) Trace(2, "logged in with " + label);
  return outcome;
}

Login::Try Login::TryExplicitKey() {
  const std::string& file = options_.explicit_key;
  if (file.empty()) return Outcome::kGoOn;
  const LoadedKey loaded = LoadKey(file);
  if (loaded.key) return TryFile(file, loaded);
  if (!loaded.encrypted) return Fail(ErrorCode::kInvalid, options_.host + ": " + loaded.problem);
  OpenAgent();
  const std::string blob = PublicBlob(file);
  const auto same = [&](const AgentKey& key) { return key.blob == blob; };
  if (agent_ && !blob.empty()) {
    const auto held = std::ranges::find_if(agent_->keys(), same);
    if (held != agent_->keys().end()) return OfferFromAgent({*held}, "key " + file + " (agent)");
  }
  remarks_.push_back(loaded.problem);
  return Outcome::kGoOn;
}

Login::Try Login::KeyboardInteractive() {
  const auto call = [&] {
    return Call("keyboard-interactive",
                [&] { return ssh_userauth_kbdint(session_, nullptr, nullptr); });
  };
  Result<int> code = call();
  bool answered = false;
  while (code && *code == SSH_AUTH_INFO) {
    const int prompts = ssh_userauth_kbdint_getnprompts(session_);
    char echo = 0;
    if (prompts > 1 || (prompts == 1 && answered)) return Outcome::kGoOn;
    if (prompts == 1) {
      const char* prompt = ssh_userauth_kbdint_getprompt(session_, 0, &echo);
      if (prompt == nullptr || echo != 0) return Outcome::kGoOn;
      ssh_userauth_kbdint_setanswer(session_, 0, options_.password.c_str());
      answered = true;
    }
    code = call();
  }
  return Finish(std::move(code));
}

Login::Try Login::TryPassword() {
  if (options_.password.empty()) return Outcome::kGoOn;
  if (methods_known_ == 0) {
    auto none = Finish(Call("none", [&] { return ssh_userauth_none(session_, nullptr); }));
    if (!none || *none == Outcome::kIn) return none;
  }
  if (options_.allow_password && (methods_known_ & SSH_AUTH_METHOD_PASSWORD) != 0) {
    tried_.emplace_back("password");
    auto outcome = Finish(Call("password", [&] {
      return ssh_userauth_password(session_, nullptr, options_.password.c_str());
    }));
    // The same password by another way would only burn a try.
    return outcome;
  }
  if (options_.allow_keyboard_interactive && (methods_known_ & SSH_AUTH_METHOD_INTERACTIVE) != 0) {
    tried_.emplace_back("password (keyboard-interactive)");
    return KeyboardInteractive();
  }
  return Outcome::kGoOn;
}

std::vector<std::string> Login::Files() const {
  if (!options_.identity_files.empty()) return options_.identity_files;
  std::vector<std::string> files;
  if (!options_.explicit_key.empty()) return files;
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
    const std::string file = options_.home + "/.ssh/" + name;
    if (::access(file.c_str(), F_OK) == 0) files.push_back(file);
  }
  return files;
}

Login::Try Login::TryAgent() {
  OpenAgent();
  if (!agent_) return Outcome::kGoOn;
  std::vector<std::string> named;
  for (const std::string& file : Files()) named.push_back(PublicBlob(file));
  std::vector<AgentKey> first;
  std::vector<AgentKey> others;
  for (const AgentKey& key : agent_->keys()) {
    if (std::ranges::count(blobs_tried_, key.blob) > 0) continue;
    (std::ranges::count(named, key.blob) > 0 ? first : others).push_back(key);
  }
  if (!options_.identities_only) first.insert(first.end(), others.begin(), others.end());
  const std::size_t count = std::min(first.size(), keys_left_);
  return OfferFromAgent(first,
                        "agent (" + std::to_string(count) + (count == 1 ? " key)" : " keys)"));
}

Login::Try Login::TryFiles() {
  for (const std::string& file : Files()) {
    const std::string blob = PublicBlob(file);
    if (!blob.empty() && std::ranges::count(blobs_tried_, blob) > 0) continue;
    auto outcome = TryFile(file, LoadKey(file));
    if (!outcome || *outcome == Outcome::kIn) return outcome;
  }
  return Outcome::kGoOn;
}

// Only when it is needed: a login with a key file asks no agent.
void Login::OpenAgent() {
  if (agent_asked_ || options_.agent_socket.empty()) return;
  agent_asked_ = true;
  auto agent = AgentRelay::Open(options_.agent_socket, bell_, In(options_.timeout));
  if (agent) {
    agent_ = *std::move(agent);
  } else {
    remarks_.push_back(agent.error().message);
  }
}

Error Login::Refused() const {
  std::string message = "login to " + options_.host + " as " + options_.user + " refused: tried ";
  for (std::size_t i = 0; i < tried_.size(); ++i) message += (i > 0 ? ", " : "") + tried_[i];
  if (tried_.empty()) message += "nothing, for there is neither a key nor a password";
  static constexpr std::array<std::pair<int, const char*>, 5> kNames = {
      {{SSH_AUTH_METHOD_PUBLICKEY, "publickey"},
       {SSH_AUTH_METHOD_PASSWORD, "password"},
       {SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"},
       {SSH_AUTH_METHOD_HOSTBASED, "hostbased"},
       {SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi-with-mic"}}};
  std::string allowed;
  for (const auto& [method, name] : kNames) {
    if ((methods_known_ & method) != 0)
      allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  }
  if (!allowed.empty())
    message += std::string("; server ") + (partial_ ? "also wants " : "allows ") + allowed;
  for (const std::string& remark : remarks_) message += "; " + remark;
  return {ErrorCode::kUnreachable, std::move(message)};
}

Status Login::Run() {
  for (const auto step :
       {&Login::TryExplicitKey, &Login::TryPassword, &Login::TryAgent, &Login::TryFiles}) {
    if (step != &Login::TryPassword && !options_.allow_keys) continue;
    Try outcome = (this->*step)();
    if (!outcome) return Fail(outcome.error());
    if (*outcome == Outcome::kIn) return {};
  }
  // Nothing was tried: ask at least what the server would have liked, and whether it wants
  // anything.
  if (methods_known_ == 0) {
    Try none = Finish(Call("none", [&] { return ssh_userauth_none(session_, nullptr); }));
    if (!none) return Fail(none.error());
    if (*none == Outcome::kIn) return {};
  }
  return Fail(Refused());
}

}  // namespace

Status LogIn(ssh_session_struct* session, const LoginOptions& options, const Bell& bell) {
  return Login(session, options, bell).Run();
}

}  // namespace drover
