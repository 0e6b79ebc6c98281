// Sessions over a real OpenSSH server: host keys, logins, sudo, time limits, ends.

#include "tests/orchestrator/ssh/sshd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "orchestrator/ssh/helper_session.h"
#include "protocol/codec.h"

namespace drover {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Opened = Result<std::unique_ptr<HelperSession>>;

// One server for all tests; each test has its own known_hosts.
class SshSession : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::getuid() != 0) return;
    home_ = new TempFolder;
    ::setenv("HOME", home_->path().c_str(), 1);
    ::unsetenv("SSH_AUTH_SOCK");
    MakeClient(*home_);
    server_ = new Sshd(*home_);
    helper_ = home_->Write("helper", FakeHelper(), 0700);
  }
  static void TearDownTestSuite() {
    delete server_;
    delete home_;
    server_ = nullptr;
    home_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << "needs root for sshd in a mount namespace";
    options_.helper_path = helper_;
    options_.known_hosts_file = folder_.Write("known_hosts", server_->KnownHosts());
    options_.ssh_config_file = folder_.Write("config", "");
    options_.trace = [this](int level, const std::string& host, const std::string& line) {
      const std::lock_guard lock(mutex_);
      trace_ += std::to_string(level) + " " + host + " " + line + "\n";
    };
    connection_.host = "node1";
    connection_.address = "127.0.0.1";
    connection_.port = server_->port();
    connection_.user = "root";
    connection_.private_key_file = "~/.ssh/id_ed25519";
  }
  Opened Open() { return OpenSession(connection_, options_); }
  // The message of a failure with this code.
  std::string Refusal(ErrorCode code) {
    const Opened opened = Open();
    if (opened) {
      ADD_FAILURE() << "was opened";
      return {};
    }
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    return opened.error().message;
  }

  static TempFolder* home_;
  static Sshd* server_;
  static std::string helper_;
  TempFolder folder_;
  ConnectOptions options_;
  HostConnection connection_;
  std::mutex mutex_;
  std::string trace_;
};

TempFolder* SshSession::home_ = nullptr;
Sshd* SshSession::server_ = nullptr;
std::string SshSession::helper_;

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

#define EXPECT_HAS(text, part) EXPECT_TRUE(Has(text, part)) << (text)

TEST_F(SshSession, ColdThenWarmThenAProgram) {
  options_.helper_path = folder_.Write("own", FakeHelper("# cold and warm", "", 3000000), 0700);
  const auto cold = Open();
  ASSERT_TRUE(cold.has_value()) << cold.error().message;
  EXPECT_HAS(trace_, "1 node1 brings ");
  trace_.clear();
  const auto warm = Open();
  ASSERT_TRUE(warm.has_value()) << warm.error().message;
  EXPECT_FALSE(Has(trace_, "brings")) << trace_;
  EXPECT_EQ((*warm)->hello().host, "node");
  ASSERT_TRUE((*warm)->Send(Program{}).has_value());
  const auto event = (*warm)->Next(seconds(5));
  ASSERT_TRUE(event.has_value()) << event.error().message;
  EXPECT_TRUE(std::holds_alternative<ProgramDone>(*event));
  EXPECT_EQ((*warm)->Next(milliseconds(20)).error().code, ErrorCode::kTimeout);
}

TEST_F(SshSession, UnknownKeyIsRefusedWithFingerprintAndACommandThatWorks) {
  options_.known_hosts_file = folder_ / "new/known_hosts";
  const std::string message = Refusal(ErrorCode::kUnreachable);
  EXPECT_HAS(message, "host key of node1 ([127.0.0.1]:" + std::to_string(server_->port()));
  EXPECT_HAS(message, "ed25519 key " + server_->Fingerprint("ed25519"));
  const std::size_t begin = message.find("ssh-keyscan");
  ASSERT_NE(begin, std::string::npos) << message;
  const std::string command = message.substr(begin, message.find(", or run") - begin);
  std::filesystem::create_directory(folder_.path() / "new");
  RunProgram({"sh", "-c", command + " 2>/dev/null"});
  EXPECT_TRUE(Open().has_value());
}

