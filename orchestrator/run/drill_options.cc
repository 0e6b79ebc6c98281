#include "orchestrator/run/drill_options.h"

#include <CLI/CLI.hpp>

#include "orchestrator/schedule/schedule.h"
#include "orchestrator/source/duration.h"
#include "protocol/check_settings.h"

namespace drover {
namespace {

using std::chrono::milliseconds;

void AddSpan(CLI::App& app, const char* name, milliseconds least, milliseconds most,
             std::function<void(milliseconds)> take, const char* help) {
  app.add_option_function<std::string>(
         name,
         [name, least, most, take = std::move(take)](const std::string& text) {
           const auto span = ReadDuration(Value(text));
           if (!span || *span < least || *span > most) {
             throw CLI::ValidationError(name, "\"" + text + "\" is no span that is possible here");
           }
           take(*span);
         },
         help)
      ->type_name("SPAN");
}

void AddWho(CLI::App& app, DrillRequest& request) {
  app.add_option("--target", request.target, "the host (default: the master; a real server)")
      ->type_name("HOST");
  app.add_option("--service", request.service,
                 "the virtual service under test (default: the first)")
      ->type_name("ADDRESS:PORT");
  app.add_option("--probe", request.probe, "probe this; where there is no virtual service")
      ->type_name("ADDRESS:PORT");
  app.add_option("--unit", request.unit,
                 "real-server-stop: the unit of the target's service (default: the one that the "
                 "playbook starts there)")
      ->type_name("NAME");
  app.add_option("--prober", request.prober,
                 "the host that probes (default: of the group probes, or this one)")
      ->type_name("HOST");
}

void AddFaultSettings(CLI::App& app, DrillRequest& request) {
  AddSpan(
      app, "--duration", kLeastDrill, kLongestDrill,
      [&request](milliseconds span) { request.duration = span; },
      "how long the fault lasts (default 10s)");
  app.add_option("--loss", request.loss, "vrrp-loss: share of the adverts (default 0.01)")
      ->check(CLI::Range(0.000001, 1.0))
      ->type_name("SHARE");
  AddSpan(
      app, "--delay", milliseconds(1), milliseconds(60000),
      [&request](milliseconds span) { request.delay = span; },
      "real-server-slow: how late it answers (default 500ms)");
  AddSpan(
      app, "--max-outage", milliseconds(0), kLongestDrill,
      [&request](milliseconds span) { request.max_outage = span; },
      "a longer outage fails, whatever was predicted");
  app.add_flag("--may-cut-ssh", request.may_cut_ssh,
               "also when the way to the target is cut meanwhile");
}

void AddProbing(CLI::App& app, DrillRequest& request) {
  app.add_option("--rate", request.rate, "path probes per second (default 1000)")
      ->check(CLI::Range(1U, kMostProbeRate))
      ->type_name("N");
  app.add_option("--connections", request.connections, "long-lived connections (default 40)")
      ->check(CLI::Range(0U, kMostDrillConnections))
      ->type_name("N");
  app.add_option("--path", request.path, "of the pages that are asked for (default /)")
      ->check([](const std::string& path) {
        const Status fine = ValidateHttpPath(path);
        return fine ? "" : fine.error().message;
      })
      ->type_name("PATH");
  app.add_flag("!--no-control-probe", request.control_probe,
               "no probe past the directors, which tells the prober's faults from the cluster's");
}

void AddGates(CLI::App& app, DrillRequest& request) {
  AddSpan(
      app, "--settle", milliseconds(0), kLongestDrill,
      [&request](milliseconds span) { request.settle = span; },
      "no transition for so long before (default 60s)");
  app.add_option("--blackout", request.blackouts, "not on these days: FIRST..LAST")
      ->check([](const std::string& days) {
        const auto read = ParseBlackout(days);
        return read ? "" : read.error().message;
      })
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("DAYS");
  app.add_option_function<std::vector<std::string>>(
         "--force",
         [&request](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             const std::size_t equals = text.find('=');
             if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
               throw CLI::ValidationError("--force", "\"" + text +
                                                         "\" is not the name of a gate, \"=\" and "
                                                         "the reason");
             }
             request.forced[text.substr(0, equals)] = text.substr(equals + 1);
           }
         },
         "go through this gate though it is red")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("GATE=REASON");
}

}  // namespace

void AddFault(CLI::App& app, DrillLine& drill) {
  app.add_option_function<std::string>(
         "fault",
         [&drill](const std::string& word) {
           const auto fault = ParseFault(word);
           if (!fault) throw CLI::ValidationError("fault", fault.error().message);
           drill.request.fault = *fault;
         },
         "what is injected; \"drover drill list\" tells")
      ->required()
      ->type_name("FAULT");
}

void AddDrillOptions(CLI::App& app, DrillLine& drill) {
  AddWho(app, drill.request);
  AddFaultSettings(app, drill.request);
  AddProbing(app, drill.request);
  AddGates(app, drill.request);
  app.add_option("--evidence", drill.evidence,
                 "folder of the evidence (default ~/.local/state/drover/drills/ID)")
      ->type_name("DIR");
}

}  // namespace drover
