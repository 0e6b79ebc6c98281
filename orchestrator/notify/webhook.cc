#include "orchestrator/notify/webhook.h"

#include <curl/curl.h>

#include <memory>

#include "protocol/json_reader.h"

namespace drover {
namespace {

// What it answers is of no interest.
std::size_t Ignore(char* /*bytes*/, std::size_t size, std::size_t count, void* /*context*/) {
  return size * count;
}

Status StatusOf(CURL* curl, CURLcode code) {
  if (code == CURLE_OPERATION_TIMEDOUT) return Fail(ErrorCode::kTimeout, "no answer in time");
  if (code != CURLE_OK) return Fail(ErrorCode::kUnreachable, curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {};
  return Fail(ErrorCode::kInvalid, "answers with status " + std::to_string(status));
}

}  // namespace

Status PostFacts(const std::string& url, const std::map<std::string, std::string>& facts,
                 std::chrono::milliseconds timeout) {
  const std::string body = Dump(Json(facts));
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), &curl_slist_free_all);
  if (!curl || !headers) return Fail(ErrorCode::kInternal, "libcurl does not begin");
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "drover");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Ignore);
  return StatusOf(curl.get(), curl_easy_perform(curl.get()));
}

}  // namespace drover