TEST_F(SshSession, ChangedKeyIsRefusedWithFileLineAndACommandThatForgetsIt) {
  const Sshd other(*home_, {.key_types = {"ed25519"}});
  std::string lines = other.KnownHosts();
  const std::string theirs = std::to_string(other.port());
  lines.replace(lines.find(theirs), theirs.size(), std::to_string(server_->port()));
  options_.known_hosts_file = folder_.Write("known_hosts", "# mine\n" + lines);
  options_.accept_new_host_keys = true;
  const std::string message = Refusal(ErrorCode::kUnreachable);
  EXPECT_HAS(message, "HAS CHANGED");
  EXPECT_HAS(message, options_.known_hosts_file + ":2 (ed25519)");
  const std::size_t begin = message.find("ssh-keygen");
  ASSERT_NE(begin, std::string::npos) << message;
  RunProgram({"sh", "-c", message.substr(begin)});
  EXPECT_TRUE(Open().has_value());
}

TEST_F(SshSession, HostKnownByItsRsaKeyAloneShowsThatKey) {
  const std::string all = server_->KnownHosts();
  options_.known_hosts_file = folder_.Write("known_hosts", all.substr(all.find('\n') + 1));
  ASSERT_TRUE(Has(ReadFile(options_.known_hosts_file), "ssh-rsa"));
  EXPECT_TRUE(Open().has_value());
}

TEST_F(SshSession, RevokedKeyIsRefused) {
  const std::string all = server_->KnownHosts();
  const std::string key = all.substr(all.find(' '), all.find('\n') - all.find(' '));
  options_.known_hosts_file = folder_.Write("known_hosts", all + "@revoked *" + key + "\n");
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "is revoked by " + options_.known_hosts_file + ":3");
}

TEST_F(SshSession, HashedNamesAreFound) {
  RunProgram({"ssh-keygen", "-q", "-H", "-f", options_.known_hosts_file});
  ASSERT_TRUE(ReadFile(options_.known_hosts_file).starts_with("|1|"));
  EXPECT_TRUE(Open().has_value());
}

TEST_F(SshSession, TwentyHostsAtOnceMayWriteTheirNewKeys) {
  options_.known_hosts_file = folder_ / "fresh/known_hosts";
  options_.accept_new_host_keys = true;
  std::vector<std::thread> threads;
  std::vector<std::string> problems(20);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    threads.emplace_back([&, i] {
      HostConnection connection = connection_;
      connection.host = "node" + std::to_string(i);
      connection.address = "127.0.0." + std::to_string(i + 1);
      connection.connect_timeout = seconds(60);
      const Opened opened = OpenSession(connection, options_);
      if (!opened) problems[i] = opened.error().message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(problems, std::vector<std::string>(20));
  const std::string written = ReadFile(options_.known_hosts_file);
  EXPECT_EQ(std::ranges::count(written, '\n'), 20) << written;
  EXPECT_HAS(trace_, "1 node7 accepted its new host key: ssh-ed25519 SHA256:");
  options_.accept_new_host_keys = false;
  connection_.address = "127.0.0.13";
  EXPECT_TRUE(Open().has_value());
}

TEST_F(SshSession, SwitchingHostKeyCheckingOffIsRefused) {
  connection_.host_key_checking = false;
  EXPECT_HAS(Refusal(ErrorCode::kInvalid), "--accept-new-host-keys");
}

TEST_F(SshSession, WrongKeySaysWhatWasTriedAndWhatTheServerAllows) {
  RunProgram({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder_ / "stranger"});
  connection_.private_key_file = folder_ / "stranger";
  EXPECT_EQ(Refusal(ErrorCode::kUnreachable),
            "login to node1 as root refused: tried key " + (folder_ / "stranger") +
                "; server allows publickey, password, keyboard-interactive");
}

TEST_F(SshSession, UnknownUserIsRefused) {
  connection_.user = "nobody-here";
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "login to node1 as nobody-here refused");
}

TEST_F(SshSession, MissingKeyFileIsNamed) {
  connection_.private_key_file = "/nonexistent/key";
  EXPECT_HAS(Refusal(ErrorCode::kInvalid), "/nonexistent/key: No such file");
}

TEST_F(SshSession, KeyWithAPassphraseSaysWhatToDo) {
  RunProgram({"ssh-keygen", "-q", "-t", "ed25519", "-N", "pass phrase", "-f", folder_ / "locked"});
  connection_.private_key_file = folder_ / "locked";
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "is protected by a passphrase: ssh-add ");
}

