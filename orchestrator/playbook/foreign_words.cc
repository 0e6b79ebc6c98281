#include "orchestrator/playbook/foreign_words.h"

#include <map>

namespace drover {
namespace {

using Hints = std::map<std::string_view, std::string_view>;

const Hints& OfInstance() {
  static const Hints kHints = {
      {"state",
       "every instance starts as backup and the highest priority takes over; the owner of the "
       "addresses has priority 255"},
      {"virtual_ipaddress", "write \"addresses\""},
      {"virtual_ipaddress_excluded", "write \"excluded_addresses\""},
      {"address", "write \"addresses\""},
      {"vip", "write \"addresses\""},
      {"vips", "write \"addresses\""},
      {"nopreempt", "write \"preempt: false\""},
      {"auth_pass", "write \"password\""},
      {"auth_type", "write \"password\", with \"version: 2\""},
      {"advert_int", "write \"advert_interval\""},
      {"vrid", "write \"virtual_router_id\""},
      {"unicast_peer", "write \"unicast_peers\""},
      {"unicast_src_ip", "write \"source_address\""},
      {"mcast_src_ip", "write \"source_address\""},
      {"vrrp_version", "write \"version\""},
      {"native_ipv6", "leave it out: IPv6 is told by the addresses"},
      {"use_vmac", "write \"vmac: true\""},
      {"down_timer_adverts", "write \"down_adverts\""},
      {"garp_master_delay", "write \"garp: {delay: …}\""},
      {"garp_master_repeat", "write \"garp: {count: …}\""},
      {"garp_master_refresh", "write \"garp: {refresh: …}\""},
      {"garp_master_refresh_repeat", "write \"garp: {refresh_count: …}\""},
      {"track_interface", "define a tracker with \"interface\" and name it under \"track\""},
      {"track_script", "define a tracker with \"script\" and name it under \"track\""},
      {"track_process", "define a tracker with \"process\" and name it under \"track\""},
      {"track_file", "define a tracker with \"file\" and name it under \"track\""},
      {"dont_track_primary", "leave it out: a VRRP instance needs its interface"},
      {"virtual_routes", "Drover sets no routes with VRRP"},
      {"virtual_rules", "Drover sets no rules with VRRP"},
      {"notify", "Drover runs no notify scripts; its event log and metrics tell of transitions"},
      {"notify_master", "Drover runs no notify scripts; its event log tells of transitions"},
      {"notify_backup", "Drover runs no notify scripts; its event log tells of transitions"},
      {"notify_fault", "Drover runs no notify scripts; its event log tells of transitions"},
      {"smtp_alert", "Drover sends no mail; its metrics tell of transitions"},
      {"sync_group", "write a task with module \"vrrp_group\""}};
  return kHints;
}

const Hints& OfCheck() {
  static const Hints kHints = {{"delay_loop", "write \"interval\""},
                               {"retry", "write \"fall\""},
                               {"delay_before_retry", "write \"fast_interval\""},
                               {"connect_timeout", "write \"timeout\""},
                               {"connect_port", "write \"port\""},
                               {"warmup", "write \"jitter\", in percent of the interval"},
                               {"http_get", "write \"http: {path: /}\""},
                               {"ssl_get", "write \"https: {path: /}\""},
                               {"tcp_check", "write \"tcp: {}\""},
                               {"misc_check", "write \"script: {argv: [/path, …]}\""},
                               {"alpha", "write \"initial: down\""},
                               {"on_failure", "it stands beside \"check\", not in it"},
                               {"quorum", "it stands beside \"check\", not in it"},
                               {"hysteresis", "it stands beside \"check\", not in it"},
                               {"slow_start", "it stands beside \"check\", not in it"},
                               {"sorry_server", "it stands beside \"check\", not in it"}};
  return kHints;
}

const Hints& OfHttp() {
  static const Hints kHints = {
      {"status_code", "write \"status\""}, {"url", "write \"path\""},
      {"digest", "write \"body_sha256\""}, {"regex", "write \"body_regex\""},
      {"virtualhost", "write \"host\""},   {"enable_sni", "write \"sni\""}};
  return kHints;
}

const Hints& OfService() {
  static const Hints kHints = {
      {"lb_algo", "write \"scheduler\""},
      {"lvs_sched", "write \"scheduler\""},
      {"lb_kind", "write \"forward\""},
      {"lvs_method", "write \"forward\""},
      {"persistence_timeout", "write \"persistence\""},
      {"real_server", "write \"real_servers\""},
      {"checks", "write \"check\""},
      {"health_check", "write \"check\""},
      {"delay_loop", "write \"check: {interval: …}\""},
      {"alpha", "write \"check: {initial: down}\""},
      {"inhibit_on_failure", "write \"on_failure: quiesce\""},
      {"quorum_up", "Drover runs no scripts at the quorum; a tracker with \"service\" follows it"}};
  return kHints;
}

const Hints& OfGroup() {
  static const Hints kHints = {{"group", "write \"instances\""},
                               {"members", "write \"instances\""}};
  return kHints;
}

const Hints& OfTracker() {
  static const Hints kHints = {
      {"weight", "it stands at the instance: track: [{name: …, weight: …}]"},
      {"pgrep", "write \"process\""},
      {"init_fail", "leave it out: a script counts as down until it was up"}};
  return kHints;
}

const Hints& OfSync() {
  static const Hints kHints = {{"syncid", "write \"id\""},
                               {"sync_id", "write \"id\""},
                               {"inst", "leave it out: both roles run all the time"},
                               {"state", "leave it out: both roles run all the time"},
                               {"mcast_group", "write \"group\""},
                               {"mcast_port", "write \"port\""},
                               {"mcast_ttl", "write \"ttl\""}};
  return kHints;
}

}  // namespace

std::string HintForForeignWord(std::string_view owner, std::string_view word) {
  static const std::map<std::string_view, const Hints*> kOwners = {
      {"vrrp_instance", &OfInstance()},
      {"check", &OfCheck()},
      {"http", &OfHttp()},
      {"https", &OfHttp()},
      {"tracker", &OfTracker()},
      {"virtual_service", &OfService()},
      {"vrrp_group", &OfGroup()},
      {"connection_sync", &OfSync()}};
  const auto hints = kOwners.find(owner);
  if (hints == kOwners.end()) return "";
  const auto hint = hints->second->find(word);
  return hint == hints->second->end() ? "" : std::string(hint->second);
}

}  // namespace drover
