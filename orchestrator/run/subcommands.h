// The first word of the command line: which subcommand it names, and the help that lists them all.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace drover {

// A word that drover understands, with its line of help. `run` takes the arguments behind the word
// and returns the exit status.
struct Subcommand {
  const char* name;
  const char* help;
  int (*run)(const std::vector<std::string>& arguments);
};

// What stands above the table of help.
struct SubcommandHead {
  std::string program = "drover";
  std::string about = "Drover rolls out and proves Linux Virtual Server clusters.";
};

// Runs what `words` name; "help", "version" and what stands for them are known besides `table`. A
// subcommand may have subcommands of its own, with another head.
int RunSubcommand(std::span<const Subcommand> table, const std::vector<std::string>& words,
                  const SubcommandHead& head = {});

}  // namespace drover