TEST_F(SshSession, KeyOpenToOthersIsRefused) {
  connection_.private_key_file = folder_.Write("open", ReadFile(*home_ / ".ssh/id_ed25519"), 0644);
  EXPECT_HAS(Refusal(ErrorCode::kInvalid), "is open to others: chmod 600 ");
}

TEST_F(SshSession, DefaultIdentityIsFound) {
  connection_.private_key_file.clear();
  EXPECT_TRUE(Open().has_value());
}

TEST_F(SshSession, PasswordLogsIn) {
  connection_.user = "carol";
  connection_.private_key_file.clear();
  connection_.password = "secret word";
  connection_.become = true;
  connection_.become_password = "secret word";
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  EXPECT_FALSE(Has(trace_, "secret word"));
}

TEST_F(SshSession, WrongPasswordIsRefused) {
  connection_.user = "carol";
  connection_.private_key_file = folder_ / "none";
  RunProgram({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder_ / "none"});
  connection_.password = "guess";
  const std::string message = Refusal(ErrorCode::kUnreachable);
  EXPECT_HAS(message, ", password");
  EXPECT_FALSE(Has(message, "guess"));
}

// An ssh-agent that holds `keys`, for as long as it lives.
class Agent {
 public:
  Agent(const TempFolder& folder, const std::vector<std::string>& keys) {
    const std::string socket = folder / "agent";
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    auto child =
        Child::Start({"ssh-agent", "-D", "-a", socket}, {null.get(), null.get(), null.get()});
    EXPECT_TRUE(child.has_value());
    agent_ = *std::move(child);
    for (int i = 0; i < 200 && ::access(socket.c_str(), F_OK) != 0; ++i) ::usleep(10000);
    ::setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
    for (const std::string& key : keys) RunProgram({"ssh-add", "-q", key});
  }
  ~Agent() { ::unsetenv("SSH_AUTH_SOCK"); }

 private:
  Child agent_;
};

std::vector<std::string> Strangers(const TempFolder& folder, int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) {
    keys.push_back(folder / ("stranger" + std::to_string(i)));
    RunProgram({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys.back()});
  }
  return keys;
}

TEST_F(SshSession, AgentHoldsTheKey) {
  const std::string key = folder_.Write("held", ReadFile(*home_ / ".ssh/id_ed25519"));
  std::vector<std::string> keys = Strangers(folder_, 1);
  keys.push_back(key);
  const Agent agent(folder_, keys);
  connection_.private_key_file.clear();
  ::setenv("HOME", folder_.path().c_str(), 1);
  const auto session = Open();
  ::setenv("HOME", home_->path().c_str(), 1);
  ASSERT_TRUE(session.has_value()) << session.error().message;
  EXPECT_HAS(trace_, "logged in with agent (2 keys)");
}

TEST_F(SshSession, AgentWithStrangersIsToldByTheirNumber) {
  const Agent agent(folder_, Strangers(folder_, 2));
  ::setenv("HOME", folder_.path().c_str(), 1);
  connection_.private_key_file.clear();
  const std::string message = Refusal(ErrorCode::kUnreachable);
  ::setenv("HOME", home_->path().c_str(), 1);
  EXPECT_HAS(message, "tried agent (2 keys); server allows publickey");
}

