#include "node-helper/install/service_files.h"

namespace drover {

// Hardened as far as its work allows: it writes below /proc/sys (so no ProtectKernelTunables), has
// ip_vs loaded (no ProtectKernelModules), speaks netlink, VRRP and ARP, runs the speaker's thread
// with real-time priority and locked memory, and looks at processes of others (trackers).
std::string SystemdUnit(const std::string& program) {
  return R"([Unit]
Description=Drover node helper (VRRP, health checks, addresses, sysctls and ip_vs services)
Documentation=man:ipvsadm(8)
After=network.target systemd-sysctl.service systemd-modules-load.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WatchdogSec=10s
ExecStart=)" +
         program +
         R"( daemon
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=200ms
TimeoutStopSec=15s
KillMode=mixed
OOMScoreAdjust=-900
LimitRTPRIO=99
LimitMEMLOCK=infinity
UMask=0077
LimitCORE=0
RuntimeDirectory=drover
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
LogsDirectory=drover
LogsDirectoryMode=0700
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=)" +
         program.substr(0, program.rfind('/')) + R"(
ProtectHome=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE CAP_SYS_MODULE CAP_DAC_OVERRIDE CAP_SYS_NICE CAP_IPC_LOCK CAP_SYS_PTRACE

[Install]
WantedBy=multi-user.target
)";
}

std::string InitScript(const std::string& program) {
  return R"(#!/bin/sh
### BEGIN INIT INFO
# Provides:          drover-node-helper
# Required-Start:    $network $remote_fs
# Required-Stop:     $network $remote_fs
# Should-Start:      $syslog procps
# Should-Stop:       $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Drover node helper
# Description:       Sets the addresses, sysctls and ip_vs services that Drover
#                    recorded for this node.
### END INIT INFO
# chkconfig: 2345 20 80

PROGRAM=)" +
         program +
         R"(

test -x "$PROGRAM" || exit 5

case "$1" in
  start)
    exec "$PROGRAM" daemon --detach
    ;;
  stop)
    exec "$PROGRAM" daemon --stop
    ;;
  restart)
    "$PROGRAM" daemon --stop && exec "$PROGRAM" daemon --detach
    ;;
  reload|force-reload)
    exec "$PROGRAM" daemon --reload
    ;;
  status)
    exec "$PROGRAM" daemon --status
    ;;
  *)
    echo "Usage: $0 {start|stop|restart|reload|force-reload|status}" >&2
    exit 2
    ;;
esac
)";
}

}  // namespace drover
