// drill: a fault that is injected and judged once the run is confirmed. Which host it hits and what
// should happen are worked out from the nodes' own words then.
#include "orchestrator/compile/module_context.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

// A rollout may have moved the VIP a moment ago.
constexpr milliseconds kSettle{5000};
constexpr milliseconds kGatePatience{60000};
constexpr milliseconds kLongestDelay{60000};

void ReadShare(Arguments& arguments, DrillRequest& request) {
  const Argument* loss = arguments.Find("loss");
  if (loss == nullptr) return;
  const double share = loss->value.is_number() ? loss->value.get<double>() : 0;
  if (share > 0 && share <= 1) {
    request.loss = share;
  } else {
    arguments.Say(loss->place, "\"loss\" is a share of the adverts, above 0 and at most 1");
  }
}

}  // namespace

std::optional<ModuleWork> ParseDrill(Arguments& arguments, ModuleContext& context) {
  DrillRequest request{
      .settle = kSettle, .gate_patience = kGatePatience, .trigger = "task of the playbook"};
  if (arguments.Require("fault", "\"drover drill list\" lists them") == nullptr) {
    return std::nullopt;
  }
  const auto word = arguments.Text("fault");
  if (!word) return std::nullopt;
  const auto fault = ParseFault(*word);
  if (!fault) {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < kFaults; ++i) {
      known.emplace_back(ToString(static_cast<Fault>(i)));
    }
    arguments.Say(arguments.PlaceOf("fault"), "\"" + *word + "\" is no fault",
                  DidYouMean(*word, known));
    return std::nullopt;
  }
  request.fault = *fault;
  request.target = arguments.Text("target").value_or("");
  request.service = arguments.Text("service").value_or("");
  request.probe = arguments.Text("probe").value_or("");
  request.unit = arguments.Text("unit").value_or("");
  request.path = arguments.Text("path").value_or("/");
  if (const Status fine = ValidateHttpPath(request.path); !fine) {
    arguments.Say(arguments.PlaceOf("path"), fine.error().message);
  }
  request.prober = context.host;
  request.duration =
      arguments.Duration("duration", kLeastDrill, kLongestDrill).value_or(request.duration);
  request.max_outage = arguments.Duration("max_outage", milliseconds(0), kLongestDrill);
  request.delay =
      arguments.Duration("delay", milliseconds(1), kLongestDelay).value_or(request.delay);
  request.settle =
      arguments.Duration("settle", milliseconds(0), kLongestDrill).value_or(request.settle);
  ReadShare(arguments, request);
  if (const auto rate = arguments.Integer("rate", 1, kMostProbeRate)) {
    request.rate = static_cast<std::uint32_t>(*rate);
  }
  if (const auto count = arguments.Integer("connections", 0, kMostDrillConnections)) {
    request.connections = static_cast<std::uint32_t>(*count);
  }
  request.control_probe = arguments.Bool("control_probe").value_or(true);
  request.may_cut_ssh = arguments.Bool("may_cut_ssh").value_or(false);
  std::optional<ModuleWork> work(std::in_place);
  work->drill = std::move(request);
  return work;
}

}  // namespace drover