TEST_F(SshSession, ManyAgentKeysDoNotUseUpTheTriesOfTheNamedKey) {
  const Agent agent(folder_, Strangers(folder_, 8));
  EXPECT_TRUE(Open().has_value());
  RunProgram({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder_ / "other"});
  connection_.private_key_file = folder_ / "other";
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), ", agent (4 keys); server allows");
}

TEST_F(SshSession, LockedKeyFileIsTakenFromTheAgent) {
  const std::string key = folder_.Write("mine", ReadFile(*home_ / ".ssh/id_ed25519"));
  std::vector<std::string> keys = Strangers(folder_, 7);
  keys.push_back(key);
  const Agent agent(folder_, keys);
  RunProgram({"ssh-keygen", "-q", "-p", "-P", "", "-N", "pass phrase", "-f", key});
  connection_.private_key_file = key;
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  EXPECT_HAS(trace_, "(agent)");
}

TEST_F(SshSession, AgentThatNeverAnswersDoesNotHangUs) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  auto child = Child::Start({"ssh-agent", "-D", "-a", folder_ / "deaf"},
                            {null.get(), null.get(), null.get()});
  ASSERT_TRUE(child.has_value());
  for (int i = 0; i < 200 && ::access((folder_ / "deaf").c_str(), F_OK) != 0; ++i) ::usleep(10000);
  child->Signal(SIGSTOP);
  ::setenv("SSH_AUTH_SOCK", (folder_ / "deaf").c_str(), 1);
  connection_.private_key_file.clear();
  connection_.connect_timeout = milliseconds(1500);
  const Opened session = Open();
  ::unsetenv("SSH_AUTH_SOCK");
  child->Signal(SIGCONT);
  EXPECT_TRUE(session.has_value()) << session.error().message;
}

TEST_F(SshSession, ConfigFileGivesNameUserPortAndKey) {
  options_.ssh_config_file = folder_.Write(
      "config", "Host web1\n  HostName 127.0.0.1\n  Port " + std::to_string(server_->port()) +
                    "\n  User root\n  IdentityFile " + (*home_ / ".ssh/id_ed25519") +
                    "\n  UserKnownHostsFile " + options_.known_hosts_file +
                    "\n  ForwardX11 yes\n  StrictHostKeyChecking no\n");
  options_.known_hosts_file.clear();
  connection_.address = "web1";
  connection_.port.reset();
  connection_.user.clear();
  connection_.private_key_file.clear();
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  EXPECT_HAS(trace_, ":7: forwardx11 is not used");
  EXPECT_HAS(trace_, "StrictHostKeyChecking no is not followed");
}

TEST_F(SshSession, ProxyCommandIsTheWay) {
  options_.ssh_config_file = folder_.Write("config", "ProxyCommand exec nc -q 1 %h %p\n");
  if (::access("/bin/nc", X_OK) != 0 && ::access("/usr/bin/nc", X_OK) != 0) {
    // sshd's own machine has no netcat: ssh -W does the same through a second login.
    options_.ssh_config_file = folder_.Write(
        "config", "ProxyCommand ssh -F none -o UserKnownHostsFile=" + options_.known_hosts_file +
                      " -i " + (*home_ / ".ssh/id_ed25519") + " -p %p -W [%h]:%p root@127.0.0.1\n");
  }
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  EXPECT_HAS(trace_, "through ProxyCommand");
}

TEST_F(SshSession, ProxyCommandThatFailsIsAClosedConnection) {
  options_.ssh_config_file = folder_.Write("config", "ProxyCommand echo no way there >&2; false\n");
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "; ProxyCommand said: no way there");
}

TEST_F(SshSession, Ipv6AddressWithPort) {
  connection_.address = "::1";
  options_.known_hosts_file = folder_.Write("known_hosts", server_->KnownHosts("::1"));
  const auto session = Open();
  EXPECT_TRUE(session.has_value()) << session.error().message;
}

TEST_F(SshSession, ServerThatNeverAnswersEndsAtTheDeadline) {
  const Listener deaf = ListenLocally(5);
  connection_.port = deaf.port;
  connection_.connect_timeout = milliseconds(300);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "SSH key exchange with node1: no answer in 0.3 s");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(3));
}

