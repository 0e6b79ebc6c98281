# Holds the folders to the layers of the house at configure time: which folder may include which, and where a foreign
# library may show. A line out of place stops the configuration and names file and include.

# folder | own folders it may include (besides itself and protocol) | foreign headers it may include (regex)
set(DROVER_LAYERS
  "protocol||^(nlohmann/|tl/)"
  "node-helper/converge||^(nlohmann/|tl/)"
  "node-helper/net|node-helper/converge|^(netlink/|linux/|net/|netinet/|netpacket/|tl/)"
  "node-helper/store||^(nlohmann/|tl/)"
  "node-helper/tasks|node-helper/converge,node-helper/net,node-helper/store|^(boost/|tl/)"
  "node-helper/install|node-helper/store|^(tl/|nlohmann/)"
  "node-helper/daemon|node-helper/converge,node-helper/net,node-helper/store,node-helper/install,node-helper/tasks|^(spdlog/|tl/)"
  "orchestrator/source||^(nlohmann/|tl/|yaml-cpp/)"
  "orchestrator/inventory|orchestrator/source|^(nlohmann/|tl/)"
  "orchestrator/template|orchestrator/source|^(nlohmann/|tl/)"
  "orchestrator/playbook|orchestrator/source,orchestrator/template|^(nlohmann/|tl/|openssl/)"
  "orchestrator/verify||^(nlohmann/|tl/)"
  "orchestrator/compile|orchestrator/source,orchestrator/template,orchestrator/playbook,orchestrator/inventory,orchestrator/verify|^(nlohmann/|tl/|openssl/)"
  "orchestrator/rollout|orchestrator/compile,orchestrator/source,orchestrator/verify|^(tl/)"
  "orchestrator/ssh|orchestrator/compile,orchestrator/source,orchestrator/verify|^(libssh/|boost/|openssl/|tl/)"
  "orchestrator/report|orchestrator/compile,orchestrator/rollout,orchestrator/source,orchestrator/verify|^(nlohmann/|tl/|dtl/)"
  "orchestrator/run|orchestrator/compile,orchestrator/rollout,orchestrator/ssh,orchestrator/report,orchestrator/verify,orchestrator/source,orchestrator/inventory,orchestrator/playbook|^(tl/|CLI/|nlohmann/)"
)
# Headers of the system that belong to the rim: pure folders may not include them.
set(DROVER_PURE node-helper/converge orchestrator/inventory orchestrator/template orchestrator/verify orchestrator/rollout)
set(DROVER_RIM_HEADERS "^(sys/socket|sys/epoll|unistd|poll|fcntl|thread|mutex|condition_variable|netdb|spawn)")

foreach(layer IN LISTS DROVER_LAYERS)
  string(REPLACE "|" ";" fields "${layer}")
  list(GET fields 0 folder)
  list(GET fields 1 own)
  list(GET fields 2 foreign)
  string(REPLACE "," ";" own "${own}")
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.h ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
  foreach(file IN LISTS files)
    file(STRINGS ${file} includes REGEX "^#include [\"<]")
    foreach(line IN LISTS includes)
      string(REGEX REPLACE "^#include [\"<]([^\">]+)[\">].*" "\\1" target "${line}")
      set(fine FALSE)
      if(line MATCHES "^#include \"")
        get_filename_component(target_folder "${target}" DIRECTORY)
        if(target_folder STREQUAL folder OR target_folder STREQUAL "protocol" OR target_folder IN_LIST own)
          set(fine TRUE)
        endif()
      elseif(target MATCHES "/")
        if(target MATCHES "${foreign}" OR target MATCHES "^(sys/|arpa/|netinet/|net/|linux/)")
          set(fine TRUE)
        endif()
      else()
        set(fine TRUE)
      endif()
      if(folder IN_LIST DROVER_PURE AND target MATCHES "${DROVER_RIM_HEADERS}")
        set(fine FALSE)
      endif()
      if(NOT fine)
        message(FATAL_ERROR "layers: ${file} may not include ${target} (see cmake/CheckLayers.cmake)")
      endif()
    endforeach()
  endforeach()
endforeach()
