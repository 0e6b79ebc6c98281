#include "orchestrator/drill/fault.h"

#include <array>

namespace drover {
namespace {

constexpr std::array kCatalogue = {
    FaultText{Fault::kDirectorCrash, "the master director is gone at once",
              "the backup takes over when it has missed the adverts; synced connections live on"},
    FaultText{Fault::kHelperKill, "the master's helper is killed",
              "the backup takes over; the kernel takes the VIP from the old master when the lease "
              "runs out"},
    FaultText{Fault::kHelperFreeze, "the master's helper is stopped (SIGSTOP)",
              "as helper-kill; when it thaws it begins as backup before it sends anything"},
    FaultText{Fault::kDirectorIsolated, "the master's link has carrier, but nothing passes",
              "the backup takes over; after the heal one owner is left within an advert interval"},
    FaultText{Fault::kLinkDown, "the master's link goes down",
              "the master gives up by itself and the backup takes over"},
    FaultText{Fault::kVrrpSplit, "adverts are dropped both ways",
              "both directors are master, this is detected, requests are answered all the same; "
              "after the heal the winner announces again"},
    FaultText{Fault::kVrrpLoss, "a part of the adverts is dropped",
              "false takeovers no more often than chance makes them"},
    FaultText{Fault::kSyncCut, "connection synchronisation is dropped",
              "nothing is lost, and it is noticed before it would matter"},
    FaultText{Fault::kHandover, "the VIP is moved to the backup on purpose",
              "nothing is lost and nothing is reset"},
    FaultText{Fault::kFailback, "the VIP goes back to the preferred director",
              "it waits until its connection table is filled; then nothing is lost or reset"},
    FaultText{Fault::kRealServerStop, "a real server's service is stopped",
              "its share of new connections is refused until the checks have found it"},
    FaultText{Fault::kRealServerHang, "a real server's service is frozen",
              "only a check that asks for an answer finds it; then it gets nothing new"},
    FaultText{Fault::kRealServerSlow, "a real server answers late",
              "it goes on serving, or is taken out when it is slower than its checks allow"},
    FaultText{Fault::kRealServer5xx, "a real server answers with errors",
              "a check that looks at the status takes it out"},
    FaultText{Fault::kRealServerIsolated, "nothing reaches a real server any more",
              "its share of new connections hangs until the checks have found it"},
    FaultText{Fault::kVipLost, "the VIP is removed from the master by hand",
              "the master sets it again"},
    FaultText{Fault::kRulesCleared, "ip_vs is cleared on the master",
              "the master sets its services again"},
    FaultText{Fault::kArpMisconfigured, "a real server answers ARP for the VIP",
              "it is found and mended"},
    FaultText{Fault::kDiskFull, "the master's file systems are full", "nothing"},
    FaultText{Fault::kCpuStarved, "the master's processors are busy", "nothing"},
    FaultText{Fault::kClockJump, "the master's wall clock jumps", "nothing"},
    FaultText{Fault::kReboot, "the master is rebooted in good order",
              "it hands over before its network stops; nothing is lost"},
};
static_assert(kCatalogue.size() == kFaults);

}  // namespace

std::span<const FaultText> FaultCatalogue() { return kCatalogue; }

const FaultText& TextOf(Fault fault) { return kCatalogue.at(static_cast<std::size_t>(fault)); }

}  // namespace drover