TEST_F(SshSession, FullQueueOfAServerEndsAtTheDeadline) {
  const Listener full = ListenLocally(0);
  std::vector<UniqueFd> waiting;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(full.port));
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  connection_.port = full.port;
  connection_.connect_timeout = milliseconds(300);
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "connecting to 127.0.0.1 port");
}

TEST_F(SshSession, ServerThatHangsUpDuringTheKeyExchange) {
  const Listener rude = ListenLocally(5);
  connection_.port = rude.port;
  std::thread server([&] {
    const UniqueFd client(::accept(rude.fd.get(), nullptr, nullptr));
    const std::string banner = "SSH-2.0-OpenSSH_9.2\r\n";
    EXPECT_EQ(::send(client.get(), banner.data(), banner.size(), 0),
              static_cast<ssize_t>(banner.size()));
    ::usleep(50000);
  });
  const std::string message = Refusal(ErrorCode::kUnreachable);
  server.join();
  EXPECT_HAS(message, "SSH key exchange with node1");
}

TEST_F(SshSession, ServerThatSpeaksSomethingElse) {
  const Listener web = ListenLocally(5);
  connection_.port = web.port;
  connection_.connect_timeout = seconds(2);
  std::thread server([&] {
    const UniqueFd client(::accept(web.fd.get(), nullptr, nullptr));
    const std::string answer = "HTTP/1.1 400 Bad Request\r\n\r\n" + std::string(1000, 'x');
    EXPECT_EQ(::send(client.get(), answer.data(), answer.size(), 0),
              static_cast<ssize_t>(answer.size()));
    ::usleep(50000);
  });
  const std::string message = Refusal(ErrorCode::kUnreachable);
  server.join();
  EXPECT_HAS(message, "SSH key exchange with node1");
}

TEST_F(SshSession, ClosedPortAndUnknownName) {
  connection_.port = ListenLocally(1).port;
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "Connection refused");
  connection_.address = "no-such-host.invalid";
  EXPECT_HAS(Refusal(ErrorCode::kUnreachable), "no-such-host.invalid");
}

TEST_F(SshSession, SudoWithoutPassword) {
  connection_.user = "bob";
  connection_.become = true;
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  ASSERT_TRUE((*session)->Send(Program{}).has_value());
  EXPECT_TRUE((*session)->Next(seconds(5)).has_value());
}

TEST_F(SshSession, SudoWithPassword) {
  connection_.user = "carol";
  connection_.become = true;
  connection_.become_password = "secret word";
  // Bigger than any buffer: the upload goes through sudo's own pipes, too.
  options_.helper_path = folder_.Write("own", FakeHelper("# carol", "", 3000000), 0700);
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  EXPECT_HAS(trace_, "brings");
  EXPECT_FALSE(Has(trace_, "secret word"));
  ASSERT_TRUE((*session)->Send(Program{}).has_value());
  EXPECT_TRUE((*session)->Next(seconds(5)).has_value());
}

TEST_F(SshSession, SudoRefusals) {
  connection_.become = true;
  connection_.user = "carol";
  EXPECT_EQ(Refusal(ErrorCode::kDenied),
            "sudo on node1 wants a password: give -K or ansible_become_password");
  connection_.become_password = "guess";
  EXPECT_EQ(Refusal(ErrorCode::kDenied), "sudo refused the password for carol on node1");
  connection_.user = "dave";
  connection_.become_password = "secret word";
  EXPECT_HAS(Refusal(ErrorCode::kDenied), "dave is not in the sudoers file");
}

TEST_F(SshSession, UserWithoutSudoIsToldToBecomeRoot) {
  connection_.user = "bob";
  EXPECT_EQ(Refusal(ErrorCode::kDenied),
            "user bob is not root on node1: give -b (ansible_become=yes) or log in as root");
}

