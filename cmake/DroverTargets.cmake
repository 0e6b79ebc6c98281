# How a folder declares what it builds.
#
#   drover_library(NAME SOURCES a.cc b.cc [LINKS other_library Foreign::target])
#   drover_test(NAME SOURCES a_test.cc [LINKS library...] [LABELS unit|socket|contract|lab])
#
# Every target sees the repository root (includes are "protocol/result.h") and nothing foreign but what it links.

find_package(PkgConfig REQUIRED)
find_package(tl-expected REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)

# Designated initialisers name what differs from the default; the rest is meant to be left out.
add_library(drover_flags INTERFACE)
target_include_directories(drover_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(drover_flags INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                       -Wimplicit-fallthrough -Wformat=2 -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlaps in std::string where there are none (GCC bug 105651).
  target_compile_options(drover_flags INTERFACE -Wno-restrict)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Unused functions are dropped when linking: it keeps the static helper small.
  target_compile_options(drover_flags INTERFACE -ffunction-sections -fdata-sections)
  target_link_options(drover_flags INTERFACE -Wl,--gc-sections)
endif()
if(DROVER_SANITIZE)
  target_compile_options(drover_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(drover_flags INTERFACE -fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With sanitizers GCC 12 warns of what the plain build proves fine (in Boost.Beast).
    target_compile_options(drover_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()

function(drover_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC drover_flags tl::expected ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

function(drover_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  if(NOT DROVER_TESTS)
    return()
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE drover_flags ${ARG_LINKS} GTest::gtest GTest::gtest_main Threads::Threads)
  # The others run in the lab. socket: with real servers on this machine, so not in a moment.
  if(ARG_LABELS MATCHES "^(unit|socket)$")
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABELS} TIMEOUT 120)
  endif()
endfunction()
