# make          builds build/drover and build/node-helper
# make demo     a whole cluster on this machine, in about a minute after the build
# make test     the tests of every commit: unit, contract, lab, a smoke of the benchmarks; some suites alone: scripts/run-tests NAME...
# make test-all every test there is; without hardware virtualisation that takes an hour
# make bench    the benchmarks, with their ratios
# make asan     unit tests under address and undefined-behaviour sanitizers
# make format   clang-format over everything;  make tidy  clang-tidy
#
# Each installs what it needs on Debian 12 first (one apt-get line, no questions).

PACKAGES = g++ cmake ninja-build pkg-config make ccache \
  libssh-dev libyaml-cpp-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libboost-dev libspdlog-dev \
  nlohmann-json3-dev libexpected-dev libcli11-dev libsqlite3-dev libsqlitecpp-dev libhowardhinnant-date-dev libcurl4-openssl-dev libexpat1-dev tzdata \
  libssl-dev libpcre2-dev zlib1g-dev libgtest-dev libbenchmark-dev \
  qemu-system-x86 busybox-static cpio kmod dpkg-dev python3 iproute2 iputils-ping iputils-arping curl procps util-linux sudo \
  openssh-server openssh-client nginx-light haproxy ipvsadm ansible keepalived nftables openssl systemd dbus

BUILD = build

.PHONY: all deps demo test test-all bench asan format tidy clean

all: deps
	@cmake --preset release -DCMAKE_CXX_COMPILER_LAUNCHER=ccache >$(BUILD).log 2>&1 || { cat $(BUILD).log; rm -f $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@cmake --build $(BUILD)
	@ls -l $(BUILD)/drover $(BUILD)/node-helper | awk '{printf "%-20s %5.1f MB\n", $$NF, $$5 / 1048576}'

# Asks dpkg first, so that a second run costs no time and no network.
deps:
	@scripts/install-packages $(PACKAGES)

demo: all
	@tests/lab/lab -i inventory/demo.yml -- scripts/demo

test: all
	@scripts/run-tests

test-all: all
	@scripts/run-tests --all

bench: all
	@tests/bench/run

asan: deps
	@cmake --preset asan >/dev/null && cmake --build build-asan && ctest --test-dir build-asan -L 'unit|socket|oracle' --output-on-failure

format:
	@git ls-files '*.h' '*.cc' | xargs clang-format -i

tidy: all
	@git ls-files '*.cc' | grep -v ^tests/ | xargs -P 2 -n 4 clang-tidy -p $(BUILD) --quiet

clean:
	rm -rf build build-asan build-fuzz