TEST_F(SshSession, BecomeAsRootNeedsNoSudo) {
  connection_.become = true;
  connection_.become_password = "unused";
  EXPECT_TRUE(Open().has_value());
}

TEST_F(SshSession, HelperKilledInTheMiddleComesWithItsLastWords) {
  options_.helper_path =
      folder_.Write("own", FakeHelper("", "echo out of memory >&2; kill -9 $$"), 0700);
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  ASSERT_TRUE((*session)->Send(Program{}).has_value());
  const auto event = (*session)->Next(seconds(5));
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code, ErrorCode::kUnreachable);
  EXPECT_EQ(event.error().message, "the helper on node1 ended (SIGKILL): out of memory");
}

TEST_F(SshSession, ConnectionThatBreaksInTheMiddle) {
  // $PPID is the sshd of this connection.
  options_.helper_path = folder_.Write("own", FakeHelper("", "kill -9 $PPID; sleep 1"), 0700);
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  ASSERT_TRUE((*session)->Send(Program{}).has_value());
  const auto event = (*session)->Next(seconds(5));
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code, ErrorCode::kUnreachable);
  EXPECT_HAS(event.error().message, "lost the connection to node1");
}

TEST_F(SshSession, AbortWakesANextThatWaits) {
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(50));
    (*session)->Abort();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto event = (*session)->Next(seconds(30));
  other.join();
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code, ErrorCode::kUnreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
}

TEST_F(SshSession, DamagedResidentHelperIsBroughtAgainOverTheSameConnection) {
  // The first program empties the file on the node without changing its size: what a crash may
  // leave behind.
  const std::string empty =
      "f=$0; s=$(stat -c %s $f); truncate -s 0 $f; truncate -s $s $f; "
      "echo '" +
      EncodeEvent(ProgramDone{true}) + "'; exit";
  options_.helper_path = folder_.Write("own", FakeHelper("", empty), 0700);
  {
    const auto session = Open();
    ASSERT_TRUE(session.has_value()) << session.error().message;
    ASSERT_TRUE((*session)->Send(Program{}).has_value());
    ASSERT_TRUE((*session)->Next(seconds(5)).has_value());
  }
  trace_.clear();
  const auto again = Open();
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_HAS(trace_, "brings it again");
  EXPECT_EQ(trace_.find("connecting to"), trace_.rfind("connecting to")) << trace_;
}

// libssh may take in output while it is asked for something else: waiting for the socket then waits
// for what is here already. Two lines, some microseconds apart, meet every such moment in time.
TEST_F(SshSession, OutputThatComesWhileAnotherStreamIsReadIsNotWaitedFor) {
  const std::string event = "echo '" + EncodeEvent(ProgramDone{true}) + "'";
  options_.helper_path = folder_.Write(
      "own",
      FakeHelper(
          "n=0",
          event + "; n=$((n+1)); i=$((n % 97)); while [ $i -gt 0 ]; do i=$((i-1)); done; " + event),
      0700);
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  for (int round = 0; round < 3000; ++round) {
    ASSERT_TRUE((*session)->Send(Program{}).has_value());
    for (const char* which : {"first", "second"}) {
      const auto next = (*session)->Next(seconds(5));
      ASSERT_TRUE(next.has_value()) << which << " of " << round << ": " << next.error().message;
    }
  }
}

TEST_F(SshSession, LargeTrafficBothWays) {
  options_.helper_path = folder_.Write(
      "own",
      FakeHelper("",
                 "i=0; while [ $i -lt 2000 ]; do echo '{\"type\":\"program_done\",\"ok\":true}'; "
                 "i=$((i+1)); done"),
      0700);
  const auto session = Open();
  ASSERT_TRUE(session.has_value()) << session.error().message;
  Program program;
  Task task;
  task.action = FileTask{.dest = "/x", .content = std::string(400000, 'x')};
  program.tasks.push_back(task);
  ASSERT_TRUE((*session)->Send(program).has_value());
  ASSERT_TRUE((*session)->Send(program).has_value());
}

}  // namespace
}  // namespace drover
