#include "node-helper/checks/http_judge.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <exception>
#include <limits>

#include "node-helper/checks/reasons.h"
#include "node-helper/store/digest.h"

namespace drover {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t kMaxHeaderBytes = 32 << 10;
constexpr std::size_t kMaxWeight = 65535;
// Beside the body: header, and what the framing of chunks may add.
constexpr std::size_t kMaxFraming = std::size_t{1} << 20;

// A body of which only the start is kept, whatever length it announces.
struct JudgedBody {
  struct value_type {
    std::string start;
    std::optional<Sha256> hash;
    std::size_t size = 0;
  };
  class reader {
   public:
    template <bool isRequest, class Fields>
    reader(http::header<isRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, boost::system::error_code& error) {
      error = {};
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
      error = {};
      std::size_t taken = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        const std::string_view bytes(static_cast<const char*>(buffer.data()), buffer.size());
        body_.start.append(bytes.substr(0, kMaxJudgedBody - body_.start.size()));
        if (body_.hash) body_.hash->Add(bytes);
        taken += bytes.size();
      }
      body_.size += taken;
      return taken;
    }
    void finish(boost::system::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

bool SameWord(std::string_view left, std::string_view right) {
  return boost::beast::iequals({left.data(), left.size()}, {right.data(), right.size()});
}

std::optional<std::uint32_t> WeightFrom(std::string_view text) {
  std::uint32_t weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || end != text.data() + text.size() || weight > kMaxWeight) return {};
  return weight;
}

}  // namespace

struct HttpJudge::Parser {
  http::response_parser<JudgedBody> parser;
};

std::string StatusText(const std::vector<StatusRange>& wanted) {
  std::string text;
  for (const StatusRange& range : wanted) {
    text += (text.empty() ? "" : ", ") + std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
  }
  return text;
}

std::string HttpRequestOf(const HttpCheck& check, const Endpoint& server) {
  const std::uint16_t usual = check.tls ? 443 : 80;
  std::string host = check.host;
  if (host.empty()) {
    host = server.ToString();
    if (server.port == usual) host.resize(host.rfind(':'));
  }
  std::map<std::string, std::string> headers = {
      {"Host", host}, {"User-Agent", "drover"}, {"Accept", "*/*"}, {"Connection", "close"}};
  for (const auto& theirs : check.headers) {
    std::erase_if(headers, [&](const auto& ours) { return SameWord(ours.first, theirs.first); });
    headers[theirs.first] = theirs.second;
  }
  std::string request = "GET " + check.path + " HTTP/1.1\r\n";
  for (const auto& [name, value] : headers) request += name + ": " + value + "\r\n";
  return request + "\r\n";
}

HttpJudge::HttpJudge(const HttpCheck& check, const Pattern* pattern)
    : check_(check), pattern_(pattern) {}

HttpJudge::~HttpJudge() = default;

void HttpJudge::Feed(std::string_view bytes) {
  if (verdict_) return;
  seen_ += bytes.size();
  if (seen_ > kMaxFraming + (wants_hash() ? kMaxHashedBody : kMaxJudgedBody)) {
    verdict_ = CheckAnswer::Failed("the answer does not end");
    return;
  }
  pending_.append(bytes);
  try {
    Parse();
  } catch (const std::exception& exception) {
    verdict_ = CheckAnswer::Failed(std::string("the answer is not good HTTP: ") + exception.what());
  }
}

void HttpJudge::Parse() {
  while (!pending_.empty() && !verdict_) {
    if (!parser_) {
      parser_ = std::make_unique<Parser>();
      parser_->parser.eager(true);  // header and body in one go
      parser_->parser.header_limit(kMaxHeaderBytes);
      // Without any limit (boost::none) Boost 1.74 refuses every announced length.
      parser_->parser.body_limit(std::numeric_limits<std::uint64_t>::max());
      if (wants_hash()) {
        parser_->parser.body_limit(kMaxHashedBody);
        parser_->parser.get().body().hash.emplace();
      }
    }
    auto& parser = parser_->parser;
    boost::system::error_code error;
    const std::size_t used = parser.put(boost::asio::buffer(pending_), error);
    pending_.erase(0, used);
    if (error && error != http::error::need_more) {
      verdict_ = CheckAnswer::Failed("the answer is not good HTTP: " + error.message());
      return;
    }
    if (parser.is_header_done() && !header_taken_) {
      // RFC 9110, section 15.2: a final answer follows; 101 is one, to a question nobody asked.
      if (parser.get().result_int() / 100 == 1 && parser.get().result_int() != 101) {
        parser_.reset();
        continue;
      }
      TakeHeader();
    }
    if (!verdict_ && header_taken_) {
      const bool enough = !wants_hash() && parser.get().body().size >= kMaxJudgedBody;
      if (parser.is_done() || enough) JudgeBody();
    }
    if (used == 0 || error == http::error::need_more) return;
  }
}

void HttpJudge::TakeHeader() {
  header_taken_ = true;
  const auto& answer = parser_->parser.get();
  const int status = static_cast<int>(answer.result_int());
  const bool wanted = std::any_of(
      check_.status.begin(), check_.status.end(),
      [&](const StatusRange& range) { return status >= range.first && status <= range.last; });
  if (!wanted) {
    verdict_ = CheckAnswer::Failed("status " + std::to_string(status) + ", wanted " +
                                   StatusText(check_.status));
    return;
  }
  if (check_.weight_header.empty()) return;
  const auto found = answer.find(check_.weight_header);
  if (found == answer.end()) return;
  weight_ = WeightFrom({found->value().data(), found->value().size()});
}

void HttpJudge::JudgeBody() {
  auto& body = parser_->parser.get().body();
  if (wants_hash()) {
    const std::string sum = body.hash->Finish();
    if (sum != check_.body_sha256) {
      verdict_ = CheckAnswer::Failed("the body's SHA-256 is " + sum.substr(0, 16) + "…, wanted " +
                                     check_.body_sha256.substr(0, 16) + "…");
      return;
    }
  }
  if (pattern_ != nullptr) {
    const Pattern::Match match = pattern_->Search(body.start);
    if (match != Pattern::Match::kFound) {
      verdict_ = CheckAnswer::Failed(match == Pattern::Match::kNotFound
                                         ? "the body does not match \"" + check_.body_regex + "\""
                                         : "searching the body for \"" + check_.body_regex +
                                               "\" takes too long");
      return;
    }
  }
  verdict_ = CheckAnswer::Ok(weight_);
}

void HttpJudge::End() {
  if (verdict_) return;
  if (seen_ == 0) {
    verdict_ = CheckAnswer::Failed("the server closed the connection without an answer");
    return;
  }
  const auto cut_short = [] { return CheckAnswer::Failed("the answer was cut short"); };
  if (!parser_ || !header_taken_) {
    verdict_ = cut_short();
    return;
  }
  boost::system::error_code error;
  try {
    parser_->parser.put_eof(error);
  } catch (const std::exception&) {
    error = http::error::partial_message;
  }
  if (error) {
    verdict_ = cut_short();
  } else {
    JudgeBody();
  }
}

}  // namespace drover
